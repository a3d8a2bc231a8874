"""通知: what a unit is told; the office reads what one of the units is told."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.edge import JurisdictionCode, YearNumber
from api.pages.page import YEAR_PAGE, PageAsked, PageRoute
from ledger.decisions import local_day
from projections.notices import notices

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get(f"{YEAR_PAGE}/notices")
def show_notices(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show the notices of one's own units, or of the one that is chosen."""
    view = page.given.items(jurisdiction, year)
    own = page.given.own_units(jurisdiction)
    chosen = [view.unit_of_year(unit).key] if unit else own
    answer = None
    if chosen is not None:
        answer = notices(view.seen_by(chosen, view.state), local_day(page.given.clock()))
    query = page.request.url.query
    context: dict[str, Any] = {
        "answer": answer,
        "chosen": unit,
        "address": f"{page.path}/notices" + (f"?{query}" if query else ""),
    }
    if page.is_fragment:
        return page.fragment("notices/list.html", **context)
    units = [one.name_on(view.as_of) for one in view.state.units.values() if view.shows(one.key)]
    return page.render("notices/notices.html", menu="notices", units=units, may_choose=own is None, **context)
