"""Signing in through an OpenID provider: whether there is one, the way to it, and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from starlette.status import HTTP_303_SEE_OTHER, HTTP_404_NOT_FOUND

from api.access.guard import COOKIE
from api.access.oidc import EXPIRY, Oidc, ProviderAnswer
from api.access.oidc_provider import CALLBACK
from api.edge import API, Given, problems
from api.problems import RefusedRequest
from api.routes.access import refuse_too_many
from api.settings import Settings
from api.strict_bodies import StrictRoute
from projections.answer_models import Answer
from schemes.problem import Problem

router = APIRouter(route_class=StrictRoute, tags=["access"])
LOGIN_COOKIE: Final = "__Host-mingzhang-oidc"
AFTER_SIGN_IN: Final = "/"
"""Where every sign-in ends: nobody chooses it."""

_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
_SENT_ON: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "The browser is sent on"},
    403: {"description": "Not signed in, and why", "content": _PROBLEM},
    404: {"description": "There is no identity provider", "content": _PROBLEM},
    422: {"description": "A parameter is wrong", "content": _PROBLEM},
    429: {"description": "Too many attempts from one address", "content": _PROBLEM},
    502: {"description": "The identity provider cannot be used now", "content": _PROBLEM},
    503: {"description": "Too many are signing in, or the database cannot be reached", "content": _PROBLEM},
}
_NEVER_KEPT: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_LONGEST: Final = 4096
_Sent = Annotated[str | None, Field(max_length=_LONGEST, description="Some providers send it; not looked at.")]


class OidcAnswer(Answer):
    """Whether people can sign in through an OpenID provider, and what it is called."""

    configured: bool
    title: str | None


class _PassedOver(BaseModel):
    """What some providers send back along with their answer; nothing depends on it."""

    error_description: _Sent = None
    error_uri: _Sent = None
    session_state: _Sent = None
    scope: _Sent = None
    authuser: _Sent = None
    hd: _Sent = None
    prompt: _Sent = None


def _configured(request: Request) -> Oidc:
    oidc = cast("Oidc | None", request.app.state.oidc)
    if oidc is None:
        message = "there is no identity provider here; sign in with a password"
        raise RefusedRequest(HTTP_404_NOT_FOUND, Problem("oidc-not-configured", "", message))
    return oidc


def _provider_answer(
    state: Annotated[str, Query(max_length=_LONGEST, description="What the login was begun with.")],
    code: Annotated[str | None, Query(max_length=_LONGEST, pattern=r"^[\x20-\x7e]+$", description="RFC 6749.")] = None,
    error: Annotated[str | None, Query(max_length=_LONGEST, description="Why the provider refuses.")] = None,
    iss: Annotated[str | None, Query(max_length=_LONGEST, description="Whose answer it is (RFC 9207).")] = None,
) -> ProviderAnswer:
    return ProviderAnswer(state, code, error, iss)


Configured = Annotated[Oidc, Depends(_configured)]


@router.get(f"{API}/oidc", response_model=OidcAnswer, responses=problems(422))
def read_oidc(request: Request) -> OidcAnswer:
    """Return whether people can sign in through an OpenID provider, and what it is called."""
    settings = cast(Settings, request.app.state.settings)
    configured = request.app.state.oidc is not None
    return OidcAnswer(configured=configured, title=settings.oidc_title if configured else None)


@router.get(f"{API}/oidc/login", status_code=HTTP_303_SEE_OTHER, response_class=Response, responses=_SENT_ON)
def begin_oidc_login(request: Request, given: Given, oidc: Configured) -> Response:
    """Send the browser to the OpenID provider to sign in; only this browser can come back from there."""
    refuse_too_many(request, given)
    begun = oidc.begin()
    response = RedirectResponse(begun.address, HTTP_303_SEE_OTHER, _NEVER_KEPT)
    seconds = EXPIRY // timedelta(seconds=1)
    response.set_cookie(LOGIN_COOKIE, begun.secret, seconds, secure=True, httponly=True, samesite="lax")
    return response


@router.get(
    CALLBACK,
    status_code=HTTP_303_SEE_OTHER,
    response_class=Response,
    responses=_SENT_ON,
    dependencies=[Depends(_PassedOver)],
)
def complete_oidc_login(
    request: Request, oidc: Configured, answer: Annotated[ProviderAnswer, Depends(_provider_answer)]
) -> Response:
    """Sign the person in whom the OpenID provider sends back, and lead to the first page."""
    token = oidc.complete(answer, request.cookies.get(LOGIN_COOKIE))
    response = RedirectResponse(AFTER_SIGN_IN, HTTP_303_SEE_OTHER, _NEVER_KEPT)
    response.delete_cookie(LOGIN_COOKIE, secure=True, httponly=True, samesite="lax")
    # Not `strict`: a browser that another site sent here would not show such a cookie at the page it is led to.
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="lax")
    return response
