"""What a unit may still dispute: the observations said of it and the rows of its sheet, each with its term.

What is shown of points is what the view of the scores shows: a unit's account gives the one that was released to it,
or none. An observation that an open appeal names, and one whose term to file has run out, is left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from ledger.decisions import Unit
from projections.answer_models import Answer, Points, ReadingAnswer
from projections.answers import history_answer, observation_answer
from projections.proceedings.proceedings import open_proceedings
from projections.proceedings.terms import filing_due, last_said
from projections.questions.models import ScoreAnswer, WithoutOneAnswer
from projections.questions.what_ifs import score_answer, without_each_answer
from projections.years import YearView
from schemes.exact import plain


class DisputableObservation(Answer):
    """An observation that may be disputed until `due` (null where no holiday notice tells it yet).

    `rows` are the titles of the rows that it touches, by their ids; `worth` is what it is worth in them, null where
    the scores do not show it.
    """

    observation: str
    reading: ReadingAnswer
    due: date | None
    rows: dict[str, str]
    worth: WithoutOneAnswer | None


class DisputableRow(Answer):
    """A row of the unit's sheet; `value` is null where the scores may not be seen."""

    indicator: str
    titles: list[str]
    clause: str
    points: Points
    value: Points | None
    pending: bool


class DisputableAnswer(Answer):
    """What a unit may dispute on a day: `unit` is its name, `key` its first name in the year.

    `late` counts the observations whose term has run out, `open` those that an open appeal names. `rows` may be
    disputed until `rows_due`; null while the year is open, when they may be at any time.
    """

    unit: str
    key: str
    score: ScoreAnswer | None
    observations: list[DisputableObservation]
    late: int
    open: int
    rows: list[DisputableRow]
    rows_due: date | None
    rows_late: bool


def disputable_answer(items: YearView, scores: YearView | None, unit: Unit, today: date) -> DisputableAnswer:
    """Return what the unit may dispute on that day: its observations as `items` show them, worth what `scores` say."""
    scored = scores is not None and unit.key in {one.key for one in scores.units}
    seen = scores if scored else None
    own = [one for one in items.observed if not one.void and items.state.unit(one.fact.unit) == unit]
    disputed = {str(name) for one in open_proceedings(items) for name in one.state.observations}
    free = [one for one in own if one.observation not in disputed]
    due = {one.observation: filing_due(items, last_said(items, one.observation).recorded_at) for one in free}
    in_time = [one for one in free if not _is_late(due[one.observation], today)]
    worth = _worth(seen, unit) if seen is not None and in_time else {}
    rows = _rows_touched(seen, unit) if seen is not None and in_time else {}
    rows_due = None if items.state.closed_at is None else filing_due(items, items.state.closed_at)
    return DisputableAnswer(
        unit=unit.name_on(items.as_of),
        key=unit.key,
        score=None if seen is None else score_answer(seen.sheets()[unit.key]),
        observations=[
            DisputableObservation(
                observation=one.observation,
                reading=observation_answer(items, one.observation).reading,
                due=due[one.observation],
                rows=rows.get(one.observation, {}),
                worth=worth.get(one.observation),
            )
            for one in reversed(in_time)
        ],
        late=len(free) - len(in_time),
        open=len(own) - len(free),
        rows=list(_rows(items, seen, unit)),
        rows_due=rows_due,
        rows_late=_is_late(rows_due, today),
    )


def _is_late(due: date | None, today: date) -> bool:
    return due is not None and due < today


def _worth(scores: YearView, unit: Unit) -> Mapping[str, WithoutOneAnswer]:
    return {one.observation: one for one in without_each_answer(scores, unit).observations}


def _rows_touched(scores: YearView, unit: Unit) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in history_answer(scores, unit).lines:
        if line.fact is not None and line.indicator is not None:
            names = [line.fact.observation] if line.fact.observation else line.fact.derived_from
            for name in names:
                found.setdefault(name, {})[line.indicator] = line.titles[-1] if line.titles else line.indicator
    return found


def _rows(items: YearView, scores: YearView | None, unit: Unit) -> Iterator[DisputableRow]:
    """Yield the rows that apply to the unit, those that a granted claim took out too: a sheet leaves these out."""
    group = items.situation.scheme.group(unit.group)
    scored = {} if scores is None else {row.indicator.id: row for row in scores.sheets()[unit.key].score.rows}
    for row in group.indicators if group else ():
        if row.applies(unit.key) and (unit.key, row.id) not in items.claims:
            found = scored.get(row.id)
            yield DisputableRow(
                indicator=row.id,
                titles=list(row.titles),
                clause=row.clause,
                points=plain(row.points),
                value=None if found is None else plain(found.value),
                pending=found is not None and found.pending,
            )
