"""Commands that ask what would be if: they record nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.command_line import AsJson, app, print_json, scheme_text
from api.commands.options import (
    AsOf,
    Code,
    Database,
    KnownAt,
    Year,
    console,
    day_asked,
    file_bytes,
    moment_asked,
    opened,
)
from api.commands.tables import add_row, new_table
from api.commands.year import years
from api.invalid_fields import model_problems
from api.refusals import refusals_shown
from ledger.canonical import read_json
from projections.questions.models import (
    CausedAnswer,
    ReplayAnswer,
    ReplayChoice,
    ReplayGroupAnswer,
    SmallestSetAnswer,
    Suppositions,
    UnitChangeAnswer,
    WhatIfAnswer,
    WithoutEachAnswer,
)
from projections.questions.revised_replays import chosen_version, replay_answer
from projections.questions.what_ifs import what_if_answer, without_each_answer
from schemes.problem import InvalidInput, refuse


@app.command("what-if")
def what_if(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit.")],
    without: Annotated[list[str] | None, typer.Option(help="Leave this observation out; repeatable.")] = None,
    judgement: Annotated[list[str] | None, typer.Option(help="INDICATOR=VALUE, repeatable.")] = None,
    file: Annotated[Path | None, typer.Option(help="JSON file with without, amended, added, judgements.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show what would change; without anything supposed, what each observation is worth and what would have to fall."""
    with refusals_shown(as_json), opened(database) as ledgers:
        asked = _suppositions(without or [], judgement or [], file)
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        found = view.unit(unit)
        answer = without_each_answer(view, found) if asked is None else what_if_answer(view, found, asked)
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            console.print(_each_shown(answer) if isinstance(answer, WithoutEachAnswer) else _what_if_shown(answer))


