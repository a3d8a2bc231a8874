"""Appeals and claims as a view knows them: where each stands, its steps, what its decision ordered, and what is due.

Whether a term has run out is told as of a day, which is the caller's: the view knows no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from uuid import UUID

from ledger.decisions import Unit, local_day
from ledger.events import (
    AppealDecided,
    AppealFiled,
    ClaimDecided,
    ClaimFiled,
    Event,
    Evidence,
    Ordered,
    ProceedingAccepted,
    ProceedingCompleted,
    ProceedingReturned,
    ProceedingReviewed,
    ProceedingWithdrawn,
)
from ledger.proceedings import POSSIBLE, Kind, ProceedingState, Status, fold_proceeding
from ledger.rejection import Rejection, rejected
from projections.answer_models import EntryAnswer, ReadingAnswer, ReceiptAnswer
from projections.answers import observation_answer
from projections.proceedings.models import (
    DisputedAnswer,
    IndicatorAnswer,
    OrderAnswer,
    ProceedingAnswer,
    ProceedingRecorded,
    ProceedingsAnswer,
    StepAnswer,
    StepName,
)
from projections.proceedings.terms import due_day, term_end
from projections.years import Recorded, YearView
from schemes.working_days import DAY


@dataclass(frozen=True, slots=True)
class Proceeding:
    """An appeal or a claim as known to a view: its state, and its steps with their ledger positions."""

    state: ProceedingState
    steps: tuple[Recorded, ...]

    @property
    def decision(self) -> Recorded | None:
        """The decision, if there is one yet."""
        return next((one for one in self.steps if isinstance(one.event, AppealDecided | ClaimDecided)), None)

    @property
    def last_position(self) -> int:
        """The ledger position after which everything that the last step brought with it is recorded."""
        last = self.steps[-1]
        return last.position + len(_orders_of(last.event))


@dataclass(frozen=True, slots=True)
class ProceedingsWanted:
    """Which appeals or claims: of one unit, in one status, overdue on a day, or due within days of it; null is any.

    With `within`, those overdue on `day` and those that become so in as many days after it.
    """

    kind: Kind
    unit: Unit | None = None
    status: Status | None = None
    overdue_on: date | None = None
    within: int = 0

    @property
    def last_day(self) -> date | None:
        """The day on which they are overdue, or None where it does not matter; no later than a calendar can name.

        Raises `Rejection` (`overdue-day-missing`) for days after a day that is not stated.
        """
        if self.overdue_on is not None:
            return self.overdue_on + min(self.within * DAY, date.max - self.overdue_on)
        if self.within:
            message = f"found {self.within} days after no day; state also the day on which they are overdue"
            raise rejected("overdue-day-missing", "within", message)
        return None


def proceedings_of(view: YearView) -> list[Proceeding]:
    """Return the appeals and claims known to the view that it shows, in the order of their filing."""
    steps: dict[UUID, list[Recorded]] = {}
    for one in view.proceedings:
        steps.setdefault(one.event.originator_id, []).append(one)
    found = (Proceeding(_state(of_one), tuple(of_one)) for of_one in steps.values())
    return [one for one in found if view.shows(one.state.unit)]


def proceeding_of(view: YearView, kind: Kind, identifier: UUID) -> Proceeding:
    """Return an appeal or a claim; refuses one not known to the view (`unknown-appeal`, `unknown-claim`)."""
    for one in proceedings_of(view):
        if (one.state.id, one.state.kind) == (identifier, kind):
            return one
    raise rejected(f"unknown-{kind}", "proceeding", f"no {kind} {identifier} in the year {view.state.year}")


def open_proceedings(view: YearView) -> list[Proceeding]:
    """Return those that wait for something, in the end for their decision."""
    return [one for one in proceedings_of(view) if one.state.is_open]


def open_proceeding_answers(view: YearView, today: date) -> list[ProceedingAnswer]:
    """Return the open appeals and claims that the view shows, those first that are due first."""
    found = [proceeding_answer(view, one, today) for one in open_proceedings(view)]
    return sorted(found, key=lambda one: (one.due or date.max, one.filed_position))


def proceeding_answer(view: YearView, proceeding: Proceeding, today: date) -> ProceedingAnswer:
    """Return an appeal or a claim with its steps and what its decision ordered; `overdue` is as of `today`."""
    state = proceeding.state
    unit = view.unit_of_year(state.unit)
    decision = proceeding.decision
    days = _days_to_decide(view, state)
    return ProceedingAnswer(
        id=str(state.id),
        kind=state.kind,
        jurisdiction=view.scheme.jurisdiction.code,
        year=state.year,
        unit=unit.name_on(view.as_of),
        key=unit.key,
        group=unit.group,
        status=state.status,
        outcome=state.outcome,
        possible=list(POSSIBLE[state.status]),
        observations=list(_disputed(view, proceeding)),
        indicators=[_indicator(view, unit, one) for one in state.indicators],
        days_to_decide=days,
        due=due_day(local_day(state.since), days) if state.is_with_the_office else None,
        overdue=_overdue_if_told(view, proceeding, today),
        steps=[_step(one) for one in proceeding.steps],
        orders=list(_orders(view, decision)),
        filed_position=proceeding.steps[0].position,
        decided_position=decision.position if decision else None,
        last_position=proceeding.last_position,
    )


def recorded_answer(
    view: YearView, receipts: Sequence[ReceiptAnswer], today: date, about: UUID | None = None
) -> ProceedingRecorded:
    """Return what a command recorded of an appeal or a claim, and how that stands in the view.

    `about` is the one that the command was about; left out, the one that it filed.
    """
    position = receipts[0].position
    [found] = [
        one
        for one in proceedings_of(view)
        if one.state.id == about or any(step.position == position for step in one.steps)
    ]
    return ProceedingRecorded(receipts=list(receipts), proceeding=proceeding_answer(view, found, today))


def proceedings_answer(view: YearView, wanted: ProceedingsWanted, today: date) -> ProceedingsAnswer:
    """Return the appeals, or the claims, that are wanted; refuses days that count from no day."""
    last_day = wanted.last_day
    return ProceedingsAnswer(
        jurisdiction=view.scheme.jurisdiction.code,
        year=view.state.year,
        position=_last_shown(view),
        proceedings=[
            proceeding_answer(view, one, wanted.overdue_on or today)
            for one in proceedings_of(view)
            if _is_wanted(view, one, wanted, last_day)
        ],
    )


def _last_shown(view: YearView) -> int:
    """The ledger's length; to a unit the last position that it is shown something of, so that others' tell nothing."""
    if view.sight is None:
        return view.position
    return max((one.last_position for one in proceedings_of(view)), default=0)


def is_overdue(view: YearView, proceeding: Proceeding, today: date) -> bool:
    """Whether it waits for the office and its term to decide has run out before `today`.

    Raises `Rejection` (`calendar-unknown-year`) where no holiday notice tells that yet.
    """
    state = proceeding.state
    if not state.is_with_the_office:
        return False
    return term_end(local_day(state.since), _days_to_decide(view, state), today) is not None


def _days_to_decide(view: YearView, state: ProceedingState) -> int:
    """The days that were in force when the term began: the filing, or the latest completion."""
    return view.state.terms_at(state.since).days_to_decide


def _overdue_if_told(view: YearView, proceeding: Proceeding, today: date) -> bool | None:
    try:
        return is_overdue(view, proceeding, today)
    except Rejection:
        return None


def _is_wanted(view: YearView, one: Proceeding, wanted: ProceedingsWanted, last_day: date | None) -> bool:
    state = one.state
    if state.kind != wanted.kind or wanted.status not in (None, state.status):
        return False
    if wanted.unit is not None and state.unit != wanted.unit.key:
        return False
    return last_day is None or is_overdue(view, one, last_day)


def _state(steps: Sequence[Recorded]) -> ProceedingState:
    state = fold_proceeding(None, steps[0].event)
    for one in steps[1:]:
        state = fold_proceeding(state, one.event)
    return state


def _orders_of(event: Event) -> tuple[Ordered, ...]:
    return event.orders if isinstance(event, AppealDecided) else ()


def _disputed(view: YearView, proceeding: Proceeding) -> Iterator[DisputedAnswer]:
    """The disputed observations; what a unit may not see (yet) is left out of what it is told."""
    filed = proceeding.steps[0].position
    for observation in proceeding.state.observations:
        reading = _reading_before(_entries(view, observation), filed)
        if reading is not None:
            yield DisputedAnswer(observation=str(observation), reading=reading)
        elif view.sight is None:
            raise ValueError(f"expected entries of observation {observation} before position {filed}, got none")


def _entries(view: YearView, observation: UUID) -> Sequence[EntryAnswer]:
    """The entries of an observation that the view shows; a unit may see none of one that its own appeal names."""
    if view.sight is not None and not view.entries_of(str(observation)):
        return ()
    return observation_answer(view, str(observation)).entries


def _indicator(view: YearView, unit: Unit, identifier: str) -> IndicatorAnswer:
    group = view.scheme.group(unit.group)
    row = group.indicator(identifier) if group else None
    if row is None:
        return IndicatorAnswer(indicator=identifier, titles=[], clause=None)
    return IndicatorAnswer(indicator=identifier, titles=list(row.titles), clause=row.clause)


def _orders(view: YearView, decision: Recorded | None) -> Iterator[OrderAnswer]:
    """The orders stand behind their decision in the ledger, one position each."""
    if decision is None:
        return
    for at, ordered in enumerate(_orders_of(decision.event), decision.position + 1):
        entries = _entries(view, ordered.observation)
        carried_out = next((entry for entry in entries if entry.position == at), None)
        yield OrderAnswer(
            order=ordered.order,
            observation=str(ordered.observation),
            position=at,
            before=_reading_before(entries, at),
            after=carried_out.reading if carried_out else None,
        )


def _reading_before(entries: Sequence[EntryAnswer], position: int) -> ReadingAnswer | None:
    readings = [entry.reading for entry in entries if entry.position < position and entry.reading is not None]
    return readings[-1] if readings else None


def _step(recorded: Recorded) -> StepAnswer:
    event = recorded.event
    step, text, evidence = _told(event)
    return StepAnswer(
        position=recorded.position,
        step=step,
        recorded_at=event.recorded_at.astimezone(UTC),
        actor=event.actor,
        text=text,
        recommendation=event.recommendation if isinstance(event, ProceedingReviewed) else None,
        evidence=list(evidence),
    )


def _told(event: Event) -> tuple[StepName, str | None, Sequence[Evidence]]:
    match event:
        case AppealFiled() | ClaimFiled():
            return "filed", event.grounds, event.evidence
        case ProceedingReturned():
            return "returned", event.reason, ()
        case ProceedingCompleted():
            return "completed", event.grounds, event.evidence
        case ProceedingAccepted():
            return "accepted", event.note, ()
        case ProceedingReviewed():
            return "reviewed", event.finding, event.evidence
        case AppealDecided() | ClaimDecided():
            return "decided", event.reasons, event.evidence
        case ProceedingWithdrawn():
            return "withdrawn", event.reason, ()
        case _:
            raise TypeError(f"expected an event of an appeal or a claim, got {event.wire}")
