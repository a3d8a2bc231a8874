"""Why a total would stay as it is without an observation: every reason found, with a sentence in plain Chinese.

The two scores are compared from the row outwards: what the row's rule swallows, what the row's bounds do, a forfeit, an
account that is not the lowest, then the caps and the gate of the section, then those of the total, a veto. Whether the
total stays is the caller's to know; a fact that no row meets, or that does not count on the day, is told apart first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from schemes.exact import ZERO, plain
from schemes.fact import REQUEST_KINDS, Fact
from schemes.figures import latest
from schemes.rules import (
    Award,
    ByRank,
    Checklist,
    Deduct,
    Inform,
    Judged,
    Milestone,
    Shortfall,
    Tiers,
)
from schemes.scheme import Indicator, Scheme, VetoFacts
from schemes.scoring import Circumstances, IndicatorScore, judgements, touching
from schemes.sheets import Score, Situation, Year
from schemes.subtotals import Subtotals

Why = Literal[
    "after_day",
    "outside_period",
    "outside_window",
    "not_scored",
    "not_applicable",
    "informs_only",
    "no_late_reply",
    "derived_instead",
    "derived_again",
    "superseded",
    "same_value",
    "no_points",
    "maximum",
    "tier",
    "duplicate_item",
    "milestone",
    "rank_unchanged",
    "steps_unchanged",
    "forfeited",
    "zero_already",
    "floor",
    "ceiling",
    "other_account",
    "rounding",
    "bonus_cap",
    "gate",
    "penalty_cap",
    "stage_floor",
    "total_cap",
    "total_floor",
    "veto",
    "balanced",
]


_SUPERSEDING = {"judgement": "indicator", "metric": "name", "ranking": "name", "prior_grade": "year"}
"""What a later fact of the kind must agree in to count instead."""

_SENTENCES: dict[Why, str] = {
    "outside_window": "发生日期不在{said}阶段的考核时段内，{row}不计。",
    "not_scored": "考核方案没有哪一项对这一条计分。",
    "not_applicable": "{row}对本单位不适用，不计分。",
    "informs_only": "这一条只供考评组评定时参考，本身不计分。",
    "no_late_reply": "这一条不影响答复是否超期，超期情形与原来一致。",
    "derived_instead": "去掉后，按申请和答复日期推出的超期答复取而代之，扣分不变。",
    "derived_again": "同一申请另有收到记录，超期答复依旧，计分不变。",
    "superseded": "{row}以后来的一条为准，这一条已被取代。",
    "same_value": "去掉后{row}的得分仍然相同。",
    "no_points": "{row}对这类情形规定的分值为0。",
    "maximum": "{row}按本条规则计的分已达上限{said}分，去掉这一条后仍然达到上限。",
    "tier": "{row}按次数分档计分，去掉这一条后仍在同一档。",
    "duplicate_item": "{row}同一事项只计一次，另有同一事项的记录。",
    "milestone": "{row}的达标条件成立与否不因这一条改变。",
    "rank_unchanged": "去掉后{row}所依据的名次仍在同一档。",
    "steps_unchanged": "去掉后{row}低于平均水平的档数不变。",
    "forfeited": "{row}另有归零情形，无论有无这一条都是0分。",
    "zero_already": "{row}本就是0分，归零情形成立与否，得分不变。",
    "floor": "{row}已扣到下限{said}分，去掉这一条后仍在下限。",
    "ceiling": "{row}已到上限{said}分，去掉这一条后仍在上限。",
    "other_account": "{row}按账号分别计分取最低，最低的是{said}账号，这一条不影响结果。",
    "rounding": "按适用指标折算并四舍五入后，基础分相同。",
    "bonus_cap": "加分合计已达上限{said}分，去掉这一条后仍然达到上限。",
    "gate": "加分的门槛没有达到，加分本就不计。",
    "penalty_cap": "扣分合计已达限额{said}分，去掉这一条后仍然达到限额。",
    "stage_floor": "{said}阶段的得分已是0分，去掉这一条后仍是0分。",
    "total_cap": "总分已达上限{said}分，去掉这一条后仍受上限限制。",
    "total_floor": "总分已是下限{said}分，去掉这一条后仍是下限。",
    "veto": "{said}，总分不变。",
    "balanced": "去掉后各项有增有减，正好相抵。",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code, the indicator it is about (null for sections and the total), a sentence in Chinese."""

    code: Why
    indicator: str | None
    sentence: str


