"""`mingzhang demo`: five counties' demonstration years on SQLite, shown in the terminal, then served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import URL

from api.command_line import AsJson, app, print_json
from api.command_options import console, environment_checked, opened, progress_bar
from api.demonstration.loading import load
from api.refusals import refusals_shown
from api.settings import Settings
from api.terminal_tables import edges_table, history_table
from projections.answers import history_answer, ranking_answer
from projections.years import YearView

SHOWN_PLACES = 3
DEMONSTRATION = Path("data") / "demonstration.db"


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Do all but serving.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to serve on; 0 takes any free one.")] = None,
    database: Annotated[Path, typer.Option(help="The SQLite file to keep it in.")] = DEMONSTRATION,
    as_json: AsJson = False,
) -> None:
    """Load a believable year for five counties, show how they stand, and serve."""
    url = URL.create("sqlite", database=str(database)).render_as_string()
    with refusals_shown(as_json), opened(url) as ledgers:
        with progress_bar("recording", shown=not as_json) as progress:
            load(ledgers, lambda _, done, total: progress(done, total))
        views = [ledgers.view(code, year.year) for code in ledgers.codes() for year in ledgers.open_years(code)]
        if as_json:
            print_json([ranking_answer(view).model_dump(mode="json") for view in views])
        for view in [] if as_json else views:
            _show_county(view)
    if once:
        return
    from api.serving import serve  # noqa: PLC0415  # the web framework is for serving only

    with refusals_shown(as_json), environment_checked():
        serve(Settings.with_stated({"database_url": url, "port": port}))


def _show_county(view: YearView) -> None:
    ranking = ranking_answer(view)
    console.rule(Text(f"{view.scheme.jurisdiction.name}  {view.scheme.document.title}"))
    console.print(edges_table(ranking, SHOWN_PLACES))
    last = ranking.groups[0].places[-1]
    console.print(history_table(history_answer(view, view.unit(last.unit))))
