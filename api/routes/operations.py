"""For those who run the server: health, figures, and the documentation of the API, served whole from here."""

from __future__ import annotations

import logging
from importlib.resources import files
from typing import Final, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.status import HTTP_503_SERVICE_UNAVAILABLE

from api.edge import Given, problems
from api.problems import problem_response
from api.strict_bodies import StrictRoute
from ledger.database import schema_is_current
from schemes.problem import Problem

router = APIRouter(route_class=StrictRoute, tags=["operations"])
STATIC: Final = files("api") / "static"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_NOT_READY: Final = problems()[503] | {"description": "Not ready, and why"}
_logger = logging.getLogger("mingzhang.http")


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


@router.get("/health/live", response_model=Health, responses=problems(422))
def live() -> Health:
    """Whether the process answers."""
    return Health()


@router.get("/health/ready", response_model=Health, responses=problems(422) | {503: _NOT_READY})
def ready(given: Given) -> Health | Response:
    """Whether the database answers and has the schema that this program was written for."""
    try:
        current = schema_is_current(given.jurisdictions.engine)
    except SQLAlchemyError as error:
        _logger.warning("the database does not answer: %s", type(error).__name__)
        problem = Problem("database-unavailable", "database", "the database does not answer")
        return problem_response(HTTP_503_SERVICE_UNAVAILABLE, [problem])
    if not current:
        problem = Problem("schema-not-current", "database", "the schema is another version's; migrate it")
        return problem_response(HTTP_503_SERVICE_UNAVAILABLE, [problem])
    return Health()


@router.get(
    "/metrics",
    response_class=Response,
    responses=problems(422)
    | {200: {"description": "Figures for Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(given: Given) -> Response:
    """Return the server's figures in the text format that Prometheus reads."""
    return Response(given.metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/docs", include_in_schema=False)
def documentation() -> Response:
    """Return the page of the API's documentation."""
    page = (STATIC / "documentation" / "index.html").read_bytes()
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": _POLICY})
