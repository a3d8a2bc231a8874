"""推导: how a unit's total, rank and grade came about, as a tree that folds; and what would be without each fact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from markupsafe import Markup

from api.documents.derivation_html import derivation_html
from api.edge import AsOf, JurisdictionCode, KnownAt, UnitName, YearNumber
from api.pages.evidence_fields import visible_files
from api.pages.page import YEAR_PAGE, PageAsked, PageRoute
from api.pages.units import derivation_address, fact_words, not_released
from ledger.rejection import Rejection
from projections.questions.derivation_models import NodeAnswer
from projections.questions.derivations import derivation_of, only_row, with_clauses
from projections.questions.what_ifs import without_each_answer

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Row = Annotated[str, Query(max_length=200)]


@router.get(f"{YEAR_PAGE}/derivations/{{unit:path}}")
def show_derivation(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitName,
    row: Row = "",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    what_if: Literal["", "yes"] = "",
) -> Response:
    """Show the derivation of a unit's result, or of one row; with `what_if` also what each fact is worth.

    What each fact is worth can take seconds where many of them move nothing: it is worked out when it is asked for.
    """
    try:
        view = page.given.scores(jurisdiction, year, as_of, known_at)
    except Rejection as refused:
        return not_released(page, refused)
    found = view.unit(unit)
    answer = with_clauses(page.given.jurisdictions, derivation_of(view, found))
    if row:
        answer = only_row(answer, row)
    without = without_each_answer(view, found) if what_if else None
    context: dict[str, Any] = {
        "unit": answer.unit,
        "row": row,
        "view": view,
        "address": derivation_address(page, view, answer.unit),
        "fact_words": fact_words(view),
        "without": without,
        "numbers": {one.observation: at for at, one in enumerate(without.observations, 1)} if without else {},
    }
    if page.is_fragment:
        return page.fragment("derivations/without.html", **context)
    visible = visible_files(page, list(dict.fromkeys(_files(answer.tree))))
    files = {file: f"/api/v1/jurisdictions/{jurisdiction}/evidence/{file}/content" for file in visible}
    tree = Markup(derivation_html(answer, page.path, files))  # noqa: S704  # escaped by its own template
    return page.render("derivations/derivation.html", menu="units", tree=tree, **context)


def _files(node: NodeAnswer) -> Iterator[str]:
    """Yield the stored files that the tree names."""
    if node.operator == "evidence" and node.inputs["file"] is not None:
        yield node.inputs["file"]
    for child in node.children:
        yield from _files(child)
