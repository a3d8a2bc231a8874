"""Commands about a year as a whole: open it, adopt a scheme version, keep its list of units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.command_line import AsJson, app
from api.command_options import (
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
from api.opening import now
from api.refusals import refusals_shown
from ledger.commands import Attempt
from projections.jurisdictions import scheme_units, scheme_version
from projections.scheme_files import shipped, source

years = typer.Typer(help="Open a year, adopt a scheme version, and keep its list of units.", no_args_is_help=True)
app.add_typer(years, name="year")


@years.command("open")
def open_year(
    scheme: Annotated[str, typer.Argument(help="A shipped scheme's id, or a scheme file (YAML).")],
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Open the scheme's year for its jurisdiction, with the scheme's unit lists."""
    with refusals_shown(as_json), opened(database) as ledgers:
        read, version = scheme_version(_scheme_text(scheme), scheme)
        ledger = ledgers.ledger(read.jurisdiction.code)
        opening = Attempt(actor, now(), f"open/{read.year}/{version.reference.digest}")
        show_receipts(ledger.open_year(opening, read.year, version, scheme_units(read)), as_json)


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
        read, version = scheme_version(_scheme_text(scheme), scheme)
        ledger = ledgers.known_ledger(read.jurisdiction.code)
        show_receipts(ledger.adopt_scheme(attempt(actor), read.year, version, reason), as_json)


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
        show_receipts(ledger.join_unit(attempt(actor), year, unit, group, on.date(), reason), as_json)


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
        show_receipts(ledger.leave_unit(attempt(actor), year, unit, on.date(), reason), as_json)


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
        show_receipts(ledger.rename_unit(attempt(actor), year, unit, name, on.date(), reason), as_json)


def _scheme_text(name: str) -> str:
    return source(name) if name in shipped() else file_bytes(Path(name)).decode("utf-8")
