"""The shapes of appeals, claims and closings as they are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from ledger.events import Evidence, SchemeReference
from ledger.proceedings import Action, Kind, Result, Status
from projections.answer_models import Answer, Points, ReadingAnswer, ReceiptAnswer

StepName = Literal["filed", "returned", "completed", "accepted", "reviewed", "decided", "withdrawn"]
OrderName = Literal["void", "amend", "judge"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StepAnswer(Answer):
    """One step: when, by whom, and what was said; what a step says nothing of is null.

    `text` is what every step but an acceptance says: the grounds, what must be completed, the finding, the decision's
    or the withdrawal's reasons. `recommendation` is a review's own.
    """

    position: int
    step: StepName
    recorded_at: datetime
    actor: str
    text: str | None
    recommendation: str | None
    evidence: list[Evidence]


class OrderAnswer(Answer):
    """What a decision ordered, carried out at a ledger position of its own.

    `observation` is the one that is void, reads otherwise, or is the new judgement; `before` is how it read (null for
    a judgement), `after` how it reads from then on (null for a void). What the reader may not see (yet) is null too.
    """

    order: OrderName
    observation: str
    position: int
    before: ReadingAnswer | None
    after: ReadingAnswer | None


class DisputedAnswer(Answer):
    """An observation that an appeal names, as it read when the appeal was filed."""

    observation: str
    reading: ReadingAnswer


class IndicatorAnswer(Answer):
    """A row that an appeal or a claim names; without titles and clause where the scheme in force has no such row."""

    indicator: str
    titles: list[str]
    clause: str | None


class ProceedingAnswer(Answer):
    """An appeal or a claim with all its steps; `unit` is the unit's name on the last day of the view, `key` its first.

    `outcome` is null until it is decided: of an appeal, whether it was upheld; of a claim, whether it was granted.
    `due` is the last day to decide while it waits for the office, null where no holiday notice tells it yet; `overdue`
    says that the term has run out on the day asked about, null likewise. What was returned waits for the unit: it has
    neither. `days_to_decide` are those of its own term. `filed_position` and `decided_position` are ledger positions:
    the view at `decided_position - 1` is the year before the decision, and at `last_position` after all that it
    ordered. `pending` are the proposed decisions that wait for a second person: until then nothing is decided.
    """

    id: str
    kind: Kind
    jurisdiction: str
    year: int
    unit: str
    key: str
    group: str
    status: Status
    outcome: Result | None
    possible: list[Action]
    observations: list[DisputedAnswer]
    indicators: list[IndicatorAnswer]
    days_to_decide: int
    due: date | None
    overdue: bool | None
    steps: list[StepAnswer]
    orders: list[OrderAnswer]
    pending: list[str] = Field(default_factory=list)
    filed_position: int
    decided_position: int | None
    last_position: int


class ProceedingRecorded(Answer):
    """What was recorded of an appeal or a claim, a decision before what it ordered; and how it stands now."""

    receipts: list[ReceiptAnswer]
    proceeding: ProceedingAnswer


class ProceedingsAnswer(Answer):
    """The appeals, or the claims, of a year, in the order of their filing.

    `position` is the ledger's length; to a unit's account the position of the last entry that it is shown here.
    """

    jurisdiction: str
    year: int
    position: int
    proceedings: list[ProceedingAnswer]


class FrozenUnit(Answer):
    """A unit's standing as it was frozen and as it is now (null where it is not assessed any more).

    `changed` says that total, rank or grade differ; `decisions` are those appeals and claims since whose decision
    changed one of the three.
    """

    unit: str
    key: str
    group: str
    frozen_total: Points
    frozen_rank: int
    frozen_grade: str | None
    total: Points | None
    rank: int | None
    grade: str | None
    changed: bool
    decisions: list[str]


class PendingRows(Answer):
    """The rows of a unit that waited for a judgement or a metric when the year was closed."""

    unit: str
    indicators: list[str]


class ReopeningAnswer(Answer):
    """When, by whom and why a year was reopened after a close."""

    recorded_at: datetime
    actor: str
    reason: str


class ClosingAnswer(Answer):
    """A close of a year: what it froze beside what is so now.

    `number` counts the year's closes from 1. `ledger_position` is the ledger's size that the sheets were frozen at,
    `position` where the close itself stands. `open_proceedings` and `pending` is what the close left undecided.
    """

    number: int
    position: int
    ledger_position: int
    recorded_at: datetime
    actor: str
    reason: str
    scheme: SchemeReference
    sheets: Digest
    open_proceedings: list[str]
    pending: list[PendingRows]
    reopened: ReopeningAnswer | None
    units: list[FrozenUnit]


class ClosedAnswer(Answer):
    """What closing a year recorded, and what it left undecided."""

    receipt: ReceiptAnswer
    closing: ClosingAnswer


class ClosingsAnswer(Answer):
    """The closes of a year, oldest first, and whether it is closed now; the terms are in working days."""

    jurisdiction: str
    year: int
    position: int
    closed: bool
    days_to_file: int
    days_to_decide: int
    closings: list[ClosingAnswer]
