"""The shapes of what is shown of a year: for HTTP, for the command line's `--json` and for pages.

Points are plain decimal strings ("92.5"), days ISO 8601, moments carry their zone. Every answer that depends on a day,
a moment and the ledger's length says so in its own fields, so that it can be asked for again. `projections.answers`
fills them in.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ledger.events import Evidence, SchemeReference
from schemes.history import Swallower
from schemes.scheme import Section

Points = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$", examples=["92.5"])]
Shown = str | int | list[str]
EntryKind = Literal["observe", "amend", "void", "rectify"]


class Answer(BaseModel):
    """Base of everything that is shown: immutable, and complete in itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Standing(Answer):
    """What an answer was worked out from: day, moment, scheme version and ledger position."""

    jurisdiction: str
    year: int
    as_of: date
    known_at: datetime | None
    scheme: SchemeReference
    position: int


# --- sheets and rankings -----------------------------------------------------------------------------------------


class FactAnswer(Answer):
    """A fact as it reads now. A derived one was never recorded: `derived_from` names the observations it comes from."""

    observation: str | None
    derived_from: list[str]
    position: int
    kind: str
    label: str
    occurred_on: date
    count: int
    attributes: dict[str, Shown]
    note: str | None
    rectified_on: date | None


class EffectAnswer(Answer):
    """What one rule did: the points it names, what its own maximum left of them, and the fact, if it was one fact."""

    effect: str
    nominal: Points
    effective: Points
    fact: FactAnswer | None


class RowAnswer(Answer):
    """One row of a sheet, whose worth is `value`.

    `minimum` and `maximum` bound a judgement (null for a row nobody judges), `judged_by` is the one that counts.
    `points` are the row's full points, `start` the value it began with or was judged at.
    `account` is the account whose score gave the value, where each account is scored on its own.
    """

    indicator: str
    titles: list[str]
    clause: str
    section: Section
    stage: str | None
    points: Points
    start: Points
    value: Points
    pending: bool
    minimum: Points | None
    maximum: Points | None
    judged_by: FactAnswer | None
    account: str | None
    effects: list[EffectAnswer]
    forfeits: list[FactAnswer]
    informing: list[FactAnswer]


class LeftOutAnswer(Answer):
    """A row that does not apply to the unit."""

    indicator: str
    titles: list[str]
    clause: str
    section: Section
    stage: str | None
    points: Points


class SectionsAnswer(Answer):
    """The sections of a sheet, or of one stage of it.

    `base`, `bonus` and `penalty` count; the `…_rows` are the plain sums before caps, gate and adjustment for rows that
    do not apply. `gated` says that the bonus does not count because its gate is not reached. `penalty` is positive.
    """

    stage: str | None
    title: str | None
    weight: Points | None
    base: Points
    bonus: Points
    penalty: Points
    base_rows: Points
    bonus_rows: Points
    penalty_rows: Points
    gated: bool


class VetoAnswer(Answer):
    """A veto that fired, with the grade it forces and the total it fixes (null: it does not)."""

    id: str
    title: str
    clause: str
    grade: str | None
    total: Points | None


class OutputAnswer(Answer):
    """A figure reported beside the score; null without its metric."""

    id: str
    titles: list[str]
    clause: str
    value: Points | None


class SheetAnswer(Standing):
    """The score sheet of one unit; `unit` is its name on the day, `key` its first name in the year."""

    unit: str
    key: str
    group: str
    group_title: str
    total: Points
    rank: int
    grade: str | None
    base: Points
    bonus: Points
    penalty: Points
    pending: list[str]
    lowest: Points
    highest: Points
    rows: list[RowAnswer]
    not_applicable: list[LeftOutAnswer]
    sections: list[SectionsAnswer]
    vetoes: list[VetoAnswer]
    outputs: list[OutputAnswer]


class YearSheets(Standing):
    """The sheets of all units assessed on the day, in the order of groups and of joining."""

    sheets: list[SheetAnswer]


class PlaceAnswer(Answer):
    """One line of a ranking; `pending` counts the rows that wait for a judgement or a metric."""

    rank: int
    unit: str
    total: Points
    grade: str | None
    pending: int
    lowest: Points
    highest: Points


class RankedGroup(Answer):
    """The units of one group, the best first; equal totals share the better rank."""

    group: str
    title: str
    places: list[PlaceAnswer]


class RankingAnswer(Standing):
    """The ranking of every group."""

    groups: list[RankedGroup]


class ClausePlaceAnswer(Answer):
    """Where a clause stands in the official document: page and lines from 1, and the words there.

    `how` says whether the clause's own words led there, or only a title that stands in a single place.
    """

    page: int
    first_line: int
    last_line: int
    excerpt: str
    how: Literal["exact", "by_title"]


