"""Signing in and out, accounts and what they are granted, API tokens, and the log of who was let in."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query, Request, Response
from starlette.status import (
    HTTP_204_NO_CONTENT,
    HTTP_403_FORBIDDEN,
    HTTP_413_CONTENT_TOO_LARGE,
    HTTP_429_TOO_MANY_REQUESTS,
)

from api.access.answers import (
    AccessLogPage,
    AccountAnswer,
    NewToken,
    OneTimePassword,
    TokenAnswer,
    WhoAnswer,
)
from api.access.guard import COOKIE
from api.access.principals import Principal
from api.access.tokens import TokenWish
from api.cursors import position_of
from api.edge import API, Edge, Given, problems
from api.problems import RefusedRequest
from api.replies import content_reply
from api.routes.access_bodies import (
    CHANGE_PASSWORD,
    CREATE_ACCOUNT,
    GRANT,
    NEW_TOKEN,
    REVOKE,
    SIGN_IN,
    ChangePassword,
    CreateAccount,
    GrantBody,
    SignIn,
)
from api.strict_bodies import StrictRoute
from projections.answer_models import Answer
from schemes.problem import Problem

router = APIRouter(route_class=StrictRoute, tags=["access"])

ACCOUNT: Final = f"{API}/accounts/{{name}}"
LARGEST_PAGE: Final = 500
_LIST: Final = problems(304, 422)
_DONE: Final = problems(404, 409, 422)
_CHANGED: Final = problems(400, 404, 409, 413, 415, 422)
_TRIED: Final[dict[int | str, dict[str, Any]]] = {
    **problems(400, 413, 415, 422),
    HTTP_429_TOO_MANY_REQUESTS: problems(HTTP_413_CONTENT_TOO_LARGE)[HTTP_413_CONTENT_TOO_LARGE]
    | {"description": "Too many attempts from this address; `Retry-After` says when to try again"},
}
_SESSION_ONLY: Final[dict[str, Any]] = {"security": [{"session": []}]}
AccountName = Annotated[str, Path(description="The account's name.", examples=["登记员"])]


class Accounts(Answer):
    """All accounts, by name."""

    accounts: list[AccountAnswer]


class Tokens(Answer):
    """The API tokens of an account, the oldest first."""

    tokens: list[TokenAnswer]


@router.post(f"{API}/session", response_model=WhoAnswer, responses=_TRIED)
def sign_in(
    request: Request, response: Response, given: Given, body: Annotated[SignIn, Body(openapi_examples=SIGN_IN)]
) -> WhoAnswer:
    """Sign in. The session is in a cookie that only this host gets, over TLS, and no script can read."""
    refuse_too_many(request, given)
    token = given.access.sign_in(body.name, body.password)
    given.access.sign_out(request.cookies.get(COOKIE, ""))
    return _signed_in(response, given, token)


@router.get(f"{API}/session", response_model=WhoAnswer, responses=_LIST)
def read_session(request: Request, given: Given) -> Response:
    """Return who sends this request, and what is granted to them."""
    return content_reply(request, given.access.who(given.asking).model_dump_json().encode())


@router.delete(f"{API}/session", status_code=HTTP_204_NO_CONTENT, responses=problems(422), openapi_extra=_SESSION_ONLY)
def sign_out(request: Request, response: Response, given: Given) -> None:
    """End this session."""
    by_session(given)
    given.access.sign_out(request.cookies.get(COOKIE, ""))
    forget_session(response)


@router.post(f"{API}/session/password", response_model=WhoAnswer, responses=_TRIED, openapi_extra=_SESSION_ONLY)
def change_password(
    request: Request,
    response: Response,
    given: Given,
    body: Annotated[ChangePassword, Body(openapi_examples=CHANGE_PASSWORD)],
) -> WhoAnswer:
    """Change one's own password: all sessions of the account end, and a new one begins with this answer."""
    who = by_session(given)
    refuse_too_many(request, given)
    return _signed_in(response, given, given.access.change_password(who.name, body.old, body.new))


@router.get(f"{API}/accounts", response_model=Accounts, responses=_LIST)
def list_accounts(request: Request, given: Given) -> Response:
    """List all accounts, with what they are granted. The same `person` is the same human."""
    return content_reply(request, Accounts(accounts=given.access.accounts()).model_dump_json().encode())


@router.post(f"{API}/accounts", response_model=OneTimePassword, responses=_CHANGED)
def create_account(
    response: Response, given: Given, body: Annotated[CreateAccount, Body(openapi_examples=CREATE_ACCOUNT)]
) -> OneTimePassword:
    """Make an account. Its one-time password is shown this once, and has to be changed at the first sign-in."""
    _not_stored(response)
    granted = [one.grant for one in body.grants]
    return given.access.create_account(given.asking, body.name, granted, body.same_person_as, body.with_password)


@router.post(f"{ACCOUNT}/disable", response_model=AccountAnswer, responses=_DONE)
def disable_account(given: Given, name: AccountName) -> AccountAnswer:
    """Disable an account: its sessions and tokens end at once. The last administrator cannot be disabled."""
    given.access.disable(given.asking, name)
    return given.access.account(name)


