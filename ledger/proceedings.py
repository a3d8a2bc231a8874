"""Appeals and claims: what may be filed, in which order steps may follow, and what a decision may order. Pure.

Rules kept here:

1. filed → (returned → completed)* → accepted → reviewed* → decided; withdrawn at any time before the decision.
2. An appeal names the appellant's own observations, that count, and rows of its sheet; a claim names one such row.
3. The term to file runs, in working days after it, from the day on which a disputed observation was last said to read
   as it does; in a closed year from the day of the close, if that is later. What names no observation can be filed at
   any time while the year is open. Each observation has a term of its own.
   The days are those that were in force when the term began to run.
4. A decision orders something only about the appellant's own observations and judged rows, and whatever it orders
   must itself be possible: what is void cannot be voided, an amended reading and a judgement must be admitted.
5. In a closed year a decision orders something only about what is in dispute: the observations that the appeal names
   or that a rule of a named row looks at, and the judgement of a named row or one that the appeal names.

A closed year takes all of this. Whether a claim for the same row is open or granted already is seen from its stream:
see `ledger.proceeding_commands`. How long a decision takes is not limited here; what is overdue is shown elsewhere,
and whether an ordered judgement has any effect is asked by those who see the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Final, Literal
from uuid import UUID

from ledger.commands import Accept, Complete, Order, OrderAmend, OrderJudge, OrderVoid, Return, Review, Step, Withdraw
from ledger.decisions import (
    Admission,
    ObservationState,
    Unit,
    YearState,
    decide_amend,
    decide_observe,
    known_unit,
    local_day,
    refuse_void,
)
from ledger.events import (
    AppealDecided,
    AppealFiled,
    Attributes,
    ClaimDecided,
    ClaimFiled,
    Event,
    Outcome,
    ProceedingAccepted,
    ProceedingCompleted,
    ProceedingReturned,
    ProceedingReviewed,
    ProceedingWithdrawn,
    Reading,
)
from ledger.rejection import Refusal, Rejection, rejected

Kind = Literal["appeal", "claim"]
Status = Literal["filed", "returned", "accepted", "reviewed", "decided", "withdrawn"]
Result = Outcome | Literal["granted", "refused"]
Action = Literal["return", "complete", "accept", "review", "decide", "withdraw"]

POSSIBLE: Final[Mapping[Status, tuple[Action, ...]]] = {
    "filed": ("return", "accept", "withdraw"),
    "returned": ("complete", "withdraw"),
    "accepted": ("review", "decide", "withdraw"),
    "reviewed": ("review", "decide", "withdraw"),
    "decided": (),
    "withdrawn": (),
}
"""What can be done next; a completed proceeding is filed again."""
_ACTIONS: Final[Mapping[type[Step], Action]] = {
    Return: "return",
    Complete: "complete",
    Accept: "accept",
    Review: "review",
    Withdraw: "withdraw",
}
OPEN: Final = frozenset({"filed", "returned", "accepted", "reviewed"})


@dataclass(frozen=True, slots=True)
class ProceedingState:
    """An appeal or a claim as its events have made it.

    `unit` is the unit's key; a claim has exactly one indicator and no observation. `since` is when the term to decide
    began: the filing, or the latest completion. `outcome` is that of a decided one; a claim is `granted` or `refused`.
    `person` is who filed it, where that was a signed-in human.
    """

    id: UUID
    kind: Kind
    year: int
    unit: str
    observations: tuple[UUID, ...]
    indicators: tuple[str, ...]
    since: datetime
    version: int = 1
    status: Status = "filed"
    outcome: Result | None = None
    person: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for something, in the end for its decision."""
        return self.status in OPEN

    @property
    def is_with_the_office(self) -> bool:
        """Whether it waits for the office, and its term runs; what is returned waits for the unit."""
        return self.is_open and self.status != "returned"


