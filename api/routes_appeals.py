"""Appeals and claims of units, and the closing of years."""

from __future__ import annotations

from fastapi import APIRouter

from api.strict_bodies import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["appeals"])