@years.command("replay")
def replay_year(
    jurisdiction: Code,
    year: Year,
    scheme: Annotated[
        str, typer.Argument(help="A shipped scheme's id, a scheme file (YAML), or with --version an id.")
    ],
    version: Annotated[str | None, typer.Option(help="A version of the scheme that the ledger keeps.")] = None,
    unit: Annotated[
        str | None, typer.Option(help="Show this unit row by row, and which change causes how much.")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Replay the year under another version of its scheme, and show which change causes how much; records nothing."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        if version is not None:
            choice = ReplayChoice(scheme_id=scheme, scheme_version=version)
        else:
            choice = ReplayChoice(document=scheme_text(scheme)[1])
        found = chosen_version(ledgers, jurisdiction, year, choice)
        answer = replay_answer(view, found, kept=version is not None)
        if as_json:
            print_json(answer.model_dump(mode="json"))
        elif unit is not None:
            console.print(_replayed_unit(answer, view.unit(unit).key))
        else:
            console.print(_replay_shown(answer))


def _suppositions(without: list[str], judgements: list[str], file: Path | None) -> Suppositions | None:
    """Return what is supposed, or None when nothing is; raises `InvalidInput`."""
    if not (without or judgements or file):
        return None
    value: dict[str, Any] = {}
    if file is not None:
        read = read_json(file_bytes(file))
        if not isinstance(read, dict):
            raise refuse("what-if-file", str(file), "expected a JSON object with without, amended, added, judgements")
        value = dict(read)
    given = []
    for at, text in enumerate(judgements):
        indicator, equals, points = text.partition("=")
        if not equals:
            raise refuse(
                "judgement-form", f"--judgement[{at}]", f"found {text!r}, expected INDICATOR=VALUE like 1.2=4.5"
            )
        given.append({"indicator": indicator, "value": points})
    stated: dict[str, list[Any]] = {"without": without, "judgements": given}
    for name, more in stated.items():
        if more:
            already = value.get(name, [])
            value[name] = [*already, *more] if isinstance(already, list) else already
    try:
        return Suppositions.model_validate(value)
    except ValidationError as error:
        raise InvalidInput(tuple(model_problems(error.errors(), value, Suppositions))) from None


def _what_if_shown(answer: WhatIfAnswer) -> RenderableType:
    changed = [answer.unit, *answer.others]
    table = new_table("如果这样", ["单位"], ["总分", "", "名次", ""], ["等次", ""])
    for one in changed:
        before, after = one.before, one.after
        ranks = (str(before.rank), str(after.rank))
        add_row(table, one.unit, before.total, after.total, *ranks, before.grade or "", after.grade or "")
    rows = [_rows(one) for one in changed if one.rows]
    return Group(table, *rows, *map(Text, answer.summary))


def _rows(one: UnitChangeAnswer) -> Table:
    table = new_table(one.unit, ["编号", "指标"], ["现在", "如果"])
    for row in one.rows:
        add_row(table, row.indicator, " / ".join(row.titles), row.before or "", row.after or "")
    return table


def _each_shown(answer: WithoutEachAnswer) -> RenderableType:
    score = answer.score
    title = f"{answer.unit}  {answer.as_of}  总分 {score.total}  第 {score.rank} 名  {score.grade or ''}"
    table = new_table(title, ["日期", "事实"], ["应计", "按序实计", "去掉后差额"], ["不变的原因"])
    for one in answer.observations:
        said = f"{one.reading.label}×{one.reading.count}\n{one.observation}"
        why = "".join(reason.sentence for reason in one.why_not)
        if one.smallest is not None and one.smallest.observations:
            why += f"\n共{len(one.smallest.observations)}条一并去掉才变"
        shares = (one.nominal, one.effective_in_order, one.effect_of_removal)
        add_row(table, str(one.reading.occurred_on), said, *shares, why)
    return Group(table, *_sets("总分提高", answer.total_rises), *_sets("升一等次", answer.next_grade))


def _sets(what: str, found: SmallestSetAnswer) -> Iterator[Text]:
    yield Text(f"{what}：{found.sentence}")
    yield from (Text(f"    {observation}") for observation in found.observations)


def _replay_shown(answer: ReplayAnswer) -> RenderableType:
    tables = [_replayed_group(group) for group in answer.groups]
    causes = new_table("每处修改单独的作用", ["修改", "依据"], ["单位数", "合计"])
    for change in answer.changes:
        if change.scoring:
            add_row(causes, change.sentence, change.clause or "", str(change.units), change.points)
    return Group(*tables, causes, *map(Text, answer.summary))


def _replayed_unit(answer: ReplayAnswer, key: str) -> RenderableType:
    """Return one unit's rows that move, and below each, and below the total, what each change causes of it."""
    unit = next(one for group in answer.groups for one in group.units if one.key == key)
    sentences = {change.id: change.sentence for change in answer.changes}
    table = new_table(
        f"{unit.unit}  {unit.before.total} → {unit.after.total}", ["编号", "指标、修改"], ["原", "新", "差额"]
    )
    for row in unit.rows:
        add_row(table, row.indicator, " / ".join(row.titles), row.before or "", row.after or "", row.difference)
        _add_causes(table, row.alone, row.remainder, sentences)
    table.add_section()
    add_row(table, "", "总分", unit.before.total, unit.after.total, unit.difference)
    _add_causes(table, unit.alone, unit.remainder, sentences)
    return table


def _add_causes(table: Table, alone: Sequence[CausedAnswer], remainder: str, sentences: Mapping[str, str]) -> None:
    for cause in alone:
        add_row(table, "", f"　其中：{sentences[cause.change]}", "", "", cause.points)
    if remainder != "0":
        add_row(table, "", "　其中：各处修改合在一起才有的", "", "", remainder)


def _replayed_group(group: ReplayGroupAnswer) -> Table:
    headings = ["原总分", "新总分", "差额", "余项", "原名次", "新名次"]
    table = new_table(group.title, ["单位"], headings, ["原等次", "新等次"])
    for unit in group.units:
        before, after = unit.before, unit.after
        points = (before.total, after.total, unit.difference, unit.remainder, str(before.rank), str(after.rank))
        add_row(table, unit.unit, *points, before.grade or "", after.grade or "")
    return table
