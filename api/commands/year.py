"""Commands about a year as a whole: open it, adopt a scheme version, keep its list of units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from api.command_line import AsJson, app, scheme_text
from api.commands.options import (
    Actor,
    Code,
    Database,
    Day,
    Reason,
    Year,
    attempt,
    file_bytes,
    opened,
    show_receipts,
)
from api.invalid_fields import model_problems
from api.refusals import refusals_shown
from ledger.canonical import JsonProblem, read_json
from ledger.events import GroupOfUnits, Text
from projections.jurisdictions import scheme_units, scheme_version
from schemes.problem import InvalidInput, refuse

years = typer.Typer(help="Open a year, adopt a scheme version, and keep its list of units.", no_args_is_help=True)
app.add_typer(years, name="year")
_GROUPS = TypeAdapter(dict[Text, list[Text]])


@years.command("open")
def open_year(
    scheme: Annotated[str, typer.Argument(help="A shipped scheme's id, or a scheme file (YAML).")],
    units: Annotated[Path | None, typer.Option(help="JSON file: the units of each group; else the scheme's.")] = None,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Open the scheme's year for its jurisdiction, with the scheme's unit lists or your own."""
    with refusals_shown(as_json), opened(database) as ledgers:
        read, version = scheme_version(scheme_text(scheme)[1], scheme)
        ledger = ledgers.ledger(read.jurisdiction.code)
        groups = scheme_units(read) if units is None else _units(file_bytes(units), str(units))
        for group in read.groups if units is None else ():
            if group.example_units:
                typer.echo(f"note: the document lists no units of {group.id}; these are examples", err=True)
        who = attempt(ledgers, ledger.code, "years.manage", actor)
        show_receipts(ledger.open_year(who, read.year, version, groups), as_json)


@years.command("adopt")
def adopt_scheme(
    scheme: Annotated[str, typer.Argument(help="A scheme file (YAML) with a new version.")],
    reason: Reason,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Put a scheme version in force for its year from now on."""
    with refusals_shown(as_json), opened(database) as ledgers:
        read, version = scheme_version(scheme_text(scheme)[1], scheme)
        ledger = ledgers.known_ledger(read.jurisdiction.code)
        who = attempt(ledgers, ledger.code, "years.close", actor)
        show_receipts(
            ledger.adopt_scheme(who, read.year, version, reason),
            as_json,
        )


@years.command("join")
def join_unit(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit's name.")],
    group: Annotated[str, typer.Option(help="The group it joins.")],
    on: Day,
    reason: Reason,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record that a unit is assessed from a day on."""
    with refusals_shown(as_json), opened(database) as ledgers:
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.manage", actor)
        show_receipts(
            ledger.join_unit(who, year, unit, group, on.date(), reason),
            as_json,
        )


@years.command("leave")
def leave_unit(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit's name.")],
    on: Day,
    reason: Reason,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record that a unit is no longer assessed from a day on."""
    with refusals_shown(as_json), opened(database) as ledgers:
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.manage", actor)
        show_receipts(
            ledger.leave_unit(who, year, unit, on.date(), reason),
            as_json,
        )


@years.command("rename")
def rename_unit(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit's name so far.")],
    name: Annotated[str, typer.Argument(help="Its new name.")],
    on: Day,
    reason: Reason,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record that a unit has another name from a day on."""
    with refusals_shown(as_json), opened(database) as ledgers:
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.manage", actor)
        show_receipts(
            ledger.rename_unit(who, year, unit, name, on.date(), reason),
            as_json,
        )


def _units(data: bytes, file: str) -> list[GroupOfUnits]:
    """Return the units of each group from a JSON object of lists; raises `InvalidInput`."""
    try:
        value = read_json(data)
        return [GroupOfUnits(id=group, units=tuple(names)) for group, names in _GROUPS.validate_python(value).items()]
    except JsonProblem as problem:
        raise refuse(problem.code, f"{file} {problem.where}", problem.message) from None
    except ValidationError as error:
        raise InvalidInput(tuple(model_problems(error.errors(), None, None))) from None
