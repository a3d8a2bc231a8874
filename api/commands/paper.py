"""Commands that write official papers: `mingzhang paper …`."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import Code, Database, Year, as_wish, environment_checked, opened
from api.documents.paper_layout import Paper, PaperKind, shipped_template
from api.documents.papers import (
    Letterhead,
    LetterheadWithDeadline,
    PaperFormat,
    answer_paper,
    paper_file,
    rectification_paper,
    result_paper,
)
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.decisions import local_day
from projections.papers import appeal_answer, rectification_notice, result_notice
from projections.proceedings.dossiers import dossier_of, dossier_words
from projections.proceedings.proceedings import proceeding_of
from schemes.problem import refuse

papers = typer.Typer(help="Write official papers (公文) as Word or PDF.", no_args_is_help=True)
app.add_typer(papers, name="paper")

Out = Annotated[Path, typer.Option("--out", help="The file to write: .docx or .pdf.")]
Number = Annotated[str, typer.Option("--number", help="The document number (发文字号).")]
Addressee = Annotated[str, typer.Option("--to", help="The addressee (主送机关).")]
Issuer = Annotated[str | None, typer.Option("--issuer", help="The issuing office. Default: that of the scheme.")]
Dated = Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Its day. Default: today.")]
Deadline = Annotated[datetime, typer.Option("--deadline", formats=["%Y-%m-%d"], help="Last day to put things right.")]


@papers.command("result")
def result(
    jurisdiction: Code,
    year: Year,
    number: Number,
    deadline: Deadline,
    out: Out,
    addressee: Addressee = "各被考核单位",
    issuer: Issuer = None,
    day: Dated = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the result notice of a year (考核结果通报)."""
    with refusals_shown(as_json), opened(database) as ledgers:
        notice = result_notice(ledgers.view(jurisdiction, year))
        said = _said(number, addressee, issuer or notice.issuer, day)
        _write(out, result_paper(notice, as_wish(LetterheadWithDeadline, **said, deadline=deadline.date())), as_json)


@papers.command("rectification")
def rectification(
    unit: Annotated[str, typer.Argument(help="The unit, by a name that it has or had this year.")],
    jurisdiction: Code,
    year: Year,
    number: Number,
    deadline: Deadline,
    out: Out,
    issuer: Issuer = None,
    day: Dated = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write what a unit has to put right (整改通知)."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year)
        notice = rectification_notice(view, view.unit(unit))
        said = _said(number, notice.unit, issuer or notice.issuer, day)
        head = as_wish(LetterheadWithDeadline, **said, deadline=deadline.date())
        _write(out, rectification_paper(notice, head), as_json)


@papers.command("answer")
def answer(
    appeal: Annotated[UUID, typer.Argument(help="The id of a decided appeal.")],
    jurisdiction: Code,
    year: Year,
    number: Number,
    out: Out,
    issuer: Issuer = None,
    day: Dated = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the answer to a decided appeal (申诉答复)."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year)
        dossier = dossier_of(ledgers, view, proceeding_of(view, "appeal", appeal), local_day(now()))
        told = appeal_answer(dossier, dossier_words(ledgers, dossier))
        head = as_wish(Letterhead, **_said(number, told.unit, issuer or told.issuer, day))
        _write(out, answer_paper(told, head), as_json)


@papers.command("template")
def template(
    kind: Annotated[PaperKind, typer.Argument(help="Which paper.")],
    out: Annotated[Path, typer.Option("--out", help="The .docx file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write the shipped Word template of a paper, to be changed and put into MINGZHANG_TEMPLATE_FOLDER."""
    with refusals_shown(as_json), environment_checked():
        out.write_bytes(shipped_template(kind))
        _show(out, as_json)


def _said(number: str, addressee: str, issuer: str, day: datetime | None) -> dict[str, str | date]:
    dated = local_day(now()) if day is None else day.date()
    return {"number": number, "addressee": addressee, "issuer": issuer, "day": dated}


def _write(out: Path, paper: Paper, as_json: bool) -> None:
    settings = Settings()
    written = out.suffix.lower().removeprefix(".")
    if written not in [*PaperFormat]:
        raise refuse("paper-suffix", str(out), "expected a file ending in .docx or .pdf")
    content = paper_file(paper, PaperFormat(written), settings.template_folder, settings.font_folder)
    with environment_checked():
        out.write_bytes(content)
    _show(out, as_json)


def _show(out: Path, as_json: bool) -> None:
    if as_json:
        print_json([str(out)])
    else:
        typer.echo(str(out))
