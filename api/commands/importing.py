"""Observations from a file: a workbook (`projections.workbooks.observations`), or JSON lines.

JSON lines are read and refused as a whole, and recorded in portions that a repeat completes:

1. Every line is read strictly; all errors of all lines are reported together, each with its line.
2. The ledger says of each whether it could be recorded; again all reasons together, and nothing is recorded yet.
3. Up to 50,000 observations are recorded in one transaction, a longer file in several, under keys made from the file's
   own content: the same file again changes nothing, and a run that was cut off is completed by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ValidationError

from api.command_line import AsJson, app, print_json
from api.commands.options import (
    Actor,
    Code,
    Database,
    Year,
    attempt,
    console,
    file_bytes,
    opened,
    progress_bar,
)
from api.commands.tables import add_row, new_table
from api.invalid_fields import model_problems
from api.refusals import refusals_shown
from ledger.application import MOST_OBSERVATIONS, LedgerApplication
from ledger.canonical import LARGEST_EVENT, JsonProblem, canonical_bytes, read_json
from ledger.commands import Attempt, Observe, Receipt
from ledger.rejection import Refusal, Rejection
from projections.answers import receipt_answer
from projections.jurisdictions import Jurisdictions
from projections.workbooks.observations.effects import Effects
from projections.workbooks.observations.importing import Checked, check_workbook, record_workbook
from projections.workbooks.observations.layout import NO_MAPPING, read_mapping
from schemes.problem import InvalidInput, Problem, refuse

ENVELOPE: Final = 1_024
"""Most bytes an event has beside what the line says."""
WORKBOOK: Final = ".xlsx"
Progress = Callable[[int, int], None]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A workbook (.xlsx), or JSON lines, one observation each.")],
    jurisdiction: Code,
    year: Year,
    mapping: Annotated[
        Path | None, typer.Option(help="JSON or YAML file: sheet, columns, constants, words of the workbook.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of a workbook: only show what recording it would do.")
    ] = False,
    all_rows: Annotated[
        bool,
        typer.Option("--all-rows", help="Of a workbook: record also the rows that stand in the ledger already."),
    ] = False,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record the observations of a file, all or none; the same content twice changes nothing.

    Rows of a workbook that stand in the ledger in the same words are left out, unless --all-rows is stated.
    """
    with refusals_shown(as_json), opened(database) as ledgers:
        if file.suffix.lower() == WORKBOOK:
            checked = _checked(ledgers, jurisdiction, year, file, mapping, as_json)
            who = attempt(ledgers, jurisdiction, "observations.record", actor)
            _import_workbook(ledgers.known_ledger(jurisdiction), who, checked, dry_run, all_rows, as_json)
            return
        if mapping is not None or dry_run or all_rows:
            message = "--mapping, --dry-run and --all-rows are for workbooks (.xlsx) only"
            raise refuse("not-a-workbook", str(file), message)
        ledger = ledgers.known_ledger(jurisdiction)
        with progress_bar("recording", shown=not as_json) as progress:
            receipts = import_observations(
                ledger,
                year,
                file_bytes(file),
                str(file),
                lambda key: attempt(ledgers, jurisdiction, "observations.record", actor, key),
                progress,
            )
        _show(receipts, as_json)


def _checked(ledgers: Jurisdictions, code: str, year: int, file: Path, mapping: Path | None, as_json: bool) -> Checked:
    chosen = NO_MAPPING if mapping is None else read_mapping(file_bytes(mapping), str(mapping))
    ledger, view = ledgers.known_ledger(code), ledgers.view(code, year)
    with progress_bar("checking", shown=not as_json) as progress:
        data = file_bytes(file)
        return check_workbook(ledger, view, data, file.name, chosen, lambda _, at, of: progress(at, of))


