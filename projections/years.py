"""One year of one jurisdiction, as of a day and as known at a moment: sheets, ranking, histories.

`YearFacts` reads the rows of the `facts` table once and then only what is new. `YearView` puts them together with
the year's units and the scheme in force, and asks the pure engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from operator import attrgetter
from threading import Lock
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Engine, RowMapping, select

from ledger.appends import moment
from ledger.application import LedgerApplication
from ledger.canonical import LARGEST_INTEGER
from ledger.decisions import Unit, YearState, fold_year, unknown_observation
from ledger.events import EVENTS, AppealDecided, AppealFiled, ClaimDecided, OfYear, YearClosed, YearReopened
from ledger.rejection import Rejection, rejected
from ledger.tables import facts as facts_table
from projections.own_sight import OwnSight
from projections.readings import Entry, facts_known, renamed
from projections.scheme_files import vocabulary
from schemes.fact import AttributeValue, Fact
from schemes.figures import Roster
from schemes.history import History, history
from schemes.scheme import Scheme
from schemes.sheets import Claims, Sheet, Situation, sheets

YEAR_TOPICS: Final = [topic for topic in EVENTS if topic.startswith("year.")]
PROCEEDING_TOPICS: Final = [topic for topic in EVENTS if topic.startswith(("appeal.", "claim.", "proceeding."))]


@dataclass(frozen=True, slots=True)
class FactEntry:
    """One row of the `facts` table: an entry about an observation, with what people want to see of it.

    `said` is the same entry as the engine takes it.
    """

    position: int
    observation: str
    entry: str
    attributes: Mapping[str, Any] | None
    evidence: Sequence[Mapping[str, Any]]
    note: str | None
    reason: str | None
    recorded_at: datetime
    actor: str
    said: Entry


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation as it reads now; `position` is where it was first recorded."""

    observation: str
    position: int
    fact: Fact
    void: bool


class YearFacts:
    """The entries of one year, read once from the database and then only those that are new."""

    def __init__(self, engine: Engine, code: str, year: int) -> None:
        self._engine = engine
        self._code = code
        self._year = year
        self._entries: list[FactEntry] = []
        self._read_to = 0
        self._lock = Lock()

    def read(self, position: int) -> list[FactEntry]:
        """Return the entries up to and including the ledger position, in ledger order."""
        with self._lock:
            if position > self._read_to:
                self._entries += self._rows(position)
                self._read_to = position
            return [entry for entry in self._entries if entry.position <= position]

    def _rows(self, position: int) -> list[FactEntry]:
        columns = facts_table.c
        query = (
            select(facts_table)
            .where(columns.ledger == self._code, columns.year == self._year)
            .where(columns.position > self._read_to, columns.position <= position)
            .order_by(columns.position)
        )
        with self._engine.connect() as connection:
            return [fact_entry(row) for row in connection.execute(query).mappings()]


class Recorded(NamedTuple):
    """An event that is no entry of an observation, and its ledger position."""

    position: int
    event: OfYear


class YearEvents:
    """The events of all years' own streams and of their appeals and claims, read once and then only those new."""

    def __init__(self, application: LedgerApplication) -> None:
        self._application = application
        self._events: dict[int, list[Recorded]] = {}
        self._read_to = 0
        self._lock = Lock()

    def read(self, year: int, position: int) -> list[Recorded]:
        """Return the events of the year up to and including the ledger position, in ledger order."""
        with self._lock:
            if position > self._read_to:
                recorder, mapper = self._application.ledger_recorder, self._application.mapper
                found = recorder.select_notifications(
                    self._read_to,
                    LARGEST_INTEGER,
                    position,
                    [*YEAR_TOPICS, *PROCEEDING_TOPICS],
                    inclusive_of_start=False,
                )
                for one in found:
                    event = cast("OfYear", mapper.to_domain_event(one))
                    self._events.setdefault(event.year, []).append(Recorded(one.id, event))
                self._read_to = position
            return [one for one in self._events.get(year, ()) if one.position <= position]


def fact_entry(row: RowMapping | Mapping[str, Any]) -> FactEntry:
    """Return the entry that a row of the `facts` table holds, or one that `ledger.facts.fact_row` made of an event."""
    observation = str(UUID(bytes=row["observation"]))
    recorded_at = moment(row["recorded_at"])
    attributes = None if row.get("attributes") is None else json.loads(row["attributes"])
    fact = None
    if attributes is not None:
        day = date.fromisoformat(row["occurred_on"])
        values = vocabulary().typed(row["kind"], attributes)
        fact = Fact(observation, row["position"], row["unit"], row["kind"], day, row["count"], values)
    rectified_on = None if row["rectified_on"] is None else date.fromisoformat(row["rectified_on"])
    return FactEntry(
        position=row["position"],
        observation=observation,
        entry=row["entry"],
        attributes=attributes,
        evidence=() if row["evidence"] is None else json.loads(row["evidence"]),
        note=row["note"],
        reason=row["reason"],
        recorded_at=recorded_at,
        actor=row["actor"],
        said=Entry(row["entry"], observation, recorded_at, fact, rectified_on),
    )


