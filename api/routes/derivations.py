"""How a total came about: the tree from the total down to events and their evidence."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.documents.derivation_html import derivation_html
from api.documents.derivation_text import derivation_text
from api.edge import READ, YEAR, Given, JurisdictionCode, UnitName, ViewAsked
from api.replies import content_reply, view_reply
from api.strict_bodies import StrictRoute
from projections.questions.derivation_models import DerivationAnswer
from projections.questions.derivations import derivation_of, kept_version, with_clauses

router = APIRouter(route_class=StrictRoute, tags=["scores"])

SchemeId = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Under a version of this scheme that the ledger keeps; with `scheme_version`.",
        openapi_examples={"zhangshu-2021": {"value": "zhangshu-2021"}},
    ),
]
SchemeVersionName = Annotated[
    str | None,
    Query(max_length=200, description="The version; with `scheme_id`.", openapi_examples={"1": {"value": "1"}}),
]
Shape = Annotated[
    Literal["json", "html", "text"],
    Query(alias="format", description="`html` is a fragment of a page, `text` indented lines; both in Chinese."),
]
_SHAPES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/html": {"schema": {"type": "string"}}, "text/plain": {"schema": {"type": "string"}}}}
}


@router.get(f"{YEAR}/derivations/{{unit:path}}", response_model=DerivationAnswer, responses=READ | _SHAPES)
def read_derivation(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    view: ViewAsked,
    unit: UnitName,
    scheme_id: SchemeId = None,
    scheme_version: SchemeVersionName = None,
    shape: Shape = "json",
) -> Response:
    """Return how a unit's total, rank and grade came about: each step with its inputs, its value and a sentence.

    The tree goes from the total over sections, indicators and rules to facts, entries of the ledger and evidence, and
    shows what did not fire. Every value can be worked out again from its children and inputs; but an account that
    speaks for a unit is told of others' figures only how many there are and what they come to.
    """
    found = view.unit(unit)
    version = kept_version(given.jurisdictions, jurisdiction, scheme_id, scheme_version, view)

    def answer() -> DerivationAnswer:
        return with_clauses(given.jurisdictions, derivation_of(view, found, version))

    match shape:
        case "json":
            return view_reply(request, view, answer)
        case "html":
            html = derivation_html(answer())
            return content_reply(request, html.encode(), "text/html; charset=utf-8")
        case "text":
            text = derivation_text(answer())
            return content_reply(request, text.encode(), "text/plain; charset=utf-8")