def why_not(
    situation: Situation, without: Year, unit: str, fact: Fact, before: Score, after: Score
) -> tuple[Reason, ...]:
    """Return why the unit's total stays as it is without the fact; `without` is the year that lacks it."""
    unseen = _unseen(situation, fact)
    if unseen is not None:
        return (unseen,)
    found = list(_Comparison(situation, without, unit, before, after).reasons(fact))
    return tuple(dict.fromkeys(found)) or (_reason("balanced"),)


def _unseen(situation: Situation, fact: Fact) -> Reason | None:
    """Return why the fact does not count on the day at all, or None when it does."""
    period = situation.scheme.period
    early = fact.kind == "prior_grade" or fact.kind in REQUEST_KINDS or fact.kind == "late_reply"
    if fact.occurred_on > period.last or (fact.occurred_on < period.first and not early):
        span = f"{period.first}至{period.last}"
        return Reason("outside_period", None, f"发生于{fact.occurred_on}，不在考核期（{span}）内，不计分。")
    if fact.occurred_on > situation.as_of:
        message = f"发生于{fact.occurred_on}，晚于查询截止日{situation.as_of}，尚未计入。"
        return Reason("after_day", None, message)
    return None


class _Comparison:
    """The same unit with and without the fact."""

    def __init__(self, situation: Situation, without: Year, unit: str, before: Score, after: Score) -> None:
        self._scheme = situation.scheme
        self._with = situation.year
        self._without = without
        self._unit = unit
        self._before = before
        self._after = after
        self._old = {row.indicator.id: row for row in before.rows}
        self._new = {row.indicator.id: row for row in after.rows}

    def reasons(self, fact: Fact) -> Iterator[Reason]:
        """Yield the reasons, from the rows outwards."""
        moved = [row for row, old in self._old.items() if old.value != self._new[row].value]
        gone, come = self._differing_facts()
        late = [] if moved else [one for one in come if any(self._touched(one))]
        again = _late_requests(gone) & _late_requests(late)
        met = [one for one in (*gone, *come) if one.kind != "late_reply" or one.text("request") not in again]
        if again:
            yield _reason("derived_instead" if fact.kind == "late_reply" else "derived_again")
        touched = bool(again)
        for one in sorted(met, key=lambda one: one.order):
            for row, rules, superseded in self._touched(one):
                touched = True
                if row.id in moved:
                    continue
                if superseded:
                    yield _reason("superseded", row)
                else:
                    yield _in_row(row, one, rules, self._old[row.id], self._new[row.id])
        if moved:
            yield from self._outside_rows(moved)
        elif not touched and self._before.vetoes == self._after.vetoes:
            yield _reason("no_late_reply") if fact.kind in REQUEST_KINDS else self._untouched(fact)
        yield from self._vetoes()

    def _differing_facts(self) -> tuple[list[Fact], list[Fact]]:
        """The facts that count with the observation alone, and without it alone; derived ones are known by their id."""
        old, new = ({one.id: one for one in year.facts_of(self._unit)} for year in (self._with, self._without))
        return [old[name] for name in old.keys() - new.keys()], [new[name] for name in new.keys() - old.keys()]

    def _vetoes(self) -> Iterator[Reason]:
        """Yield the vetoes that fire with the fact alone, or without it alone."""
        before, after = self._before.vetoes, self._after.vetoes
        for veto in (one for one in self._scheme.vetoes if (one in before) != (one in after)):
            fires = "因这一条成立" if veto in before else "去掉这一条后成立"
            does = "只影响等次" if veto.total is None else f"有无这一条总分同为{plain(self._before.total)}分"
            yield _reason("veto", None, f"否决条款“{veto.title}”{fires}，{does}")

    def _touched(self, fact: Fact) -> Iterator[tuple[Indicator, list[int], bool]]:
        """Yield the rows that the fact meets, with the rules, and whether a later fact of its kind counts instead."""
        named = _SUPERSEDING.get(fact.kind)
        for stage, facts, figures in self._with.stages:
            if stage is None or stage.window is None or fact.occurred_on in stage.window:
                around = Circumstances(self._unit, self._scheme.year, figures)
                own = facts[self._unit]
                later = latest(own, fact.kind, named, fact.attributes[named]) if named and fact.kind in own else None
                rows, _ = self._with.rows(self._unit, stage)
                for row in rows:
                    rules = _meeting(row, fact, around)
                    if rules:
                        yield row, rules, later is not None and later.order > fact.order

    def _untouched(self, fact: Fact) -> Reason:
        """Why no row of the sheet meets the fact."""
        for stage, _, figures in self._with.stages:
            around = Circumstances(self._unit, self._scheme.year, figures)
            applying, left_out = self._with.rows(self._unit, stage)
            missed = next((row for row in applying if _meeting(row, fact, around)), None)
            if missed is not None and stage is not None:
                return _reason("outside_window", missed, f"“{stage.title}”")
            alone = {fact.kind: [fact]}
            if any(rule.matching(alone) for row in applying for rule in row.rules if isinstance(rule, Inform)):
                return _reason("informs_only")
            unmet = next((row for row in left_out if _meeting(row, fact, around)), None)
            if unmet is not None:
                return _reason("not_applicable", unmet)
        vetoes = [veto for veto in self._scheme.vetoes if isinstance(veto.when, VetoFacts)]
        if any(fact.kind in veto.when.kinds and veto.when.where.matches(fact) for veto in vetoes):  # type: ignore[union-attr]  # picked by its kind
            return _reason("veto", None, "否决条款成立与否不因这一条改变")
        return _reason("not_scored")

    def _outside_rows(self, moved: Sequence[str]) -> Iterator[Reason]:
        """Yield what kept the change of rows from the total: sections first, then the total."""
        stages = [stage for stage, _, _ in self._with.stages]
        parts = list(zip(stages, self._before.sections, self._after.sections, strict=True))
        reached = False
        for stage, old, new in parts:
            yield from _in_sections(old, new)
            if _sum(old) != _sum(new):
                reached = True
                if stage is not None and max(_sum(old), _sum(new)) <= ZERO:
                    yield _reason("stage_floor", None, f"“{stage.title}”")
        if reached:
            yield from self._at_total()
        elif all(_rows(old) == _rows(new) for _, old, new in parts):
            yield _reason("balanced")

    def _at_total(self) -> Iterator[Reason]:
        scheme, total = self._scheme, self._before.total
        before, after = ([veto for veto in one.vetoes if veto.total is not None] for one in (self._before, self._after))
        fixing = next((veto for veto in before if veto in after and veto.total == total), None)
        if fixing is not None:
            yield _reason("veto", None, f"总分由否决条款“{fixing.title}”定为{plain(total)}分")
        elif before != after:
            return
        elif scheme.floor is not None and total == scheme.floor:
            yield _reason("total_floor", None, plain(total))
        elif scheme.cap is not None and (
            total == scheme.cap if scheme.stages else not _below(scheme.cap, scheme, self._before, self._after)
        ):
            yield _reason("total_cap", None, plain(scheme.cap))
        elif not scheme.stages:
            yield _reason("balanced")


