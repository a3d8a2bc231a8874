"""Example cases: entries and queries in a JSON file, replayed and held against what they expect.

A case's entries go through the ledger's own decisions and the scheme's admission, so an entry that the ledger
would refuse is an error here. Three things are laxer, because a case tells scores and no office: evidence may be
missing, a day outside the period is taken (such a fact does not count, which is what a case may want to show), and so
is a rectification on a day before the fact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ledger.canonical import JsonProblem, read_json
from ledger.decisions import ObservationState, refuse_void
from ledger.events import Attributes, Changes, Count, Day, Reading
from ledger.rejection import Rejection
from projections.readings import Entry, facts_known
from schemes.admission import admit
from schemes.exact import parse_decimal, plain
from schemes.fact import Fact
from schemes.problem import InvalidInput, Problem, refuse
from schemes.revision import Edit, revised
from schemes.scheme import Scheme
from schemes.sheets import Sheet, Situation, default_roster, sheets
from schemes.vocabulary import Vocabulary

LARGEST_CASE = 50_000_000
_WRITTEN_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}.*")


def _written_moment(value: object) -> object:
    """Take a moment only as ISO text: a number of seconds says neither its unit nor its zone."""
    if isinstance(value, datetime) or (isinstance(value, str) and _WRITTEN_MOMENT.fullmatch(value)):
        return value
    raise ValueError('expected a moment with its zone, like "2021-03-02T09:00:00+08:00"')


Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment)]
_Whole = Annotated[int, Field(strict=True)]
_Points = str | _Whole


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Recorded(_Part):
    recorded_at: Moment
    reason: str | None = None
    note: str | None = None
    evidence: Any = None


class Observe(_Recorded):
    """A fact is recorded; `id` is how later entries name it."""

    entry: Literal["observe"]
    id: str
    unit: str
    kind: str
    occurred_on: Day
    count: Count = 1
    attributes: Attributes = {}


class Amend(_Recorded):
    """The named fields read otherwise from now on."""

    entry: Literal["amend"]
    observation: str
    changes: Changes


class Void(_Recorded):
    """The fact does not count from now on."""

    entry: Literal["void"]
    observation: str


class Rectify(_Recorded):
    """The unit has put it right on a day."""

    entry: Literal["rectify"]
    observation: str
    on: Day


class NotApplicable(_Recorded):
    """A claim was granted: the indicator is not applicable to the unit from then on."""

    entry: Literal["not_applicable"]
    unit: str
    indicator: str


CaseEntry = Annotated[Observe | Amend | Void | Rectify | NotApplicable, Field(discriminator="entry")]


class Expected(_Part):
    """What a unit's sheet must show; only the fields that are stated are compared."""

    indicators: dict[str, _Points] = {}
    base: _Points = "0"
    bonus: _Points = "0"
    penalty: _Points = "0"
    total: _Points = "0"
    rank: _Whole = 1
    grade: str | None = None
    pending: list[str] = []
    lowest: _Points = "0"
    highest: _Points = "0"

    def stated(self) -> dict[str, Any]:
        """Return the fields that the case states."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class Query(_Part):
    """One question: a day, a moment, observations left out, edits of the scheme; and what is expected."""

    as_of: Day | None = None
    known_at: Moment | None = None
    without: tuple[str, ...] = ()
    revise: tuple[Edit, ...] = ()
    why: str | None = None
    expect: dict[str, Expected] = {}


class Case(BaseModel):
    """An example case as its author wrote it; what else the author noted at its top is left aside.

    `entries` and `queries` must be stated, even if empty: a misspelt one would otherwise test nothing.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    scheme: str
    about: str | None = None
    entries: tuple[CaseEntry, ...]
    queries: tuple[Query, ...]


def read_case(data: bytes, file: str) -> Case:
    """Return the case in the JSON text; raises `InvalidInput` with every problem found."""
    try:
        return Case.model_validate(read_json(data, LARGEST_CASE))
    except JsonProblem as problem:
        raise refuse(problem.code, f"{file} {problem.where}", problem.message) from None
    except ValidationError as error:
        raise InvalidInput(
            tuple(
                Problem(f"case-{one['type'].replace('_', '-')}", f"{file} {_path(one['loc'])}", one["msg"])
                for one in error.errors()
            )
        ) from None


def _path(location: Sequence[str | int]) -> str:
    return ".".join(map(str, location))


