"""What routes are given: the ledgers, the clock, the figures, and the common parts of an address or a header."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AwareDatetime, BeforeValidator

from api.metrics import Metrics
from api.settings import UNIDENTIFIED
from ledger.application import LedgerApplication
from ledger.commands import Attempt, Receipt
from ledger.events import Day
from projections.answer_models import ReceiptAnswer
from projections.answers import receipt_answer
from projections.jurisdictions import Jurisdictions
from projections.years import YearView

API: Final = "/api/v1"
JURISDICTION: Final = f"{API}/jurisdictions/{{jurisdiction}}"
YEAR: Final = f"{JURISDICTION}/years/{{year}}"

Clock = Callable[[], datetime]
Command = Callable[[LedgerApplication, Attempt], Sequence[Receipt]]


@dataclass(frozen=True, slots=True)
class Edge:
    """What the routes of one application work with."""

    jurisdictions: Jurisdictions
    clock: Clock
    metrics: Metrics

    def record(self, ledger: LedgerApplication, key: str, command: Command) -> list[ReceiptAnswer]:
        """Give the command to the ledger as of now, and return what was recorded under the key, now or before."""
        attempt = Attempt(UNIDENTIFIED, self.clock(), key)
        receipts = command(ledger, attempt)
        self.metrics.appended(ledger.code, attempt.now, receipts)
        return [receipt_answer(receipt) for receipt in receipts]


def _edge(request: Request) -> Edge:
    return cast(Edge, request.app.state.edge)


def _documented(description: str, *examples: Any) -> dict[str, Any]:
    return {"description": description, "openapi_examples": {str(one): {"value": one} for one in examples}}


Given = Annotated[Edge, Depends(_edge)]
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
    return given.jurisdictions.view(jurisdiction, year, as_of, known_at)


ViewAsked = Annotated[YearView, Depends(_view)]
"""The year as of the day and as known at the moment that the request names."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of refusals with these statuses, and of the failures that any request may meet."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    said = {
        304: "The reader has this answer already",
        400: "The body is not strict JSON",
        404: "The path names something that is not there",
        409: "What was recorded before speaks against it",
        413: "The body is too large",
        415: "The body is of another media type",
        422: "A field, a parameter or a header is wrong; every one is named",
        503: "The ledger cannot be reached now; send the same request again",
    }
    found: dict[int | str, dict[str, Any]] = {304: {"description": said[304]}} if 304 in statuses else {}
    refused = [status for status in statuses if status != 304]
    return found | {status: {"description": said[status], "content": content} for status in [*refused, 503]}


READ: Final = problems(304, 404, 422)
WRITTEN: Final = problems(400, 404, 409, 413, 415, 422)
