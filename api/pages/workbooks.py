"""Workbooks: what the office takes along, and observations that come in by the file.

A file is read and checked beside the request; nothing is recorded before its sender has seen what it would do.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from starlette.status import HTTP_404_NOT_FOUND

from api.edge import JurisdictionCode, UnitName, YearNumber
from api.pages.forms import Form, FormSent
from api.pages.import_jobs import Done, ImportJob, ImportJobs, nothing_yet
from api.pages.messages import Told, told
from api.pages.page import YEAR_PAGE, Page, PageAsked, PageRoute, UploadRoute, attachment
from ledger.rejection import Rejection, rejected
from projections.workbooks.exports.score_sheets import score_sheets
from projections.workbooks.exports.tables import history, ledger, ranking
from projections.workbooks.observations.fields import EVIDENCE_FIELDS
from projections.workbooks.observations.importing import (
    Checked,
    Progress,
    check_workbook,
    fields_of,
    record_workbook,
)
from projections.workbooks.observations.layout import ColumnMapping
from projections.workbooks.observations.template import template
from projections.years import YearView
from schemes.problem import InvalidInput, Problem

router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORKBOOKS: Final = f"{YEAR_PAGE}/workbooks"
_IMPORT: Final = f"{_WORKBOOKS}/import/{{job}}"
_PATIENCE: Final = 1.5
"""Seconds that a request waits before it shows a progress instead of the outcome."""
_MOST_SHOWN: Final = 1_000
_JOBS: Final = ImportJobs()
Day = Annotated[str, Query()]


@router.get(_WORKBOOKS)
def show_workbooks(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, as_of: Day = "") -> Response:
    """Show what can be saved, and the form to send a workbook."""
    return _overview(page, _view(page, jurisdiction, year, as_of), as_of)


@router.get(f"{_WORKBOOKS}/template.xlsx")
def save_template(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """Save the blank workbook to fill in."""
    content = template(fields_of(page.given.jurisdictions.view(jurisdiction, year)))
    return attachment(content, XLSX, f"{year}年度观察登记表.xlsx")


@router.get(f"{_WORKBOOKS}/sheets.xlsx")
def save_sheets(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, as_of: Day = "") -> Response:
    """Save the score sheets of all units."""
    view = _view(page, jurisdiction, year, as_of)
    return attachment(score_sheets(view, view.units), XLSX, f"{year}年度考核评分表_{view.as_of}.xlsx")


@router.get(f"{_WORKBOOKS}/sheets/{{unit:path}}.xlsx")
def save_sheet(
    page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, unit: UnitName, as_of: Day = ""
) -> Response:
    """Save the score sheet of one unit."""
    view = _view(page, jurisdiction, year, as_of)
    return attachment(score_sheets(view, [view.unit(unit)]), XLSX, f"{unit}{year}年度考核评分表_{view.as_of}.xlsx")


@router.get(f"{_WORKBOOKS}/history/{{unit:path}}.xlsx")
def save_history(
    page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, unit: UnitName, as_of: Day = ""
) -> Response:
    """Save the history of one unit."""
    view = _view(page, jurisdiction, year, as_of)
    return attachment(history(view, view.unit(unit)), XLSX, f"{unit}{year}年度得分明细_{view.as_of}.xlsx")


@router.get(f"{_WORKBOOKS}/ranking.xlsx")
def save_ranking(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, as_of: Day = "") -> Response:
    """Save the ranking."""
    view = _view(page, jurisdiction, year, as_of)
    return attachment(ranking(view), XLSX, f"{year}年度考核排名_{view.as_of}.xlsx")


@router.get(f"{_WORKBOOKS}/ledger.xlsx")
def save_ledger(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """Save every entry of the year that the account may see."""
    return attachment(ledger(page.given.items(jurisdiction, year)), XLSX, f"{year}年度台账.xlsx")


@uploads.post(f"{_WORKBOOKS}/import")
def send_workbook(page: PageAsked, form: FormSent, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """Take a workbook and begin to check it; nothing is recorded yet."""
    files = form.files("file")
    if not files:
        missing = rejected("file-missing", "file", "expected a workbook (.xlsx)")
        return page.refuse("workbooks/workbooks.html", missing, menu="workbooks", **_context(page, form))
    account = page.given.asking.account
    job = ImportJob(
        page.new_key(), account, jurisdiction, year, files[0].name, files[0].content, _mapping(form), nothing_yet()
    )
    _JOBS.start(job, partial(_check, page, job))
    return _go_on(page, job)


@router.get(_IMPORT)
def show_import(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, job: str) -> Response:
    """Show how far an import is: its progress, its errors, what it would do, or what it did."""
    known = _JOBS.find(job, page.given.asking.account, jurisdiction, year)
    return _missing(page) if known is None else _shown(page, known)


@router.post(f"{_IMPORT}/check")
def check_again(
    page: PageAsked, form: FormSent, jurisdiction: JurisdictionCode, year: YearNumber, job: str
) -> Response:
    """Check the workbook again with the columns chosen on the page."""
    known = _JOBS.find(job, page.given.asking.account, jurisdiction, year)
    if known is None:
        return _missing(page)
    if not known.running:
        known.mapping = _mapping(form)
        _JOBS.check(known, partial(_check, page, known))
    return _go_on(page, known)


@router.post(f"{_IMPORT}/record")
def record_import(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, job: str) -> Response:
    """Record what was checked, all of it or nothing."""
    known = _JOBS.find(job, page.given.asking.account, jurisdiction, year)
    if known is None:
        return _missing(page)
    if not known.running:
        _JOBS.record(known, partial(_record, page, known, known.checking.result()))
    return _go_on(page, known)


def _check(page: Page, job: ImportJob, progress: Progress) -> Checked:
    ledgers = page.given.jurisdictions
    view = ledgers.view(job.jurisdiction, job.year)
    return check_workbook(ledgers.known_ledger(job.jurisdiction), view, job.data, job.file, job.mapping, progress)


def _record(page: Page, job: ImportJob, checked: Checked) -> Done:
    ledger_of = page.given.jurisdictions.known_ledger(job.jurisdiction)
    receipts = page.given.record(ledger_of, job.id, lambda on, attempt: record_workbook(on, attempt, checked))
    proposals = sum(receipt.proposal is not None for receipt in receipts)
    return Done(len(receipts) - proposals, proposals)


def _go_on(page: Page, job: ImportJob) -> Response:
    job.wait(_PATIENCE)
    return page.redirect(f"{page.path}/workbooks/import/{job.id}")


def _shown(page: Page, job: ImportJob) -> Response:
    context: dict[str, Any] = {"job": job, "checked": None, "done": None, "wrong": (), "more": 0}
    if not job.running:
        try:
            checked = job.checking.result()
            wrong: tuple[Problem, ...] = checked.problems
            context |= {"checked": checked, "fields": _choices(page, job), "constants": EVIDENCE_FIELDS}
            context["done"] = None if job.recording is None else job.recording.result()
        except InvalidInput as invalid:
            wrong = invalid.problems
        except Rejection as rejection:
            wrong = tuple(Problem(one.code, one.where, one.message) for one in rejection.refusals)
        context |= {"wrong": [_told(one) for one in wrong[:_MOST_SHOWN]], "more": len(wrong) - _MOST_SHOWN}
    if page.is_fragment:
        return page.fragment("workbooks/job.html", **context)
    return page.render("workbooks/import.html", menu="workbooks", **context)


def _told(problem: Problem) -> Told:
    """Return the problem for people: those of a workbook's cells are said in Chinese where they are found."""
    if problem.message.isascii() or problem.code.startswith("mapping-"):
        return told(problem)
    return Told(problem.code, problem.where, problem.message, "")


