"""`mingzhang demo`: five counties' demonstration years on SQLite with an appeal in each, shown, then served."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import URL

from api.access.access import Access
from api.command_line import AsJson, app, print_json
from api.commands.options import console, environment_checked, opened, progress_bar
from api.commands.tables import edges_table, history_table, moved_table
from api.demonstration.accounts import PASSWORD, PEOPLE, add_people, release_scores
from api.demonstration.appeals import appeal
from api.demonstration.loading import load
from api.documents.dossier_files import DossierFormat, dossier_file, dossier_name
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.decisions import local_day
from projections.answers import history_answer, ranking_answer
from projections.jurisdictions import Jurisdictions
from projections.proceedings.dossier_models import DossierAnswer
from projections.proceedings.dossiers import dossier_of, dossier_words
from projections.scheme_files import load as load_scheme
from projections.scheme_files import shipped
from projections.years import YearView
from schemes.problem import InvalidInput, refuse

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
    with refusals_shown(as_json), environment_checked():
        settings = _settings(url, database, port)
        _check_nothing_left(database, settings)
    with refusals_shown(as_json), opened(url) as ledgers:
        with progress_bar("recording", shown=not as_json) as progress:
            load(ledgers, settings, lambda _, done, total: progress(done, total))
        told = [_appeal(ledgers, scheme, database.parent / "dossiers") for scheme in shipped()]
        views = [ledgers.view(code, year.year) for code in ledgers.codes() for year in ledgers.open_years(code)]
        for view in [] if as_json else views:
            _show_county(view)
        if as_json:
            rankings = [ranking_answer(view).model_dump(mode="json") for view in views]
            print_json({"rankings": rankings, "appeals": [one.model_dump(mode="json") for one, _ in told]})
        for dossier, paths in [] if as_json else told:
            console.rule(Text(f"{dossier.proceeding.unit}  {dossier.proceeding.year}年度考核申诉"))
            console.print(moved_table(dossier))
            console.print(*map(str, paths), sep="\n", markup=False, soft_wrap=True)
        release_scores(ledgers)
        access = Access(ledgers.engine, now, ledgers.random_bytes, settings.session_hours)
        if add_people(ledgers, access) and not as_json:
            console.rule(Text(f"演示账户（口令均为 {PASSWORD}）"))
            console.print(*(f"{one.name}  {one.role}" for one in PEOPLE), sep="\n", markup=False)
    if once:
        return
    from api.serving import serve  # noqa: PLC0415  # the web framework is for serving only

    with refusals_shown(as_json), environment_checked():
        serve(settings)


def _settings(url: str, database: Path, port: int | None) -> Settings:
    """Return the settings of the demonstration: its keys and evidence lie beside its database."""
    return Settings.with_stated(
        {
            "database_url": url,
            "port": port,
            "key_folder": database.with_suffix(".keys"),
            "evidence_folder": database.with_suffix(".evidence"),
        }
    )


def _check_nothing_left(database: Path, settings: Settings) -> None:
    """Refuse to begin anew beside what was signed for a database that is gone: no server would take the new one."""
    left = [str(one) for one in (settings.key_folder, settings.evidence_folder) if one.exists()]
    if left and not database.exists():
        message = f"{database} is gone, and what belonged to it is left; remove it too: rm -r {shlex.join(left)}"
        raise refuse("demonstration-left", str(database), message)


def _appeal(ledgers: Jurisdictions, scheme_id: str, folder: Path) -> tuple[DossierAnswer, list[Path]]:
    """Record the county's appeal, write its dossier, and return both."""
    scheme = load_scheme(scheme_id)
    found = appeal(ledgers, scheme)
    decided = local_day(found.steps[-1].event.recorded_at)
    dossier = dossier_of(ledgers, ledgers.view(scheme.jurisdiction.code, scheme.year), found, decided)
    words = dossier_words(ledgers, dossier)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for written in DossierFormat:
        try:
            content = dossier_file(dossier, written, words, decided, Settings().font_folder)
        except InvalidInput as missing:  # a machine without Chinese fonts shows everything but the PDF
            typer.echo(str(missing), err=True)
            continue
        paths.append(folder / f"{dossier_name(dossier)}.{written}")
        paths[-1].write_bytes(content)
    return dossier, paths


def _show_county(view: YearView) -> None:
    ranking = ranking_answer(view)
    console.rule(Text(f"{view.scheme.jurisdiction.name}  {view.scheme.document.title}"))
    console.print(edges_table(ranking, SHOWN_PLACES))
    last = ranking.groups[0].places[-1]
    console.print(history_table(history_answer(view, view.unit(last.unit))))