@router.post(f"{ACCOUNT}/enable", response_model=AccountAnswer, responses=_DONE)
def enable_account(given: Given, name: AccountName) -> AccountAnswer:
    """Let a disabled or locked account sign in again."""
    given.access.enable(given.asking, name)
    return given.access.account(name)


@router.post(f"{ACCOUNT}/reset-password", response_model=OneTimePassword, responses=_DONE)
def reset_password(response: Response, given: Given, name: AccountName) -> OneTimePassword:
    """Give an account a new one-time password, shown this once. Its sessions end at once."""
    _not_stored(response)
    return given.access.reset_password(given.asking, name)


@router.post(f"{ACCOUNT}/grants", response_model=AccountAnswer, responses=_CHANGED)
def grant_role(
    given: Given, name: AccountName, body: Annotated[GrantBody, Body(openapi_examples=GRANT)]
) -> AccountAnswer:
    """Give an account a role. No person is both administrator and anything else, and nobody grants to themselves."""
    given.access.grant(given.asking, name, body.grant)
    return given.access.account(name)


@router.post(f"{ACCOUNT}/revoke", response_model=AccountAnswer, responses=_CHANGED)
def revoke_role(
    given: Given, name: AccountName, body: Annotated[GrantBody, Body(openapi_examples=REVOKE)]
) -> AccountAnswer:
    """Take a role from an account, from the next request on."""
    given.access.revoke(given.asking, name, body.grant)
    return given.access.account(name)


@router.delete(f"{ACCOUNT}/sessions", status_code=HTTP_204_NO_CONTENT, responses=_DONE)
def end_sessions(given: Given, name: AccountName) -> None:
    """End all sessions of an account."""
    given.access.revoke_sessions(given.asking, name)


@router.get(f"{API}/tokens", response_model=Tokens, responses=_LIST)
def list_tokens(request: Request, given: Given) -> Response:
    """List one's own API tokens, without their secrets."""
    return content_reply(request, Tokens(tokens=given.access.tokens(given.asking.name)).model_dump_json().encode())


@router.post(f"{API}/tokens", response_model=NewToken, responses=_CHANGED, openapi_extra=_SESSION_ONLY)
def create_token(
    response: Response, given: Given, body: Annotated[TokenWish, Body(openapi_examples=NEW_TOKEN)]
) -> NewToken:
    """Make an API token of one's own, shown this once. It may do no more than the account, at any time."""
    who = by_session(given)
    _not_stored(response)
    return given.access.create_token(who, who.name, body)


@router.delete(f"{API}/tokens/{{prefix}}", status_code=HTTP_204_NO_CONTENT, responses=_DONE)
def revoke_token(
    given: Given,
    prefix: Annotated[str, Path(description="The part of the token after `mz_`.", examples=["k7f3m9xq2thw"])],
) -> None:
    """End one of one's own API tokens."""
    given.access.revoke_token(given.asking, prefix)


@router.get(f"{API}/access-log", response_model=AccessLogPage, responses=_LIST)
def read_access_log(
    request: Request,
    given: Given,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> Response:
    """List what happened to accounts, who signed in and who was refused, in that order, page by page."""
    return content_reply(request, given.access.log_page(position_of(cursor), limit).model_dump_json().encode())


def _signed_in(response: Response, given: Edge, token: str) -> WhoAnswer:
    principal = given.access.authenticate_session(token)
    if principal is None:
        # Disabled within this very moment: as if it had been before.
        raise RefusedRequest(
            HTTP_403_FORBIDDEN, Problem("session-ended", "name", "the session has ended already; sign in again")
        )
    set_session(response, token)
    _not_stored(response)
    return given.access.who(principal)


def set_session(response: Response, token: str) -> None:
    """Give the browser the session's token: for this host, over TLS, and for no script to read."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="strict")


def forget_session(response: Response) -> None:
    """Let the browser forget the session's token."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")


def by_session(given: Edge) -> Principal:
    """Return who signed in with a session; raises `RefusedRequest` (403) for whoever sends a token."""
    if given.asking.via != "session":
        message = "a token may not do this; sign in with name and password"
        raise RefusedRequest(HTTP_403_FORBIDDEN, Problem("session-needed", "Authorization", message))
    return given.asking


def refuse_too_many(request: Request, given: Edge) -> None:
    """Refuse who tries to sign in from one address more often than people do; raises `RefusedRequest` (429)."""
    address = request.client.host if request.client else "unknown"
    seconds = given.access.sign_in_rate.seconds_to_wait(address, given.clock())
    if seconds:
        message = f"too many attempts to sign in from this address; try again in {seconds} seconds"
        refusal = Problem("too-many-requests", "", message)
        raise RefusedRequest(HTTP_429_TOO_MANY_REQUESTS, refusal, {"Retry-After": str(seconds)})


def _not_stored(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"
