"""The shape of what a check of a bundle found."""

from __future__ import annotations

from datetime import date, datetime

from projections.answer_models import Answer, Points
from projections.bundles.format import Mode


class StepAnswer(Answer):
    """One step that held: what was checked, and how many things of it (null where nothing is counted)."""

    number: int
    title: str
    sentence: str
    count: int | None


class FindingAnswer(Answer):
    """The first thing that does not hold: at which step, a stable code, and plain words."""

    step: int
    title: str
    code: str
    sentence: str


class ProvedAnswer(Answer):
    """What the bundle proves: the score of a unit; rank and grade are null where they are not claimed.

    `known_at` null is: all that was recorded up to the checkpoint. `scheme_digest` is the SHA-256 of the scheme.
    """

    jurisdiction: str
    year: int
    unit: str
    as_of: date
    known_at: datetime | None
    mode: Mode
    checkpoint: str
    scheme_digest: str
    total: Points
    rank: int | None
    grade: str | None


class VerificationAnswer(Answer):
    """What held, step by step; then either the finding, or what is proved and what no check of it can know."""

    holds: bool
    steps: list[StepAnswer]
    finding: FindingAnswer | None
    proved: ProvedAnswer | None
    unknown: list[str]
