"""What may be recorded: the ledger's own rules, as functions of the state so far and the wish.

Rules kept here:

1. An observation is recorded only in an open year, for a unit of that year, on a day of its period. Requests,
   late replies and last year's grade may lie before the period, by at most one year: derivations look at them.
2. A void is final: a void observation cannot be amended, rectified or voided again.
3. A year is opened once. A unit joins once, leaves once and not before it joined, and a name belongs to one unit.
4. An amended observation keeps its place and must itself be one that could be recorded.
5. A year that is closed takes nothing until it is reopened; what decisions on appeals and claims do to it is in
   `ledger.proceedings`.

Left to others: what the year's scheme and the calendar say (`Admission`, given by the caller), idempotency, order and
storage (`ledger.recorder`), permissions, clocks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from ledger.events import (
    Changes,
    Event,
    GroupOfUnits,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    Period,
    Reading,
    SchemeAdopted,
    SchemeReference,
    SheetsReleased,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    YearClosed,
    YearOpened,
    YearReopened,
    YearTermsSet,
)
from ledger.rejection import Refusal, Rejection, rejected

CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone whose days all terms are counted in."""
DAYS_TO_FILE: Final = 15
DAYS_TO_DECIDE: Final = 10
BEFORE_THE_PERIOD = frozenset({"request_received", "request_extended", "request_answered", "late_reply", "prior_grade"})


class Terms(NamedTuple):
    """How many working days there are to file an appeal, and to decide one."""

    days_to_file: int = DAYS_TO_FILE
    days_to_decide: int = DAYS_TO_DECIDE


class Released(NamedTuple):
    """What units see of their own scores: facts up to the day, as they stood at the ledger's position."""

    as_of: date
    position: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a year: `key` is its first name in the year and never changes; `names` are (from day, name)."""

    key: str
    group: str
    joined_on: date | None = None
    left_on: date | None = None
    names: tuple[tuple[date, str], ...] = ()

    def name_on(self, day: date) -> str:
        """Return the name in use on that day."""
        return next((name for since, name in reversed(self.names) if since <= day), self.key)

    def assessed_on(self, day: date) -> bool:
        """Whether the unit is assessed on that day."""
        return (self.joined_on is None or self.joined_on <= day) and (self.left_on is None or day < self.left_on)


@dataclass(frozen=True, slots=True)
class YearState:
    """A year as its events have made it; version 0 is a year nobody has opened.

    `closed_at` is the moment of the last close, null while the year is open (also when it was reopened). `terms` are
    those that were set, oldest first, each with the moment since when. `released` is what units may see, if anything.
    """

    year: int
    version: int = 0
    period: Period | None = None
    scheme: SchemeReference | None = None
    groups: tuple[str, ...] = ()
    units: dict[str, Unit] = field(default_factory=dict)
    closed_at: datetime | None = None
    released: Released | None = None
    terms: tuple[tuple[datetime, Terms], ...] = ()

    def terms_at(self, moment: datetime) -> Terms:
        """Return the terms in force at the moment: what has begun to run keeps its term."""
        return next((terms for since, terms in reversed(self.terms) if since <= moment), Terms())

    @property
    def last_terms(self) -> Terms:
        """The terms of what begins to run from now on."""
        return self.terms[-1][1] if self.terms else Terms()

    def unit(self, name: str) -> Unit | None:
        """Return the unit that has or had this name this year, or None."""
        found = self.units.get(name)
        if found is not None:
            return found
        return next((unit for unit in self.units.values() if any(name == other for _, other in unit.names)), None)

    def alike(self, name: str) -> Unit | None:
        """Return the unit that has or had a name that differs from this in width, capitals or spaces at most."""
        looks = _looks(name)
        named = ((unit, other) for unit in self.units.values() for other in (unit.key, *(one for _, one in unit.names)))
        return next((unit for unit, other in named if _looks(other) == looks), None)

    @property
    def keys_by_name(self) -> dict[str, str]:
        """The key of each unit by every name it got this year; names from the year's beginning are keys themselves."""
        return {name: unit.key for unit in self.units.values() for _, name in unit.names}

    def opened(self) -> tuple[Period, SchemeReference]:
        """Return the period and the scheme in force; refuses when the year is not open."""
        if self.period is None or self.scheme is None:
            raise rejected("year-not-open", "year", f"the year {self.year} is not open; open it under a scheme first")
        return self.period, self.scheme

    def refuse_closed(self) -> None:
        """Refuse what nobody may record in a closed year."""
        if self.closed_at is not None:
            message = (
                f"the year {self.year} was closed on {local_day(self.closed_at)}; only appeals and claims can be filed "
                "and decided, until it is reopened"
            )
            raise rejected("year-closed", "year", message)


def local_day(moment: datetime) -> date:
    """Return the day, in China, on which the moment lies."""
    return moment.astimezone(CHINA).date()


@dataclass(frozen=True, slots=True)
class ObservationState:
    """An observation as its events have made it: how it reads now, since when, and whether it counts."""

    year: int
    reading: Reading
    version: int = 1
    void: bool = False
    rectified_on: date | None = None
    said_at: datetime | None = None


