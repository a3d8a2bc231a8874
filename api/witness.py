"""The server of a witness: `POST /add-checkpoint` of C2SP tlog-witness, and nothing else.

It stands on another machine than the ledgers it watches, has no database, and knows of them only what their keys
signed. Without a certificate it listens on loopback only. Who asks is not asked: a request is worth what the
signature of its ledger is worth.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.status import (
    HTTP_400_BAD_REQUEST,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_408_REQUEST_TIMEOUT,
    HTTP_409_CONFLICT,
    HTTP_413_CONTENT_TOO_LARGE,
    HTTP_422_UNPROCESSABLE_CONTENT,
    HTTP_500_INTERNAL_SERVER_ERROR,
)

from api.listening import Listening, begin_log, listen, run
from ledger.rejection import Rejection
from ledger.witness_store import WitnessStore
from ledger.witnessing import LARGEST_REQUEST, TREE_SIZE, SizeConflict, Submission, Witness

SECONDS_TO_READ: Final = 30
MOST_AT_ONCE: Final = 64
_STATUSES: Final = {
    "witness-request": HTTP_400_BAD_REQUEST,
    "witness-old-size": HTTP_400_BAD_REQUEST,
    "witness-signature": HTTP_403_FORBIDDEN,
    "witness-unknown-log": HTTP_404_NOT_FOUND,
    "witness-size": HTTP_409_CONFLICT,
    "witness-fork": HTTP_409_CONFLICT,
    "witness-proof": HTTP_422_UNPROCESSABLE_CONTENT,
    "witness-state-damaged": HTTP_500_INTERNAL_SERVER_ERROR,
}
_logger = logging.getLogger("mingzhang.witness")


def create_witness(witness: Witness, store: WitnessStore, clock: Callable[[], datetime]) -> Starlette:
    """Return the application of a witness."""

    def answer(body: bytes) -> Response:
        try:
            cosigned = store.add_checkpoint(witness, Submission.parse(body), int(clock().timestamp()))
        except SizeConflict as conflict:
            _logger.info("refused: %s", conflict)
            # As a media type Starlette would add a charset to it, which the protocol does not have.
            return Response(f"{conflict.size}\n", HTTP_409_CONFLICT, {"Content-Type": TREE_SIZE})
        except Rejection as rejection:
            status = _STATUSES[rejection.refusals[0].code]
            _logger.log(logging.INFO if status < HTTP_500_INTERNAL_SERVER_ERROR else logging.ERROR, "%s", rejection)
            said = f"{rejection}\n" if status < HTTP_500_INTERNAL_SERVER_ERROR else "the witness cannot answer now\n"
            return PlainTextResponse(said, status)
        _logger.info("cosigned %s of size %d", cosigned.checkpoint.origin, cosigned.checkpoint.size)
        return PlainTextResponse(cosigned.line)

    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(SECONDS_TO_READ):
                body = await _bounded(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("the request did not come whole\n", HTTP_408_REQUEST_TIMEOUT)
        if body is None:
            message = f"the request is larger than {LARGEST_REQUEST} bytes\n"
            return PlainTextResponse(message, HTTP_413_CONTENT_TOO_LARGE)
        return await asyncio.to_thread(answer, body)

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


async def _bounded(request: Request) -> bytes | None:
    """Return the body, or None for one that is too large to be a request."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_REQUEST:
            return None
    return bytes(body)


def serve_witness(witness: Witness, store: WitnessStore, clock: Callable[[], datetime], where: Listening) -> None:
    """Serve until SIGTERM or SIGINT; the address is the only line on standard output.

    Raises `InvalidInput` as `listen` does.
    """
    with listen(where) as listening:
        begin_log()
        run(create_witness(witness, store, clock), listening, where, MOST_AT_ONCE)
