"""What a year's first page says: where every unit stands, what was recorded last, what waits to be done.

Pure over views. Rules kept here:

1. The change of a score is that since `DAYS_BACK` days before the shown day: facts up to that day, as everything is
   known now. What was recorded late for an earlier day is in both, so it is no change.
2. What waits is told as it stands now, whatever the shown day; missing judgements and metrics, and what was not put
   right, are those of the shown day.
3. The contract does not say which facts can be put right, so this is asked of the scheme: what a rule of the unit's
   rows takes points for, and nobody has recorded as rectified by the shown day.
4. A unit's own overview comes from views restricted to it, and from nothing else: it holds no ledger's length and no
   other unit's figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from heapq import nlargest
from operator import attrgetter
from typing import Final, NamedTuple

from ledger.decisions import Unit
from ledger.events import (
    Event,
    SchemeAdopted,
    SheetsReleased,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    YearClosed,
    YearOpened,
    YearReopened,
    YearTermsSet,
)
from ledger.rejection import rejected
from projections.answer_models import Answer, Points, Standing
from projections.answers import ranking_answer, standing
from projections.notices import (
    PROCEEDINGS,
    entry_sentence,
    filing_deadlines,
    observation_path,
    proceeding_path,
    readings_before,
    words_of,
)
from projections.own_items import own_positions
from projections.proceedings.models import ProceedingAnswer
from projections.proceedings.proceedings import open_proceedings, proceeding_answer, proceedings_of
from projections.proposals import ProposalAnswer
from projections.years import FactEntry, YearView
from schemes.exact import plain
from schemes.fact import Fact
from schemes.rules import Checklist, Deduct, Forfeit, Rule, Selection, Tiers
from schemes.scheme import Group
from schemes.sheets import counting_facts
from schemes.vocabulary import Vocabulary
from schemes.wording import fact_phrase

DAYS_BACK: Final = 30
RECENT: Final = 15
DAYS_TO_COME: Final = 30
_OF_UNITS: Final = (UnitJoined, UnitLeft, UnitRenamed)
_STEPS: Final = {
    "appeal.filed/1": "提出",
    "claim.filed/1": "提出",
    "proceeding.returned/1": "退回补正",
    "proceeding.completed/1": "补正",
    "proceeding.accepted/1": "受理",
    "proceeding.reviewed/1": "复核",
    "appeal.decided/1": "决定",
    "claim.decided/1": "决定",
    "proceeding.withdrawn/1": "撤回",
}


class OverviewPlace(Answer):
    """One line of a ranking with what changed: `change` is null where the unit was not assessed on the earlier day."""

    rank: int
    unit: str
    total: Points
    change: Points | None
    earlier_rank: int | None
    grade: str | None
    pending: int
    lowest: Points
    highest: Points


class OverviewGroup(Answer):
    """The units of one group, the best first; `most` is what a full bar stands for."""

    group: str
    title: str
    most: Points
    places: list[OverviewPlace]


class RecentEntry(Answer):
    """One entry of the ledger in words: about whom (null: the whole year), by whom, and where it can be read, if so."""

    position: int
    recorded_at: datetime
    actor: str
    unit: str | None
    sentence: str
    path: str | None


class Unrectified(Answer):
    """What a unit has not put right by the shown day: how many observations; the oldest one's day, and where it is."""

    unit: str
    count: int
    oldest: date
    path: str


class MissingRow(Answer):
    """A row that waits for a judgement or a metric, and the units it waits for."""

    group: str
    indicator: str
    titles: list[str]
    judged: bool
    units: list[str]


class OverviewAnswer(Standing):
    """The overview of those who see all of a year. `earlier` is the day that changes are counted from."""

    earlier: date
    groups: list[OverviewGroup]
    recent: list[RecentEntry]
    proceedings: list[ProceedingAnswer]
    proposals: list[ProposalAnswer]
    unrectified: list[Unrectified]
    missing: list[MissingRow]


class OwnPlace(Answer):
    """What was released of one's own score."""

    unit: str
    total: Points
    full: Points
    rank: int
    grade: str | None
    change: Points | None
    pending: int


