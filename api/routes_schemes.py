"""Schemes compared, linted, and opened at the clauses of their documents."""

from __future__ import annotations

from fastapi import APIRouter

from api.strict_bodies import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["schemes"])
