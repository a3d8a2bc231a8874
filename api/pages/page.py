"""What every page is made with: who asks, the year it is about, the menu, and the answer's headers.

A page's own policy lets it load scripts, styles and pictures from this server only, and no inline script. Charts write
styles into their own elements, so a page with charts allows inline styles too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote, unquote

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.status import HTTP_303_SEE_OTHER

from api.access.permissions import Permission, may
from api.edge import Edge, Given
from api.pages.messages import Told, told
from api.pages.navigation import BESIDE, OF_YEAR, Item
from api.pages.templates import page_templates
from api.problems import Failure, RefusedRequest, failure_of
from api.strict_bodies import StrictRoute
from ledger.appends import CommitUnknown, LedgerUnavailable
from ledger.decisions import local_day
from ledger.rejection import Rejection
from schemes.problem import InvalidInput
from schemes.scheme import Scheme

JURISDICTION_PAGE: Final = "/jurisdictions/{jurisdiction}"
YEAR_PAGE: Final = f"{JURISDICTION_PAGE}/years/{{year}}"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SAID: Final = "mingzhang-said"
REFUSED: Final = (Rejection, InvalidInput, RefusedRequest, CommitUnknown, LedgerUnavailable)
"""What a form is shown again for, with all that was typed and the same key."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'{inline}; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class PageRoute(StrictRoute):
    """A route that answers with a page, also where it refuses: see `api.pages.refusals`."""

    is_page: ClassVar[bool] = True


class UploadRoute(PageRoute):
    """A page's route that takes files."""

    limit = "largest_evidence"


@dataclass(frozen=True)
class Page:
    """A page that was asked for. `jurisdiction` and `year` are those of its address, where it names them."""

    request: Request
    given: Edge
    jurisdiction: str | None
    year: int | None

    @property
    def path(self) -> str:
        """The address of the year's overview, which those of its other pages begin with."""
        return f"/jurisdictions/{self.jurisdiction}/years/{self.year}"

    @property
    def code(self) -> str:
        """The jurisdiction of a page that has one."""
        if self.jurisdiction is None:
            raise LookupError("expected a page of a jurisdiction")
        return self.jurisdiction

    def may(self, permission: Permission) -> bool:
        """Whether whoever asks may do that, in the page's jurisdiction where it has one."""
        return self.given.principal is not None and may(self.given.principal, permission, self.jurisdiction)

    @property
    def is_fragment(self) -> bool:
        """Whether only a part of the page is asked for, to be put in its place (htmx)."""
        return self.request.headers.get("HX-Request") == "true"

    @cached_property
    def scheme(self) -> Scheme | None:
        """The scheme in force of the year, where the page is about one."""
        if self.jurisdiction is None or self.year is None:
            return None
        return self.given.jurisdictions.opened_year(self.jurisdiction, self.year)[1]

    @cached_property
    def years(self) -> list[tuple[str, str, int]]:
        """The years that whoever asks may open, as (code, name of the jurisdiction, year), the newest first."""
        principal, ledgers = self.given.principal, self.given.jurisdictions
        if principal is None:
            return []
        granted = {one.jurisdiction for one in principal.grants if one.jurisdiction is not None}
        codes = sorted(one for one in granted & set(ledgers.codes()) if may(principal, "years.read", one))
        return [
            (code, ledgers.opened_year(code, state.year)[1].jurisdiction.name or code, state.year)
            for code in codes
            for state in reversed(ledgers.open_years(code))
        ]

    def menu(self) -> list[tuple[Item, str]]:
        """Return the entries of the menu that are for whoever asks, each with its address."""
        of_year = OF_YEAR if self.year is not None else ()
        shown = [(item, f"{self.path}/{item.path}".rstrip("/")) for item in of_year if self.may(item.needs)]
        return shown + [(item, item.path) for item in BESIDE if self.may(item.needs)]

    def new_key(self) -> str:
        """Return a new idempotency key for a form."""
        return self.given.jurisdictions.random_bytes(16).hex()

    def fragment(self, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Return a part of a page."""
        return HTMLResponse(
            page_templates().get_template(template).render(page=self, **context), status, {"Vary": "HX-Request"}
        )

    def render(
        self, template: str, /, *, menu: str = "", status: int = 200, charts: bool = False, **context: Any
    ) -> HTMLResponse:
        """Return the whole page. `menu` is the entry of the menu it stands under; `charts` allows inline styles."""
        said = unquote(self.request.cookies.get(_SAID, ""))
        today = local_day(self.given.clock())
        context = {"problems": (), **context, "active": menu, "charts": charts, "said": said, "today": today}
        response = self.fragment(template, status=status, **context)
        response.headers["Content-Security-Policy"] = _POLICY.format(inline=" 'unsafe-inline'" if charts else "")
        if said:
            response.delete_cookie(_SAID, httponly=True, samesite="strict")
        return response

    def refuse(self, template: str, refused: Exception, /, *, menu: str = "", **context: Any) -> HTMLResponse:
        """Return the page again with what was refused, as `problems`: each a `Told`, and the status that fits."""
        failure = failure_of(self.request, refused)
        response = self.render(template, menu=menu, status=failure.status, problems=tell(failure), **context)
        response.headers.update(failure.headers or {})
        return response

    def redirect(self, address: str, said: str | None = None) -> RedirectResponse:
        """Return the way to another page (303), which says this once at its top."""
        response = RedirectResponse(address, HTTP_303_SEE_OTHER)
        if said is not None:
            response.set_cookie(_SAID, quote(said), max_age=60, httponly=True, samesite="strict")
        return response


def tell(failure: Failure) -> Sequence[Told]:
    """Return what was refused in words for people."""
    return [told(one) for one in failure.problems]


def page_of(request: Request, given: Given) -> Page:
    """Return the page that is asked for."""
    year = request.path_params.get("year")
    number = int(year) if isinstance(year, str | int) and str(year).isdigit() else None
    return Page(request, given, request.path_params.get("jurisdiction"), number)


PageAsked = Annotated[Page, Depends(page_of)]


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """Return a file to be saved under that name (RFC 6266, RFC 8187)."""
    headers = {"Content-Disposition": f"attachment; filename=\"file\"; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=media_type, headers=headers)
