"""年度管理: opening a year; its units, scheme, terms, official document, release and close; and what was frozen.

Each form of the page is sent to an address of its own. What is refused shows the whole page again, with what was typed
in that form, and its key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.edge import Command, YearNumber
from api.pages.evidence_fields import command_sent
from api.pages.forms import Form, FormSent, Upload
from api.pages.page import (
    JURISDICTION_PAGE,
    REFUSED,
    XLSX,
    YEAR_PAGE,
    Page,
    PageAsked,
    PageRoute,
    UploadRoute,
    attachment,
)
from api.pages.scheme_choices import (
    SchemeText,
    adoptions,
    choice_of,
    chosen_scheme,
    kept_version,
    shipped_for,
    version_choices,
)
from api.proceeding_labels import KINDS, STATUSES
from api.routes.appeal_bodies import CloseYear, ReopenYear
from api.routes.bodies import AdoptScheme, JoinUnit, LeaveUnit, OpenYear, RenameUnit
from api.routes.proposals import Release
from ledger.commands import SetTerms
from ledger.events import DocumentType, Text, Value
from ledger.rejection import rejected
from projections.answers import unit_answer, year_answer
from projections.jurisdictions import scheme_for, scheme_units
from projections.official_documents.registering import official_document
from projections.proceedings.closings import close_year, closings_answer
from projections.proceedings.proceedings import open_proceedings
from projections.scheme_files import vocabulary
from projections.workbooks.importing import template
from projections.years import YearView
from schemes.scheme import Scheme

MENU: Final = "manage"
OPENING: Final = f"{JURISDICTION_PAGE}/open-year"
MANAGE: Final = f"{YEAR_PAGE}/manage"
DOCUMENT_TYPES: Final[dict[str, DocumentType]] = {".pdf": "application/pdf", ".txt": "text/plain"}
NO_FORM: Final = Form()
router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)


class UnitNamed(Value):
    """The unit that a form is about."""

    unit: Text


class Document(Value):
    """An official document to be registered: the version that it prescribes, as a choice, and its title."""

    version: Text
    title: Text


# --- opening a year ----------------------------------------------------------------------------------------------


@router.get(OPENING)
def show_opening(page: PageAsked) -> Response:
    """Show the schemes that a year can be opened under."""
    return page.render("years/open.html", **_opening(page, NO_FORM))


@router.get(f"{OPENING}/template")
def download_template() -> Response:
    """Send the blank workbook in which a scheme is filled in."""
    return attachment(template(vocabulary()), XLSX, "考核方案填写模板.xlsx")


@uploads.post(OPENING)
def open_year(page: PageAsked, form: FormSent) -> Response:
    """Show the units of the scheme that was chosen; once they are confirmed, open its year with those listed."""
    context = _opening(page, form)
    try:
        chosen = chosen_scheme(page, form)
        scheme, version = scheme_for(page.code, chosen.text, chosen.name)
        context |= _units_to_open(chosen, scheme, form)
        if not form.text("confirmed"):
            return page.render("years/open.html", **context)
        listed = [{"id": group.id, "units": context["units"][group.id].splitlines()} for group in scheme.groups]
        groups = command_sent(OpenYear, {"document": chosen.text, "groups": listed}).groups or ()
        ledger = page.given.jurisdictions.ledger(page.code)
        page.given.record(ledger, form.key, lambda on, attempt: on.open_year(attempt, scheme.year, version, groups))
    except REFUSED as refused:
        return page.refuse("years/open.html", refused, **context)
    return page.redirect(f"/jurisdictions/{page.code}/years/{scheme.year}", f"已开启{scheme.year}年度。")


def _opening(page: Page, form: Form) -> dict[str, Any]:
    ledgers = page.given.jurisdictions
    opened = {state.year for state in ledgers.open_years(page.code)} if page.code in ledgers.codes() else set()
    offered = [one for one in shipped_for(page.code) if one.year not in opened]
    choices = {one.id: f"{one.year}年度 {one.document.title}" for one in offered}
    return {"form": form, "choices": choices, "scheme": None}


def _units_to_open(chosen: SchemeText, scheme: Scheme, form: Form) -> dict[str, Any]:
    """Return the scheme's groups with the units that were listed, or at first the scheme's own, one on each line."""
    units = {group.id: "\n".join(group.units) for group in scheme_units(scheme)}
    if form.text("confirmed"):
        lines = {group: (line.strip() for line in form.text(f"units.{group}").split("\n")) for group in units}
        units = {group: "\n".join(filter(None, names)) for group, names in lines.items()}
    return {"chosen": chosen, "scheme": scheme, "units": units}


# --- managing a year ---------------------------------------------------------------------------------------------


@router.get(MANAGE)
def show_management(page: PageAsked, year: YearNumber, unit: Annotated[str, Query(max_length=500)] = "") -> Response:
    """Show everything that can be done to the year; `unit` is the one that the forms begin with."""
    return page.render("years/manage.html", **_management(page, year, "", Form([("unit", unit)])))


@router.post(f"{MANAGE}/join")
def join_unit(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Let a unit join the year."""

    def command() -> Command:
        wish = command_sent(JoinUnit, _texts(form, "unit", "group", "on", "reason"))
        return lambda on, attempt: on.join_unit(attempt, year, wish.unit, wish.group, wish.on, wish.reason)

    return _recorded(page, year, "join", form, command, f"{form.text('unit')}已列入考核。")


