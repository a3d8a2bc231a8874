"""Sections and stages of a sheet as nodes: sums of rows, what caps, gate and rows that do not apply did to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from schemes.derivations.node import Input, Node, Telling, placed
from schemes.exact import ZERO, plain
from schemes.scheme import Indicator, Scheme, Section, Stage
from schemes.subtotals import Subtotals
from schemes.wording import basis_phrase, choice_label, day_phrase, points_phrase

RowNode = tuple[Indicator, Node]


def section_nodes(
    telling: Telling,
    stage: Stage | None,
    part: Subtotals,
    rows: Iterable[RowNode],
    left_out: Sequence[Indicator],
) -> tuple[Node, Node, Node]:
    """Return base, bonus and penalty of one sheet or stage, each the sum of its rows and of what changed it."""
    scheme = telling.situation.scheme
    by_section: dict[Section, list[RowNode]] = {"base": [], "bonus": [], "penalty": []}
    for row, node in rows:
        by_section[row.section].append((row, node))
    outside = {
        section: [_left_out(telling, row) for row in left_out if row.section == section] for section in by_section
    }
    base_changes = _adjustment(scheme, stage, part, [row for row, _ in by_section["base"]], left_out)
    bonus = part.bonus_rows if scheme.bonus_cap is None else min(part.bonus_rows, scheme.bonus_cap)
    bonus_changes = [*_cap("加分封顶", scheme.bonus_cap, part.bonus_rows), *_gate(scheme, part, bonus)]
    penalty_changes = _cap("扣分限额", scheme.penalty_cap, part.penalty_rows)
    full = stage.full if stage else scheme.full
    told: dict[Section, dict[str, Input]] = {
        "base": {"not_applicable": scheme.not_applicable, "full": full},
        "bonus": {"cap": scheme.bonus_cap},
        "penalty": {"cap": scheme.penalty_cap},
    }
    changes = {"base": base_changes, "bonus": bonus_changes, "penalty": penalty_changes}
    values = {"base": part.base, "bonus": part.bonus, "penalty": part.penalty}
    base, bonus_node, penalty = (
        _section(
            section,
            values[section],
            [node for _, node in by_section[section]],
            outside[section],
            changes[section],
            told[section],
        )
        for section in by_section
    )
    return base, bonus_node, penalty


def _section(
    section: Section,
    value: Decimal,
    rows: list[Node],
    left_out: list[Node],
    changes: list[Node],
    told: dict[str, Input],
) -> Node:
    label = choice_label("section", section)
    parts = [f"{label}合计{points_phrase(value)}，来自{len(rows)}项"]
    if left_out:
        parts.append(f"另有{len(left_out)}项不适用")
    parts += [change.sentence.removesuffix("。") for change in changes if change.fired]
    return Node(
        key=section,
        operator="section",
        label=label,
        value=value,
        sentence=f"{'；'.join(parts)}。",
        inputs={"section": section, **told},
        children=(*rows, *left_out, *changes),
    )


def _left_out(telling: Telling, row: Indicator) -> Node:
    claimed = (telling.unit, row.id) in telling.situation.claims
    why = "已批准本单位本年度不适用" if claimed and row.applies(telling.unit) else "方案规定不适用于本单位"
    node = Node(
        key=row.id,
        operator="left_out",
        label=row.titles[-1],
        value=ZERO,
        sentence=f"“{row.titles[-1]}”（分值{points_phrase(row.points)}）：{why}，计0分。",
        inputs={"stage": row.stage, "points": row.points, "reason": "claim" if claimed else "applies_to"},
        fired=False,
    )
    return placed(node, row.clause, row.id)


def _adjustment(
    scheme: Scheme, stage: Stage | None, part: Subtotals, applying: list[Indicator], left_out: Sequence[Indicator]
) -> list[Node]:
    """Return how base rows that do not apply changed the section; nothing where they are only dropped."""
    missing = [row.points for row in left_out if row.section == "base"]
    if not missing or scheme.not_applicable == "drop":
        return []
    full = stage.full if stage else scheme.full
    points = sum((row.points for row in applying), ZERO)
    lost = sum(missing, ZERO)
    value = part.base - part.base_rows
    if scheme.not_applicable == "rescale":
        how = f"{plain(part.base_rows)}分乘以{plain(full)}再除以适用指标的{plain(points)}分，四舍五入保留两位小数"
    else:
        how = f"不适用指标的{plain(lost)}分按满分计，合计不超过{plain(full)}分"
    told = f"{choice_label('not_applicable', scheme.not_applicable)}：{how}，调整{points_phrase(value)}。"
    inputs: dict[str, Input] = {
        "mode": scheme.not_applicable,
        "full": full,
        "applying": points,
        "missing": lost,
        "before": part.base_rows,
    }
    return [Node("adjustment", "adjustment", "不适用指标的处理", value, told, inputs, fired=bool(value))]


def _cap(label: str, cap: Decimal | None, before: Decimal) -> list[Node]:
    if cap is None or before <= cap:
        return []
    over = before - cap
    told = f"各项合计{points_phrase(before)}，超过{label}{points_phrase(cap)}，{plain(over)}分不计。"
    return [Node("cap", "cap", label, -over, told, {"cap": cap, "before": before})]


def _gate(scheme: Scheme, part: Subtotals, bonus: Decimal) -> list[Node]:
    gate = scheme.bonus_gate
    if gate is None:
        return []
    subtotal = Subtotals(part.base, bonus, part.penalty, ZERO, ZERO, ZERO, gated=False).of(gate.basis)
    value = -bonus if part.gated else ZERO
    reached = "未达到" if part.gated else "达到"
    told = f"{basis_phrase(gate.basis)}为{points_phrase(subtotal)}，{reached}加分门槛{points_phrase(gate.at_least)}"
    outcome = f"加分{plain(bonus)}分不计" if part.gated else "加分照计，调整0分"
    inputs: dict[str, Input] = {
        "basis": gate.basis,
        "at_least": gate.at_least,
        "subtotal": subtotal,
        "before": bonus,
    }
    return [Node("gate", "gate", "加分门槛", value, f"{told}，{outcome}。", inputs, fired=part.gated)]


def stage_node(stage: Stage, part: Subtotals, sections: tuple[Node, Node, Node]) -> Node:
    """Return one stage: its sections, never below 0; its weight is applied in the total."""
    sums = part.base + part.bonus - part.penalty
    value = max(ZERO, sums)
    cut: tuple[Node, ...] = ()
    told = f"基础分{plain(part.base)}分，加分{plain(part.bonus)}分，扣分{plain(part.penalty)}分"
    if sums < 0:
        lifted = f"阶段合计{points_phrase(sums)}，低于0分，{plain(-sums)}分不再扣。"
        cut = (Node("floor", "floor", "阶段下限", -sums, lifted, {"floor": ZERO, "before": sums}),)
    window = f"，计分期间{day_phrase(stage.window.first)}至{day_phrase(stage.window.last)}" if stage.window else ""
    return Node(
        key=stage.id,
        operator="stage",
        label=stage.title,
        value=value,
        sentence=f"“{stage.title}”{points_phrase(value)}：{told}，按权重{plain(stage.weight)}计入总分{window}。",
        inputs={"weight": stage.weight, "full": stage.full},
        children=(*sections, *cut),
    )