class Admission(Protocol):
    """What the ledger has to ask of the year's scheme and of the calendar, which it does not know itself."""

    def reading(self, year: YearState, reading: Reading) -> None:
        """Refuse, by raising `Rejection`, a reading whose words or values the year's scheme does not know."""

    def indicator(self, year: YearState, unit: Unit, indicator: str) -> None:
        """Refuse, by raising `Rejection`, what is no row of the unit's sheet under the year's scheme."""

    def touches(self, year: YearState, unit: Unit, reading: Reading, indicator: str) -> bool:
        """Whether a rule of the unit's row looks at what the reading says, or at what is derived from it."""

    def weighs(self, year: YearState, reading: Reading) -> bool:
        """Whether the reading takes effect only with a second person's approval."""

    def term_end(self, start: date, working_days: int, before: date) -> date | None:
        """Return the last of the working days after `start`, or None when it does not lie before that day.

        Raises `Rejection` where a year without a published holiday notice makes that impossible to tell.
        """


def fold_year(state: YearState, event: Event) -> YearState:
    """Return the year after the event."""
    version = event.originator_version
    match event:
        case YearOpened():
            units = {name: Unit(name, group.id) for group in event.groups for name in group.units}
            groups = tuple(group.id for group in event.groups)
            return YearState(event.year, version, event.period, event.scheme, groups, units)
        case SchemeAdopted():
            return replace(state, version=version, scheme=event.scheme, period=event.period)
        case YearClosed():
            return replace(state, version=version, closed_at=event.recorded_at)
        case YearReopened():
            return replace(state, version=version, closed_at=None)
        case SheetsReleased():
            return replace(state, version=version, released=Released(event.as_of, event.position))
        case YearTermsSet():
            terms = Terms(event.days_to_file, event.days_to_decide)
            return replace(state, version=version, terms=(*state.terms, (event.recorded_at, terms)))
        case UnitJoined():
            unit = Unit(event.unit, event.group, joined_on=event.on)
        case UnitLeft():
            unit = replace(state.units[event.unit], left_on=event.on)
        case UnitRenamed():
            old = state.units[event.unit]
            # Stable: of two names from one day on, the one recorded later is in use.
            unit = replace(old, names=tuple(sorted((*old.names, (event.on, event.name)), key=lambda name: name[0])))
        case _:
            raise TypeError(f"expected an event of a year, got {event.wire}")
    return replace(state, version=version, units={**state.units, unit.key: unit})


def fold_observation(state: ObservationState | None, event: Event) -> ObservationState:
    """Return the observation after the event."""
    if isinstance(event, ObservationObserved):
        return ObservationState(event.year, event.reading, said_at=event.recorded_at)
    if state is None:
        raise ValueError(f"expected an observation before {event.wire}")
    match event:
        case ObservationAmended():
            said = replace(state, reading=event.reading, said_at=event.recorded_at)
            return replace(said, version=event.originator_version)
        case ObservationVoided():
            return replace(state, version=event.originator_version, void=True)
        case ObservationRectified():
            return replace(state, version=event.originator_version, rectified_on=event.on)
        case _:
            pass
    raise TypeError(f"expected an event of an observation, got {event.wire}")


def decide_observe(year: YearState, reading: Reading, admission: Admission) -> None:
    """Refuse a reading that cannot be recorded in this year, with the reasons of the admission and of its day."""
    period, _ = year.opened()
    refusals: list[Refusal] = []
    try:
        admission.reading(year, reading)
    except Rejection as rejection:
        refusals += rejection.refusals
    early = reading.kind in BEFORE_THE_PERIOD
    day, first = reading.occurred_on, _year_before(period.first) if early else period.first
    if not first <= day <= period.last:
        why = f" (for {reading.kind}, one year before the period and no earlier)" if early else ""
        message = f"found {day}, expected a day from {first} to {period.last}{why}"
        refusals.append(Refusal("date-outside-year", "occurred_on", message))
    if refusals:
        raise Rejection(*refusals)


def _year_before(day: date) -> date:
    """Return the same day of the year before; for 29 February, the 28th."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def decide_amend(year: YearState, state: ObservationState, changes: Changes, admission: Admission) -> Reading:
    """Return the new reading; refuses when the observation is void, or the reading is refused."""
    refuse_void(state)
    reading = changes.applied_to(state.reading)
    decide_observe(year, reading, admission)
    return reading


def decide_void(state: ObservationState) -> None:
    """Refuse to void what is void."""
    refuse_void(state)


def decide_rectify(state: ObservationState, on: date) -> None:
    """Refuse a rectification of a void observation, or on a day before the fact."""
    refuse_void(state)
    if on < state.reading.occurred_on:
        day = state.reading.occurred_on
        raise rejected("rectified-before-fact", "on", f"found {on}, expected {day} (the day of the fact) or later")


def refuse_void(state: ObservationState) -> None:
    """Refuse an observation that is void: nothing can follow a void."""
    if state.void:
        message = "the observation is void, and a void is final; record a new observation instead"
        raise rejected("observation-void", "observation", message)


def decide_open(state: YearState, groups: Sequence[GroupOfUnits], expected: Sequence[str]) -> None:
    """Refuse to open a year twice, or with groups or units that do not fit; `expected` are the scheme's groups."""
    if state.version:
        raise rejected("year-already-open", "year", f"the year {state.year} is open already")
    if [group.id for group in groups] != list(expected):
        raise rejected("year-groups", "groups", f"expected the scheme's groups {', '.join(expected)}, in this order")
    names = [name for group in groups for name in group.units]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise rejected("year-unit-twice", "groups", f"named more than once: {', '.join(twice)}")
    empty = [group.id for group in groups if not group.units]
    if empty:
        raise rejected("year-group-empty", "groups", f"expected at least one unit in {', '.join(empty)}")


