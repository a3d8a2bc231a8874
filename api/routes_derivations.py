"""How a total came about: the tree from the total down to events and their evidence."""

from __future__ import annotations

from fastapi import APIRouter

from api.strict_bodies import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["scores"])
