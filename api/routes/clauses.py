"""Clauses of a scheme version: quoted from its official document, and opened at their place in it."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from starlette.status import HTTP_303_SEE_OTHER

from api.edge import JURISDICTION, READ, Given, JurisdictionCode
from api.replies import content_reply
from api.routes.scheme_documents import DOCUMENT, SchemeId, Version
from api.strict_bodies import StrictRoute
from ledger.rejection import rejected
from projections.answer_models import ClauseAnswer
from projections.official_documents.pages import PDF, pages
from projections.official_documents.places import clause_answers, founded_on_clause

router = APIRouter(route_class=StrictRoute, tags=["schemes"])
CLAUSE: Final = f"{JURISDICTION}/schemes/{{scheme_id}}/versions/{{version}}/clauses/{{group}}/{{indicator}}"
HTML: Final = "text/html; charset=utf-8"
GroupId = Annotated[str, Path(description="The group's id.", examples=["township"])]
IndicatorId = Annotated[str, Path(description="The indicator's id.", examples=["2.2"])]
First = Annotated[int, Query(ge=0, description="The first line to mark, from 1; 0 marks none.")]
Last = Annotated[int, Query(ge=0, description="The last line to mark.")]
OnPage = Annotated[int, Query(ge=1, description="The page of the lines to mark.")]
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}}
}
_OPENED: Final[dict[int | str, dict[str, Any]]] = {303: {"description": "Where the clause stands"}}


@router.get(CLAUSE, response_model=ClauseAnswer, responses=READ)
def read_clause(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    scheme_id: SchemeId,
    version: Version,
    group: GroupId,
    indicator: IndicatorId,
) -> Response:
    """Return the clause of a row, with its place and words in the official document of the version."""
    found = _clause(given, jurisdiction, scheme_id, version, group, indicator)
    return content_reply(request, found.model_dump_json().encode())


@router.get(f"{CLAUSE}/open", response_class=RedirectResponse, status_code=HTTP_303_SEE_OTHER, responses=READ | _OPENED)
def open_clause(
    given: Given,
    jurisdiction: JurisdictionCode,
    scheme_id: SchemeId,
    version: Version,
    group: GroupId,
    indicator: IndicatorId,
) -> Response:
    """Open the official document at the clause: a PDF at its page, a text at its line."""
    found = _clause(given, jurisdiction, scheme_id, version, group, indicator)
    # Also refuses where no document is registered.
    document = given.jurisdictions.official_document(jurisdiction, scheme_id, version)
    place = found.place
    if place is None:
        message = f"{found.clause} was not found for certain in {document.title}; open the whole document"
        raise rejected("unknown-clause", "indicator", message)
    if document.media_type == PDF:
        return RedirectResponse(f"../../../document#page={place.page}", HTTP_303_SEE_OTHER)
    marked = f"page={place.page}&first={place.first_line}&last={place.last_line}"
    return RedirectResponse(f"../../../document/lines?{marked}#L{place.page}-{place.first_line}", HTTP_303_SEE_OTHER)


@router.get(f"{DOCUMENT}/lines", response_class=Response, responses=READ | _SHOWN)
def read_lines(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    scheme_id: SchemeId,
    version: Version,
    page: OnPage = 1,
    first: First = 0,
    last: Last = 0,
) -> Response:
    """Return the official document's text as a page of numbered lines, some of them marked."""
    document = given.jurisdictions.official_document(jurisdiction, scheme_id, version)
    found = pages(document.content, document.media_type)
    html = _template().render(title=document.title, pages=found, page=page, first=first, last=last)
    return content_reply(request, html.encode(), HTML)


def _clause(given: Given, code: str, scheme_id: str, version: str, group: str, indicator: str) -> ClauseAnswer:
    reference = given.jurisdictions.registered_version(code, scheme_id, version)
    row = founded_on_clause(given.jurisdictions.scheme(code, reference.digest), group, indicator)
    [found] = clause_answers(given.jurisdictions, code, reference, [row])
    return found


@cache
def _template() -> Template:
    loader = PackageLoader("api", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("document.html")
