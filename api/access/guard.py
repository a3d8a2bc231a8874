"""What every request to a route passes first: from our own pages, of somebody we know, who may do this.

1. A request that may change something, and does not carry a token, must come from our own pages or from no page: by
   Sec-Fetch-Site, else by Origin (OWASP, cross-site request forgery). A token is sent by a program, never by a browser
   on its own.
2. `Authorization: Bearer` names an API token; else the cookie names a session. What is named must be valid.
3. While a one-time password is in force, only the routes of the session itself answer, so that it can be changed.
4. Pages are for people: an API token that is bounded by scopes opens none, because a page shows what several need.
5. The table of routes says what is needed (`api.access.permissions`); whoever lacks it is refused, and that is logged,
   before anything is looked up: what is there and what is not looks the same.
"""

from __future__ import annotations

import logging
from typing import Final, cast

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.status import HTTP_401_UNAUTHORIZED, HTTP_403_FORBIDDEN

from api.access.access import Access
from api.access.pages import PAGES
from api.access.permissions import Permission, may
from api.access.principals import Principal
from api.problems import RefusedRequest
from schemes.problem import Problem

COOKIE: Final = "__Host-mingzhang"
"""The session's cookie: the prefix makes browsers take it over TLS (or from localhost), for this host and all paths."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="mingzhang"'}
_SESSION: Final = frozenset({"/api/v1/session", "/api/v1/session/password", "/password", "/sign-out"})
_logger = logging.getLogger("mingzhang.access")


async def admit(request: Request, route: str, needed: Permission | None) -> None:
    """Let the request pass, with who sends it as `request.state.principal`; raises `RefusedRequest` (401, 403)."""
    principal = await _bearer(request)
    if principal is None and request.method not in _SAFE:
        _refuse_other_sites(request)
    if needed == "open":
        return
    if principal is None:
        principal = await _session(request)
    if principal is None:
        message = "sign in, or send an API token as `Authorization: Bearer …`"
        problem = Problem("sign-in-needed", "Authorization", message)
        raise RefusedRequest(HTTP_401_UNAUTHORIZED, problem, _CHALLENGE)
    request.state.principal = principal
    if principal.must_change and route not in _SESSION:
        message = "a one-time password is in force: choose another at POST /api/v1/session/password, then go on"
        raise RefusedRequest(HTTP_403_FORBIDDEN, Problem("password-must-change", "", message))
    bounded = principal.scopes is not None and (request.method, route) in PAGES
    if bounded or needed is None or not may(principal, needed, request.path_params.get("jurisdiction")):
        _logger.warning("refused %s %s to account %s: needs %s", request.method, route, principal.account, needed)
        await run_in_threadpool(
            _access(request).log_refusal, principal, f"{request.method} {route}", needed=str(needed)
        )
        problem = Problem("not-allowed", "", f"your account may not do this; it needs the permission {needed}")
        raise RefusedRequest(HTTP_403_FORBIDDEN, problem)


async def _bearer(request: Request) -> Principal | None:
    """Return whose token the request carries, None where it carries none; refuses one that is not valid."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    found = None
    if scheme.lower() == "bearer":
        found = await run_in_threadpool(_access(request).authenticate_token, token.strip())
    if found is None:
        _logger.warning("refused a token that is not valid")
        problem = Problem("token-not-valid", "Authorization", "expected `Bearer` and an API token that is valid")
        raise RefusedRequest(HTTP_401_UNAUTHORIZED, problem, _CHALLENGE)
    return found


async def _session(request: Request) -> Principal | None:
    token = request.cookies.get(COOKIE)
    return None if token is None else await run_in_threadpool(_access(request).authenticate_session, token)


def _refuse_other_sites(request: Request) -> None:
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        # Browsers that send neither are older than any that takes the cookie; programs send neither, and no cookie.
        own = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not own:
        _logger.warning("refused a request from another site: %s %s", site, request.method)
        problem = Problem("other-site", "Origin", "a page of another site may not send this; use our own pages")
        raise RefusedRequest(HTTP_403_FORBIDDEN, problem)


def _access(request: Request) -> Access:
    return cast("Access", request.app.state.edge.access)
