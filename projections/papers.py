"""What official papers say: the result of a year, what a unit has to put right, the answer to an appeal.

Each is made from what is shown elsewhere too, so that a paper never says other than a page; what a finding is says
`projections.rectifications`. Who signs, to whom, under which number and by which day is left to whoever writes the
paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from ledger.decisions import Unit, local_day
from ledger.proceedings import Result
from ledger.rejection import rejected
from projections.answer_models import (
    Answer,
    ClauseAnswer,
    Points,
    RankedGroup,
    Standing,
)
from projections.answers import ranking_answer, standing
from projections.proceedings.dossier_models import DossierAnswer, MovedUnit
from projections.proceedings.models import IndicatorAnswer, OrderAnswer, OrderName
from projections.rectifications import Finding, points_lost, unrectified
from projections.sentences import reading_phrase, scheme_words
from projections.years import YearView
from schemes.exact import ZERO, plain
from schemes.fact import Fact
from schemes.history import HistoryLine
from schemes.scheme import Indicator
from schemes.vocabulary import Vocabulary
from schemes.wording import day_phrase, fact_phrase

MAIN_PROBLEMS: Final = 10
"""Rows that a result notice names as the main problems."""


class GradeCount(Answer):
    """How many units have a grade."""

    grade: str
    units: int


class ProblemAnswer(Answer):
    """What took points from a row of the scheme: how many units, how many times, how many points in all."""

    indicator: str
    titles: list[str]
    clause: str
    labels: list[str]
    units: int
    times: int
    points: Points


class ResultNotice(Standing):
    """The result of a year (考核结果通报).

    `problems` are the rows that took points, from the most units to the fewest, at most `MAIN_PROBLEMS` of them.
    `pending` counts the units with rows that still wait for a judgement or a metric.
    """

    county: str
    issuer: str
    scheme_title: str
    groups: list[RankedGroup]
    grades: list[GradeCount]
    pending: int
    problems: list[ProblemAnswer]


class RowNamed(Answer):
    """A row of the scheme, or a veto, that a finding met."""

    indicator: str | None
    title: str
    clause: str


class FindingAnswer(Answer):
    """Something that took points from a unit: the day, what it was in Chinese, its documents and rows, the points."""

    observation: str | None
    day: date
    text: str
    documents: list[str]
    rows: list[RowNamed]
    points: Points


class RectificationNotice(Standing):
    """What a unit has to put right (整改通知): findings that took points and are not rectified, by day."""

    county: str
    issuer: str
    scheme_title: str
    unit: str
    findings: list[FindingAnswer]


class OrderedAnswer(Answer):
    """What a decision ordered, in Chinese: how the fact read before, and after; null where it does not count."""

    order: OrderName
    before: str | None
    after: str | None


class AppealAnswer(Answer):
    """The answer to a decided appeal (申诉答复); `moved` begins with the unit itself."""

    jurisdiction: str
    year: int
    appeal: str
    unit: str
    issuer: str
    scheme_title: str
    filed_on: date
    grounds: str
    disputed: list[str]
    indicators: list[IndicatorAnswer]
    reviews: list[str]
    clauses: list[ClauseAnswer]
    decided_on: date
    outcome: Literal["upheld", "partly_upheld", "dismissed"]
    reasons: str
    orders: list[OrderedAnswer]
    moved: list[MovedUnit]


def result_notice(view: YearView) -> ResultNotice:
    """Return the result of the year as the view knows it."""
    ranking = ranking_answer(view)
    places = [place for group in ranking.groups for place in group.places]
    grades = Counter(place.grade for place in places if place.grade is not None)
    return ResultNotice(
        **standing(view),
        county=view.scheme.jurisdiction.name,
        issuer=view.scheme.document.issuer,
        scheme_title=view.scheme.document.title,
        groups=ranking.groups,
        grades=[GradeCount(grade=grade, units=units) for grade, units in grades.items()],
        pending=sum(place.pending > 0 for place in places),
        problems=_problems(view)[:MAIN_PROBLEMS],
    )


def rectification_notice(view: YearView, unit: Unit) -> RectificationNotice:
    """Return what a unit assessed on the day has to put right; refuses `nothing-to-rectify` where there is nothing."""
    name = unit.name_on(view.as_of)
    found = unrectified(view, unit)
    if not found:
        raise rejected("nothing-to-rectify", "unit", f"{name} has no finding that cost points and is not rectified")
    words = scheme_words(view.scheme)
    vetoes = "、".join(veto.title for veto in view.sheets()[unit.key].score.vetoes)
    return RectificationNotice(
        **standing(view),
        county=view.scheme.jurisdiction.name,
        issuer=view.scheme.document.issuer,
        scheme_title=view.scheme.document.title,
        unit=name,
        findings=[_finding(view, one, vetoes, words) for one in found],
    )


def appeal_answer(dossier: DossierAnswer, words: Vocabulary) -> AppealAnswer:
    """Return the answer that a dossier's decision gives; refuses (`appeal-not-decided`) one without a decision."""
    told = dossier.proceeding
    decided = next((step for step in told.steps if step.step == "decided"), None)
    if decided is None:
        message = f"the appeal {told.id} is {told.status}; an answer is written of its decision"
        raise rejected("appeal-not-decided", "appeal", message)
    filed = told.steps[0]
    return AppealAnswer(
        jurisdiction=told.jurisdiction,
        year=told.year,
        appeal=told.id,
        unit=told.unit,
        issuer=dossier.issuer,
        scheme_title=dossier.scheme_title,
        filed_on=local_day(filed.recorded_at),
        grounds=filed.text or "",
        disputed=[reading_phrase(one.reading, words) for one in told.observations],
        indicators=told.indicators,
        reviews=[step.text for step in told.steps if step.step == "reviewed" and step.text],
        clauses=dossier.clauses,
        decided_on=local_day(decided.recorded_at),
        outcome=_outcome(told.outcome),
        reasons=decided.text or "",
        orders=[_ordered(order, words) for order in told.orders],
        moved=dossier.moved,
    )


