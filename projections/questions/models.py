"""What is asked and shown about what would be if: suppositions, shares of observations, replays under other versions.

Points are plain decimal strings; a unit is shown by its name on the day.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ledger.events import Attributes, Changes, Count, Day, Text, Value
from projections.answer_models import Answer, Points, ReadingAnswer, Standing
from schemes.comparing.changes import ChangeKind, What
from schemes.questions.attribution import Edge
from schemes.questions.smallest_sets import NoSet
from schemes.questions.why_not import Why

# --- what is asked -----------------------------------------------------------------------------------------------


class SupposedAmendment(Value):
    """An observation that is supposed to read otherwise: the named fields replaced, `attributes` as a whole."""

    observation: Text
    changes: Changes


class SupposedObservation(Value):
    """An observation that is supposed to come on top; of the unit that is asked about, unless it names another."""

    kind: Text
    occurred_on: Day
    count: Count = 1
    attributes: Attributes = Field(default_factory=dict)
    unit: Text | None = None


class SupposedJudgement(Value):
    """A judgement that the unit is supposed to be given, after all that it was given."""

    indicator: Text
    value: Text


class Suppositions(Value):
    """What is supposed together: observations left out, amended and added, judgements given. Nothing is recorded."""

    without: tuple[Text, ...] = ()
    amended: tuple[SupposedAmendment, ...] = ()
    added: tuple[SupposedObservation, ...] = ()
    judgements: tuple[SupposedJudgement, ...] = ()


class ReplayChoice(Value):
    """A version to replay the year under.

    A shipped `scheme` by its id, a draft as `document` (the text of a scheme file), or a version that the ledger keeps
    by `scheme_id` and `scheme_version`. Nothing of it is recorded.
    """

    scheme: Text | None = None
    document: str | None = None
    scheme_id: Text | None = None
    scheme_version: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> ReplayChoice:
        kept = (self.scheme_id is None, self.scheme_version is None)
        if kept[0] != kept[1] or [self.scheme is None, self.document is None, kept[0]].count(False) != 1:
            raise ValueError("one of scheme, document, and scheme_id with scheme_version")
        return self


# --- what is shown: suppositions ---------------------------------------------------------------------------------


class ScoreAnswer(Answer):
    """Where a unit stands: its sections and total, its rank and grade, and what pending rows leave open."""

    total: Points
    rank: int
    grade: str | None
    base: Points
    bonus: Points
    penalty: Points
    pending: list[str]
    lowest: Points
    highest: Points


class RowChangeAnswer(Answer):
    """A row whose value differs; null where the sheet has no such row."""

    indicator: str
    titles: list[str]
    clause: str
    before: Points | None
    after: Points | None


class UnitChangeAnswer(Answer):
    """A unit as it stands and as it would, with the rows that differ; `difference` is the total then less now."""

    unit: str
    key: str
    group: str
    group_title: str
    before: ScoreAnswer
    after: ScoreAnswer
    difference: Points
    rows: list[RowChangeAnswer]


class ReasonAnswer(Answer):
    """Why a total stays: a stable code, the indicator it is about if it is one, and a sentence."""

    code: Why | Literal["void"]
    indicator: str | None
    sentence: str


class SmallestSetAnswer(Answer):
    """The smallest set of the unit's own observations that would have to fall, and the total and grade then.

    Without such a set `why_none` says why. `proved`: no smaller set does it (or none at all); every set of up to
    `ruled_out` observations is known not to. `not_told`: it would measure other units, or tell who rated how.
    """

    observations: list[str]
    total: Points | None
    grade: str | None
    proved: bool
    ruled_out: int
    why_none: NoSet | Literal["not_told"] | None
    sentence: str


class WithoutOneAnswer(Answer):
    """One observation and its share under three names, which are never the same thing.

    `nominal` are the points that the rules name for it, `effective_in_order` what the running total changed by when its
    turn came, `effect_of_removal` the total as it is less the total without it alone. `total`, `rank` and `grade` are
    those without it; `others` are the other units that would move. A unit's account is told neither rank nor others,
    and no grade where grades go by rank. Where the total stays, `why_not` says why, and
    `smallest` which observations would have to fall with it.
    """

    observation: str
    status: Literal["counts", "void"]
    reading: ReadingAnswer
    nominal: Points
    effective_in_order: Points
    effect_of_removal: Points
    total: Points
    rank: int | None
    grade: str | None
    others: list[str]
    why_not: list[ReasonAnswer]
    smallest: SmallestSetAnswer | None


class WhatIfAnswer(Standing):
    """What a supposition would change: for the unit that is asked about, and for every other that moves.

    Where only observations were left out and the unit's total stays, `unmoved` holds those of its own among them, with
    the reasons and the smallest sets.
    """

    unit: UnitChangeAnswer
    others: list[UnitChangeAnswer]
    unmoved: list[WithoutOneAnswer]
    summary: list[str]


class WithoutEachAnswer(Standing):
    """What each observation of a unit is worth, and the smallest sets that would have to fall."""

    unit: str
    key: str
    group: str
    score: ScoreAnswer
    observations: list[WithoutOneAnswer]
    total_rises: SmallestSetAnswer
    next_grade: SmallestSetAnswer


# --- what is shown: replays --------------------------------------------------------------------------------------


class VersionAnswer(Answer):
    """The version that the year is replayed under; a draft is none that the ledger keeps."""

    id: str
    version: str
    title: str
    kept: bool


class ReplayChangeAnswer(Answer):
    """A change between the two versions, and what it does alone: how many units it moves, and by how much in all."""

    id: str
    what: What
    kind: ChangeKind
    clause: str | None
    group: str | None
    indicator: str | None
    sentence: str
    scoring: bool
    units: int
    points: Points


class CausedAnswer(Answer):
    """What one change does alone; changes that do nothing are left out."""

    change: str
    points: Points


class ReplayRowAnswer(Answer):
    """A row that moves: `difference` is the sum of `alone` and the `remainder`, which only the combination explains."""

    indicator: str
    titles: list[str]
    clause: str
    before: Points | None
    after: Points | None
    difference: Points
    alone: list[CausedAnswer]
    remainder: Points


class ReplayUnitAnswer(Answer):
    """A unit under both versions: `difference` is the sum of `alone` and the `remainder`.

    `edge` says that it crosses into a better grade (`up`), a worse one (`down`) or one that is not ordered (`other`).
    """

    unit: str
    key: str
    before: ScoreAnswer
    after: ScoreAnswer
    difference: Points
    alone: list[CausedAnswer]
    remainder: Points
    edge: Edge | None
    rows: list[ReplayRowAnswer]


class ReplayGroupAnswer(Answer):
    """The units of one group, in the order of their new rank."""

    group: str
    title: str
    units: list[ReplayUnitAnswer]


class ReplayAnswer(Standing):
    """The year under another version, held against the version in force. Nothing of it is recorded."""

    revised: VersionAnswer
    changes: list[ReplayChangeAnswer]
    groups: list[ReplayGroupAnswer]
    summary: Annotated[list[str], Field(description="What it comes to, in Chinese sentences.")]
