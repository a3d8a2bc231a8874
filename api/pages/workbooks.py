"""Workbooks: what the office takes along, and observations that come in by the file.

A file is read and checked beside the request; nothing is recorded before its sender has seen what it would do.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from starlette.status import HTTP_404_NOT_FOUND, HTTP_413_CONTENT_TOO_LARGE, HTTP_503_SERVICE_UNAVAILABLE

from api.edge import Edge, JurisdictionCode, UnitName, YearNumber
from api.pages.forms import Form, FormSent
from api.pages.import_jobs import Check, Done, ImportJob, ImportJobs, ImportsBusyError, Record, imports_closed
from api.pages.messages import Told, told
from api.pages.page import XLSX, YEAR_PAGE, Page, PageAsked, PageRoute, UploadRoute, attachment
from api.problems import RefusedRequest
from ledger.rejection import Rejection, rejected
from projections.jurisdictions import Jurisdictions
from projections.workbooks.exports.score_sheets import score_sheets
from projections.workbooks.exports.tables import history, ledger, ranking
from projections.workbooks.observations.cell_refusals import CellProblem
from projections.workbooks.observations.fields import EVIDENCE_FIELDS
from projections.workbooks.observations.importing import (
    BOUNDS,
    Checked,
    Progress,
    check_again,
    check_workbook,
    fields_of,
    record_workbook,
)
from projections.workbooks.observations.layout import ColumnMapping, SheetUntoldError
from projections.workbooks.observations.template import template
from projections.years import YearView
from schemes.problem import InvalidInput, Problem

router = APIRouter(route_class=PageRoute, include_in_schema=False, lifespan=imports_closed)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)
_WORKBOOKS: Final = f"{YEAR_PAGE}/workbooks"
_IMPORT: Final = f"{_WORKBOOKS}/import/{{job}}"
_PATIENCE: Final = 1.5
"""Seconds that a request waits before it shows a progress instead of the outcome."""
_MOST_SHOWN: Final = 1_000
_BUSY: Final = "正在核对的工作簿较多，这一个没有收下，什么也没有登记。请等几分钟后重新上传。"
_OF_THE_FILE: Final = frozenset({"workbook-damaged", "workbook-encrypted", "workbook-too-large", "workbook-type"})
"""What is wrong with a file as a whole is told in English where it is found; all else of a workbook in Chinese."""
Day = Annotated[str, Query()]


@router.get(_WORKBOOKS)
def show_workbooks(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, as_of: Day = "") -> Response:
    """Show what can be saved, and the form to send a workbook."""
    return _overview(page, _view(page, jurisdiction, year, as_of), as_of)


@router.get(f"{_WORKBOOKS}/template.xlsx")
def save_template(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """Save the blank workbook to fill in."""
    content = template(fields_of(page.given.jurisdictions.view(jurisdiction, year)))
    return attachment(content, XLSX, f"{year}年度登记表.xlsx")


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
    name, content = files[0]
    if len(content) > BOUNDS.file:
        problem = Problem("workbook-too-large", name, f"found {len(content)} bytes, expected at most {BOUNDS.file}")
        refused = RefusedRequest(HTTP_413_CONTENT_TOO_LARGE, problem)
        return page.refuse("workbooks/workbooks.html", refused, menu="workbooks", **_context(page, form))
    account = page.given.asking.account
    job = ImportJob(page.new_key(), account, jurisdiction, year, name, content, _mapping(form))
    try:
        _jobs(page).start(job, _checking(page.given.jurisdictions))
    except ImportsBusyError as busy:
        said = Told("import-busy", "", _BUSY, str(busy))
        context = {**_context(page, form), "problems": [said]}
        status = HTTP_503_SERVICE_UNAVAILABLE
        return page.render("workbooks/workbooks.html", menu="workbooks", status=status, **context)
    return _go_on(page, job)


@router.get(_IMPORT)
def show_import(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, job: str) -> Response:
    """Show how far an import is: its progress, its errors, what it would do, or what it did."""
    known = _known(page, jurisdiction, year, job)
    return _missing(page) if known is None else _shown(page, known)


@router.post(f"{_IMPORT}/check")
def check_columns(
    page: PageAsked, form: FormSent, jurisdiction: JurisdictionCode, year: YearNumber, job: str
) -> Response:
    """Check the workbook again with the sheet and columns chosen on the page."""
    known = _known(page, jurisdiction, year, job)
    if known is None:
        return _missing(page)
    _jobs(page).check(known, _mapping(form), _checking(page.given.jurisdictions))
    return _go_on(page, known)


@router.post(f"{_IMPORT}/record")
def record_import(
    page: PageAsked, form: FormSent, jurisdiction: JurisdictionCode, year: YearNumber, job: str
) -> Response:
    """Record what was checked, all of it or nothing; of rows recorded already only what is ticked."""
    known = _known(page, jurisdiction, year, job)
    if known is None:
        return _missing(page)
    _jobs(page).record(known, _recording(page.given, whole=form.text("all") == "yes"))
    return _go_on(page, known)


def _jobs(page: Page) -> ImportJobs:
    jobs: ImportJobs = page.request.app.state.imports
    return jobs


def _known(page: Page, jurisdiction: str, year: int, job: str) -> ImportJob | None:
    return _jobs(page).find(job, page.given.asking.account, jurisdiction, year)


def _checking(ledgers: Jurisdictions) -> Check:
    """Return what checks a job's workbook beside the request; it keeps nothing of the request."""

    def check(job: ImportJob, progress: Progress) -> Checked:
        view = ledgers.view(job.jurisdiction, job.year)
        return check_workbook(ledgers.known_ledger(job.jurisdiction), view, job.data, job.file, job.mapping, progress)

    return check