class LastGrade(NamedTuple):
    """A unit of the year before: its key then, its name on the last day, and the grade it was closed with, if any."""

    key: str
    name: str
    grade: str | None


@dataclass(frozen=True, slots=True)
class LastGrades:
    """The grades that the year before was closed with, one for each unit that it froze."""

    year: int
    grades: Sequence[LastGrade]


def close_in_force(
    own: Sequence[Recorded], before: Sequence[Recorded], known_at: datetime | None = None
) -> YearClosed | None:
    """Return the close of the year before that a year takes grades from: none, while that year is not closed.

    `own` are the year's events known, `before` those of the year before it, both in ledger order. A year that is
    closed itself keeps what it was closed with.
    """
    ended = [one.event for one in own if isinstance(one.event, YearClosed | YearReopened)]
    last = ended[-1].position if ended and isinstance(ended[-1], YearClosed) else None
    turns = [
        one.event
        for one in before
        if isinstance(one.event, YearClosed | YearReopened)
        and (last is None or one.position <= last)
        and (known_at is None or one.event.recorded_at <= known_at)
    ]
    return turns[-1] if turns and isinstance(turns[-1], YearClosed) else None


def _same_units(
    last: Sequence[LastGrade], keys: Mapping[str, str], own: Sequence[str]
) -> Iterator[tuple[LastGrade, str]]:
    """Yield last year's units that are units of this year, each with its key of this year; each of both once.

    `own` are this year's keys, `keys` those by every name. A unit is first known by the name that it ended last year
    with and begins this one with; else by last year's key, where this year's list has the older name; else by a name
    that it got this year. Without that order a renaming would give a unit another unit's grade.
    """
    taken: set[str] = set()
    left = list(last)
    ways: tuple[Callable[[LastGrade], str | None], ...] = (
        lambda one: one.name if one.name in own else None,
        lambda one: one.key if one.key in own else None,
        lambda one: keys.get(one.name),
    )
    for way in ways:
        for one in tuple(left):
            key = way(one)
            if key is not None and key not in taken:
                taken.add(key)
                left.remove(one)
                yield one, key


