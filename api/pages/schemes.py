"""方案: the scheme as its document's table, its versions and their differences, and the year replayed under another."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from starlette.status import HTTP_422_UNPROCESSABLE_CONTENT

from api.edge import YearNumber
from api.pages.forms import Form, FormSent
from api.pages.page import REFUSED, XLSX, YEAR_PAGE, Page, PageAsked, UploadRoute, attachment
from api.pages.scheme_choices import (
    SchemeText,
    adoptions,
    choice_of,
    chosen_scheme,
    kept_version,
    named_scheme,
    version_choices,
)
from api.scheme_answers import difference_answer, lint_answer
from ledger.events import SchemeReference
from ledger.rejection import Rejection, rejected
from projections.jurisdictions import scheme_for
from projections.questions.revised_replays import replay_answer
from projections.scheme_files import vocabulary
from projections.scheme_tables import scheme_tables
from projections.workbooks.importing import template
from schemes.problem import InvalidInput
from schemes.scheme import Scheme

MENU: Final = "scheme"
router = APIRouter(route_class=UploadRoute, include_in_schema=False)
Version = Annotated[str, Query(max_length=600, description="`id/version`; blank is the version in force.")]
Compared = Annotated[str, Query(max_length=600, description="`id/version`, or the id of a shipped scheme.")]


@router.get(f"{YEAR_PAGE}/scheme")
def show_scheme(page: PageAsked, year: YearNumber, version: Version = "") -> Response:
    """Show the scheme in force, or an older version, as its document's table, with the findings about it."""
    reference = _reference(page, year, version)
    ledgers = page.given.jurisdictions
    return page.render(
        "schemes/scheme.html",
        menu=MENU,
        told=scheme_tables(ledgers, page.code, reference),
        lint=lint_answer(ledgers.scheme(page.code, reference.digest)),
        versions=adoptions(page, year),
        choice_of=choice_of,
    )


@router.get(f"{YEAR_PAGE}/scheme/file")
def download_scheme(page: PageAsked, year: YearNumber, version: Version = "") -> Response:
    """Send the scheme file of a version, in the bytes that the ledger keeps."""
    reference = _reference(page, year, version)
    content = page.given.jurisdictions.document(page.code, reference.digest)
    return attachment(content, "application/yaml", f"{reference.id}-{reference.version}.yaml")


@router.get(f"{YEAR_PAGE}/scheme/workbook")
def download_workbook(page: PageAsked, year: YearNumber, version: Version = "") -> Response:
    """Send a version as the workbook in which a revision of it is filled in."""
    reference = _reference(page, year, version)
    content = template(vocabulary(), page.given.jurisdictions.scheme(page.code, reference.digest))
    return attachment(content, XLSX, f"{reference.id}-{reference.version}.xlsx")


@router.get(f"{YEAR_PAGE}/scheme/difference")
def show_difference(page: PageAsked, year: YearNumber, old: Compared = "", new: Compared = "") -> Response:
    """Show what one version says otherwise than another: by default, what the one in force changed."""
    choices = version_choices(page, year)
    newest = list(choices)
    old, new = old or newest[min(1, len(newest) - 1)], new or newest[0]
    context: dict[str, Any] = {"menu": MENU, "choices": choices, "old": old, "new": new}
    try:
        found = difference_answer(*(_scheme(page, year, named_scheme(page, one)) for one in (old, new)))
    except REFUSED as refused:
        return page.refuse("schemes/difference.html", refused, found=None, **context)
    return page.render("schemes/difference.html", found=found, **context)


@router.get(f"{YEAR_PAGE}/scheme/replay")
def show_replay(page: PageAsked, year: YearNumber) -> Response:
    """Show the form to choose the version that the year is replayed under."""
    return page.render("schemes/replay.html", **_form(page, year, Form()))


@router.post(f"{YEAR_PAGE}/scheme/replay")
def replay(page: PageAsked, form: FormSent, year: YearNumber) -> Response:
    """Replay the year under a version or a draft; nothing of it is recorded. A draft's errors are all shown."""
    context = _form(page, year, form)
    try:
        chosen = chosen_scheme(page, form)
        version = _scheme(page, year, chosen)
        answer = replay_answer(page.given.scores(page.code, year, None, None), version, kept=chosen.kept)
    except InvalidInput as invalid:
        context["errors"] = invalid.problems
        return page.render("schemes/replay.html", status=HTTP_422_UNPROCESSABLE_CONTENT, **context)
    except Rejection as refused:
        return page.refuse("schemes/replay.html", refused, **context)
    sentences = {change.id: change.sentence for change in answer.changes}
    return page.render("schemes/replay.html", **(context | {"answer": answer, "sentences": sentences}))


def _form(page: Page, year: int, form: Form) -> dict[str, Any]:
    return {"menu": MENU, "choices": version_choices(page, year), "form": form, "answer": None, "errors": ()}


def _reference(page: Page, year: int, version: str) -> SchemeReference:
    """Return the version, or the one in force where none is named; refuses one that the year was never under."""
    known = [one.scheme for one in adoptions(page, year)]
    if not version:
        return known[-1]
    found = kept_version(page, version)
    if found not in known:
        raise rejected("scheme-year", "version", f"found {version!r}, expected a version that {year} was under")
    return found


def _scheme(page: Page, year: int, chosen: SchemeText) -> Scheme:
    return scheme_for(page.code, chosen.text, chosen.name, year)[0]