def _import_workbook(
    ledger: LedgerApplication, who: Attempt, checked: Checked, dry_run: bool, all_rows: bool, as_json: bool
) -> None:
    if checked.problems:
        raise InvalidInput(checked.problems)
    if checked.recorded_at is not None:
        said = {"recorded": 0, "recorded_before_at": checked.recorded_at}
        _say(said, f"此文件已导入过，未新增（台账第{checked.recorded_at}条起）", as_json)
        return
    left_out = () if all_rows else checked.alike
    if left_out:
        message = f"{len(left_out)}行与台账中已有的事实相同，不再登记（要登记请加 --all-rows）：{'、'.join(left_out)}"
        typer.echo(message, err=True)
    chosen = checked.new if left_out else checked
    if chosen is None:
        _say({"recorded": 0, "left_out": list(left_out)}, "没有新的行，未新增", as_json)
    elif dry_run and chosen.effects is not None:
        _show_effects(chosen, chosen.effects, left_out, as_json)
    else:
        _show(record_workbook(ledger, who, chosen), as_json)


def _say(said: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(said)
    else:
        typer.echo(text)


def _show(receipts: Sequence[Receipt], as_json: bool) -> None:
    if as_json:
        print_json([receipt_answer(receipt).model_dump(mode="json") for receipt in receipts])
    else:
        first, last = receipts[0].position, receipts[-1].position
        typer.echo(f"{len(receipts)} observations stand at positions {first} to {last}")


def _show_effects(checked: Checked, effects: Effects, left_out: Sequence[str], as_json: bool) -> None:
    idle = [{"place": checked.place(one.at), "why": list(one.reasons)} for one in effects.idle]
    units = [
        {
            "unit": one.unit,
            "observations": one.observations,
            "before": one.before,
            "after": one.after,
            "difference": one.difference,
        }
        for one in effects.units
    ]
    if as_json:
        counts = {"rows": len(checked.rows), "proposed": effects.proposed, "unused": list(checked.layout.unused)}
        print_json({**counts, "units": units, "left_out": list(left_out), "idle": idle})
        return
    table = new_table(
        f"{len(checked.rows)} 行，其中 {effects.proposed} 条待审批", ["单位"], ["新增", "现得分", "登记后", "变化"]
    )
    for one in units:
        add_row(table, *map(str, one.values()))
    console.print(table)
    for row in idle:
        console.print(f"{row['place']}: {'；'.join(row['why'])}", markup=False)


def read_observations(data: bytes, file: str) -> list[tuple[int, Observe]]:
    """Return the observations of the file with their line numbers; raises `InvalidInput` with every error."""
    found: list[tuple[int, Observe]] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        value: object = None
        try:
            value = read_json(line)
            found.append((number, Observe.model_validate(value)))
        except JsonProblem as problem:
            problems.append(Problem(problem.code, f"{place} {problem.where}", problem.message))
        except ValidationError as error:
            wrong = model_problems(error.errors(), value, Observe)
            problems += [Problem(one.code, f"{place} {one.where}", one.message) for one in wrong]
    if not found and not problems:
        problems.append(Problem("import-empty", file, "the file holds no observation; expected one JSON object a line"))
    if problems:
        raise InvalidInput(tuple(problems))
    return found


def import_observations(
    ledger: LedgerApplication,
    year: int,
    data: bytes,
    file: str,
    attempt_under: Callable[[str], Attempt],
    progress: Progress,
) -> list[Receipt]:
    """Record all observations of the file and return their receipts; a refusal comes before any is recorded."""
    lines = read_observations(data, file)
    _refuse_inadmissible(ledger, year, lines, file)
    digest = sha256(data).hexdigest()
    receipts: list[Receipt] = []
    for start in range(0, len(lines), MOST_OBSERVATIONS):
        portion = [observation for _, observation in lines[start : start + MOST_OBSERVATIONS]]
        receipts += ledger.observe(attempt_under(f"import/{digest}/{start}"), year, portion)
        progress(len(receipts), len(lines))
    return receipts


def _refuse_inadmissible(ledger: LedgerApplication, year: int, lines: Sequence[tuple[int, Observe]], file: str) -> None:
    refusals: list[Refusal] = []
    for number, observation in lines:
        try:
            canonical_bytes(observation.model_dump(mode="json"), LARGEST_EVENT - ENVELOPE)
            ledger.check_observation(year, observation)
        except JsonProblem as problem:
            refusals.append(Refusal(problem.code, f"{file}:{number} {problem.where}", problem.message))
        except Rejection as rejection:
            refusals += [one._replace(where=f"{file}:{number} {one.where}") for one in rejection.refusals]
    if refusals:
        raise Rejection(*refusals)
