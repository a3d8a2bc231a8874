"""The first page: the latest year of whoever is signed in, or what they can open."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.pages.page import PageAsked, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def home(page: PageAsked) -> Response:
    """Go to the latest year of the one jurisdiction, or list the years there are."""
    years = page.years
    if len({code for code, _, _ in years}) == 1:
        code, _, year = max(years, key=lambda one: one[2])
        return page.redirect(f"/jurisdictions/{code}/years/{year}")
    return page.render("home.html", years=years)