def decide_join(state: YearState, name: str, group: str, on: date) -> None:
    """Refuse a unit that is there already, an unknown group, or a day outside the year."""
    _day_of_year(state, on)
    if group not in state.groups:
        raise rejected("unknown-group", "group", f"found {group!r}, expected one of {', '.join(state.groups)}")
    if state.alike(name) is not None:
        raise _name_taken(state, name, "unit")


def decide_leave(state: YearState, name: str, on: date) -> str:
    """Return the key of the unit that leaves; refuses an unknown unit, one that has left or has yet to join."""
    _day_of_year(state, on)
    unit = known_unit(state, name)
    if unit.left_on is not None:
        raise rejected("unit-has-left", "unit", f"{name} has left on {unit.left_on}")
    if unit.joined_on is not None and on < unit.joined_on:
        message = f"found {on}, expected {unit.joined_on} (the day on which {name} joins) or later"
        raise rejected("unit-leaves-before-joining", "on", message)
    return unit.key


def decide_rename(state: YearState, name: str, new_name: str, on: date) -> str:
    """Return the key of the unit that is renamed, perhaps back to a name that it had.

    Refuses an unknown unit, a name of another unit, and the name that it has on that day already.
    """
    _day_of_year(state, on)
    unit = known_unit(state, name)
    bearer = state.alike(new_name)
    if bearer is not None and bearer.key != unit.key:
        raise _name_taken(state, new_name, "name")
    if unit.name_on(on) == new_name:
        raise rejected("unit-name-unchanged", "name", f"the unit has the name {new_name!r} on {on} already")
    return unit.key


def decide_close(state: YearState) -> SchemeReference:
    """Return the scheme in force, under which the year is closed; refuses a year that is closed or never opened."""
    _, scheme = state.opened()
    state.refuse_closed()
    return scheme


def decide_reopen(state: YearState) -> None:
    """Refuse to reopen what is open, or was never opened."""
    state.opened()
    if state.closed_at is None:
        raise rejected("year-not-closed", "year", f"the year {state.year} is open; there is nothing to reopen")


def decide_release(state: YearState, as_of: date) -> None:
    """Refuse a day outside the year; a closed year's scores can be released too, and most are."""
    period, _ = state.opened()
    if not period.first <= as_of <= period.last:
        message = f"found {as_of}, expected a day from {period.first} to {period.last}"
        raise rejected("date-outside-year", "as_of", message)


def decide_terms(state: YearState, days_to_file: int, days_to_decide: int) -> None:
    """Refuse terms that are in force already, and any in a closed year."""
    state.opened()
    state.refuse_closed()
    if (days_to_file, days_to_decide) == state.last_terms:
        message = f"{days_to_file} working days to file and {days_to_decide} to decide are in force already"
        raise rejected("terms-unchanged", "days_to_file", message)


def decide_adopt(state: YearState, scheme: SchemeReference, groups: Sequence[str]) -> None:
    """Refuse a version that is in force already, or whose groups are not the year's."""
    _, in_force = state.opened()
    if in_force == scheme:
        raise rejected("scheme-in-force", "scheme", f"{scheme.id} version {scheme.version} is in force already")
    if sorted(groups) != sorted(state.groups):
        raise rejected("year-groups", "scheme", f"expected the year's groups {', '.join(state.groups)}")


def unknown_observation(identifier: UUID) -> Rejection:
    """Return the refusal of an observation that is not there, or looks so to who asks."""
    return rejected("unknown-observation", "observation", f"there is no observation {identifier}")


def known_unit(state: YearState, name: str) -> Unit:
    """Return the unit that has or had this name this year; refuses any other name."""
    unit = state.unit(name)
    if unit is None:
        raise rejected("unknown-unit", "unit", f"found {name!r}, expected a unit of the year {state.year}")
    return unit


def _name_taken(state: YearState, name: str, where: str) -> Rejection:
    return rejected("unit-name-taken", where, f"{name!r} is the name of a unit of the year {state.year}")


def _looks(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _day_of_year(state: YearState, day: date) -> None:
    period, _ = state.opened()
    if not period.first <= day <= period.last:
        raise rejected("date-outside-year", "on", f"found {day}, expected a day from {period.first} to {period.last}")