@router.post(f"{MANAGE}/leave")
def leave_unit(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Let a unit leave the year."""

    def command() -> Command:
        unit = command_sent(UnitNamed, _texts(form, "unit")).unit
        wish = command_sent(LeaveUnit, _texts(form, "on", "reason"))
        return lambda on, attempt: on.leave_unit(attempt, year, unit, wish.on, wish.reason)

    return _recorded(page, year, "leave", form, command, f"{form.text('unit')}自{form.text('on')}起不再考核。")


@router.post(f"{MANAGE}/rename")
def rename_unit(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Give a unit another name."""

    def command() -> Command:
        unit = command_sent(UnitNamed, _texts(form, "unit")).unit
        wish = command_sent(RenameUnit, _texts(form, "name", "on", "reason"))
        return lambda on, attempt: on.rename_unit(attempt, year, unit, wish.name, wish.on, wish.reason)

    return _recorded(page, year, "rename", form, command, f"{form.text('unit')}已更名为{form.text('name')}。")


@uploads.post(f"{MANAGE}/adopt")
def adopt_scheme(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Put a scheme version in force from now on."""

    def command() -> Command:
        chosen = chosen_scheme(page, form)
        reason = command_sent(AdoptScheme, {"document": chosen.text, **_texts(form, "reason")}).reason
        _, version = scheme_for(page.code, chosen.text, chosen.name, year)
        return lambda on, attempt: on.adopt_scheme(attempt, year, version, reason)

    return _recorded(page, year, "adopt", form, command, "已启用所选方案版本。")


@router.post(f"{MANAGE}/terms")
def set_terms(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Set the working days to file an appeal and to decide one."""

    def command() -> Command:
        typed = _texts(form, "days_to_file", "days_to_decide", "reason")
        days = {name: int(text) for name, text in typed.items() if text.isascii() and text.isdigit()}
        wish = command_sent(SetTerms, typed | days | _texts(form, "reason"))
        return lambda on, attempt: on.set_terms(attempt, year, wish)

    return _recorded(page, year, "terms", form, command, "申诉期限已更改。")


@uploads.post(f"{MANAGE}/document")
def register_document(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Register the official document of a scheme version."""

    def command() -> Command:
        wish = command_sent(Document, _texts(form, "version", "title"))
        reference = kept_version(page, wish.version)
        upload = next(iter(form.files("file")), None)
        if upload is None:
            raise rejected("field-missing", "file", "expected the official document (.pdf, or .txt in UTF-8)")
        document = official_document(wish.title, _document_type(upload), upload.content)
        return lambda on, attempt: on.register_document(attempt, reference.id, reference.version, document)

    return _recorded(page, year, "document", form, command, "方案原文已登记。")


@router.post(f"{MANAGE}/release")
def release(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Let units see their own scores as of a day, as they stand now."""

    def command() -> Command:
        wish = command_sent(Release, _texts(form, "as_of", "reason"))
        return lambda on, attempt: on.release(attempt, year, wish.as_of, wish.position, wish.reason)

    return _recorded(page, year, "release", form, command, f"截至{form.text('as_of')}的得分已向各单位公布。")


@router.post(f"{MANAGE}/close")
def close(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Close the year with all sheets as they stand."""

    def command() -> Command:
        reason = command_sent(CloseYear, _texts(form, "reason")).reason
        ledgers, code = page.given.jurisdictions, page.code
        return lambda _, attempt: close_year(ledgers, code, year, attempt, reason)

    return _recorded(page, year, "close", form, command, f"{year}年度已办结，全部得分表已封存。")


@router.post(f"{MANAGE}/reopen")
def reopen(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Reopen the year for entries."""

    def command() -> Command:
        reason = command_sent(ReopenYear, _texts(form, "reason")).reason
        return lambda on, attempt: on.reopen_year(attempt, year, reason)

    return _recorded(page, year, "reopen", form, command, f"{year}年度已重新开启，封存的得分表仍然保留。")


@router.get(f"{YEAR_PAGE}/closings")
def show_closings(page: PageAsked, year: YearNumber) -> Response:
    """Show what each close of the year froze, beside what is so now."""
    found = closings_answer(page.given.jurisdictions, page.code, year)
    return page.render("years/closings.html", menu=MENU if page.may("years.manage") else "scheme", found=found)


def _recorded(page: Page, year: int, sent: str, form: Form, command: Callable[[], Command], said: str) -> Response:
    """Record what the form wishes and say so; refused, show the page again with what was typed in that form."""
    try:
        page.given.record(page.given.jurisdictions.known_ledger(page.code), form.key, command())
    except REFUSED as refused:
        return page.refuse("years/manage.html", refused, **_management(page, year, sent, form))
    return page.redirect(f"{page.path}/manage", said)


def _management(page: Page, year: int, sent: str, form: Form) -> dict[str, Any]:
    """Return what the page shows; `sent` is the form of it that was sent and refused, if one was."""
    ledgers = page.given.jurisdictions
    state, scheme = ledgers.opened_year(page.code, year)
    view = ledgers.view(page.code, year)
    units = [unit_answer(unit) for unit in state.units.values()]
    found = year_answer(page.code, state, scheme)
    return {
        "menu": MENU,
        "sent": sent,
        "form": form,
        "told": found,
        "groups": [(group, [unit for unit in units if unit.group == group.id]) for group in found.groups],
        "closed_at": state.closed_at,
        "released": state.released,
        "terms": state.last_terms,
        "choices": version_choices(page, year),
        "versions": {choice_of(one.scheme): one for one in adoptions(page, year)},
        "closings": ledgers.closings(page.code, year),
        "undecided": [
            (
                KINDS[one.state.kind],
                f"{one.state.kind}s/{one.state.id}",
                _name(view, one.state.unit),
                STATUSES[one.state.status],
            )
            for one in open_proceedings(view)
        ],
        "pending": [(_name(view, unit), sheet.pending) for unit, sheet in view.sheets().items() if sheet.pending],
    }


def _name(view: YearView, key: str) -> str:
    return view.state.units[key].name_on(view.as_of)


def _texts(form: Form, *names: str) -> dict[str, Any]:
    """Return the texts that were typed, without those left blank."""
    return {name: form.text(name) for name in names if form.text(name)}


def _document_type(upload: Upload) -> DocumentType:
    ending = upload.name[-4:].lower()
    if ending not in DOCUMENT_TYPES:
        raise rejected("media-type", "file", f"found {upload.name!r}, expected a name that ends in .pdf or .txt")
    return DOCUMENT_TYPES[ending]
