"""The shape of a dossier: everything that answers an appeal or a claim, in one piece."""

from __future__ import annotations

from projections.answer_models import Answer, ClauseAnswer, ObservationAnswer, Points
from projections.proceedings.models import ProceedingAnswer
from projections.questions.derivation_models import DerivationAnswer


class StandingAnswer(Answer):
    """A unit's total, rank and grade."""

    total: Points
    rank: int
    grade: str | None


class MovedUnit(Answer):
    """A unit whose total, rank or grade the decision changed."""

    unit: str
    key: str
    group: str
    before: StandingAnswer
    after: StandingAnswer


class ComparedRow(Answer):
    """A row of the unit's sheet before and after the decision; null where it is not in the sheet."""

    indicator: str
    titles: list[str]
    clause: str
    points: Points
    before: Points | None
    after: Points | None


class ShareAnswer(Answer):
    """What a disputed observation was worth before the decision, under three names that are never mixed.

    `nominal` are the points that the rules name, `effective_in_order` what the running total changed by when its turn
    came, `effect_of_removal` the total with it minus the total without it alone. `why_not` says why nothing would move.
    """

    observation: str
    nominal: Points
    effective_in_order: Points
    effect_of_removal: Points
    total_without: Points
    rank_without: int
    grade_without: str | None
    why_not: list[str]


class DossierAnswer(Answer):
    """The answer to an appeal or a claim.

    `before` is how the score came about directly before the decision (for an undecided one: now), `after` directly
    after everything that was ordered; null until it is decided. `concerned` are the rows in question: those named,
    those that a disputed or ordered observation touches, and those that changed. `moved` begins with the unit itself.
    """

    proceeding: ProceedingAnswer
    issuer: str
    scheme_title: str
    observations: list[ObservationAnswer]
    shares: list[ShareAnswer]
    concerned: list[str]
    clauses: list[ClauseAnswer]
    rows: list[ComparedRow]
    moved: list[MovedUnit]
    before: DerivationAnswer
    after: DerivationAnswer | None
