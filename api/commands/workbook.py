"""Workbooks to take along: the template of observations, score sheets, the ranking, a history, the year's entries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import AsOf, Code, Database, KnownAt, Year, day_asked, moment_asked, opened
from api.refusals import refusals_shown
from projections.workbooks.exports.score_sheets import score_sheets
from projections.workbooks.exports.tables import history, ledger, ranking
from projections.workbooks.observations.importing import fields_of
from projections.workbooks.observations.template import template
from projections.years import YearView
from schemes.problem import refuse

workbooks = typer.Typer(help="Write workbooks (.xlsx) to fill in and to take along.", no_args_is_help=True)
app.add_typer(workbooks, name="workbook")
Out = Annotated[Path, typer.Option("--out", help="The workbook to write (.xlsx).")]
Unit = Annotated[str, typer.Argument(help="The unit.")]


@workbooks.command("template")
def write_template(
    jurisdiction: Code, year: Year, out: Out, database: Database = None, as_json: AsJson = False
) -> None:
    """Write the blank workbook to record observations with `mingzhang import`."""
    with refusals_shown(as_json), opened(database) as ledgers:
        _write(out, template(fields_of(ledgers.view(jurisdiction, year))), as_json)


@workbooks.command("sheet")
def write_sheet(
    jurisdiction: Code,
    year: Year,
    out: Out,
    unit: Annotated[str | None, typer.Argument(help="The unit; all units when left out.")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the score sheet of a unit, or of all, in the layout of the document's annex."""

    def written(view: YearView) -> bytes:
        return score_sheets(view, view.units if unit is None else [view.unit(unit)])

    with refusals_shown(as_json), opened(database) as ledgers:
        _write(out, written(ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))), as_json)


@workbooks.command("ranking")
def write_ranking(
    jurisdiction: Code,
    year: Year,
    out: Out,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the ranking of every group."""
    with refusals_shown(as_json), opened(database) as ledgers:
        _write(out, ranking(ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))), as_json)


@workbooks.command("history")
def write_history(
    jurisdiction: Code,
    year: Year,
    unit: Unit,
    out: Out,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write how a unit's score came about."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        _write(out, history(view, view.unit(unit)), as_json)


@workbooks.command("ledger")
def write_ledger(
    jurisdiction: Code,
    year: Year,
    out: Out,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write every entry about the year's observations."""
    with refusals_shown(as_json), opened(database) as ledgers:
        _write(out, ledger(ledgers.view(jurisdiction, year, None, moment_asked(known_at))), as_json)


def _write(out: Path, content: bytes, as_json: bool) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise refuse("file-not-writable", str(out), f"cannot be written: {error.strerror}") from None
    if as_json:
        print_json({"file": str(out), "bytes": len(content)})
    else:
        typer.echo(f"{out}: {len(content)} bytes")
