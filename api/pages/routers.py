"""The routers of all pages, in the order in which addresses are matched."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from api.pages import home, sign_in

PAGE_ROUTERS: Final[tuple[APIRouter, ...]] = (
    home.router,
    sign_in.router,
)