def _outcome(outcome: Result | None) -> Literal["upheld", "partly_upheld", "dismissed"]:
    match outcome:
        case "upheld" | "partly_upheld" | "dismissed":
            return outcome
        case _:
            raise rejected("unknown-appeal", "appeal", f"found a decision {outcome!r}, which is none of an appeal")


def _ordered(order: OrderAnswer, words: Vocabulary) -> OrderedAnswer:
    before, after = (None if one is None else reading_phrase(one, words) for one in (order.before, order.after))
    return OrderedAnswer(order=order.order, before=before, after=after)


def _problems(view: YearView) -> list[ProblemAnswer]:
    found: dict[tuple[str, str], list[tuple[str, Fact, HistoryLine]]] = {}
    for unit in view.units:
        for line in view.history(unit).lines:
            if line.fact is not None and line.indicator is not None and points_lost(line) > ZERO:
                at = (line.indicator.id, line.indicator.titles[-1])
                found.setdefault(at, []).append((unit.key, line.fact, line))
    words = scheme_words(view.scheme)
    problems = [_problem(indicator, lines, words) for (indicator, _), lines in found.items()]
    # Where as many units are concerned, the row that took more points goes first.
    return sorted(problems, key=lambda one: (-one.units, -Decimal(one.points), one.indicator))


def _problem(indicator: str, lines: Sequence[tuple[str, Fact, HistoryLine]], words: Vocabulary) -> ProblemAnswer:
    titles, clause = next((row.titles, row.clause) for _, _, line in lines if (row := line.indicator) is not None)
    labels = Counter(words.kinds[fact.kind].label for _, fact, _ in lines)
    return ProblemAnswer(
        indicator=indicator,
        titles=list(titles),
        clause=clause,
        labels=[label for label, _ in labels.most_common()],
        units=len({unit for unit, _, _ in lines}),
        times=sum(fact.count for _, fact, _ in lines),
        points=plain(sum((points_lost(line) for _, _, line in lines), ZERO)),
    )


def _finding(view: YearView, finding: Finding, vetoes: str, words: Vocabulary) -> FindingAnswer:
    fact = finding.fact
    said = (entry for name in fact.sources or (fact.id,) for entry in view.entries_of(name)[:1])
    return FindingAnswer(
        observation=None if fact.sources else fact.id,
        day=fact.occurred_on,
        text=fact_phrase(fact, words).removeprefix(f"{day_phrase(fact.occurred_on)} "),
        documents=list(dict.fromkeys(one.get("document") or one["title"] for entry in said for one in entry.evidence)),
        rows=[_row(line.indicator, vetoes) for line in finding.lines],
        points=plain(sum((points_lost(line) for line in finding.lines), ZERO)),
    )


def _row(indicator: Indicator | None, vetoes: str) -> RowNamed:
    if indicator is None:
        return RowNamed(indicator=None, title=vetoes, clause="")
    return RowNamed(indicator=indicator.id, title=indicator.titles[-1], clause=indicator.clause)
