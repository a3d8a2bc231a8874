"""Proof bundles: one file that proves a unit's score to somebody who has neither server nor database."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.status import HTTP_403_FORBIDDEN

from api.access.permissions import may
from api.edge import READ, YEAR, AsOf, Given, JurisdictionCode, KnownAt, UnitName, YearNumber, problems
from api.problems import RefusedRequest
from api.replies import JSON, content_reply
from api.strict_bodies import StrictRoute
from projections.bundles.format import Mode
from projections.bundles.making import make_bundle
from schemes.problem import Problem

router = APIRouter(route_class=StrictRoute, tags=["proofs"])

ModeAsked = Annotated[
    Mode,
    Query(
        description="`unit`: the entries of that unit, each with its proof; rank is not claimed. "
        "`year`: all entries of the ledger, which proves that none is missing."
    ),
]
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The bundle", "content": {JSON: {"schema": {"type": "object"}}}}
}


@router.get(f"{YEAR}/bundles/{{unit:path}}", response_class=Response, responses={**READ, **problems(409), **_FILE})
def read_bundle(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    unit: UnitName,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    mode: ModeAsked = "unit",
) -> Response:
    """Return the file that proves a unit's score: scheme, entries' bytes, proofs, signed head, sheet and derivation.

    `mingzhang verify` checks it offline. With `mode=year` it holds every entry of the ledger, for auditors.
    """
    if mode == "year" and not may(given.asking, "entries.read", jurisdiction):
        problem = Problem("not-allowed", "mode", "all entries of the ledger are for auditors; ask for `mode=unit`")
        raise RefusedRequest(HTTP_403_FORBIDDEN, problem)
    file = make_bundle(given.jurisdictions, given.proofs(jurisdiction), jurisdiction, year, unit, as_of, known_at, mode)
    reply = content_reply(request, file)
    reply.headers["Content-Disposition"] = f'attachment; filename="bundle-{jurisdiction}-{year}-{mode}.json"'
    return reply
