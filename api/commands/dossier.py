"""Commands that write the answer to an appeal as a set of files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import Code, Database, Year, environment_checked, opened
from api.documents.dossier_files import DossierFormat, dossier_file, dossier_name
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.decisions import local_day
from projections.proceedings.dossiers import dossier_of, dossier_words
from projections.proceedings.proceedings import proceeding_of


@app.command()
def dossier(
    proceeding: Annotated[UUID, typer.Argument(help="The id of the appeal, or of the claim.")],
    jurisdiction: Code,
    year: Year,
    claim: Annotated[bool, typer.Option("--claim", help="It is a claim, not an appeal.")] = False,
    out: Annotated[Path, typer.Option(help="The folder to write into; made if it is not there.")] = Path(),
    written: Annotated[
        list[DossierFormat] | None, typer.Option("--format", help="Only these, repeatable: json, docx, pdf.")
    ] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the answer to an appeal or a claim: as JSON, as Word and as PDF (公文)."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year)
        today = local_day(now())
        found = dossier_of(ledgers, view, proceeding_of(view, "claim" if claim else "appeal", proceeding), today)
        words = dossier_words(ledgers, found)
        fonts = Settings().font_folder
        # All are worked out before the first is written.
        files = {one: dossier_file(found, one, words, today, fonts) for one in written or DossierFormat}
        paths = [out / f"{dossier_name(found)}.{one}" for one in files]
        with environment_checked():
            out.mkdir(parents=True, exist_ok=True)
            for path, content in zip(paths, files.values(), strict=True):
                path.write_bytes(content)
        if as_json:
            print_json([str(path) for path in paths])
            return
        for path in paths:
            typer.echo(str(path))