class Replay:
    """A case whose entries have been decided, ready to answer its queries."""

    def __init__(self, case: Case, scheme: Scheme, vocabulary: Vocabulary) -> None:
        """Decide all entries; raises `InvalidInput` with every entry that the ledger would refuse."""
        self.case = case
        self.scheme = scheme
        self._vocabulary = vocabulary.extended(scheme.items)
        self._roster = default_roster(scheme)
        self._states: dict[str, ObservationState] = {}
        self._positions: dict[str, int] = {}
        self._entries: list[Entry] = []
        self._claims: list[NotApplicable] = []
        problems: list[Problem] = []
        for at, entry in enumerate(case.entries):
            try:
                self._decide(at + 1, entry)
            except Rejection as rejection:
                problems += [Problem(*refusal) for refusal in rejection.within(f"entries[{at}]")]
            except InvalidInput as invalid:
                problems += [Problem(p.code, f"entries[{at}].{p.where}", p.message) for p in invalid.problems]
        if problems:
            raise InvalidInput(tuple(problems))

    def answer(self, query: Query) -> dict[str, Sheet]:
        """Return every unit's sheet for the query; raises `InvalidInput` when the query itself is wrong."""
        return sheets(self.situation(query))

    def situation(self, query: Query) -> Situation:
        """Return what the query is asked about; raises `InvalidInput` when the query itself is wrong."""
        unknown = [name for name in query.without if name not in self._states]
        if unknown:
            raise refuse("unknown-observation", "without", f"no observation of the case is called {unknown[0]!r}")
        scheme = revised(self.scheme, query.revise)
        facts = facts_known(self._entries, query.known_at, frozenset(query.without))
        claims = frozenset(
            (claim.unit, claim.indicator)
            for claim in self._claims
            if query.known_at is None or claim.recorded_at <= query.known_at
        )
        return Situation(scheme, self._roster, facts, query.as_of or scheme.period.last, claims)

    def _decide(self, position: int, entry: CaseEntry) -> None:
        match entry:
            case Observe():
                if entry.id in self._states:
                    raise refuse("observation-id-twice", "id", f"{entry.id!r} is taken by an earlier entry")
                reading = Reading.model_construct(**{name: getattr(entry, name) for name in Reading.model_fields})
                self._states[entry.id] = ObservationState(self.scheme.year, reading)
                self._positions[entry.id] = position
                self._read("observe", entry.id, entry, reading)
            case Amend():
                state = self._state(entry.observation)
                refuse_void(state)
                self._read("amend", entry.observation, entry, entry.changes.applied_to(state.reading))
            case Void():
                state = self._state(entry.observation)
                refuse_void(state)
                self._states[entry.observation] = replace(state, void=True)
                self._entries.append(Entry("void", entry.observation, entry.recorded_at))
            case Rectify():
                refuse_void(self._state(entry.observation))
                self._entries.append(Entry("rectify", entry.observation, entry.recorded_at, rectified_on=entry.on))
            case NotApplicable():
                self._claim(entry)

    def _read(self, kind: Literal["observe", "amend"], name: str, entry: _Recorded, reading: Reading) -> None:
        unit, said, day = reading.unit, reading.kind, reading.occurred_on
        values, problems = admit(self.scheme, self._vocabulary, self._roster, unit, said, day, reading.attributes)
        if problems:
            raise InvalidInput(problems)
        self._states[name] = replace(self._states[name], reading=reading)
        fact = Fact(name, self._positions[name], reading.unit, reading.kind, reading.occurred_on, reading.count, values)
        self._entries.append(Entry(kind, name, entry.recorded_at, fact))

    def _state(self, name: str) -> ObservationState:
        if name not in self._states:
            raise refuse("unknown-observation", "observation", f"no earlier entry is called {name!r}")
        return self._states[name]

    def _claim(self, claim: NotApplicable) -> None:
        group = self.scheme.group_of(claim.unit)
        if group is None:
            raise refuse("unknown-unit", "unit", f"found {claim.unit!r}, expected a unit of the scheme")
        if group.indicator(claim.indicator) is None:
            message = f"found {claim.indicator!r}, expected an indicator of group {group.id}"
            raise refuse("unknown-indicator", "indicator", message)
        self._claims.append(claim)


def sheet_as_json(sheet: Sheet) -> dict[str, Any]:
    """Return a sheet in the shape of a case's `expect`, decimals as strings without trailing zeros."""
    return {
        "indicators": {row.indicator.id: plain(row.value) for row in sheet.score.rows},
        "base": plain(sheet.score.section("base")),
        "bonus": plain(sheet.score.section("bonus")),
        "penalty": plain(sheet.score.section("penalty")),
        "total": plain(sheet.total),
        "rank": sheet.rank,
        "grade": sheet.grade,
        "pending": list(sheet.pending),
        "lowest": plain(sheet.lowest),
        "highest": plain(sheet.highest),
    }


def replay(case: Case, scheme: Scheme, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the answers to all queries: `{"name", "results": [{unit: sheet}]}` with every unit of the groups."""
    decided = Replay(case, scheme, vocabulary)
    return {
        "name": case.name,
        "results": [
            {unit: sheet_as_json(sheet) for unit, sheet in _answered(decided, at, query).items()}
            for at, query in enumerate(case.queries)
        ],
    }


def _answered(decided: Replay, at: int, query: Query) -> dict[str, Sheet]:
    try:
        return decided.answer(query)
    except InvalidInput as invalid:
        problems = tuple(Problem(p.code, f"queries[{at}].{p.where}", p.message) for p in invalid.problems)
        raise InvalidInput(problems) from None


def differences(case: Case, results: Sequence[Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Return a line for each field of an `expect` that the result does not match; an empty list when all hold."""
    lines = []
    for at, (query, result) in enumerate(zip(case.queries, results, strict=True)):
        for unit, fields in query.expect.items():
            place = f"queries[{at}] {unit}"
            if unit not in result:
                lines.append(f"{place}: expected a sheet, but the scheme has no such unit")
                continue
            lines += [f"{place} {line}" for line in _field_differences(fields.stated(), result[unit])]
    return lines


def _field_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, value in expected.items():
        if name == "indicators":
            lines += [
                f"indicator {row}: expected {points}, found {found[name].get(row, 'no such row in the sheet')}"
                for row, points in value.items()
                if not _same_number(points, found[name].get(row))
            ]
        else:
            same: Callable[[Any, Any], bool] = _same_number if isinstance(found[name], str) else _equal
            if not same(value, found[name]):
                lines.append(f"{name}: expected {value}, found {found[name]}")
    return lines


def _equal(expected: Any, found: Any) -> bool:
    return bool(expected == found)


def _same_number(expected: Any, found: Any) -> bool:
    if not isinstance(expected, str | int) or not isinstance(found, str):
        return False
    number: Decimal | None = parse_decimal(str(expected))
    return expected == found if number is None else number == parse_decimal(found)