class ClauseAnswer(Answer):
    """The clause of a row.

    `document` is the title of the official document, null where none is registered; `place` is null where the clause
    was not found in it for certain.
    """

    indicator: str
    titles: list[str]
    clause: str
    document: str | None
    place: ClausePlaceAnswer | None


# --- histories and observations ----------------------------------------------------------------------------------


class LineAnswer(Answer):
    """One fact's effect through one indicator.

    The first line is the opening: the total without any fact. A line with a fact and no indicator is a consequence
    for the total alone (a veto). `recorded_at` is null for a derived fact; its evidence is that of its sources.
    `effective` are the points the running total changed by; those of all lines add up to the total.
    """

    day: date | None
    recorded_at: datetime | None
    fact: FactAnswer | None
    evidence: list[Evidence]
    indicator: str | None
    titles: list[str]
    clause: str | None
    stage: str | None
    rules: list[str]
    nominal: Points | None
    indicator_points: Points
    effective: Points
    swallowed_by: list[Swallower]
    running_indicator: Points | None
    running_total: Points


class ReadingAnswer(Answer):
    """What an observation said at some time."""

    unit: str
    kind: str
    label: str
    occurred_on: date
    count: int
    attributes: dict[str, Shown]


class AmendmentAnswer(Answer):
    """A correction: when, by whom, why, and how the observation read before and after it.

    `before` and `after` are null where they are another unit's and the reader may not see those.
    """

    observation: str
    recorded_at: datetime
    actor: str
    reason: str | None
    before: ReadingAnswer | None
    after: ReadingAnswer | None
    evidence: list[Evidence]


class VoidedAnswer(Answer):
    """An observation that does not count any more: when, by whom, why, and how it read last."""

    observation: str
    recorded_at: datetime
    actor: str
    reason: str | None
    reading: ReadingAnswer
    evidence: list[Evidence]


class HistoryAnswer(Standing):
    """How a unit's total came about; the effective points of `lines` add up to `total`.

    `unscored` are facts that no row of the sheet scores or lists.
    """

    unit: str
    key: str
    group: str
    total: Points
    lines: list[LineAnswer]
    unscored: list[FactAnswer]
    amendments: list[AmendmentAnswer]
    voided: list[VoidedAnswer]


class EntryAnswer(Answer):
    """One entry about an observation; what an entry says nothing of is null.

    `decision` is the appeal whose decision ordered the entry: its evidence is the decision.
    """

    position: int
    entry: EntryKind
    recorded_at: datetime
    actor: str
    reading: ReadingAnswer | None
    rectified_on: date | None
    reason: str | None
    note: str | None
    evidence: list[Evidence]
    decision: str | None


class ObservationAnswer(Answer):
    """An observation as it reads now, and everything that was said about it, oldest first.

    `pending` are the proposals about it that wait for a second person: until then they change nothing.
    """

    observation: str
    jurisdiction: str
    year: int
    status: Literal["counts", "void"]
    version: int
    reading: ReadingAnswer
    rectified_on: date | None
    pending: list[str]
    entries: list[EntryAnswer]


class ObservationPage(Answer):
    """Some observations in the order they were recorded; `next` is the cursor of the page after, null at the end."""

    observations: list[ObservationAnswer]
    next: str | None


# --- jurisdictions, years, units, receipts -----------------------------------------------------------------------


class ReceiptAnswer(Answer):
    """What was recorded: its position in the ledger, and the hash of its bytes as a leaf of the ledger's tree.

    `observation` is null for an entry about a year or a scheme; `version` counts the entries of its stream. `proposal`
    is what waits for a second person, or has its answer: until it is approved, nothing else was recorded.
    """

    position: int
    leaf_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    recorded_at: datetime
    event: str
    observation: str | None
    proposal: str | None
    version: int


class NameAnswer(Answer):
    """A name and the day from which it holds."""

    since: date
    name: str


class UnitAnswer(Answer):
    """A unit of a year. `name` is its latest name, `key` its first; `names` are the later ones."""

    name: str
    key: str
    group: str
    joined_on: date | None
    left_on: date | None
    names: list[NameAnswer]


class GroupAnswer(Answer):
    """A group of the year's scheme, and how many units were ever in it this year."""

    id: str
    title: str
    units: int


class YearAnswer(Answer):
    """A year that has been opened, under the scheme now in force."""

    jurisdiction: str
    year: int
    first: date
    last: date
    title: str
    scheme: SchemeReference
    groups: list[GroupAnswer]


class JurisdictionAnswer(Answer):
    """A jurisdiction that has a ledger: how long that is, and its years, oldest first."""

    code: str
    name: str | None
    position: int
    years: list[YearAnswer]


class AdoptionAnswer(Answer):
    """A scheme version of the year: in force from when it was recorded until the next one; the last one is in force."""

    scheme: SchemeReference
    title: str
    first: date
    last: date
    since: datetime
    actor: str
    reason: str | None
    in_force: bool
