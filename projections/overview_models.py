"""What the overviews of a year show: see `projections.overviews` and `projections.own_overviews`."""

from __future__ import annotations

from datetime import date, datetime

from projections.answer_models import Answer, Points, Standing
from projections.proceedings.models import ProceedingAnswer
from projections.proposals import ProposalAnswer


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
    """What a unit has not put right by the shown day: how many findings; the oldest one's day, and where it is.

    `path` is null where the oldest one comes from no observation.
    """

    unit: str
    count: int
    oldest: date
    path: str | None


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


class OwnFinding(Answer):
    """What cost one's own unit points and is not put right; `path` is null where it comes from no observation."""

    occurred_on: date
    text: str
    path: str | None


class OwnOverviewAnswer(Answer):
    """The overview of those who speak for some units.

    Before a release `as_of` is null, and `scores` and `unrectified` are empty: both tell of points.
    """

    jurisdiction: str
    year: int
    units: list[str]
    as_of: date | None
    earlier: date | None
    scores: list[OwnPlace]
    recent: list[RecentEntry]
    proceedings: list[ProceedingAnswer]
    deadlines: list[OwnDeadline]
    unrectified: list[OwnFinding]
