"""`mingzhang demo`: five counties' demonstration years on SQLite, shown in the terminal, then served."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.command_line import app
from api.command_options import console, opened, progress_bar
from api.demonstration.loading import load
from api.refusals import refusals_shown
from api.settings import Settings
from api.terminal_tables import edges_table, history_table
from projections.answers import history_answer, ranking_answer
from projections.jurisdictions import Jurisdictions

SHOWN_PLACES = 3
DEMONSTRATION = Path("data") / "demonstration.db"


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Do all but serving.")] = False,
    port: Annotated[int | None, typer.Option(help="Port to serve on; 0 takes any free one.")] = None,
    database: Annotated[Path, typer.Option(help="The SQLite file to keep it in.")] = DEMONSTRATION,
) -> None:
    """Load a believable year for five counties, show how they stand, and serve."""
    url = f"sqlite:///{database}"
    with refusals_shown(as_json=False), opened(url) as ledgers:
        with progress_bar("recording", shown=True) as progress:
            load(ledgers, lambda _, done, total: progress(done, total))
        for code in ledgers.codes():
            _show_county(ledgers, code)
    if once:
        return
    from api.serving import serve  # noqa: PLC0415  # the web framework is for serving only

    stated = {"database_url": url, **({} if port is None else {"port": port})}
    with refusals_shown(as_json=False):
        serve(Settings().model_copy(update=stated))


def _show_county(ledgers: Jurisdictions, code: str) -> None:
    for year in ledgers.open_years(code):
        view = ledgers.view(code, year.year)
        ranking = ranking_answer(view)
        console.rule(f"{view.scheme.jurisdiction.name}  {view.scheme.document.title}")
        console.print(edges_table(ranking, SHOWN_PLACES))
        last = ranking.groups[0].places[-1]
        console.print(history_table(history_answer(view, view.unit(last.unit))))