class OwnDeadline(Answer):
    """The last day to appeal against an observation, or (without a path) against the rows of a closed year's sheet."""

    due: date
    text: str | None
    path: str | None


class OwnObservation(Answer):
    """An observation of one's own that is not put right."""

    occurred_on: date
    text: str
    path: str


class OwnOverviewAnswer(Answer):
    """The overview of those who speak for some units; `as_of` is null, and `scores` empty, before a release."""

    jurisdiction: str
    year: int
    units: list[str]
    as_of: date | None
    earlier: date | None
    scores: list[OwnPlace]
    recent: list[RecentEntry]
    proceedings: list[ProceedingAnswer]
    deadlines: list[OwnDeadline]
    unrectified: list[OwnObservation]


class Released(NamedTuple):
    """A restricted view of what was released, and the same view of the earlier day."""

    shown: YearView
    earlier: YearView


def earlier_day(shown: date) -> date:
    """Return the day that changes up to the shown day are counted from."""
    return shown - timedelta(days=DAYS_BACK)


def overview(
    items: YearView,
    shown: YearView,
    earlier: YearView,
    proposals: Sequence[ProposalAnswer],
    today: date,
    group: str | None = None,
) -> OverviewAnswer:
    """Return the overview for those who see everything.

    `items` is the year as it stands now, `shown` and `earlier` those of the two days; only one group's ranking and what
    is missing in it, where one is named. `proposals` are those of the ledger.
    Raises `Rejection` (`unknown-group`) for a group that the year does not have.
    """
    if group is not None and group not in shown.state.groups:
        raise rejected("unknown-group", "group", f"found {group!r}, expected one of {', '.join(shown.state.groups)}")
    year = shown.state.year
    return OverviewAnswer(
        **standing(shown),
        earlier=earlier.as_of,
        groups=[*_groups(shown, earlier, group)],
        recent=_recent(items, _every_entry(items)),
        proceedings=_open(items, today),
        proposals=[one for one in proposals if one.status == "open" and one.year in (None, year)],
        unrectified=_by_unit(shown, [one for one in unrectified(shown) if _is_in(shown, one.unit, group)]),
        missing=[*_missing(shown, group)],
    )


def own_overview(items: YearView, released: Released | None, today: date) -> OwnOverviewAnswer:
    """Return the overview for those who speak for units; all views are restricted to these."""
    if items.sight is None:
        raise LookupError("expected the view of those who speak for units")
    units = [unit for unit in items.state.units.values() if unit.key in items.sight.keys]
    words = words_of(items)
    return OwnOverviewAnswer(
        jurisdiction=items.scheme.jurisdiction.code,
        year=items.state.year,
        units=[unit.name_on(items.as_of) for unit in units],
        as_of=released.shown.as_of if released else None,
        earlier=released.earlier.as_of if released else None,
        scores=[*_own_places(released, units)] if released else [],
        recent=_recent(items, _own_entries(items)),
        proceedings=_open(items, today),
        deadlines=[
            OwnDeadline(
                due=one.due,
                text=None if one.fact is None else fact_phrase(one.fact, words),
                path=None if one.observation is None else observation_path(one.observation),
            )
            for one in filing_deadlines(items, today, DAYS_TO_COME)
        ],
        unrectified=[
            OwnObservation(occurred_on=fact.occurred_on, text=fact_phrase(fact, words), path=observation_path(fact.id))
            for fact in unrectified(items, {one.observation for one in items.observed})
        ],
    )


def seen_mark(view: YearView) -> str:
    """Return a mark of what the view shows, which changes when something is recorded that may be seen there.

    For those who see everything it is the ledger's length. For others it comes from the positions of their own entries
    and of the year's own turns alone: an entry about another unit leaves it as it is.
    """
    sight = view.sight
    if sight is None:
        return str(view.position)
    turns = (one.position for one in view.turns if _is_seen_turn(view, one.event))
    seen = sorted({*own_positions(view), *turns})
    return sha256(repr(seen).encode()).hexdigest()[:16]