def _below(cap: Decimal, scheme: Scheme, *scores: Score) -> bool:
    """Whether one of the scores lies below the cap before that is put on it."""
    sums = [
        part.base + part.bonus - (ZERO if scheme.cap_after == "bonus" else part.penalty)
        for score in scores
        for part in score.sections
    ]
    return min(sums) < cap


def _late_requests(facts: Iterable[Fact]) -> set[str | None]:
    """Return the requests that the late replies among the facts answer."""
    return {one.text("request") for one in facts if one.kind == "late_reply"} - {None}


def _meeting(row: Indicator, fact: Fact, around: Circumstances) -> list[int]:
    """Return the places of the row's rules that meet the fact."""
    alone = {fact.kind: [fact]}
    return [
        at
        for at, rule in enumerate(row.rules)
        if not isinstance(rule, Inform)
        and (judgements(row, alone) if isinstance(rule, Judged) else touching(rule, alone, around))
    ]


def _in_row(row: Indicator, fact: Fact, rules: Sequence[int], old: IndicatorScore, new: IndicatorScore) -> Reason:
    """Return why the row's value is the same with the fact and without it; `rules` are the places of those it meets."""
    account = fact.text("account")
    if account is not None and (old.accounts or new.accounts):
        lowest = new.account if old.account == account else old.account
        if lowest not in (None, account):
            return _reason("other_account", row, f"“{lowest}”")
    if old.forfeits or new.forfeits:
        return _reason("forfeited" if old.forfeits and new.forfeits else "zero_already", row)
    if old.unbounded != new.unbounded:
        low = row.floor is not None and old.value == row.floor and min(old.unbounded, new.unbounded) <= row.floor
        return _reason("floor" if low else "ceiling", row, plain(old.value))
    given = [(at, _points_of_rule(row, at, old), _points_of_rule(row, at, new)) for at in rules]
    if any(was != becomes for _, was, becomes in given):
        return _reason("balanced", row)
    told = (_in_rule(row, at, fact, points) for at, points, _ in given)
    return next((reason for reason in told if reason), _reason("balanced", row))


