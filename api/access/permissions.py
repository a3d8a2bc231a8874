"""Who may what: what each role may do, and what each route needs. One table of each; what is in neither is refused.

Rules kept here:

1. Administrators manage accounts, and neither write events nor see scores.
2. A unit's account does what it does for its own unit only; that is held where things are looked up
   (`api.edge`, `projections.years.YearView.seen_by`), so that what is another's is as if it were not there.
3. Auditors read everything, down to the bytes of entries, and write nothing.
4. A route that is not in the table is refused to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from api.access.pages import PAGES
from api.access.principals import Principal, Role

Permission = Literal[
    "open",
    "signed-in",
    "reference.read",
    "years.read",
    "years.manage",
    "years.close",
    "items.read",
    "scores.read",
    "own-scores.read",
    "observations.record",
    "evidence.store",
    "evidence.read",
    "evidence.erase",
    "proposals.read",
    "proposals.approve",
    "proposals.decline",
    "appeals.file",
    "appeals.handle",
    "appeals.decide",
    "proofs.read",
    "entries.read",
    "accounts.manage",
    "access-log.read",
    "metrics.read",
]
_ALL: Final[frozenset[Permission]] = frozenset({"open", "signed-in", "reference.read"})
_OFFICE: Final[frozenset[Permission]] = _ALL | {
    "years.read",
    "items.read",
    "scores.read",
    "own-scores.read",
    "evidence.store",
    "evidence.read",
    "proposals.read",
    "proposals.decline",
    "proofs.read",
}
MAY: Final[Mapping[Role, frozenset[Permission]]] = {
    "recorder": _OFFICE | {"observations.record", "appeals.file"},
    "reviewer": _OFFICE | {"years.manage", "appeals.handle", "appeals.decide", "proposals.approve", "evidence.erase"},
    "leader": _OFFICE | {"years.manage", "years.close", "appeals.decide", "proposals.approve", "evidence.erase"},
    "unit": _ALL
    | {"years.read", "items.read", "own-scores.read", "appeals.file", "evidence.store", "evidence.read", "proofs.read"},
    "auditor": _ALL
    | {
        "years.read",
        "items.read",
        "scores.read",
        "own-scores.read",
        "evidence.read",
        "proposals.read",
        "proofs.read",
        "entries.read",
        "access-log.read",
    },
    "administrator": _ALL | {"accounts.manage", "access-log.read", "metrics.read"},
}
"""What each role may do, in its jurisdiction; a unit in its own matters only."""

_J: Final = "/api/v1/jurisdictions/{jurisdiction}"
_Y: Final = f"{_J}/years/{{year}}"
_O: Final = f"{_J}/observations/{{observation}}"
_V: Final = f"{_J}/schemes/{{scheme_id}}/versions/{{version}}"
_P: Final = f"{_Y}/{{kinds}}/{{proceeding}}"
_C: Final = f"{_V}/clauses/{{group}}/{{indicator}}"

ROUTES: Final[Mapping[tuple[str, str], Permission]] = {
    ("GET", "/health/live"): "open",
    ("GET", "/health/ready"): "open",
    ("GET", "/metrics"): "metrics.read",
    ("GET", "/docs"): "open",
    ("GET", "/api/v1/vocabulary"): "reference.read",
    ("GET", "/api/v1/scheme-format"): "reference.read",
    ("GET", "/api/v1/schemes"): "reference.read",
    ("POST", "/api/v1/schemes/validate"): "reference.read",
    ("POST", "/api/v1/schemes/difference"): "reference.read",
    ("POST", "/api/v1/schemes/lint"): "reference.read",
    ("GET", "/api/v1/schemes/{scheme}"): "reference.read",
    ("GET", "/api/v1/schemes/{scheme}/document"): "reference.read",
    ("GET", "/api/v1/schemes/{scheme}/summary"): "reference.read",
    ("GET", "/api/v1/jurisdictions"): "signed-in",
    ("GET", _J): "years.read",
    ("GET", f"{_J}/years"): "years.read",
    ("POST", f"{_J}/years"): "years.manage",
    ("GET", _Y): "years.read",
    ("GET", f"{_Y}/units"): "years.read",
    ("POST", f"{_Y}/units"): "years.manage",
    ("POST", f"{_Y}/units/{{unit:path}}/leave"): "years.manage",
    ("POST", f"{_Y}/units/{{unit:path}}/rename"): "years.manage",
    ("GET", f"{_Y}/schemes"): "years.read",
    ("POST", f"{_Y}/schemes"): "years.close",
    ("POST", f"{_Y}/terms"): "years.manage",
    ("POST", f"{_Y}/close"): "years.close",
    ("POST", f"{_Y}/reopen"): "years.close",
    ("POST", f"{_Y}/release"): "years.close",
    ("GET", f"{_Y}/closings"): "scores.read",
    ("GET", f"{_Y}/closings/{{number}}/sheets"): "scores.read",
    ("GET", f"{_V}/document"): "years.read",
    ("POST", f"{_V}/document"): "years.manage",
    ("GET", f"{_V}/document/lines"): "years.read",
    ("GET", _C): "years.read",
    ("GET", f"{_C}/open"): "years.read",
    ("POST", f"{_Y}/observations"): "observations.record",
    ("POST", f"{_Y}/observations/batch"): "observations.record",
    ("GET", f"{_Y}/observations"): "items.read",
    ("GET", _O): "items.read",
    ("POST", f"{_O}/amend"): "observations.record",
    ("POST", f"{_O}/void"): "observations.record",
    ("POST", f"{_O}/rectify"): "observations.record",
    ("GET", f"{_Y}/sheets"): "scores.read",
    ("GET", f"{_Y}/sheets/{{unit:path}}"): "own-scores.read",
    ("GET", f"{_Y}/ranking"): "scores.read",
    ("GET", f"{_Y}/history/{{unit:path}}"): "own-scores.read",
    ("GET", f"{_Y}/derivations/{{unit:path}}"): "own-scores.read",
    ("GET", f"{_Y}/what-if/{{unit:path}}"): "own-scores.read",
    ("POST", f"{_Y}/what-if/{{unit:path}}"): "scores.read",
    ("POST", f"{_Y}/replay"): "scores.read",
    ("POST", f"{_Y}/appeals"): "appeals.file",
    ("GET", f"{_Y}/appeals"): "items.read",
    ("GET", f"{_Y}/appeals/{{proceeding}}"): "items.read",
    ("POST", f"{_Y}/appeals/{{proceeding}}/decide"): "appeals.decide",
    ("POST", f"{_Y}/claims"): "appeals.file",
    ("GET", f"{_Y}/claims"): "items.read",
    ("GET", f"{_Y}/claims/{{proceeding}}"): "items.read",
    ("POST", f"{_Y}/claims/{{proceeding}}/decide"): "appeals.decide",
    ("POST", f"{_P}/return"): "appeals.handle",
    ("POST", f"{_P}/complete"): "appeals.file",
    ("POST", f"{_P}/accept"): "appeals.handle",
    ("POST", f"{_P}/review"): "appeals.handle",
    ("POST", f"{_P}/withdraw"): "appeals.file",
    ("GET", f"{_P}/dossier"): "scores.read",
    ("GET", f"{_J}/proposals"): "proposals.read",
    ("GET", f"{_J}/proposals/{{proposal}}"): "proposals.read",
    ("POST", f"{_J}/proposals/{{proposal}}/approve"): "proposals.approve",
    ("POST", f"{_J}/proposals/{{proposal}}/decline"): "proposals.decline",
    ("POST", f"{_J}/evidence"): "evidence.store",
    ("GET", f"{_J}/evidence/{{file}}"): "evidence.read",
    ("GET", f"{_J}/evidence/{{file}}/content"): "evidence.read",
    ("POST", f"{_J}/evidence/{{file}}/erase"): "evidence.erase",
    ("GET", f"{_J}/checkpoint"): "proofs.read",
    ("GET", f"{_J}/verifier-key"): "proofs.read",
    ("GET", f"{_J}/proof/inclusion"): "proofs.read",
    ("GET", f"{_J}/proof/consistency"): "proofs.read",
    ("GET", f"{_J}/entries"): "entries.read",
    ("GET", f"{_J}/entries/{{position}}/bytes"): "entries.read",
    ("GET", f"{_Y}/bundles/{{unit:path}}"): "scores.read",
    ("POST", "/api/v1/session"): "open",
    ("GET", "/api/v1/session"): "signed-in",
    ("DELETE", "/api/v1/session"): "signed-in",
    ("POST", "/api/v1/session/password"): "signed-in",
    ("GET", "/api/v1/tokens"): "signed-in",
    ("POST", "/api/v1/tokens"): "signed-in",
    ("DELETE", "/api/v1/tokens/{prefix}"): "signed-in",
    ("GET", "/api/v1/accounts"): "accounts.manage",
    ("POST", "/api/v1/accounts"): "accounts.manage",
    ("POST", "/api/v1/accounts/{name}/disable"): "accounts.manage",
    ("POST", "/api/v1/accounts/{name}/enable"): "accounts.manage",
    ("POST", "/api/v1/accounts/{name}/reset-password"): "accounts.manage",
    ("POST", "/api/v1/accounts/{name}/grants"): "accounts.manage",
    ("POST", "/api/v1/accounts/{name}/revoke"): "accounts.manage",
    ("DELETE", "/api/v1/accounts/{name}/sessions"): "accounts.manage",
    ("GET", "/api/v1/access-log"): "access-log.read",
    ("GET", "/api/v1/oidc"): "open",
    ("GET", "/api/v1/oidc/login"): "open",
    ("GET", "/api/v1/oidc/callback"): "open",
    **PAGES,
}
"""What a request to each route needs, by its method and the route's path; those of pages are in `api.access.pages`."""


def may(principal: Principal, permission: Permission, jurisdiction: str | None) -> bool:
    """Whether the account may do that: in the jurisdiction, or, where None is named, because of any of its roles."""
    if principal.scopes is not None and permission not in principal.scopes:
        return False
    if permission == "signed-in":
        return True
    grants = principal.grants
    if jurisdiction is not None:
        grants = tuple(one for one in grants if one.jurisdiction == jurisdiction)
    return any(permission in MAY[one.role] for one in grants)


def sees_own_only(principal: Principal, jurisdiction: str) -> bool:
    """Whether the account speaks for units there, and has no role that sees all of them."""
    roles = principal.roles_in(jurisdiction)
    return not any("scores.read" in MAY[role] for role in roles)
