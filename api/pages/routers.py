"""The routers of all pages, in the order in which addresses are matched."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from api.pages import (
    approvals,
    calendar,
    derivations,
    home,
    ledger,
    live,
    me,
    notices,
    observations,
    overview,
    papers,
    proceeding_filing,
    proceedings,
    recording,
    schemes,
    sign_in,
    system,
    units,
    verification,
    workbooks,
    years,
)

PAGE_ROUTERS: Final[tuple[APIRouter, ...]] = (
    home.router,
    sign_in.router,
    overview.router,
    live.router,
    notices.router,
    schemes.router,
    years.router,
    years.uploads,
    papers.router,
    ledger.router,
    verification.router,
    verification.uploads,
    system.router,
    me.router,
    calendar.router,
    units.router,
    derivations.router,
    proceeding_filing.router,
    proceeding_filing.uploads,
    proceedings.router,
    proceedings.uploads,
    approvals.router,
    recording.router,
    recording.uploads,
    observations.router,
    observations.uploads,
    workbooks.router,
    workbooks.uploads,
)
