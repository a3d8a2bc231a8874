"""The first page: the latest year of whoever is signed in, or what they can open."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.access.permissions import may
from api.pages.page import PageAsked, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def home(page: PageAsked) -> Response:
    """Go to the latest year of the one jurisdiction, or list the years there are."""
    years = page.years
    if len({code for code, _, _ in years}) == 1:
        code, _, year = max(years, key=lambda one: one[2])
        return page.redirect(f"/jurisdictions/{code}/years/{year}")
    codes = dict.fromkeys(one.jurisdiction for one in page.given.asking.grants if one.jurisdiction is not None)
    opening = [code for code in codes if may(page.given.asking, "years.manage", code)]
    return page.render("home.html", years=years, opening=opening)
