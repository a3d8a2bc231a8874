"""What happens in a county's demonstration year, as data: who reports what, how often, in which words.

A plan is `plans/<scheme>.yaml`, completed by `plans/common.yaml`. Units have a quality, drawn by the generator:
`problems` fall mostly on bad ones, `merits` on good ones, `records` on any.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

_PLANS = files("api.demonstration") / "plans"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OneOf(_Model):
    """An attribute drawn from these values."""

    one_of: tuple[str | int | tuple[str, ...], ...]


class Between(_Model):
    """A whole number drawn from this range, both ends included."""

    between: tuple[int, int]


AttributeTemplate = str | int | tuple[str, ...] | OneOf | Between


class Source(_Model):
    """Where findings are reported: a bulletin or register that comes out every day, week, month, quarter or year.

    Its evidence is the document number, else the URL, else a stored file; `also` is a second one, always a file.
    `delay` is how many working days after its day an issue is recorded.
    """

    every: Literal["day", "week", "month", "quarter", "year"]
    actor: str
    title: str
    document: str | None = None
    url: str | None = None
    locator: str | None = "第{page}页 第{row}行"
    also: str | None = None
    delay: tuple[int, int] = (1, 3)


class Template(_Model):
    """One sort of finding: `times` in the year, or, with `share`, once for about that share of the units.

    Findings for named `units` are stories of their own and are not corrected by chance; `voided` is the reason for
    which all findings of the template are voided later. `dated: issue` puts them on the day of the bulletin.
    """

    kind: str
    source: str
    times: int = 1
    share: float | None = None
    units: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    dated: Literal["found", "issue"] = "found"
    count: tuple[int, int] = (1, 1)
    attributes: dict[str, AttributeTemplate]
    notes: tuple[str, ...] = Field(min_length=1)
    voided: str | None = None


class Requests(_Model):
    """Requests for disclosure: how many, how many of them extended and late; `busy` units get a number of their own."""

    source: str
    number: str
    times: int
    extended: int
    late: int
    busy: dict[str, int] = Field(default_factory=dict)
    subjects: tuple[str, ...]


class Judgements(_Model):
    """Judgements of all judged rows between two days, in steps; a share of them is left pending."""

    source: str
    first: date
    last: date
    step: Decimal
    lowest_share: float
    pending: float
    notes: tuple[str, ...]


class Ranking(_Model):
    """One ranking of all units of a group, without ties."""

    name: str
    source: str
    group: str
    day: date
    note: str


class Metric(_Model):
    """A figure measured for about a share of the units, from `lowest` to `highest` by quality."""

    name: str
    source: str
    day: date
    lowest: int
    highest: int
    share: float = 1.0
    note: str


class Ratings(_Model):
    """Units rating units of the other groups: how many raters each unit gets, and within which days."""

    source: str
    first: date
    last: date
    raters: int
    lowest: int
    highest: int
    note: str


class Correction(_Model):
    """A review that voids an observation, or amends it where `attributes` or `count` say how it reads then."""

    kinds: tuple[str, ...]
    times: int
    reason: str
    attributes: dict[str, str | int] = Field(default_factory=dict)
    count: int | None = None


class Rectifications(_Model):
    """The share of findings of these kinds that the units put right, and what is noted then."""

    kinds: tuple[str, ...]
    share: float
    notes: tuple[str, ...]


class Appeal(_Model):
    """One unit's appeal when the year is over. Which unit and which fact is found in the year as it was told.

    `closing` is the reason for which the year is closed before it; without one the year stays open, and the appeal is
    about a fact recorded within its last days. `kinds` are the facts it may be about. `order` is what is decided: the
    fact void, `count` its number from then on, the row judged at its best; or nothing, since removing the fact would
    change nothing. In the words, `{fact}`, `{unit}` and `{row}` stand for what was found.
    """

    closing: str | None = None
    kinds: tuple[str, ...]
    order: Literal["void", "amend", "judge"] | None = None
    count: int | None = None
    outcome: Literal["upheld", "partly_upheld", "dismissed"]
    grounds: str
    evidence: str
    finding: str
    recommendation: str
    reasons: str
    decision_document: str


class Plan(_Model):
    """A county's year. Findings without days of their own occur from `first` to `last`.

    `quality` fixes the quality of some units: 0 is the worst, 1 the best.
    """

    host: str
    first: date
    last: date
    quality: dict[str, float] = Field(default_factory=dict)
    words: dict[str, tuple[str, ...]]
    sources: dict[str, Source]
    problems: tuple[Template, ...]
    merits: tuple[Template, ...]
    records: tuple[Template, ...] = ()
    requests: Requests
    judgements: Judgements
    rankings: tuple[Ranking, ...] = ()
    metrics: tuple[Metric, ...] = ()
    ratings: Ratings | None = None
    reviewer: str
    review_document: str
    voids: tuple[Correction, ...]
    amendments: tuple[Correction, ...]
    rectifications: Rectifications
    appeal: Appeal


@cache
def plan_of(scheme_id: str) -> Plan:
    """Return the plan of a shipped scheme's year; raises `FileNotFoundError` for a scheme without one."""
    read = [yaml.safe_load((_PLANS / f"{name}.yaml").read_text("utf-8")) for name in ("common", scheme_id)]
    return Plan.model_validate({key: value for part in read for key, value in part.items()})
