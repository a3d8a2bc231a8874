"""Signing in and out, and one's own password.

Browsers keep the session's cookie over TLS, and on plain HTTP for `localhost` only. So whoever comes to a loopback
address by number is sent to that name, and whose browser did not keep the cookie is told what to do.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.status import HTTP_307_TEMPORARY_REDIRECT

from api.access.guard import COOKIE
from api.pages.forms import FILES_LOST, Form, FormSent
from api.pages.messages import place_title
from api.pages.page import REFUSED, Page, PageAsked, PageRoute
from api.routes.access import by_session, forget_session, refuse_too_many, set_session
from ledger.rejection import rejected
from projections.scheme_files import vocabulary


class _KeptRoute(PageRoute):
    """A route whose form may carry another form, that was sent while nobody was signed in."""

    limit = "largest_batch"


router = APIRouter(route_class=_KeptRoute, include_in_schema=False)
NextPage = Annotated[str, Query(max_length=2000)]
_BY_NUMBER: Final = ("127.0.0.1", "[::1]")


@router.get("/sign-in")
def show_sign_in(request: Request, page: PageAsked, next: NextPage = "/") -> Response:  # noqa: A002  # the address says next
    """Show the form to sign in with."""
    host, _, port = request.headers.get("host", "").rpartition(":")
    if request.url.scheme == "http" and host in _BY_NUMBER:
        address = f"http://localhost:{port}{request.url.path}?{request.url.query}".removesuffix("?")
        return RedirectResponse(address, HTTP_307_TEMPORARY_REDIRECT)
    return _form(request, page, _own_path(next))


@router.post("/sign-in")
def sign_in(request: Request, page: PageAsked, form: FormSent) -> Response:
    """Sign in, and go on to the page that was asked for, or to the form that was sent while nobody was signed in."""
    target = _own_path(form.text("next", "/"))
    try:
        refuse_too_many(request, page.given)
        token = page.given.access.sign_in(form.text("name"), form.secret("password"))
    except REFUSED as refused:
        return page.refuse("sign_in.html", refused, next=target, kept=_kept(form), lost=False, oidc=oidc_title(request))
    page.given.access.sign_out(request.cookies.get(COOKIE, ""))
    if form.text("continue"):
        kept = _kept(form) or Form()
        lost = bool(kept.text(FILES_LOST))
        kept = Form([one for one in kept.fields if one[0] != FILES_LOST])
        response: Response = page.render("send_again.html", target=target, kept=kept, said_again=_told(kept), lost=lost)
    else:
        response = page.redirect(f"/signed-in?next={quote(target, safe='')}")
    set_session(response, token)
    return response


@router.get("/signed-in")
def signed_in(request: Request, page: PageAsked, next: NextPage = "/") -> Response:  # noqa: A002  # the address says next
    """Go on, if the browser kept the cookie; else say what stands against it."""
    if COOKIE in request.cookies:
        return page.redirect(_own_path(next))
    return page.render("cookie_refused.html", status=400, host=request.headers.get("host", ""))


@router.post("/sign-out")
def sign_out(request: Request, page: PageAsked) -> Response:
    """End the session."""
    by_session(page.given)
    page.given.access.sign_out(request.cookies.get(COOKIE, ""))
    response = page.redirect("/sign-in", "已退出登录。")
    forget_session(response)
    return response


@router.get("/password")
def show_password(page: PageAsked) -> Response:
    """Show the form for another password."""
    return page.render("password.html", menu="me")


@router.post("/password")
def change_password(request: Request, page: PageAsked, form: FormSent) -> Response:
    """Change one's own password: all other sessions of the account end."""
    try:
        who = by_session(page.given)
        refuse_too_many(request, page.given)
        if form.secret("new") != form.secret("repeated"):
            raise rejected("passwords-differ", "repeated", "expected the new password once more")
        token = page.given.access.change_password(who.name, form.secret("old"), form.secret("new"))
    except REFUSED as refused:
        return page.refuse("password.html", refused, menu="me")
    response = page.redirect("/", "口令已修改。")
    set_session(response, token)
    return response


def _form(request: Request, page: Page, target: str) -> Response:
    return page.render("sign_in.html", next=target, kept=None, lost=False, oidc=oidc_title(request))


def oidc_title(request: Request) -> str | None:
    """Return what the identity provider is called; None where there is none."""
    return None if request.app.state.oidc is None else str(request.app.state.settings.oidc_title)


def _told(kept: Form) -> list[tuple[str, str]]:
    """Return what was typed under the titles of its fields, codes by their labels; what has no title is not shown."""
    found = vocabulary()
    labels = {code: kind.label for code, kind in found.kinds.items()} | found.items
    for kind in found.kinds.values():
        for attribute in kind.attributes.values():
            labels |= getattr(attribute, "values", {})
    titled = [(place_title(name.replace("attribute.", "attributes.")), text) for name, text in kept.fields if text]
    return [(title, labels.get(text, text)) for title, text in titled if not title.isascii()]


def _own_path(address: str) -> str:
    """Return the address if it is a path of this server, the first page otherwise."""
    own = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if own else "/"


def _kept(form: Form) -> Form | None:
    """Return what was sent before, without what belongs to signing in; None where nothing was."""
    if not form.text("continue"):
        return None
    kept = [(name.removeprefix("kept."), value) for name, value in form.fields if name.startswith("kept.")]
    return Form(kept)
