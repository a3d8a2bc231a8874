"""Suppositions about a year: admitted as the ledger would admit them, answered by the engine, recorded nowhere.

What is supposed is held against the year as the view shows it: an observation must be known and not void, a reading
must be one that the year's scheme knows. All refusals come together, each with its place in the request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final

from ledger.decisions import ObservationState, Unit, decide_amend, decide_observe
from ledger.events import Attributes, Reading
from ledger.rejection import Refusal, Rejection, rejected
from projections.admission import SchemeAdmission
from projections.answers import observation_answer, standing
from projections.questions.models import (
    ReasonAnswer,
    RowChangeAnswer,
    ScoreAnswer,
    SmallestSetAnswer,
    SupposedAmendment,
    SupposedJudgement,
    SupposedObservation,
    Suppositions,
    UnitChangeAnswer,
    WhatIfAnswer,
    WithoutEachAnswer,
    WithoutOneAnswer,
)
from projections.readings import renamed
from projections.scheme_files import vocabulary
from projections.years import YearView
from schemes.exact import plain
from schemes.fact import Fact
from schemes.questions.smallest_sets import SmallestSet, smallest_sets, smallest_sets_with
from schemes.questions.what_if import Supposition, UnitChange, WithoutOne, what_if, without_each
from schemes.sheets import Sheet

_NOT_TOLD: Final = SmallestSetAnswer(
    observations=[],
    total=None,
    grade=None,
    proved=False,
    ruled_out=0,
    why_none="not_told",
    sentence="涉及其他单位的得分或打分，不向本单位提供。",
)


def supposition(view: YearView, unit: Unit, asked: Suppositions) -> Supposition:
    """Return what is supposed, as the engine takes it; refuses what the ledger would refuse, with every reason."""
    return _Admitting(view, unit).supposition(asked)


def what_if_answer(view: YearView, unit: Unit, asked: Suppositions) -> WhatIfAnswer:
    """Return what the suppositions would change; refuses as `supposition` does."""
    supposed = supposition(view, unit, asked)
    known = view.sheets()
    outcome = what_if(view.situation, supposed, known)
    own = outcome.of(unit.key) or UnitChange(known[unit.key], known[unit.key])
    only_without = asked == Suppositions(without=asked.without)
    still = only_without and own.before.total == own.after.total
    unmoved = _without(view, unit, supposed.without) if still and supposed.without else []
    others = [unit_change_answer(view, change) for change in outcome.changes if change.unit != unit.key]
    answer = unit_change_answer(view, own)
    return WhatIfAnswer(
        **standing(view), unit=answer, others=others, unmoved=unmoved, summary=list(_summary(answer, others, unmoved))
    )


def without_each_answer(view: YearView, unit: Unit) -> WithoutEachAnswer:
    """Return what each observation of the unit is worth, void ones too, and the smallest sets.

    In a view that shows some units only nothing is told that would measure others by it: no rank without an
    observation, no grade where grades go by rank, no ratings one by one.
    """
    sheet = view.sheets()[unit.key]
    found = smallest_sets(view.situation, unit.key, view.sheets())
    return WithoutEachAnswer(
        **standing(view),
        unit=unit.name_on(view.as_of),
        key=unit.key,
        group=unit.group,
        score=score_answer(sheet),
        observations=[*_without(view, unit, None), *_void(view, unit, sheet)],
        total_rises=_told_smallest(view, found.total),
        next_grade=_NOT_TOLD if _ranks_decide(view, unit) else _told_smallest(view, found.next_grade),
    )


def score_answer(sheet: Sheet) -> ScoreAnswer:
    """Return where a unit stands."""
    return ScoreAnswer(
        total=plain(sheet.total),
        rank=sheet.rank,
        grade=sheet.grade,
        base=plain(sheet.score.section("base")),
        bonus=plain(sheet.score.section("bonus")),
        penalty=plain(sheet.score.section("penalty")),
        pending=list(sheet.pending),
        lowest=plain(sheet.lowest),
        highest=plain(sheet.highest),
    )


class _Admitting:
    """Reads suppositions against a view, and collects what is refused."""

    def __init__(self, view: YearView, unit: Unit) -> None:
        self._view = view
        self._unit = unit
        self._admission = SchemeAdmission(lambda _: view.scheme)
        self._keys = view.state.keys_by_name
        self._refused: list[Refusal] = []

    def supposition(self, asked: Suppositions) -> Supposition:
        """Return what is supposed; refuses it with every reason."""
        for at, name in enumerate(asked.without):
            with self._at(f"without[{at}]"):
                self._counting(name)
        amended = [fact for at, one in enumerate(asked.amended) for fact in self._amended(at, one)]
        added = [fact for at, one in enumerate(asked.added) for fact in self._added(at, one)]
        judgements = dict(given for at, one in enumerate(asked.judgements) for given in self._judged(at, one))
        named = [one.indicator for one in asked.judgements]
        for at, name in enumerate(named):
            if name in named[:at]:
                message = f"{name!r} is judged already; expected one judgement of each row"
                self._refused.append(Refusal("indicator-supposed-twice", f"judgements[{at}].indicator", message))
        if self._refused:
            raise Rejection(*self._refused)
        return Supposition(asked.without, tuple(amended), tuple(added), judgements)

    def _amended(self, at: int, one: SupposedAmendment) -> Iterator[Fact]:
        with self._at(f"amended[{at}].observation"):
            state = self._counting(one.observation)
            with self._at(f"amended[{at}].changes"):
                reading = decide_amend(self._view.state, state, one.changes, self._admission)
                yield self._fact(one.observation, 0, reading)

    def _added(self, at: int, one: SupposedObservation) -> Iterator[Fact]:
        reading = Reading(
            unit=one.unit or self._unit.key,
            kind=one.kind,
            occurred_on=one.occurred_on,
            count=one.count,
            attributes=one.attributes,
        )
        with self._at(f"added[{at}]"):
            decide_observe(self._view.state, reading, self._admission)
            yield self._fact(f"added/{at}", self._view.position + 1 + at, reading)

    def _judged(self, at: int, one: SupposedJudgement) -> Iterator[tuple[tuple[str, str], Decimal]]:
        attributes: Attributes = {"indicator": one.indicator, "value": one.value}
        day = self._view.as_of
        reading = Reading(unit=self._unit.key, kind="judgement", occurred_on=day, attributes=attributes)
        with self._at(f"judgements[{at}]", own="attributes."):
            self._admission.reading(self._view.state, reading)
            value = self._fact("", 0, reading).decimal("value")
            yield (self._unit.key, one.indicator), value

    @contextmanager
    def _at(self, place: str, own: str = "") -> Iterator[None]:
        """Note what the block refuses, with its place in the request, where `own` is not written."""
        try:
            yield
        except Rejection as rejection:
            named = (Refusal(one.code, one.where.removeprefix(own), one.message) for one in rejection.refusals)
            self._refused += Rejection(*named).within(place)

    def _counting(self, name: str) -> ObservationState:
        """Return an observation that counts; refuses one that is unknown at the moment of the view, or void."""
        entries = self._view.entries_of(name)
        if not entries:
            message = f"found {name!r}, expected an observation of the year {self._view.state.year}"
            raise rejected("unknown-observation", "", message)
        if any(entry.entry == "void" for entry in entries):
            raise rejected("observation-void", "", f"the observation {name} is void: it does not count already")
        fact, attributes = next(
            (entry.said.fact, entry.attributes)
            for entry in reversed(entries)
            if entry.said.fact is not None and entry.attributes is not None
        )
        reading = Reading(
            unit=fact.unit,
            kind=fact.kind,
            occurred_on=fact.occurred_on,
            count=fact.count,
            attributes=dict(attributes),
        )
        return ObservationState(self._view.state.year, reading)

    def _fact(self, name: str, position: int, reading: Reading) -> Fact:
        values = vocabulary().typed(reading.kind, reading.attributes)
        day = reading.occurred_on
        [fact] = renamed([Fact(name, position, reading.unit, reading.kind, day, reading.count, values)], self._keys)
        return fact


def _without(view: YearView, unit: Unit, only: Collection[str] | None) -> list[WithoutOneAnswer]:
    """Return the shares of the unit's observations, with what would have to fall beside those that move nothing."""
    found = without_each(view.situation, unit.key, view.sheets(), only)
    still = [one.fact.id for one in found if not one.effect_of_removal]
    smallest = smallest_sets_with(view.situation, unit.key, still, view.sheets())
    return [_without_one(view, unit, one, smallest.get(one.fact.id)) for one in found if _is_told(view, one.fact.id)]


