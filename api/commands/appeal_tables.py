"""Appeals, claims and closings for the terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.commands.tables import add_row, new_table
from api.proceeding_labels import KINDS, ORDERS, RESULTS, STATUSES, STEPS
from ledger.decisions import local_day
from projections.proceedings.models import (
    ClosingAnswer,
    ClosingsAnswer,
    FrozenUnit,
    OrderAnswer,
    ProceedingAnswer,
    ProceedingsAnswer,
    StepAnswer,
)


def proceedings_table(answer: ProceedingsAnswer) -> Table:
    """Return the appeals, or the claims, one a line."""
    table = new_table(f"{answer.year}", ["编号", "单位", "事项", "状态", "应于"])
    for one in answer.proceedings:
        about = [indicator.indicator for indicator in one.indicators] + [
            seen.reading.label for seen in one.observations
        ]
        add_row(table, one.id, one.unit, "、".join(about), _status(one), _due(one))
    return table


def proceeding_table(answer: ProceedingAnswer) -> RenderableType:
    """Return an appeal or a claim: what it is about, its steps, and what its decision ordered."""
    lines = [f"{KINDS[answer.kind]} {answer.id}  {answer.unit}  {answer.year}  {_status(answer)}  {_due(answer)}"]
    lines += [f"涉及指标 {one.indicator} {' / '.join(one.titles)}（{one.clause or ''}）" for one in answer.indicators]
    lines += [
        f"涉及记录 {one.observation} {one.reading.occurred_on} {one.reading.label}×{one.reading.count}"
        for one in answer.observations
    ]
    steps = [line for step in answer.steps for line in _step(step)]
    return Group(*(Text(line) for line in (*lines, *steps, *map(_order, answer.orders))))


def closings_table(answer: ClosingsAnswer) -> RenderableType:
    """Return the closes of a year, and of each the units whose standing has changed since."""
    state = "已办结" if answer.closed else "未办结"
    terms = f"申诉期限 {answer.days_to_file} 个工作日，办理期限 {answer.days_to_decide} 个工作日"
    return Group(Text(f"{answer.year}  {state}  {terms}"), *map(_closing, answer.closings))


def _closing(closing: ClosingAnswer) -> RenderableType:
    day, position = local_day(closing.recorded_at), closing.ledger_position
    told = [f"第{closing.number}次办结 {day} 台账第{position}号：{closing.reason}"]
    if closing.reopened is not None:
        told.append(f"{local_day(closing.reopened.recorded_at)} 重新开启：{closing.reopened.reason}")
    if closing.open_proceedings:
        told.append(f"办结时未决：{'、'.join(closing.open_proceedings)}")
    if closing.pending:
        told.append(f"办结时有待定指标的单位：{len(closing.pending)} 个")
    changed = [unit for unit in closing.units if unit.changed]
    if not changed:
        return Group(*map(Text, (*told, "现与办结时一致")))
    table = new_table("办结时与现在", ["单位", "办结时", "现在", "决定"])
    for unit in changed:
        add_row(table, unit.unit, _frozen(unit), _present(unit), "\n".join(unit.decisions))
    return Group(*map(Text, told), table)


def _frozen(unit: FrozenUnit) -> str:
    return f"{unit.frozen_total} 第{unit.frozen_rank}名 {unit.frozen_grade or ''}".strip()


def _present(unit: FrozenUnit) -> str:
    return "" if unit.total is None else f"{unit.total} 第{unit.rank}名 {unit.grade or ''}".strip()


def _status(one: ProceedingAnswer) -> str:
    return RESULTS[one.outcome] if one.outcome else STATUSES[one.status]


def _due(one: ProceedingAnswer) -> str:
    if one.due is None:
        return ""
    return f"{one.due}{'（已逾期）' if one.overdue else ''}"


def _step(step: StepAnswer) -> Iterator[str]:
    yield f"{local_day(step.recorded_at)} {STEPS[step.step]} {step.actor}：{step.text or ''}"
    if step.recommendation:
        yield f"    建议：{step.recommendation}"
    for one in step.evidence:
        yield f"    证据：{one.title}{' ' + one.locator if one.locator else ''}"


def _order(order: OrderAnswer) -> str:
    return f"    {ORDERS[order.order]} {order.observation}（台账第{order.position}号）"