def unrectified(view: YearView, only: set[str] | None = None) -> list[Fact]:
    """Return the facts that cost their unit points by some rule and are not put right by the view's day, in order.

    `only` are the observations to look at; left out, all. Derived facts are none of anybody's to put right.
    """
    situation = view.situation
    costing: dict[str, Mapping[str, Sequence[Callable[[Fact], bool]]]] = {}
    for unit in view.units:
        group = situation.scheme.group(unit.group)
        if view.shows(unit.key) and group is not None:
            costing[unit.key] = _costing(group, unit.key)
    return [
        fact
        for fact in counting_facts(situation.scheme, situation.facts, view.as_of)
        if fact.rectified_on is None
        and not fact.sources
        and (only is None or fact.id in only)
        and any(matches(fact) for matches in costing.get(fact.unit, {}).get(fact.kind, ()))
    ]


def _costing(group: Group, unit: str) -> dict[str, list[Callable[[Fact], bool]]]:
    """The predicates of the rules that take points from the unit, by kind of fact."""
    found: dict[str, list[Callable[[Fact], bool]]] = {}
    for row in group.indicators:
        if row.applies(unit):
            for rule in row.rules:
                if isinstance(rule, Selection) and _takes_points(rule):
                    for kind in rule.kinds:
                        found.setdefault(kind, []).append(rule.where.matches)
    return found


def _takes_points(rule: Rule) -> bool:
    match rule:
        case Deduct() | Forfeit():
            return True
        case Tiers():
            return rule.direction == "deduct"
        case Checklist():
            return rule.mode == "lose"
        case _:
            return False


def _groups(shown: YearView, earlier: YearView, wanted: str | None) -> Iterator[OverviewGroup]:
    found, before = shown.sheets(), earlier.sheets()
    keys = {unit.name_on(shown.as_of): unit.key for unit in shown.units}
    for group in ranking_answer(shown).groups:
        if wanted not in (None, group.group):
            continue
        places = []
        for place in group.places:
            key = keys[place.unit]
            then = before.get(key)
            places.append(
                OverviewPlace(
                    **place.model_dump(),
                    change=None if then is None else plain(found[key].total - then.total),
                    earlier_rank=None if then is None else then.rank,
                )
            )
        highest = max((found[keys[place.unit]].total for place in group.places), default=Decimal(0))
        most = plain(max(shown.scheme.full, highest))
        yield OverviewGroup(group=group.group, title=group.title, most=most, places=places)


def _own_places(released: Released, units: Sequence[Unit]) -> Iterator[OwnPlace]:
    shown, before = released.shown.sheets(), released.earlier.sheets()
    for unit in units:
        sheet, then = shown.get(unit.key), before.get(unit.key)
        if sheet is not None:
            yield OwnPlace(
                unit=unit.name_on(released.shown.as_of),
                total=plain(sheet.total),
                full=plain(released.shown.scheme.full),
                rank=sheet.rank,
                grade=sheet.grade,
                change=None if then is None else plain(sheet.total - then.total),
                pending=len(sheet.pending),
            )


def _every_entry(view: YearView) -> Iterator[tuple[FactEntry, Fact | None]]:
    """The newest entries about observations, each with how the observation read until then."""
    for newest in view.entries[-RECENT:]:
        pairs = readings_before(view.entries_of(newest.observation))
        yield next((entry, before) for entry, before in pairs if entry.position == newest.position)


def _own_entries(view: YearView) -> Iterator[tuple[FactEntry, Fact | None]]:
    for observation in view.by_observation:
        yield from readings_before(view.entries_of(observation))


def _recent(view: YearView, entries: Iterator[tuple[FactEntry, Fact | None]]) -> list[RecentEntry]:
    told = nlargest(RECENT, entries, key=lambda one: one[0].position)
    readable, words = {one.observation for one in view.observed} if view.sight else None, words_of(view)
    found = [*(_entry(view, readable, words, *one) for one in told), *_steps(view), *_turns(view)]
    return nlargest(RECENT, found, key=attrgetter("position"))