def fold_proceeding(state: ProceedingState | None, event: Event) -> ProceedingState:
    """Return the appeal or claim after the event."""
    stream, version = event.originator_id, event.originator_version
    match event:
        case AppealFiled():
            about = (event.observations, event.indicators)
            return ProceedingState(
                stream, "appeal", event.year, event.unit, *about, event.recorded_at, person=event.person
            )
        case ClaimFiled():
            return ProceedingState(
                stream, "claim", event.year, event.unit, (), (event.indicator,), event.recorded_at, person=event.person
            )
        case _:
            pass
    if state is None:
        raise ValueError(f"expected a filing before {event.wire}")
    match event:
        case ProceedingReturned():
            return replace(state, version=version, status="returned")
        case ProceedingCompleted():
            return replace(state, version=version, status="filed", since=event.recorded_at)
        case ProceedingAccepted():
            return replace(state, version=version, status="accepted")
        case ProceedingReviewed():
            return replace(state, version=version, status="reviewed")
        case ProceedingWithdrawn():
            return replace(state, version=version, status="withdrawn")
        case AppealDecided():
            return replace(state, version=version, status="decided", outcome=event.outcome)
        case ClaimDecided():
            return replace(state, version=version, status="decided", outcome="granted" if event.granted else "refused")
        case _:
            pass
    raise TypeError(f"expected an event of an appeal or a claim, got {event.wire}")


def decide_step(state: ProceedingState, step: Step) -> None:
    """Refuse a step that is not possible now."""
    refuse_action(state, _ACTIONS[type(step)])


def refuse_action(state: ProceedingState, action: Action) -> None:
    """Refuse what is not possible now, with what is: `…-decided`, `…-withdrawn` or `…-step`, of `appeal` or `claim`."""
    possible = POSSIBLE[state.status]
    if action in possible:
        return
    if not possible:
        what = "" if state.outcome == "granted" else "; file a new one"
        message = f"the {state.kind} is {state.outcome or state.status}: nothing can follow{what}"
        raise rejected(f"{state.kind}-{state.status}", state.kind, message)
    message = f"found {action!r}, but the {state.kind} is {state.status}; possible now: {', '.join(possible)}"
    raise rejected(f"{state.kind}-step", state.kind, message)


def refuse_own(state: ProceedingState, person: str | None) -> None:
    """Refuse whoever filed it a part in its decision, from whatever account."""
    if person is not None and person == state.person:
        message = f"whoever filed the {state.kind} has no part in its decision; another person has to"
        raise rejected("approval-own", state.kind, message)


def decide_appeal_filing(
    year: YearState,
    name: str,
    observations: Mapping[UUID, ObservationState],
    indicators: Sequence[str],
    today: date,
    admission: Admission,
) -> str:
    """Return the key of the unit that files an appeal; refuses, with all reasons, what it may not name, or too late."""
    year.opened()
    unit = known_unit(year, name)
    refusals: list[Refusal] = []
    for at, state in enumerate(observations.values()):
        refusals += _refusals(f"observations[{at}]", partial(_disputed, year, unit, state, today, admission))
    for at, indicator in enumerate(indicators):
        refusals += _refusals(f"indicators[{at}]", partial(admission.indicator, year, unit, indicator))
    if indicators:
        refusals += _refusals("indicators", partial(_in_time, year, None, today, admission))
    if refusals:
        raise Rejection(*refusals)
    return unit.key


def _refusals(place: str, decide: Callable[[], None]) -> list[Refusal]:
    try:
        decide()
    except Rejection as rejection:
        return [Refusal(one.code, place, one.message) for one in rejection.refusals]
    return []


def decide_claim_filing(year: YearState, name: str, indicator: str, today: date, admission: Admission) -> str:
    """Return the key of the unit that files a claim; refuses what is no row of its sheet, and a filing too late."""
    year.opened()
    unit = known_unit(year, name)
    admission.indicator(year, unit, indicator)
    _in_time(year, None, today, admission)
    return unit.key


def _disputed(year: YearState, unit: Unit, state: ObservationState, today: date, admission: Admission) -> None:
    refuse_foreign(year, unit, state)
    refuse_void(state)
    _in_time(year, state.said_at, today, admission)


