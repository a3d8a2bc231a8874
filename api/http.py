"""The HTTP edge: one FastAPI application over the ledgers. Routes read their input, call one service, and return.

Routes are plain functions, which FastAPI runs in threads: everything below them blocks. Every route is one of
`api.strict_bodies.StrictRoute`, which lets nobody pass but whom the table of permissions names.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI

from api.access.access import Access
from api.access.guard import COOKIE
from api.access.oidc import open_oidc
from api.access.permissions import ROUTES
from api.custody import Custody
from api.edge import Clock, Edge
from api.metrics import Metrics
from api.pages.import_jobs import ImportJobs
from api.pages.refusals import refusal_page
from api.pages.routers import PAGE_ROUTERS
from api.problems import ProblemDetails, add_problem_handlers
from api.requests import Requests
from api.routes import access as access_routes
from api.routes import (
    appeals,
    bundles,
    clauses,
    derivations,
    dossiers,
    evidence,
    observations,
    oidc,
    operations,
    proofs,
    proposals,
    reference,
    schemes,
    views,
    what_ifs,
    years,
)
from api.settings import Settings
from api.static_files import static_files
from projections.jurisdictions import Jurisdictions

_DESCRIPTION = """\
An auditable ledger and scoring engine for yearly open-government assessments of Chinese counties.

Observations are facts with evidence and carry no points; a scheme, which is data, says what they are worth. Nothing is
changed or removed: later entries amend, void or rectify earlier ones, and every sheet can be asked for as of any day
(`as_of`) and as known at any moment (`known_at`).

Points are decimal strings ("92.5"). Everything that is recorded takes an `Idempotency-Key`. Errors are problem details
(RFC 9457) with stable codes; reads carry an `ETag`.

Sign in at `/api/v1/session`, or send an API token as `Authorization: Bearer …`. What a veto, a forfeit or discretion
rests on, voids and decisions are proposals until a second person has approved them: until then they score nothing.
"""

_TAGS = {
    "observations": "Facts about units, with evidence; what is recorded is never changed, only spoken of again.",
    "scores": "Where every unit stands, and how it got there.",
    "proposals": "What takes effect only with a second person's approval.",
    "evidence": "Files that entries rest on: stored encrypted, named by a commitment, never changed.",
    "proofs": "What convinces an auditor who trusts nobody: checkpoints, proofs, the bytes of entries, bundles.",
    "access": "Who is who: sessions, accounts, roles, tokens.",
    "appeals": "What units dispute or claim, and how it was decided; closing and reopening a year.",
    "years": "Jurisdictions and their years.",
    "units": "The units of a year.",
    "schemes": "Schemes and what they are written in.",
    "operations": "For those who run the server.",
}


_SCHEMES: Final[dict[str, Any]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, which its account makes at `/api/v1/tokens`.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The cookie that signing in sets. A request with it must come from this server's own pages.",
    },
}


class _Documented(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, with the shape of problem details, and with what each route needs.

        A requirement names the permission, which is a scope of API tokens too; a route without any is open.
        """
        document = super().openapi()
        problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= {**problem.pop("$defs"), "ProblemDetails": problem}
        document["components"]["securitySchemes"] = _SCHEMES
        for (method, path), needed in ROUTES.items():
            operation = document["paths"].get(path.replace(":path", ""), {}).get(method.lower())
            if operation is not None:
                scopes = [] if needed == "signed-in" else [needed]
                required = [] if needed == "open" else [{name: scopes} for name in _SCHEMES]
                operation.setdefault("security", required)
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
    engine, random_bytes = jurisdictions.engine, jurisdictions.random_bytes
    access = Access(engine, clock, random_bytes, settings.session_hours)
    app.state.edge = Edge(jurisdictions, clock, metrics, access, Custody(engine, settings, random_bytes))
    app.state.imports = ImportJobs()
    app.state.oidc = open_oidc(engine, clock, random_bytes, access, settings)
    add_problem_handlers(app, refusal_page)
    app.add_middleware(Requests, metrics=metrics)
    for router in (
        years.router,
        observations.batches,
        observations.router,
        proposals.router,
        views.router,
        derivations.router,
        what_ifs.router,
        appeals.router,
        dossiers.router,
        schemes.router,
        clauses.router,
        evidence.router,
        proofs.router,
        bundles.router,
        access_routes.router,
        oidc.router,
        reference.router,
        operations.router,
    ):
        app.include_router(router)
    for pages in PAGE_ROUTERS:
        app.include_router(pages)
    app.mount("/static", static_files(), name="static")
    return app
