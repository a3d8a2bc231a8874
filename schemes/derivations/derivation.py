"""How a unit's result came about: the tree from total, rank and grade down to each fact.

The engine is the one evaluator: scores, sections, ranks and grades are its own, and the tree only lays them out so
that each value follows from the values below it and the node's inputs (`schemes.derivations.recomputing` holds that).
What came to nothing is shown where that explains the score: caps and what they swallowed, forfeits, rules that found
nothing, vetoes that did not fire, rows that do not apply, readings that do not count.

What this module does not know: who recorded what, when, and on which evidence; the caller adds it below the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from schemes.derivations.node import Absent, Input, Node, Operator, Telling, placed
from schemes.derivations.rows import Surroundings, row_node, row_value
from schemes.derivations.sections import section_nodes, stage_node
from schemes.exact import ZERO, exact_arithmetic, plain, whole_half_up
from schemes.fact import Fact
from schemes.figures import Figures
from schemes.grading import grades, ranks, vetoed_total
from schemes.rules import Basis
from schemes.scheme import Quotas, Stage, Veto, VetoFacts, VetoSubtotal
from schemes.scoring import Circumstances, Pending, score_indicator
from schemes.sheets import FactsByUnit, Score, Situation
from schemes.subtotals import Subtotals, subtotals, total
from schemes.vocabulary import Vocabulary
from schemes.wording import basis_phrase, item_label, points_phrase, selection_phrase


def derivation(
    situation: Situation,
    unit: str,
    words: Vocabulary,
    absent: Sequence[Absent] = (),
    names: Mapping[str, str] | None = None,
    *,
    others: bool = True,
) -> Node:
    """Return the tree of one unit's total, rank and grade in the situation.

    `absent` are readings of the unit that do not count by what was recorded (voided, not yet known, amended away);
    those out of the span of days are found here. `names` are the units' names to show, where they are not their keys.
    Without `others` the tree tells of other units how many there are and what their figures come to, not which unit
    has which figure: what follows from those cannot be worked out again from such a tree.
    """
    with exact_arithmetic():
        out_of_span = tuple(_out_of_span(situation, unit))
        missing = tuple(one for one in (*absent, *out_of_span) if others or one.fact.kind != "rating")
        telling = Telling(situation, unit, words.extended(situation.scheme.items), names or {}, missing, others)
        return _Derivation(telling).result()


def _out_of_span(situation: Situation, unit: str) -> Iterator[Absent]:
    """Yield the unit's readings that lie before the period, after the day, or outside every stage's window."""
    scheme = situation.scheme
    last_day = min(situation.as_of, scheme.period.last)
    windows = [stage.window for stage in scheme.stages]
    for fact in situation.facts:
        if fact.unit != unit:
            continue
        if fact.occurred_on > last_day:
            yield Absent(fact, "after_day")
        elif fact.occurred_on < scheme.period.first and fact.kind != "prior_grade":
            yield Absent(fact, "before_period")
        elif windows and all(window is not None and fact.occurred_on not in window for window in windows):
            yield Absent(fact, "outside_window")


@dataclass(frozen=True)
class _Derivation:
    """One unit's tree; every score in it is worked out once."""

    telling: Telling

    @property
    def _unit(self) -> str:
        return self.telling.unit

    @cached_property
    def _score(self) -> Score:
        return self.telling.situation.year.score(self._unit)

    @cached_property
    def _group(self) -> str:
        return self.telling.situation.year.group_of[self._unit]

    @cached_property
    def _totals(self) -> dict[str, Decimal]:
        year = self.telling.situation.year
        others = {unit: year.score(unit) for unit in year.roster[self._group] if unit != self._unit}
        return {
            unit: self._score.total if unit == self._unit else others[unit].total for unit in year.roster[self._group]
        }

    def result(self) -> Node:
        scheme = self.telling.situation.scheme
        score = self._score
        rank, grade = self._rank(), self._grade()
        group = scheme.group(self._group)
        title = group.title if group else self._group
        name = self.telling.name(self._unit)
        told = f"{name}得{points_phrase(score.total)}，在{title}{len(self._totals)}个单位中列第{rank.value}名"
        told += f"，等次为{grade.value}" if grade.value is not None else ""
        inputs: dict[str, Input] = {"unit": name, "group": self._group}
        pending = [row.indicator.id for row in score.rows if row.pending]
        if pending:
            year = self.telling.situation.year
            lowest = year.score(self._unit, Pending.LOWEST).total
            highest = year.score(self._unit, Pending.HIGHEST).total
            inputs |= {"pending": pending, "lowest": lowest, "highest": highest}
            told += f"；有{len(pending)}项待定，总分可能为{points_phrase(lowest)}至{points_phrase(highest)}"
        children = (self._total(), rank, grade, *self._outputs())
        return Node("result", "result", "结果", score.total, f"{told}。", inputs, children)

    # --- the total ---------------------------------------------------------------------------------------------

    def _total(self) -> Node:
        scheme, score = self.telling.situation.scheme, self._score
        before = total(scheme, score.sections)
        vetoes = [self._veto(veto, before) for veto in scheme.vetoes]
        cuts = [*self._bounds(before), *self._fixed(before)]
        parts = tuple(self._parts())
        base, bonus, penalty = (plain(score.section(name)) for name in ("base", "bonus", "penalty"))
        how = f"{len(parts)}个阶段加权" if scheme.stages else f"基础分{base}分，加分{bonus}分，扣分{penalty}分"
        changes = "".join(f"；{cut.sentence.removesuffix('。')}" for cut in cuts)
        inputs: dict[str, Input] = {"cap": scheme.cap, "cap_after": scheme.cap_after, "floor": scheme.floor}
        sentence = f"总分{points_phrase(score.total)}：{how}{changes}。"
        return Node("total", "total", "总分", score.total, sentence, inputs, (*parts, *cuts, *vetoes))

    def _parts(self) -> Iterator[Node]:
        year = self.telling.situation.year
        for (stage, facts, figures), part in zip(year.stages, self._score.sections, strict=True):
            around = Circumstances(self._unit, year.scheme.year, figures)
            within = Surroundings(self.telling, facts, around, _Thresholds(self, stage, facts, figures).node)
            scores = [row for row in self._score.rows if stage is None or row.indicator.stage == stage.id]
            _, left_out = year.rows(self._unit, stage)
            rows = ((score.indicator, row_node(score, within)) for score in scores)
            sections = section_nodes(self.telling, stage, part, rows, left_out)
            if stage is None:
                yield from sections
            else:
                yield stage_node(stage, part, sections)

    def _bounds(self, bounded: Decimal) -> Iterator[Node]:
        """Yield what the total's cap and floor changed, each only where it did."""
        scheme = self.telling.situation.scheme
        free = scheme.model_copy(update={"cap": None, "floor": None})
        unfloored = total(scheme.model_copy(update={"floor": None}), self._score.sections)
        over = total(free, self._score.sections) - unfloored
        if over and scheme.cap is not None:
            before = scheme.cap + over
            when = "加减之后" if scheme.stages or scheme.cap_after == "all" else "扣分之前"
            told = f"{when}合计{points_phrase(before)}，超过总分封顶{points_phrase(scheme.cap)}，{plain(over)}分不计。"
            yield Node("cap", "cap", "总分封顶", -over, told, {"cap": scheme.cap, "before": before})
        if bounded != unfloored and scheme.floor is not None:
            under = bounded - unfloored
            limit = points_phrase(scheme.floor)
            told = f"合计{points_phrase(unfloored)}，低于总分下限{limit}，{plain(under)}分不再扣。"
            yield Node("floor", "floor", "总分下限", under, told, {"floor": scheme.floor, "before": unfloored})

    def _fixed(self, before: Decimal) -> Iterator[Node]:
        fired = [veto for veto in self._score.vetoes if veto.total is not None]
        if not fired:
            return
        fixed = vetoed_total(fired, before)
        titles = "、".join(f"“{veto.title}”" for veto in fired)
        change = f"总分由{points_phrase(before)}定为{points_phrase(fixed)}，调整{plain(fixed - before)}分"
        told = f"因否决情形{titles}，{change}。"
        inputs: dict[str, Input] = {"before": before, "total": fixed}
        yield Node("veto_total", "veto_total", "否决后的总分", fixed - before, told, inputs)

    # --- vetoes ------------------------------------------------------------------------------------------------

    def _veto(self, veto: Veto, before: Decimal) -> Node:
        fired = veto in self._score.vetoes
        effect = f"等次定为{veto.grade}" if veto.grade is not None else ""
        if veto.total is not None:
            effect += f"{'，' if effect else ''}总分定为{points_phrase(veto.total)}"
        outcome = f"已触发，{effect}" if fired else "未触发"
        inputs: dict[str, Input] = {"grade": veto.grade, "total": veto.total}
        if isinstance(veto.when, VetoSubtotal):
            node = self._veto_subtotal(veto, veto.when, before, outcome, inputs)
        else:
            node = self._veto_facts(veto, veto.when, outcome, inputs)
        return placed(replace(node, fired=fired), veto.clause)

    def _veto_subtotal(
        self, veto: Veto, when: VetoSubtotal, before: Decimal, outcome: str, inputs: dict[str, Input]
    ) -> Node:
        value = before
        if when.basis != "total":
            value = sum((part.of(when.basis) for part in self._score.sections), ZERO)
        told = f"{basis_phrase(when.basis)}为{points_phrase(value)}，低于{points_phrase(when.below)}时触发"
        sentence = f"否决情形“{veto.title}”：{told}，{outcome}。"
        more: dict[str, Input] = {"basis": when.basis, "below": when.below}
        return Node(f"veto-{veto.id}", "veto_subtotal", veto.title, value, sentence, {**inputs, **more})

    def _veto_facts(self, veto: Veto, when: VetoFacts, outcome: str, inputs: dict[str, Input]) -> Node:
        by_kind: dict[str, list[Fact]] = {}
        for fact in self.telling.situation.year.facts_of(self._unit):
            by_kind.setdefault(fact.kind, []).append(fact)
        counts: dict[object, int] = {}
        children = []
        for fact in when.matching(by_kind):
            if when.same is not None and when.same not in fact.attributes:
                why = "没有说明是否同一内容，不计"
                children.append(self.telling.leaf(fact, "set_aside", fact.count, why, fired=False))
                continue
            same = None if when.same is None else fact.attributes[when.same]
            counts[same] = counts.get(same, 0) + fact.count
            children.append(self.telling.counted(fact))
        missed = self.telling.absent_where(lambda fact: bool(when.matching({fact.kind: [fact]})))
        most = max(counts.values(), default=0)
        alike = "同一内容的" if when.same is not None else ""
        told = f"{selection_phrase(when, self.telling.words)}，{alike}有{most}次，满{when.min_count}次触发"
        sentence = f"否决情形“{veto.title}”：{told}，{outcome}。"
        more: dict[str, Input] = {"min_count": when.min_count, "same": when.same}
        return Node(
            f"veto-{veto.id}", "veto_facts", veto.title, most, sentence, {**inputs, **more}, (*children, *missed)
        )

    # --- rank and grade ----------------------------------------------------------------------------------------

    def _rank(self) -> Node:
        place = ranks(self._totals)[self._unit]
        own = self._score.total
        equal = sum(value == own for value in self._totals.values()) - 1
        tied = f"，另有{equal}个单位同分" if equal else ""
        told = f"全组{len(self._totals)}个单位中，总分高于{points_phrase(own)}的有{place - 1}个{tied}，列第{place}名。"
        inputs: dict[str, Input] = {
            "unit": self.telling.name(self._unit),
            **self.telling.figures("totals", self._totals),
        }
        return Node("rank", "rank", "名次", place, told, inputs)

    def _grade(self) -> Node:
        scheme = self.telling.situation.scheme
        earned = grades(scheme, self._group, self._totals, {})[self._unit]
        given = grades(scheme, self._group, self._totals, {self._unit: self._score.vetoes})[self._unit]
        node = self._earned(earned)
        forcing = next((veto for veto in self._score.vetoes if veto.grade is not None), None)
        if forcing is not None:
            told = f"因否决情形“{forcing.title}”，等次为{given}，不论按分数应得的等次。"
        else:
            told = node.sentence
        inputs: dict[str, Input] = {"forced": None if forcing is None else forcing.grade}
        clause = None if forcing is None else forcing.clause
        return Node("grade", "grade", "等次", given, told, inputs, (node,), given is not None, clause)

    def _earned(self, grade: str | None) -> Node:
        scheme, own = self.telling.situation.scheme, self._score.total
        group = scheme.group(self._group)
        quotas = group.quotas if group else None
        operator: Operator = "ungraded"
        told, inputs = "方案没有等次。", dict[str, Input]()
        if scheme.bands:
            operator = "band"
            line = next((band.at_least for band in scheme.bands if band.grade == grade), None)
            reached = "未达到上一等次的分数线" if line is None else f"达到分数线{points_phrase(line)}"
            told = (
                f"等次为{grade}：总分{points_phrase(own)}，{reached}。" if grade is not None else "没有达到任何等次。"
            )
            bands: list[Input] = [{"grade": band.grade, "at_least": band.at_least} for band in scheme.bands]
            inputs = {"total": own, "bands": bands}
        elif quotas is not None:
            operator = "quota"
            told, inputs = self._quota_told(quotas, grade), self._quota_inputs(quotas)
        return Node("earned", operator, "按分数应得的等次", grade, told, inputs, fired=grade is not None)

    def _quota_inputs(self, quotas: Quotas) -> dict[str, Input]:
        return {
            "unit": self.telling.name(self._unit),
            **self.telling.figures("totals", self._totals),
            "top": {"grade": quotas.top.grade, "share": quotas.top.share},
            "middle": quotas.middle,
            "bottom": {"grade": quotas.bottom.grade, "share": quotas.bottom.share},
        }

    def _quota_told(self, quotas: Quotas, grade: str | None) -> str:
        size, own = len(self._totals), self._score.total
        told = [f"等次为{grade}：全组{size}个单位"]
        ends = (
            (quotas.top, "不低于", sum(value >= own for value in self._totals.values())),
            (quotas.bottom, "不高于", sum(value <= own for value in self._totals.values())),
        )
        for end, side, found in ends:
            places = whole_half_up(Fraction(end.share) * size)
            held = "未超过" if found <= places else "超过"
            share = f"“{end.grade}”占{plain(end.share * 100)}%即{places}个"
            told.append(f"{share}，总分{side}本单位的有{found}个（含本单位），{held}")
        return f"{'；'.join(told)}。"

    # --- figures beside the score --------------------------------------------------------------------------------

    def _outputs(self) -> Iterator[Node]:
        year = self.telling.situation.year
        _, facts, _ = year.stages[0]
        values = year.outputs(self._unit)
        for output in year.scheme.outputs:
            named = [one for one in facts[self._unit].get("metric", ()) if one.attributes["name"] == output.metric]
            children = tuple(self.telling.reading(fact, "value", named[-1]) for fact in named)
            value = values[output.id]
            metric = item_label(output.metric, self.telling.words)
            told = "没有数值" if value is None else f"{metric}乘以{plain(output.factor)}为{plain(value)}"
            sentence = f"“{output.titles[-1]}”只作附报，不计入总分：{told}。"
            node = Node(
                f"output-{output.id}", "output", output.titles[-1], value, sentence, {"factor": output.factor}, children
            )
            yield placed(replace(node, fired=value is not None), output.clause)


class _Thresholds:
    """The subtotals of one stage as thresholds see them: with every row that has one scored without it."""

    def __init__(self, whole: _Derivation, stage: Stage | None, facts: FactsByUnit, figures: Figures) -> None:
        self._whole = whole
        self._stage = stage
        self._facts = facts
        self._figures = figures

    def node(self, basis: Basis) -> Node:
        part, sections = self._told
        value = part.of(basis)
        told = f"{basis_phrase(basis)}（不计按小计达线的加分）为{points_phrase(value)}。"
        return Node("subtotal", "threshold_subtotal", "小计", value, told, {"basis": basis}, sections)

    @cached_property
    def _told(self) -> tuple[Subtotals, tuple[Node, Node, Node]]:
        telling = self._whole.telling
        year = telling.situation.year
        applying, left_out = year.rows(telling.unit, self._stage)
        around = Circumstances(telling.unit, year.scheme.year, self._figures)
        scores = [score_indicator(row, self._facts[telling.unit], around) for row in applying]
        part = subtotals(year.scheme, self._stage, ((one.indicator, one.value) for one in scores), left_out)
        rows = ((one.indicator, row_value(one)) for one in scores)
        return part, section_nodes(telling, self._stage, part, rows, left_out)