def refuse_foreign(year: YearState, unit: Unit, state: ObservationState) -> None:
    """Refuse an observation of another year, or one that does not read as the unit's, whatever name it was given."""
    if state.year != year.year:
        message = f"found an observation of {state.year}, expected one of {year.year}"
        raise rejected("appeal-other-year", "observation", message)
    said_of = year.unit(state.reading.unit)
    if said_of is None or said_of.key != unit.key:
        message = f"the observation is said of {state.reading.unit!r}, expected one said of {unit.key!r}"
        raise rejected("appeal-other-unit", "observation", message)


def _in_time(year: YearState, said_at: datetime | None, today: date, admission: Admission) -> None:
    """Refuse a filing too late; `said_at` is when a disputed observation was last said to read as it does, if any."""
    begun = max((moment for moment in (said_at, year.closed_at) if moment is not None), default=None)
    if begun is None:
        return
    start, days = local_day(begun), year.terms_at(begun).days_to_file
    due = admission.term_end(start, days, today)
    if due is not None:
        message = f"the term of {days} working days after {start} ended on {due}; expected a filing by then"
        raise rejected("appeal-late", "indicator", message)


def ordered_reading(
    year: YearState,
    unit: Unit,
    order: Order,
    observations: Mapping[UUID, ObservationState],
    admission: Admission,
) -> Reading | None:
    """Return what is read once the order is carried out, None for a void; refuses an order that cannot be."""
    match order:
        case OrderVoid():
            refuse_foreign(year, unit, observations[order.void])
            refuse_void(observations[order.void])
            return None
        case OrderAmend():
            state = observations[order.amend]
            refuse_foreign(year, unit, state)
            reading = decide_amend(year, state, order.changes, admission)
            if reading == state.reading:
                message = "the observation reads so already; order what it shall read, or nothing"
                raise rejected("order-changes-nothing", "orders", message)
            return reading
        case OrderJudge():
            admission.indicator(year, unit, order.judge)
            attributes: Attributes = {"indicator": order.judge, "value": order.value}
            reading = Reading.model_construct(
                unit=unit.key, kind="judgement", occurred_on=order.occurred_on, count=1, attributes=attributes
            )
            decide_observe(year, reading, admission)
            return reading


def decide_orders(
    year: YearState,
    state: ProceedingState,
    orders: Sequence[Order],
    observations: Mapping[UUID, ObservationState],
    admission: Admission,
) -> list[Reading | None]:
    """Return what each order makes read; refuses, with all reasons, when any cannot be carried out.

    `observations` are those that the orders name and, in a closed year, those that the appeal names.
    """
    refuse_action(state, "decide")
    unit = known_unit(year, state.unit)
    readings: list[Reading | None] = []
    refusals: list[Refusal] = []
    for at, order in enumerate(orders):
        try:
            readings.append(ordered_reading(year, unit, order, observations, admission))
            if year.closed_at is not None:
                _refuse_undisputed(year, unit, state, order, observations, admission)
        except Rejection as rejection:
            refusals += rejection.within(f"orders[{at}]")
    if refusals:
        raise Rejection(*refusals)
    return readings


def _refuse_undisputed(
    year: YearState,
    unit: Unit,
    state: ProceedingState,
    order: Order,
    observations: Mapping[UUID, ObservationState],
    admission: Admission,
) -> None:
    """Refuse an order about what the appeal does not dispute."""
    if isinstance(order, OrderJudge):
        named = (observations[one].reading for one in state.observations)
        disputed = order.judge in state.indicators or any(
            reading.kind == "judgement" and reading.attributes.get("indicator") == order.judge for reading in named
        )
        what = f"the row {order.judge}, which the appeal does not name, nor a judgement of it"
    else:
        about = order.void if isinstance(order, OrderVoid) else order.amend
        reading = observations[about].reading
        disputed = about in state.observations or any(
            admission.touches(year, unit, reading, one) for one in state.indicators
        )
        what = f"the observation {about}, which the appeal does not name, nor a row that looks at it"
    if not disputed:
        message = (
            f"found an order about {what}; the year {year.year} is closed: order only about what is in dispute, "
            "or reopen the year first"
        )
        raise rejected("order-not-in-dispute", "", message)
