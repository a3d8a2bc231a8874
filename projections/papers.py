"""What official papers say: the result of a year, what a unit has to put right, the answer to an appeal.

Each is made from answers that are shown elsewhere too, so that a paper never says other than a page. Points of a
finding are those that it took from the rows of the sheet (of the total, where a veto fixed that): what a cap of a
section or of the total swallowed afterwards is a finding all the same. Who signs, to whom, under which number and by
which day is left to whoever writes the paper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from ledger.decisions import Unit, local_day
from ledger.proceedings import Result
from ledger.rejection import rejected
from projections.answer_models import (
    Answer,
    ClauseAnswer,
    HistoryAnswer,
    LineAnswer,
    Points,
    RankedGroup,
    ReadingAnswer,
    Shown,
    Standing,
)
from projections.answers import history_answer, ranking_answer, standing
from projections.proceedings.dossier_models import DossierAnswer, MovedUnit
from projections.proceedings.models import IndicatorAnswer, OrderAnswer, OrderName
from projections.scheme_files import vocabulary
from projections.years import YearView
from schemes.exact import ZERO, plain
from schemes.fact import Fact
from schemes.vocabulary import Vocabulary
from schemes.wording import day_phrase, fact_phrase

MAIN_PROBLEMS: Final = 10
"""Rows that a result notice names as the main problems."""
_FINDING: Final = frozenset({"deduct", "forfeit", "tiers", "checklist", "milestone", "discretion"})
"""Effects by which a single fact takes points; the others weigh a unit as a whole, and leave nothing to put right."""


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
        problems=_problems(history_answer(view, unit) for unit in view.units)[:MAIN_PROBLEMS],
    )


def rectification_notice(view: YearView, unit: Unit) -> RectificationNotice:
    """Return what a unit assessed on the day has to put right; refuses `nothing-to-rectify` where there is nothing."""
    name = unit.name_on(view.as_of)
    by_fact: dict[tuple[str | None, int, date], list[LineAnswer]] = {}
    for line in history_answer(view, unit).lines:
        if line.fact is not None and line.fact.rectified_on is None and _lost(line) > ZERO:
            at = (line.fact.observation, line.fact.position, line.fact.occurred_on)
            by_fact.setdefault(at, []).append(line)
    if not by_fact:
        raise rejected("nothing-to-rectify", "unit", f"{name} has no finding that cost points and is not rectified")
    words = vocabulary().extended(view.scheme.items)
    vetoes = "、".join(veto.title for veto in view.sheets()[unit.key].score.vetoes)
    return RectificationNotice(
        **standing(view),
        county=view.scheme.jurisdiction.name,
        issuer=view.scheme.document.issuer,
        scheme_title=view.scheme.document.title,
        unit=name,
        findings=[_finding(name, lines, vetoes, words) for lines in by_fact.values()],
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


def reading_phrase(reading: ReadingAnswer, words: Vocabulary) -> str:
    """Return what an observation says in Chinese, its day first."""
    return _phrase(reading.unit, reading.kind, reading.occurred_on, reading.count, reading.attributes, words)


def _outcome(outcome: Result | None) -> Literal["upheld", "partly_upheld", "dismissed"]:
    match outcome:
        case "upheld" | "partly_upheld" | "dismissed":
            return outcome
        case _:
            raise rejected("unknown-appeal", "appeal", f"found a decision {outcome!r}, which is none of an appeal")


def _ordered(order: OrderAnswer, words: Vocabulary) -> OrderedAnswer:
    before, after = (None if one is None else reading_phrase(one, words) for one in (order.before, order.after))
    return OrderedAnswer(order=order.order, before=before, after=after)


def _problems(histories: Iterable[HistoryAnswer]) -> list[ProblemAnswer]:
    found: dict[tuple[str, str], list[tuple[str, LineAnswer]]] = {}
    for history in histories:
        for line in history.lines:
            if line.indicator is not None and _lost(line) > ZERO:
                found.setdefault((line.indicator, line.titles[-1]), []).append((history.key, line))
    problems = [_problem([line for _, line in lines], {key for key, _ in lines}) for lines in found.values()]
    # Where as many units are concerned, the row that took more points goes first.
    return sorted(problems, key=lambda one: (-one.units, -Decimal(one.points), one.indicator))


def _problem(lines: Sequence[LineAnswer], units: Iterable[str]) -> ProblemAnswer:
    first = lines[0]
    facts = [line.fact for line in lines if line.fact is not None]
    return ProblemAnswer(
        indicator=first.indicator or "",
        titles=first.titles,
        clause=first.clause or "",
        labels=[label for label, _ in Counter(fact.label for fact in facts).most_common()],
        units=len(set(units)),
        times=sum(fact.count for fact in facts),
        points=plain(sum((_lost(line) for line in lines), ZERO)),
    )


def _lost(line: LineAnswer) -> Decimal:
    """Return the points that a fact took from a row, or from the total by a veto; 0 for what is no finding."""
    if line.fact is None:
        return ZERO
    if line.indicator is None:
        return max(ZERO, -Decimal(line.effective))
    return max(ZERO, -Decimal(line.indicator_points)) if _FINDING & {*line.rules} else ZERO


def _finding(unit: str, lines: Sequence[LineAnswer], vetoes: str, words: Vocabulary) -> FindingAnswer:
    fact = next(line.fact for line in lines if line.fact is not None)
    phrase = _phrase(unit, fact.kind, fact.occurred_on, fact.count, fact.attributes, words)
    return FindingAnswer(
        observation=fact.observation,
        day=fact.occurred_on,
        text=phrase.removeprefix(f"{day_phrase(fact.occurred_on)} "),
        documents=list(dict.fromkeys(one.document or one.title for line in lines for one in line.evidence)),
        rows=[_row(line, vetoes) for line in lines],
        points=plain(sum((_lost(line) for line in lines), ZERO)),
    )


def _row(line: LineAnswer, vetoes: str) -> RowNamed:
    title = line.titles[-1] if line.titles else vetoes
    return RowNamed(indicator=line.indicator, title=title, clause=line.clause or "")


def _phrase(unit: str, kind: str, day: date, count: int, attributes: Mapping[str, Shown], words: Vocabulary) -> str:
    return fact_phrase(Fact("", 0, unit, kind, day, count, words.typed(kind, attributes)), words)
