"""我的账户: one's own roles, sessions and API tokens."""

from __future__ import annotations

from typing import Any, Final, get_args

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from api.access.answers import NewToken
from api.access.guard import COOKIE
from api.access.permissions import Permission, may
from api.access.sessions import living_sessions
from api.access.tokens import TokenWish
from api.invalid_fields import model_problems
from api.pages.forms import Form, FormSent
from api.pages.page import REFUSED, Page, PageAsked, PageRoute
from api.routes.access import by_session, forget_session
from schemes.problem import InvalidInput

router = APIRouter(route_class=PageRoute, include_in_schema=False)

TOKENS: Final = "/me/tokens"
SCOPES: Final = tuple(one for one in get_args(Permission) if one not in ("open", "signed-in"))


@router.get("/me")
def show_me(page: PageAsked) -> Response:
    """Show one's own account."""
    return page.render("system/me.html", menu="me", **_own(page, Form()))


@router.post(TOKENS)
def create_token(page: PageAsked, form: FormSent) -> Response:
    """Make an API token of one's own, and show it this once."""
    try:
        who = by_session(page.given)
        made = page.given.access.create_token(who, who.name, _wish(form))
    except REFUSED as refused:
        return page.refuse("system/me.html", refused, menu="me", **_own(page, form))
    response = page.render("system/me.html", menu="me", **_own(page, Form(), made))
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post(f"{TOKENS}/{{prefix}}/revoke")
def revoke_token(page: PageAsked, prefix: str) -> Response:
    """End one of one's own API tokens."""
    page.given.access.revoke_token(page.given.asking, prefix)
    return page.redirect("/me", "令牌已撤销。")


@router.post("/me/end-sessions")
def end_own_sessions(page: PageAsked) -> Response:
    """End all of one's own sessions, this one too."""
    who = by_session(page.given)
    page.given.access.revoke_sessions(who, who.name)
    response = page.redirect("/sign-in", "已在所有设备上退出。")
    forget_session(response)
    return response


def _own(page: Page, form: Form, made: NewToken | None = None) -> dict[str, Any]:
    who, access = page.given.asking, page.given.access
    request: Request = page.request
    now = page.given.clock()
    return {
        "who": access.who(who),
        "tokens": access.tokens(who.name),
        "sessions": living_sessions(page.given.jurisdictions.engine, who, request.cookies.get(COOKIE, ""), now),
        "form": form,
        "made": made,
        "now": now,
        "scopes": [one for one in SCOPES if may(who, one, None)],
    }


def _wish(form: Form) -> TokenWish:
    """Return the token that is wished for; raises `InvalidInput` with all that is wrong with it."""
    days = form.text("days")
    wish = {
        "name": form.text("token_name"),
        "days": int(days) if days.isascii() and days.isdigit() and len(days) < 6 else days,
        "scopes": form.texts("scopes") or None,
        "jurisdiction": form.text("jurisdiction") or None,
        "unit": form.text("unit") or None,
    }
    try:
        return TokenWish.model_validate(wish)
    except ValidationError as error:
        raise InvalidInput(tuple(model_problems(error.errors(), wish, TokenWish))) from None