def _is_told(view: YearView, observation: str) -> bool:
    """Whether what an observation is worth may be told: a unit is not told what a single rating is."""
    readings = [entry.said.fact for entry in view.entries_of(observation) if entry.said.fact is not None]
    return view.sight is None or bool(readings and readings[-1].kind != "rating")


def _ranks_decide(view: YearView, unit: Unit) -> bool:
    """Whether the view shows some units only, and their grades go by the totals of others."""
    group = view.scheme.group(unit.group)
    return view.sight is not None and group is not None and group.quotas is not None


def _without_one(view: YearView, unit: Unit, one: WithoutOne, smallest: SmallestSet | None) -> WithoutOneAnswer:
    whole = view.sight is None
    observed = observation_answer(view, one.fact.id)
    return WithoutOneAnswer(
        observation=one.fact.id,
        status=observed.status,
        reading=observed.reading,
        nominal=plain(one.nominal),
        effective_in_order=plain(one.effective_in_order),
        effect_of_removal=plain(one.effect_of_removal),
        total=plain(one.total),
        rank=one.rank if whole else None,
        grade=None if _ranks_decide(view, unit) else one.grade,
        others=[unit_name(view, other) for other in one.others] if whole else [],
        why_not=[
            ReasonAnswer(code=reason.code, indicator=reason.indicator, sentence=reason.sentence)
            for reason in one.why_not
        ],
        smallest=None if smallest is None else _told_smallest(view, smallest),
    )