def _entry(
    view: YearView, readable: set[str] | None, words: Vocabulary, entry: FactEntry, before: Fact | None
) -> RecentEntry:
    fact = entry.said.fact or before
    unit = None if fact is None else view.state.unit(fact.unit)
    return RecentEntry(
        position=entry.position,
        recorded_at=entry.recorded_at.astimezone(UTC),
        actor=entry.actor,
        unit=None if unit is None else unit.name_on(view.as_of),
        sentence=entry_sentence(entry, before, words),
        path=observation_path(entry.observation) if readable is None or entry.observation in readable else None,
    )


def _steps(view: YearView) -> Iterator[RecentEntry]:
    for proceeding in proceedings_of(view):
        unit = view.unit_of_year(proceeding.state.unit)
        for position, event in proceeding.steps:
            yield RecentEntry(
                position=position,
                recorded_at=event.recorded_at.astimezone(UTC),
                actor=event.actor,
                unit=unit.name_on(view.as_of),
                sentence=f"{PROCEEDINGS[proceeding.state.kind]}：{_STEPS[event.wire]}",
                path=proceeding_path(proceeding),
            )


def _turns(view: YearView) -> Iterator[RecentEntry]:
    for position, event in view.turns:
        told = _turn_told(event)
        if told is not None and _is_seen_turn(view, event):
            yield RecentEntry(
                position=position,
                recorded_at=event.recorded_at.astimezone(UTC),
                actor=event.actor,
                unit=event.unit if isinstance(event, _OF_UNITS) else None,
                sentence=told[0],
                path=told[1],
            )


def _turn_told(event: Event) -> tuple[str, str] | None:
    match event:
        case YearOpened():
            return "年度开启", "scheme"
        case SchemeAdopted():
            return f"启用方案第{event.scheme.version}版", "scheme"
        case UnitJoined():
            return "单位加入", "units"
        case UnitLeft():
            return "单位退出", "units"
        case UnitRenamed():
            return f"单位更名为{event.name}", "units"
        case YearTermsSet():
            return f"期限调整：申诉{event.days_to_file}个、办理{event.days_to_decide}个工作日", "appeals"
        case SheetsReleased():
            return f"公布得分（截至{event.as_of.isoformat()}）", "units"
        case YearClosed():
            return "年度办结", ""
        case YearReopened():
            return "重新开启年度", ""
        case _:
            return None


def _is_seen_turn(view: YearView, event: Event) -> bool:
    """Whether the view shows a turn of the year: those that name a unit to whoever may see that unit."""
    if isinstance(event, _OF_UNITS):
        return view.shows(event.unit)
    return _turn_told(event) is not None


def _open(view: YearView, today: date) -> list[ProceedingAnswer]:
    """The open appeals and claims, those first that are due first."""
    found = [proceeding_answer(view, one, today) for one in open_proceedings(view)]
    return sorted(found, key=lambda one: (one.due or date.max, one.filed_position))


def _is_in(view: YearView, unit: str, group: str | None) -> bool:
    return group is None or view.state.units[unit].group == group


def _by_unit(view: YearView, facts: Sequence[Fact]) -> list[Unrectified]:
    """The facts, which are in their order, counted by unit: most first."""
    by_unit: dict[str, list[Fact]] = {}
    for fact in facts:
        by_unit.setdefault(fact.unit, []).append(fact)
    found = [
        Unrectified(
            unit=view.state.units[unit].name_on(view.as_of),
            count=len(of_unit),
            oldest=of_unit[0].occurred_on,
            path=observation_path(of_unit[0].id),
        )
        for unit, of_unit in by_unit.items()
    ]
    return sorted(found, key=lambda one: (-one.count, one.oldest, one.unit))


def _missing(view: YearView, wanted: str | None) -> Iterator[MissingRow]:
    """The rows that wait, in the scheme's order; a row that only a unit's account has is one row."""
    waiting: dict[tuple[str, str], list[str]] = {}
    found = view.sheets()
    for unit in view.units:
        for indicator in found[unit.key].pending:
            waiting.setdefault((unit.group, indicator), []).append(unit.name_on(view.as_of))
    for group in view.scheme.groups:
        for row in group.indicators if wanted in (None, group.id) else ():
            units = waiting.get((group.id, row.id))
            if units:
                judged = row.judged is not None
                yield MissingRow(group=group.id, indicator=row.id, titles=list(row.titles), judged=judged, units=units)
