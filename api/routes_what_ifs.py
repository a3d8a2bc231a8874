"""What would be if: without observations, with others, under another version of the scheme."""

from __future__ import annotations

from fastapi import APIRouter

from api.strict_bodies import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["scores"])
