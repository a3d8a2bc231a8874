"""What routes are given: the ledgers, the clock, who asks, and the common parts of an address or a header.

An account that speaks for a unit sees its own matters only. That is held here, where a view of a year is asked for:
what such an account may not see is not in the view it is given, so it looks as if it were not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Final, cast
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AwareDatetime, BeforeValidator

from api.access.access import Access
from api.access.permissions import may, sees_own_only
from api.access.principals import Principal
from api.custody import Custody
from api.metrics import Metrics
from ledger.application import LedgerApplication
from ledger.commands import Attempt, Receipt
from ledger.events import Day, Evidence
from ledger.evidence.vault import EvidenceVault, StoredFile
from ledger.rejection import Refusal, Rejection, rejected
from ledger.signing import LedgerProofs
from projections.answer_models import ReceiptAnswer
from projections.answers import receipt_answer
from projections.jurisdictions import Jurisdictions
from projections.own_items import own_files, own_positions
from projections.proposals import pending_about
from projections.releases import released_view
from projections.years import YearView

API: Final = "/api/v1"
JURISDICTION: Final = f"{API}/jurisdictions/{{jurisdiction}}"
YEAR: Final = f"{JURISDICTION}/years/{{year}}"

_SENT_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
Clock = Callable[[], datetime]
Command = Callable[[LedgerApplication, Attempt], Sequence[Receipt]]


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes of one application work with."""

    jurisdictions: Jurisdictions
    clock: Clock
    metrics: Metrics
    access: Access
    custody: Custody
    principal: Principal | None = None
    """Who asks; None only where a route is open to all."""

    @property
    def asking(self) -> Principal:
        """Who asks, on a route that nobody reaches without having signed in."""
        if self.principal is None:
            raise PermissionError("expected a route that needs somebody signed in")
        return self.principal

    def record(self, ledger: LedgerApplication, key: str, command: Command) -> list[ReceiptAnswer]:
        """Give the command to the ledger as of now, and return what was recorded under the key, now or before.

        A key is the account's own: the same key of another account is another one.
        """
        if not _SENT_KEY.fullmatch(key):
            message = "expected 1 to 200 visible ASCII characters without spaces"
            raise rejected("idempotency-key-invalid", "Idempotency-Key", message)
        who = self.asking
        attempt = Attempt(who.name, self.clock(), f"{who.account}/{key}", who.person)
        receipts = command(ledger, attempt)
        self.metrics.appended(ledger.code, attempt.now, receipts)
        return [receipt_answer(receipt) for receipt in receipts]

    def own_units(self, code: str) -> tuple[str, ...] | None:
        """Return the units whose matters the account sees in the jurisdiction; None where it sees all."""
        return self.asking.units_in(code) if sees_own_only(self.asking, code) else None

    def items(self, code: str, year: int) -> YearView:
        """Return the year as it stands now, with what the account may see of observations, appeals and claims."""
        view = self.jurisdictions.view(code, year)
        own = self.own_units(code)
        return view if own is None else view.seen_by(own, view.state)

    def scores(self, code: str, year: int, as_of: date | None, known_at: datetime | None) -> YearView:
        """Return the year as of the day and as known at the moment; for a unit's account what was released of it."""
        own = self.own_units(code)
        if own is None:
            return self.jurisdictions.view(code, year, as_of, known_at)
        view = released_view(self.jurisdictions, code, year, as_of, known_at)
        # Worked out on the view that all share, so that it is not worked out again for each account.
        view.sheets()
        return view.seen_by(own, self.jurisdictions.opened_year(code, year)[0])

    def refuse_foreign(self, code: str, year: int, unit: str, observations: Sequence[UUID] = ()) -> None:
        """Refuse a unit that the account may not speak for, and observations of others, as if they were not there."""
        if self.own_units(code) is None:
            return
        view = self.items(code, year)
        view.unit_of_year(unit)
        for observation in observations:
            view.refuse_hidden(observation)

    def refuse_foreign_position(self, code: str, position: int) -> None:
        """Refuse a position whose entry is not about the account's own units, as if it were not there."""
        own = self.own_units(code)
        if own is not None and not any(position in own_positions(view) for view in self._own_views(code)):
            message = f"found {position}, expected the position of an entry about a unit that you speak for"
            raise rejected("unknown-position", "position", message)

    def sees_file(self, code: str, file: StoredFile) -> bool:
        """Whether the account may see a stored file: one it stored itself, or that only its own units' entries name."""
        own = self.own_units(code) is not None
        return not own or file.stored_by == self.asking.name or file.commitment in own_files(self._own_views(code))

    def refuse_unseen_files(self, code: str, key: str, evidence: Iterable[Evidence]) -> None:
        """Refuse evidence that names files the account may not see, in the ledger's words for one that is not stored.

        What was recorded under the key already is the ledger's to answer.
        """
        if self.own_units(code) is None:
            return
        named = dict.fromkeys(one.file for one in evidence if one.file is not None)
        refusals = [
            Refusal("unknown-evidence", "evidence", f"no file {file} is stored for ledger {code}; store it first")
            for file in named
            if not self._sees_named(code, file)
        ]
        recorder = self.jurisdictions.known_ledger(code).ledger_recorder
        if refusals and recorder.find_key(f"{self.asking.account}/{key}") is None:
            raise Rejection(*refusals)

    def _sees_named(self, code: str, file: str) -> bool:
        try:
            return self.sees_file(code, self.evidence.stored(code, file))
        except Rejection:
            return False

    def _own_views(self, code: str) -> Iterator[YearView]:
        return (self.items(code, year.year) for year in self.jurisdictions.open_years(code))

    def pending(self, code: str) -> dict[str, list[str]]:
        """Return the open proposals by what they are about, to those who may read them."""
        if not may(self.asking, "proposals.read", code):
            return {}
        return pending_about(self.jurisdictions.known_ledger(code))

    def proofs(self, code: str) -> LedgerProofs:
        """Return the proofs of a ledger; refuses one that has no entries."""
        self.jurisdictions.known_ledger(code)
        return self.custody.proofs(code)

    @property
    def evidence(self) -> EvidenceVault:
        """The stored files of all ledgers."""
        return self.custody.evidence