def _choices(page: Page, job: ImportJob) -> tuple[str, ...]:
    return fields_of(page.given.jurisdictions.view(job.jurisdiction, job.year)).headings


def _missing(page: Page) -> Response:
    return page.render("workbooks/gone.html", menu="workbooks", status=HTTP_404_NOT_FOUND)


def _mapping(form: Form) -> ColumnMapping:
    """Return what the form says of the workbook's columns, by their headings, and of every row."""
    headings, chosen = ([value.strip() for name, value in form.fields if name == one] for one in ("heading", "field"))
    columns = dict(zip(headings, chosen, strict=False))
    return ColumnMapping(sheet=form.text("sheet") or None, columns=columns, constants=form.starting("constant."))


def _overview(page: Page, view: YearView, as_of: str) -> Response:
    return page.render("workbooks/workbooks.html", menu="workbooks", **_context(page, Form(), view, as_of))


def _context(page: Page, form: Form, view: YearView | None = None, as_of: str = "") -> dict[str, Any]:
    if view is None:
        view = _view(page, page.code, page.year or 0, as_of)
    units = [unit.name_on(view.as_of) for unit in view.units]
    typed = form.starting("constant.")
    return {"units": units, "as_of": as_of, "constants": EVIDENCE_FIELDS, "typed": typed}


def _view(page: Page, jurisdiction: str, year: int, as_of: str) -> YearView:
    return page.given.scores(jurisdiction, year, _day(as_of), None)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise rejected("field-invalid", "as_of", f"found {text[:40]!r}, expected a day like 2024-01-31") from None