def _void(view: YearView, unit: Unit, sheet: Sheet) -> Iterator[WithoutOneAnswer]:
    for one in view.observed:
        if one.void and view.state.unit(one.fact.unit) == unit and one.fact.occurred_on <= view.as_of:
            observed = observation_answer(view, one.observation)
            yield WithoutOneAnswer(
                observation=one.observation,
                status="void",
                reading=observed.reading,
                nominal="0",
                effective_in_order="0",
                effect_of_removal="0",
                total=plain(sheet.total),
                rank=sheet.rank,
                grade=sheet.grade,
                others=[],
                why_not=[ReasonAnswer(code="void", indicator=None, sentence="这一条已作废，不计分。")],
                smallest=None,
            )


def _told_smallest(view: YearView, found: SmallestSet) -> SmallestSetAnswer:
    return _smallest(found) if all(_is_told(view, one) for one in found.observations) else _NOT_TOLD


def _smallest(found: SmallestSet) -> SmallestSetAnswer:
    return SmallestSetAnswer(
        observations=list(found.observations),
        total=None if found.total is None else plain(found.total),
        grade=found.grade,
        proved=found.proved,
        ruled_out=found.ruled_out,
        why_none=found.why_none,
        sentence=found.sentence,
    )


def unit_change_answer(view: YearView, change: UnitChange) -> UnitChangeAnswer:
    """Return a unit's two sheets held against each other."""
    before, after = change.before, change.after
    group = view.scheme.group(before.group)
    return UnitChangeAnswer(
        unit=unit_name(view, change.unit),
        key=change.unit,
        group=before.group,
        group_title=group.title if group else before.group,
        before=score_answer(before),
        after=score_answer(after),
        difference=plain(change.difference),
        rows=[
            RowChangeAnswer(
                indicator=row.indicator.id,
                titles=list(row.indicator.titles),
                clause=row.indicator.clause,
                before=plain_or_none(row.before),
                after=plain_or_none(row.after),
            )
            for row in change.rows
        ],
    )


def unit_name(view: YearView, key: str) -> str:
    """Return the unit's name on the day of the view."""
    return view.state.units[key].name_on(view.as_of)


def plain_or_none(value: Decimal | None) -> str | None:
    """Return the number as it is shown, or None."""
    return None if value is None else plain(value)


def moved_phrase(before: ScoreAnswer, after: ScoreAnswer, difference: str) -> str:
    """Return how total, rank and grade move, in Chinese."""
    signed = difference if difference.startswith("-") else f"+{difference}"
    parts = []
    if before.total != after.total:
        parts.append(f"总分由{before.total}变为{after.total}（{signed}）")
    if before.rank != after.rank:
        parts.append(f"名次由第{before.rank}名变为第{after.rank}名")
    if before.grade != after.grade:
        parts.append(f"等次由{before.grade or '无'}变为{after.grade or '无'}")
    return "，".join(parts) or "总分、名次、等次都不变"


def _summary(
    own: UnitChangeAnswer, others: Sequence[UnitChangeAnswer], unmoved: Sequence[WithoutOneAnswer]
) -> Iterator[str]:
    yield f"{own.unit}：{moved_phrase(own.before, own.after, own.difference)}。"
    for one in others:
        yield f"{one.unit}：{moved_phrase(one.before, one.after, one.difference)}。"
    if own.rows and own.difference == "0":
        yield f"{own.unit}有{len(own.rows)}项指标变动，但正好相抵或被上下限吸收，总分不变。"
    for still in (one for one in unmoved if one.why_not):
        yield f"{still.observation}：{''.join(reason.sentence for reason in still.why_not)}"
        if still.smallest is not None:
            yield f"{still.observation}：连同这一条，{still.smallest.sentence}"