def edge_of(request: Request) -> Edge:
    """Return what a request is answered with, for whoever sends it."""
    edge = cast(Edge, request.app.state.edge)
    principal = getattr(request.state, "principal", None)
    return edge if principal is None else replace(edge, principal=principal)


def _documented(description: str, *examples: Any) -> dict[str, Any]:
    return {"description": description, "openapi_examples": {str(one): {"value": one} for one in examples}}


Given = Annotated[Edge, Depends(edge_of)]
JurisdictionCode = Annotated[str, Path(**_documented("Code of the jurisdiction in GB/T 2260.", "360982"))]
YearNumber = Annotated[int, Path(ge=1990, le=2200, **_documented("The year that is assessed.", 2021))]
UnitName = Annotated[str, Path(**_documented("A name that the unit has or had this year.", "福城街道"))]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        **_documented(
            "Chosen by the sender, one for each thing to be recorded: 1 to 200 visible ASCII characters. The same key "
            "with the same content gives the first answer again and records nothing; with other content it is refused.",
            "8f4c1c1e-2b1f-4c7e-9a57-6f1f8f1f0c11",
        ),
    ),
]


def _written_moment(value: object) -> object:
    """Take a moment only as ISO 8601 text with a day and a time: a number of seconds is no moment."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", value):
        raise ValueError("a moment with a zone like 2023-07-01T00:00:00+08:00 (in an address, + is written %2B)")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_moment)]
AsOf = Annotated[
    Day | None,
    Query(**_documented("Facts up to the end of this day. Default: the last day of the period.", "2021-06-30")),
]
KnownAt = Annotated[
    Moment | None,
    Query(
        **_documented(
            "What was in the ledger up to this moment, with a zone (write + as %2B). Default: everything.",
            "2021-07-01T00:00:00+08:00",
        )
    ),
]


def _view(
    given: Given, jurisdiction: JurisdictionCode, year: YearNumber, as_of: AsOf = None, known_at: KnownAt = None
) -> YearView:
    return given.scores(jurisdiction, year, as_of, known_at)


ViewAsked = Annotated[YearView, Depends(_view)]
"""The year as of the day and as known at the moment that the request names."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of refusals with these statuses, and of the failures that any request may meet."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    said = {
        304: "The reader has this answer already",
        400: "The body is not strict JSON",
        401: "Nobody is signed in, or what was given to sign in with is not valid",
        403: "Whoever is signed in may not do this, or the request comes from another site",
        404: "The path names something that is not there",
        409: "What was recorded before speaks against it",
        413: "The body is too large",
        415: "The body is of another media type",
        422: "A field, a parameter or a header is wrong; every one is named",
        503: "The ledger cannot be reached now; send the same request again",
    }
    found: dict[int | str, dict[str, Any]] = {304: {"description": said[304]}} if 304 in statuses else {}
    refused = [status for status in statuses if status != 304]
    always = (401, 403, 503)
    return found | {status: {"description": said[status], "content": content} for status in sorted({*refused, *always})}


READ: Final = problems(304, 404, 422)
WRITTEN: Final = problems(400, 404, 409, 413, 415, 422)