def _recording(given: Edge, *, whole: bool) -> Record:
    """Return what records a job's rows: all of them, or without those that are recorded already."""

    def record(job: ImportJob, agreed: Checked, progress: Progress) -> Done | Checked:
        ledger_of = given.jurisdictions.known_ledger(job.jurisdiction)
        now = check_again(ledger_of, given.jurisdictions.view(job.jurisdiction, job.year), agreed, progress)
        if now.outlook != agreed.outlook:
            return now
        chosen = now if whole or not now.alike else now.new
        if chosen is None:
            return now
        receipts = given.record(ledger_of, job.id, lambda on, attempt: record_workbook(on, attempt, chosen))
        proposals = sum(receipt.proposal is not None for receipt in receipts)
        return Done(len(receipts) - proposals, proposals)

    return record


def _go_on(page: Page, job: ImportJob) -> Response:
    job.wait(_PATIENCE)
    return page.redirect(f"{page.path}/workbooks/import/{job.id}")


def _shown(page: Page, job: ImportJob) -> Response:
    context: dict[str, Any] = {"job": job, "checked": None, "done": None, "wrong": (), "more": 0, "sheets": ()}
    if not job.running:
        wrong: list[Told] = []
        try:
            outcome = job.work.result()
            if isinstance(outcome, Done):
                context["done"] = outcome
            else:
                wrong = [_told(one) for one in outcome.problems]
                context |= {"checked": outcome, "fields": _choices(page, job), "constants": EVIDENCE_FIELDS}
        except SheetUntoldError as untold:
            wrong = [_told(one) for one in untold.problems]
            context["sheets"] = untold.sheets
        except InvalidInput as invalid:
            wrong = [_told(one) for one in invalid.problems]
        except Rejection as rejection:
            wrong = [told(Problem(one.code, one.where, one.message)) for one in rejection.refusals]
        context |= {"wrong": wrong[:_MOST_SHOWN], "more": len(wrong) - _MOST_SHOWN}
    if page.is_fragment:
        return page.fragment("workbooks/job.html", **context)
    return page.render("workbooks/import.html", menu="workbooks", **context)


def _told(problem: Problem) -> Told:
    """Return the problem of a workbook for people: those of its cells are said in Chinese where they are found."""
    if problem.code in _OF_THE_FILE:
        return told(problem)
    detail = problem.detail if isinstance(problem, CellProblem) else ""
    return Told(problem.code, problem.where, problem.message, detail)


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
