"""All entries about a year as one list: observations, appeals and claims, proposals, and the year itself.

Whoever sees only some units' matters is given a view that shows these only (`projections.own_sight`): then the list
holds the entries that `projections.own_items.own_positions` names, and no other. What was proposed is for those who
may read proposals, and is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final, Literal

from ledger.decisions import Unit, local_day
from ledger.events import (
    Evidence,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    OfYear,
    ProposalApproved,
    ProposalDeclined,
    ProposalMade,
)
from ledger.proceedings import Kind
from ledger.rejection import rejected
from projections.proceedings.proceedings import Proceeding, proceedings_of
from projections.proposals import ProposalAnswer
from projections.scheme_files import vocabulary
from projections.years import YEAR_TOPICS, Observed, YearView
from schemes.fact import Fact
from schemes.figures import Figures
from schemes.rules import MeanRating, kinds_of
from schemes.scheme import Indicator
from schemes.scoring import Circumstances, touching

Status = Literal["counts", "void", "open", "ended"]
_WIRES: Final[Mapping[str, str]] = {
    "observe": ObservationObserved.wire,
    "amend": ObservationAmended.wire,
    "void": ObservationVoided.wire,
    "rectify": ObservationRectified.wire,
    "made": ProposalMade.wire,
    "approved": ProposalApproved.wire,
    "declined": ProposalDeclined.wire,
}
_STEPS: Final[Mapping[str, str]] = {"appeal.filed/1": "filed", "claim.filed/1": "filed"} | {
    "appeal.decided/1": "decided",
    "claim.decided/1": "decided",
}


@dataclass(frozen=True, slots=True)
class YearEntry:
    """One entry of the ledger about a year.

    `kind` is what it is of and what it does: `observation.void`, `appeal.decided`, `proposal.made`, `year.closed`;
    `wire` its event's name. `subject` is the observation, appeal, claim or proposal that it is about, and `status` how
    that stands now. `fact` is how an observation reads after the entry, `before` how it read before an amendment.
    `rows` are the indicators that it names. `event` is what is said of an appeal, a claim or the year; `proposal` what
    was asked for.
    """

    position: int
    kind: str
    wire: str
    recorded_at: datetime
    actor: str
    subject: str | None = None
    status: Status | None = None
    unit: Unit | None = None
    fact: Fact | None = None
    before: Fact | None = None
    rectified_on: date | None = None
    note: str | None = None
    reason: str | None = None
    cited: Sequence[Evidence | Mapping[str, Any]] = ()
    rows: tuple[str, ...] = ()
    event: OfYear | None = None
    proposal: ProposalAnswer | None = None

    @property
    def evidence(self) -> list[Evidence]:
        """What the entry rests on; read only of what is shown, because a year has many entries."""
        return [Evidence.model_validate(one) for one in self.cited]


@dataclass(frozen=True, slots=True)
class EntriesWanted:
    """Which entries; null is any.

    `kind` is a kind of entry, or what comes before its dot; `of` a kind of observation. `first` and `last` bound the
    day on which something occurred, `recorded_first` and `recorded_last` the day (in China) on which it was recorded.
    `row` is an indicator: entries about facts that it looks at, and those that name it.
    """

    unit: Unit | None = None
    kind: str | None = None
    of: str | None = None
    row: str | None = None
    actor: str | None = None
    status: Status | None = None
    first: date | None = None
    last: date | None = None
    recorded_first: date | None = None
    recorded_last: date | None = None

    def includes(self, one: YearEntry) -> bool:
        """Whether the entry is wanted, rows aside."""
        day = one.fact.occurred_on if one.fact else None
        return (
            (self.unit is None or one.unit == self.unit)
            and (self.kind is None or one.kind == self.kind or one.kind.startswith(f"{self.kind}."))
            and (self.of is None or (one.fact is not None and one.fact.kind == self.of))
            and (self.actor is None or one.actor == self.actor)
            and (self.status is None or one.status == self.status)
            and (self.first is None or (day is not None and day >= self.first))
            and (self.last is None or (day is not None and day <= self.last))
            and (self.recorded_first is None or local_day(one.recorded_at) >= self.recorded_first)
            and (self.recorded_last is None or local_day(one.recorded_at) <= self.recorded_last)
        )


def entries_of_year(view: YearView, proposals: Iterable[ProposalAnswer] = ()) -> list[YearEntry]:
    """Return the entries about the view's year, the newest first; `proposals` are those of the ledger, if any."""
    found = [
        *(entry for one in view.observed for entry in _of_observation(view, one)),
        *(entry for one in proceedings_of(view) for entry in _of_proceeding(view, one)),
        *(entry for one in proposals if _is_about(view, one) for entry in _of_proposal(view, one)),
        *(_of_year(view) if view.sight is None else ()),
    ]
    return sorted(found, key=attrgetter("position"), reverse=True)


def wanted_entries(view: YearView, entries: Sequence[YearEntry], wanted: EntriesWanted) -> list[YearEntry]:
    """Return the entries that are wanted, in their order."""
    found = [one for one in entries if wanted.includes(one)]
    if wanted.row is None:
        return found
    rows = {group.id: group.indicator(wanted.row) for group in view.scheme.groups}
    return [one for one in found if wanted.row in one.rows or _looks_at(view, rows, one)]


