"""The HTTP edge: one FastAPI application over the ledgers. Routes read their input, call one service, and return.

Routes are plain functions, which FastAPI runs in threads: everything below them blocks. There is no access control yet,
so the application is served on loopback only (`api.serving`).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.edge import Clock, Edge
from api.metrics import Metrics
from api.problems import ProblemDetails, add_problem_handlers
from api.requests import Requests
from api.routes import (
    appeals,
    clauses,
    derivations,
    dossiers,
    observations,
    operations,
    reference,
    schemes,
    views,
    what_ifs,
    years,
)
from api.settings import Settings
from projections.jurisdictions import Jurisdictions

_DESCRIPTION = """\
An auditable ledger and scoring engine for yearly open-government assessments of Chinese counties.

Observations are facts with evidence and carry no points; a scheme, which is data, says what they are worth. Nothing is
changed or removed: later entries amend, void or rectify earlier ones, and every sheet can be asked for as of any day
(`as_of`) and as known at any moment (`known_at`).

Points are decimal strings ("92.5"). Everything that is recorded takes an `Idempotency-Key`. Errors are problem details
(RFC 9457) with stable codes; reads carry an `ETag`. There is no access control yet: the server listens on
loopback only.
"""

_TAGS = {
    "observations": "Facts about units, with evidence; what is recorded is never changed, only spoken of again.",
    "scores": "Where every unit stands, and how it got there.",
    "appeals": "What units dispute or claim, and how it was decided; closing and reopening a year.",
    "years": "Jurisdictions and their years.",
    "units": "The units of a year.",
    "schemes": "Schemes and what they are written in.",
    "operations": "For those who run the server.",
}


class _Documented(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, with the shape of problem details, which all routes refer to."""
        document = super().openapi()
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**problem.pop("$defs"), "ProblemDetails": problem}
        return document


def create_app(jurisdictions: Jurisdictions, settings: Settings, clock: Clock) -> FastAPI:
    """Return the application over these ledgers; who made them closes them."""
    metrics = Metrics(jurisdictions)
    app = _Documented(
        title="明账 mingzhang",
        description=_DESCRIPTION,
        version=version("mingzhang"),
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.edge = Edge(jurisdictions, clock, metrics)
    add_problem_handlers(app)
    app.add_middleware(Requests, metrics=metrics)
    for router in (
        years.router,
        observations.batches,
        observations.router,
        views.router,
        derivations.router,
        what_ifs.router,
        appeals.router,
        dossiers.router,
        schemes.router,
        clauses.router,
        reference.router,
        operations.router,
    ):
        app.include_router(router)
    app.mount("/static", StaticFiles(packages=[("api", "static")]), name="static")
    return app
