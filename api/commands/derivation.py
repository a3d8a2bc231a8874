"""Commands that show how a total came about."""

from __future__ import annotations

from typing import Annotated

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import AsOf, Code, Database, KnownAt, Year, day_asked, moment_asked, opened
from api.documents.derivation_html import derivation_html
from api.documents.derivation_text import derivation_text
from api.refusals import refusals_shown
from projections.questions.derivations import derivation_of, kept_version, only_row, with_clauses


@app.command()
def derive(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    scheme_id: Annotated[str | None, typer.Option(help="Under a version of this scheme that the ledger keeps.")] = None,
    scheme_version: Annotated[str | None, typer.Option(help="The version; with --scheme-id.")] = None,
    row: Annotated[str | None, typer.Option(help="Only this indicator, by its id.")] = None,
    as_html: Annotated[bool, typer.Option("--html", help="Print an HTML fragment.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show how a unit's total, rank and grade came about, down to entries and evidence."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        version = kept_version(ledgers, jurisdiction, scheme_id, scheme_version)
        answer = derivation_of(view, view.unit(unit), version)
        if row is not None:
            answer = only_row(answer, row)
        answer = with_clauses(ledgers, answer)
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            typer.echo(derivation_html(answer) if as_html else derivation_text(answer), nl=False)