def _pooled(row: Indicator, at: int) -> dict[int, Deduct | Award]:
    """Return the rules, by their places, that share the pool of the one at this place: itself alone without one."""
    pool = getattr(row.rules[at], "pool", None)
    return {
        place: rule
        for place, rule in enumerate(row.rules)
        if isinstance(rule, Deduct | Award) and (place == at or (pool is not None and rule.pool == pool))
    }


def _points_of_rule(row: Indicator, at: int, score: IndicatorScore) -> Decimal:
    """Return what the rule at this place, or its pool, gives in the score under its maximum."""
    places = {at, *_pooled(row, at)}
    return sum((effect.effective for effect in score.effects if effect.rule in places), ZERO)


def _in_rule(row: Indicator, at: int, fact: Fact, points: Decimal) -> Reason | None:
    """Return why the rule gives the same points with the fact and without it; None when it need not."""
    rule = row.rules[at]
    match rule:
        case Deduct() | Award():
            if not rule.each:
                return _reason("no_points", row)
            limits = [one.max for one in _pooled(row, at).values() if one.max is not None]
            return _reason("maximum", row, plain(abs(points))) if limits and abs(points) == min(limits) else None
        case Tiers():
            return _reason("tier", row)
        case Checklist():
            return _reason("duplicate_item" if rule.items[fact.text("item") or ""] else "no_points", row)
        case Milestone():
            return _reason("milestone", row)
        case ByRank():
            return _reason("rank_unchanged", row)
        case Shortfall():
            return _reason("steps_unchanged", row)
        case _:
            return _reason("same_value", row)


def _in_sections(old: Subtotals, new: Subtotals) -> Iterator[Reason]:
    if old.bonus_rows != new.bonus_rows and old.bonus == new.bonus:
        yield _reason("gate") if old.gated else _reason("bonus_cap", None, plain(old.bonus))
    if old.penalty_rows != new.penalty_rows and old.penalty == new.penalty:
        yield _reason("penalty_cap", None, plain(old.penalty))
    if old.base_rows != new.base_rows and old.base == new.base:
        yield _reason("rounding")


def _sum(part: Subtotals) -> Decimal:
    return part.base + part.bonus - part.penalty


def _rows(part: Subtotals) -> tuple[Decimal, ...]:
    return (part.base_rows, part.bonus_rows, part.penalty_rows)


def _reason(code: Why, row: Indicator | None = None, said: str = "") -> Reason:
    """Return the reason with its sentence; `said` is the number or name that the sentence gives."""
    name = "" if row is None else f"“{row.id} {row.titles[-1]}”"
    return Reason(code, row.id if row else None, _SENTENCES[code].format(row=name, said=said))