def entry_at(entries: Sequence[YearEntry], position: int) -> YearEntry:
    """Return the entry at a ledger position; refuses one that is not among them (`unknown-position`)."""
    found = next((one for one in entries if one.position == position), None)
    if found is None:
        message = f"found {position}, expected the position of an entry about this year that you may see"
        raise rejected("unknown-position", "position", message)
    return found


def _of_observation(view: YearView, observed: Observed) -> Iterator[YearEntry]:
    standing: Fact | None = None
    for entry in view.entries_of(observed.observation):
        before, standing = standing, entry.said.fact or standing
        # Who may see one of the two units only is not told what an amendment made of the observation elsewhere.
        moved_away = entry.entry == "amend" and entry.said.fact is None
        yield YearEntry(
            position=entry.position,
            kind=f"observation.{entry.entry}",
            wire=_WIRES[entry.entry],
            recorded_at=entry.recorded_at,
            actor=entry.actor,
            subject=observed.observation,
            status="void" if observed.void else "counts",
            unit=None if standing is None else view.state.unit(standing.unit),
            fact=None if moved_away else standing,
            before=before if entry.entry == "amend" and not moved_away else None,
            rectified_on=entry.said.rectified_on,
            note=entry.note,
            reason=entry.reason,
            cited=entry.evidence,
            rows=_named_row(standing),
        )


def _named_row(fact: Fact | None) -> tuple[str, ...]:
    row = fact.text("indicator") if fact is not None and fact.kind == "judgement" else None
    return () if row is None else (row,)


def _of_proceeding(view: YearView, proceeding: Proceeding) -> Iterator[YearEntry]:
    state = proceeding.state
    for step in proceeding.steps:
        event = step.event
        yield YearEntry(
            position=step.position,
            kind=_step(state.kind, event),
            wire=event.wire,
            recorded_at=event.recorded_at,
            actor=event.actor,
            subject=str(state.id),
            status="open" if state.is_open else "ended",
            unit=view.state.unit(state.unit),
            cited=getattr(event, "evidence", ()),
            rows=state.indicators,
            event=event,
        )


def _step(kind: Kind, event: OfYear) -> str:
    step = _STEPS.get(event.wire) or event.wire.removeprefix("proceeding.").partition("/")[0]
    return f"{kind}.{step}"


def _is_about(view: YearView, proposal: ProposalAnswer) -> bool:
    """Whether the proposal is about the year: one to change an observation names that, and no year."""
    return proposal.year == view.state.year or str(proposal.about) in view.by_observation


def _of_proposal(view: YearView, proposal: ProposalAnswer) -> Iterator[YearEntry]:
    steps = [("made", proposal.made)]
    if proposal.ended is not None:
        steps.append((proposal.status, proposal.ended))
    fact = _proposed_fact(view, proposal)
    unit = view.state.unit(fact.unit) if fact else _unit_of(view, proposal)
    for name, step in steps:
        if step.position <= view.position:
            yield YearEntry(
                position=step.position,
                kind=f"proposal.{name}",
                wire=_WIRES[name],
                recorded_at=step.recorded_at,
                actor=step.actor,
                subject=str(proposal.id),
                status="open" if proposal.status == "open" else "ended",
                unit=unit,
                fact=fact,
                reason=step.reason or (_said(proposal.content) if name == "made" else None),
                cited=proposal.content.get("evidence", ()),
                rows=_named_row(fact),
                proposal=proposal,
            )


def _said(content: Mapping[str, Any]) -> str | None:
    return content.get("reason") or content.get("reasons") or content.get("note")


def _proposed_fact(view: YearView, proposal: ProposalAnswer) -> Fact | None:
    """The fact that is to be recorded, or that the observation says which is to be changed."""
    if proposal.action == "observe":
        content = proposal.content
        values = vocabulary().typed(content["kind"], content.get("attributes", {}))
        day = date.fromisoformat(content["occurred_on"])
        count = content.get("count", 1)
        return Fact(str(proposal.id), proposal.made.position, content["unit"], content["kind"], day, count, values)
    readings = [one.said.fact for one in view.all_entries_of(str(proposal.about)) if one.said.fact is not None]
    return readings[-1] if readings else None


def _unit_of(view: YearView, proposal: ProposalAnswer) -> Unit | None:
    units = (one.state.unit for one in proceedings_of(view) if one.state.id == proposal.about)
    return next((view.state.unit(unit) for unit in units), None)


def _of_year(view: YearView) -> Iterator[YearEntry]:
    for one in view.turns:
        event = one.event
        if event.wire in YEAR_TOPICS:
            name = getattr(event, "unit", None)
            yield YearEntry(
                position=one.position,
                kind=event.wire.partition("/")[0],
                wire=event.wire,
                recorded_at=event.recorded_at,
                actor=event.actor,
                unit=None if name is None else view.state.unit(name),
                reason=getattr(event, "reason", None),
                event=event,
            )


def _looks_at(view: YearView, rows: Mapping[str, Indicator | None], one: YearEntry) -> bool:
    """Whether the row of the unit's group looks at the fact that the entry is about."""
    row = rows.get(one.unit.group) if one.unit is not None else None
    fact = one.fact
    if row is None or fact is None:
        return False
    around = Circumstances(fact.unit, view.state.year, Figures({}, {}))
    return any(
        isinstance(rule, MeanRating) or bool(touching(rule, {fact.kind: [fact]}, around))
        for rule in row.rules
        if fact.kind in kinds_of(rule)
    )
