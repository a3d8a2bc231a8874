"""Live updates: a stream of server-sent events that tells a page when what it shows of a year has moved.

Rules kept here:

1. A message is a mark of what whoever asks may see; it is sent at the beginning, and when it has changed. An entry
   about another unit leaves a unit's mark as it is, so that its stream tells nothing of others.
2. Every look asks anew who this is and what they may: with the session the stream ends, and says so, so that the
   browser does not come back.
3. Between looks a stream holds no thread and no connection to the database. While the database does not answer,
   nothing is told.
4. A stream ends by itself after a while, and at once when the server ends: browsers come back on their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Final, NamedTuple, cast

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from api.access.guard import admit
from api.edge import Given, JurisdictionCode, YearNumber, edge_of
from api.pages.page import YEAR_PAGE, PageRoute
from api.problems import RefusedRequest
from api.settings import Settings
from ledger.appends import LedgerUnavailable
from ledger.rejection import Rejection
from projections.own_items import seen_mark

router = APIRouter(route_class=PageRoute, include_in_schema=False)
LIVE: Final = f"{YEAR_PAGE}/live"
SECONDS_BETWEEN_LOOKS: Final = 1.0
MILLISECONDS_TO_COME_BACK: Final = 3000
ENDING: Final = "ending"
"""The name of the event, in the state of each request, that a server sets when it ends."""


class Look(NamedTuple):
    """What was seen last: the ledger's length, and the mark of what may be seen of the year."""

    size: int
    mark: str


def look(given: Given, jurisdiction: JurisdictionCode, year: YearNumber) -> Look:
    """Return what there is to be seen now; refuses what the routes of the API refuse."""
    return _look(given, jurisdiction, year, None)


@router.get(LIVE, response_class=EventSourceResponse)
async def live(
    request: Request, jurisdiction: JurisdictionCode, year: YearNumber, first: Annotated[Look, Depends(look)]
) -> AsyncIterator[ServerSentEvent]:
    """Tell when what may be seen of the year has moved."""
    settings = cast(Settings, request.app.state.settings)
    ending = getattr(request.state, ENDING, None) or asyncio.Event()
    clock = asyncio.get_running_loop().time
    ends, last = clock() + settings.live_seconds, first
    yield ServerSentEvent(raw_data=last.mark, retry=MILLISECONDS_TO_COME_BACK)
    while clock() < ends and not await _set_within(ending, SECONDS_BETWEEN_LOOKS):
        try:
            await admit(request, LIVE, "years.read")
            found = await run_in_threadpool(_look, edge_of(request), jurisdiction, year, last)
        except (RefusedRequest, Rejection):
            yield ServerSentEvent(event="ended", raw_data="ended")
            return
        except (LedgerUnavailable, OperationalError, PoolTimeout):
            continue
        if found.mark != last.mark:
            yield ServerSentEvent(raw_data=found.mark)
        last = found


def _look(given: Given, jurisdiction: str, year: int, last: Look | None) -> Look:
    """Return the last look again while the ledger is as long as it was."""
    size = given.jurisdictions.known_ledger(jurisdiction).ledger_recorder.head().size
    if last is not None and last.size == size:
        return last
    return Look(size, seen_mark(given.items(jurisdiction, year)))


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        return await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
