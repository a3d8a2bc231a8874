"""Refusals as pages: a way to sign in with what was typed kept, or what was wrong and what to do.

1. Nobody signed in: a page that was asked for is shown after signing in. A form that was sent is kept in the page that
   asks to sign in, and can be sent again from there; files have to be chosen again. What is too large to be kept is
   said to be lost.
2. The browser came from another site, so it did not send the session's cookie (SameSite=Strict): the page asks for
   itself once more, from here.
3. A one-time password is in force: the page to choose another.
4. Anything else: the reasons in Chinese, with their codes; as a part of the page where only a part was asked for.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.status import HTTP_204_NO_CONTENT, HTTP_303_SEE_OTHER, HTTP_401_UNAUTHORIZED

from api.edge import edge_of
from api.pages.forms import FILES_LOST, LONGEST_TEXT, MOST_FIELDS, MOST_FILES, Form
from api.pages.page import Page, page_of, tell
from api.problems import Failure
from api.settings import Settings
from ledger.rejection import Rejection

SIGN_IN: Final = "/sign-in"
PASSWORD: Final = "/password"  # noqa: S105  # an address
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


async def refusal_page(request: Request, failure: Failure) -> Response:
    """Return the page that a refused request is answered with."""
    page = _known_page(request)
    code = failure.problems[0].code
    if code == "password-must-change":
        return RedirectResponse(PASSWORD, HTTP_303_SEE_OTHER)
    if code == "sign-in-needed" and "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=HTTP_204_NO_CONTENT)  # which ends an event stream for good
    if code == "sign-in-needed" and not page.is_fragment:
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
            return page.render("again.html", address=address)
        if request.method == "GET":
            return RedirectResponse(f"{SIGN_IN}?next={quote(address, safe='')}", HTTP_303_SEE_OTHER)
        kept = await _kept(request)
        return page.render(
            "sign_in.html", status=HTTP_401_UNAUTHORIZED, next=address, kept=kept, lost=kept is None, oidc=None
        )
    template = "refusal_part.html" if page.is_fragment else "refusal.html"
    show = page.fragment if page.is_fragment else page.render
    response = show(template, status=failure.status, problems=tell(failure), failed=failure.status)
    response.headers.update(failure.headers or {})
    return response


def _known_page(request: Request) -> Page:
    """Return the page with its year's menu, if there is that year for whoever asks; else one of no year."""
    page = page_of(request, edge_of(request))
    if page.may("years.read"):
        with suppress(Rejection):
            _ = page.scheme
            return page
    return Page(request, page.given, None, None)


async def _kept(request: Request) -> Form | None:
    """Return the texts that the refused form sent; None where they cannot be read or are larger than a form may be.

    Passwords are not kept: they would stand in the page. Files are passed over.
    """
    settings: Settings = request.app.state.settings
    length = request.headers.get("content-length", "0")
    if request.url.path == PASSWORD or length == "0":
        return Form()
    limit = getattr(settings, getattr(request.scope["route"], "limit", "largest_body"))
    if not (length.isdigit() and int(length) <= limit and request.headers.get("content-type", "").startswith(_FORMS)):
        return None
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LONGEST_TEXT) as sent:
            items = sent.multi_items()
            fields = [(name, text.replace("\r\n", "\n")) for name, text in items if isinstance(text, str)]
            fields += (
                [(FILES_LOST, "yes")] if any(not isinstance(one, str) and one.filename for _, one in items) else []
            )
    except (HTTPException, ClientDisconnect):
        return None
    return Form(fields) if sum(len(text) for _, text in fields) <= settings.largest_body else None