class YearView:
    """A year as of a day, as known at a moment: the scheme then in force, its units, its facts, its sheets.

    `turns` are the events known of the year itself and of its appeals and claims.
    """

    def __init__(
        self,
        state: YearState,
        scheme: Scheme,
        entries: Sequence[FactEntry],
        position: int,
        as_of: date | None,
        known_at: datetime | None,
        turns: Sequence[Recorded],
        last_grades: LastGrades | None,
    ) -> None:
        self.state = state
        self.scheme = scheme
        self.entries = entries
        self.position = position
        self.as_of = min(as_of or scheme.period.last, scheme.period.last)
        self.known_at = known_at
        self.turns = turns
        self.sight: OwnSight | None = None
        self._last_grades = last_grades
        self._histories: dict[str, History] = {}
        self._lock = Lock()

    def seen_by(self, names: Sequence[str], present: YearState) -> YearView:
        """Return the view as those see it who speak for the units of these names: see `projections.own_sight`.

        `present` is the year as it is now, which knows the units' names and what was released. Scores are those of all
        units together; what is another unit's cannot be asked for, as if it were not there.
        """
        view = copy(self)
        for seen in ("observed", "decisions"):
            view.__dict__.pop(seen, None)
        view.sight = OwnSight.of(present, names)
        return view

    @property
    def visible(self) -> frozenset[str] | None:
        """The keys of the units of which anything may be seen; None where everything may be."""
        return None if self.sight is None else self.sight.keys

    def shows(self, name: str) -> bool:
        """Whether what is said of the unit of that name may be seen."""
        return self.sight is None or self.sight.shows(name)

    def shows_reading(self, fact: Fact, position: int) -> bool:
        """Whether what an entry at that ledger position says may be seen."""
        return self.sight is None or self.sight.shows_reading(fact, position)

    def _named(self, name: str) -> Unit | None:
        """The unit of that name; its own account may use any name that it has by now."""
        return self.state.unit(name if self.sight is None else self.sight.names.get(name, name))

    @classmethod
    def of(
        cls,
        year: int,
        turns: Sequence[Recorded],
        entries: Sequence[FactEntry],
        position: int,
        as_of: date | None,
        known_at: datetime | None,
        scheme: Callable[[str], Scheme],
        last_grades: LastGrades | None = None,
    ) -> YearView:
        """Return the view that the year's events and entries give; refuses a year not (yet) open then."""
        state = YearState(year)
        for one in turns:
            if one.event.wire in YEAR_TOPICS:
                state = fold_year(state, one.event)
        _, reference = state.opened()
        return cls(state, scheme(reference.digest), entries, position, as_of, known_at, turns, last_grades)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The units assessed on the day, in the order of groups and of joining."""
        return tuple(unit for unit in self.state.units.values() if unit.assessed_on(self.as_of))

    @cached_property
    def roster(self) -> Roster:
        """The keys of the units assessed on the day, by group."""
        return {group: tuple(unit.key for unit in self.units if unit.group == group) for group in self.state.groups}

    @cached_property
    def facts(self) -> list[Fact]:
        """The current readings of all observations known, units under their keys.

        With them are last year's grades, where last year's cycle is closed: see `_last_year_facts`.
        """
        recorded = renamed(facts_known((entry.said for entry in self.entries), self.known_at), self._unit_keys)
        return [*self._last_year_facts(recorded), *recorded]

    def _last_year_facts(self, recorded: Sequence[Fact]) -> Iterator[Fact]:
        """Yield last year's frozen grade of each unit as a `prior_grade` fact, to which any recorded one is the later.

        A unit has at most one: see `_same_units`.

        It stands before every recorded one in the order of facts, so that a recorded one wins as of its day; its
        `sources` name the close, which is no observation.
        """
        if self._last_grades is None:
            return
        found = dict(_same_units(self._last_grades.grades, self._unit_keys, tuple(self.state.units)))
        first_days: dict[str, date] = {}
        for fact in recorded:
            if fact.kind == "prior_grade":
                first_days[fact.unit] = min(fact.occurred_on, first_days.get(fact.unit, fact.occurred_on))
        close = f"closing/{self._last_grades.year}"
        for last in self._last_grades.grades:
            key = found.get(last)
            if key is not None and last.grade is not None:
                day = min(self.scheme.period.first, first_days.get(key, self.scheme.period.first))
                said: dict[str, AttributeValue] = {"year": self._last_grades.year, "grade": last.grade}
                yield Fact(f"{close}/{key}", 0, key, "prior_grade", day, 1, said, sources=(close,))

    @cached_property
    def proceedings(self) -> tuple[Recorded, ...]:
        """The events of all appeals and claims known, in ledger order."""
        return tuple(one for one in self.turns if one.event.wire in PROCEEDING_TOPICS)

    @cached_property
    def claims(self) -> Claims:
        """The granted claims known, whatever the day: (unit's key, indicator)."""
        decided = [one.event for one in self.turns if isinstance(one.event, ClaimDecided)]
        return frozenset((event.unit, event.indicator) for event in decided if event.granted)

    @cached_property
    def _unit_keys(self) -> dict[str, str]:
        """The key of each unit by every name it got this year."""
        return self.state.keys_by_name

    @cached_property
    def _keyed_scheme(self) -> Scheme:
        """The scheme in force with units under their keys: a version may name a unit by a name it got this year."""
        return self.scheme.with_units(self._unit_keys)

    @cached_property
    def situation(self) -> Situation:
        """What the engine is asked about: the scheme and the facts with units under their keys, the day, the claims."""
        return Situation(self._keyed_scheme, self.roster, self.facts, self.as_of, self.claims)

    @cached_property
    def decisions(self) -> Mapping[int, UUID]:
        """The appeal whose decision ordered an entry, by the entry's position: what is ordered stands behind it."""
        filed = (one.event for one in self.proceedings if isinstance(one.event, AppealFiled))
        shown = {event.originator_id for event in filed if self.shows(event.unit)}
        decided = ((one.position, one.event) for one in self.proceedings if isinstance(one.event, AppealDecided))
        return {
            position + at: event.originator_id
            for position, event in decided
            for at in range(1, len(event.orders) + 1)
            if event.originator_id in shown
        }

    def under(self, scheme: Scheme) -> Situation:
        """Return the same question under another version of the scheme; refuses one for other groups."""
        groups = [group.id for group in scheme.groups]
        if sorted(groups) != sorted(self.state.groups):
            message = f"found the groups {', '.join(groups)}, expected the year's: {', '.join(self.state.groups)}"
            raise rejected("year-groups", "scheme", message)
        return replace(self.situation, scheme=scheme.with_units(self._unit_keys))

    @property
    def etag(self) -> str:
        """A tag that is the same for the same ledger position, scheme, day and moment."""
        _, scheme = self.state.opened()
        parts = (self.state.year, self.position, scheme.digest, self.as_of, self.known_at)
        return sha256(repr(parts).encode()).hexdigest()[:32]

    def sheets(self) -> dict[str, Sheet]:
        """Return the sheet of every unit assessed on the day, by the unit's key."""
        with self._lock:
            return self._sheets

    @cached_property
    def _sheets(self) -> dict[str, Sheet]:
        return sheets(self.situation)

    def unit(self, name: str) -> Unit:
        """Return the unit of that name (now or earlier this year); refuses one not assessed on the day."""
        if not self.shows(name):
            raise _not_shown(name)
        unit = self._named(name)
        if unit is not None and unit not in self.units:
            span = f"from {unit.joined_on or self.scheme.period.first} until before {unit.left_on or 'the end'}"
            message = f"{name!r} was assessed {span}, not on {self.as_of}; ask as of a day when it was"
            raise rejected("unknown-unit", "unit", message)
        if unit is None:
            count = len(self.units)
            message = f"found {name!r}, expected one of the {count} units of {self.state.year} on {self.as_of}"
            raise rejected("unknown-unit", "unit", message)
        return unit

    def unit_of_year(self, name: str) -> Unit:
        """Return the unit that has or had this name this year, assessed on the day or not; refuses any other name."""
        if not self.shows(name):
            raise _not_shown(name)
        unit = self._named(name)
        if unit is None:
            raise rejected("unknown-unit", "unit", f"found {name!r}, expected a unit of the year {self.state.year}")
        return unit

    def history(self, unit: Unit) -> History:
        """Return the unit's history up to the day."""
        with self._lock:
            if unit.key not in self._histories:
                self._histories[unit.key] = history(self.situation, unit.key)
            return self._histories[unit.key]

    def entries_of(self, observation: str) -> list[FactEntry]:
        """Return what was said of an observation, oldest first, as known at the moment."""
        return [entry for entry in self.all_entries_of(observation) if self.is_known(entry)]

    def all_entries_of(self, observation: str) -> Sequence[FactEntry]:
        """Return what may be seen of all that was said of an observation, oldest first, whatever the moment."""
        entries = self.by_observation.get(observation, ())
        return entries if self.sight is None else tuple(self.sight.entries(entries))

    def observations_of(self, unit: Unit) -> Iterator[list[FactEntry]]:
        """Yield the entries of each observation that was ever said of the unit, for a day up to that of the view."""
        names = {unit.key, *(name for _, name in unit.names)}
        for observation in self.by_observation:
            entries = self.entries_of(observation)
            facts = (entry.said.fact for entry in entries if entry.said.fact is not None)
            if any(fact.unit in names and fact.occurred_on <= self.as_of for fact in facts):
                yield entries

    @cached_property
    def observed(self) -> tuple[Observed, ...]:
        """All observations known at the moment, void ones too, in the order they were recorded."""
        found = []
        for observation in self.by_observation:
            entries = self.entries_of(observation)
            readings = [entry.said.fact for entry in entries if entry.entry in ("observe", "amend")]
            # The last one says nothing where the observation is another unit's now.
            if readings and readings[-1] is not None:
                void = any(entry.entry == "void" for entry in entries)
                found.append(Observed(observation, entries[0].position, readings[-1], void))
        return tuple(sorted(found, key=attrgetter("position")))

    def refuse_hidden(self, observation: UUID) -> None:
        """Refuse an observation that the view does not show, in the words for one that is not there."""
        if self.visible is not None and str(observation) not in {one.observation for one in self.observed}:
            raise unknown_observation(observation)

    @cached_property
    def by_observation(self) -> Mapping[str, Sequence[FactEntry]]:
        """All entries of the year by their observation, whatever the moment and whoever asks."""
        found: dict[str, list[FactEntry]] = {}
        for entry in self.entries:
            found.setdefault(entry.observation, []).append(entry)
        return found

    def is_known(self, entry: FactEntry) -> bool:
        """Whether the entry was recorded by the moment."""
        return self.known_at is None or entry.recorded_at <= self.known_at


def _not_shown(name: str) -> Rejection:
    return rejected("unknown-unit", "unit", f"found {name!r}, expected a unit that you speak for")
