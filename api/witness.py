"""The server of a witness: `POST /add-checkpoint` of C2SP tlog-witness, and nothing else.

It stands on another machine than the ledgers it watches, has no database, and knows of them only what their keys
signed. Without a certificate it listens on loopback only. Who asks is not asked: a request is worth what the
signature of its ledger is worth.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import uvicorn
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

from ledger.rejection import Rejection
from ledger.witness_store import WitnessStore
from ledger.witnessing import LARGEST_REQUEST, TREE_SIZE, SizeConflict, Submission, Witness
from schemes.problem import refuse

SECONDS_TO_FINISH: Final = 20
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


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a witness listens: an address and a port (0 takes any free one), and its certificate and key, or none."""

    host: str
    port: int
    certificate: Path | None = None
    certificate_key: Path | None = None


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

    Raises `InvalidInput`: `host-not-loopback` for another host without a certificate, `port-not-free`,
    `certificate-incomplete`.
    """
    listening = _listen(where)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with listening:
        config = uvicorn.Config(
            create_witness(witness, store, clock),
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_AT_ONCE,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
            ssl_certfile=where.certificate,
            ssl_keyfile=where.certificate_key,
        )
        # uvicorn raises the signal that ended it once more; ended in order is no error.
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: None)
        _Announcing(config, _address(listening, where.certificate is not None)).run([listening])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self._address}\n")
        sys.stdout.flush()


def _listen(where: Listening) -> socket.socket:
    if (where.certificate is None) != (where.certificate_key is None):
        message = "found one of certificate and key, expected both or none"
        raise refuse("certificate-incomplete", "tls-certificate", message)
    host = "127.0.0.1" if where.host == "localhost" else where.host
    try:
        address = ip_address(host)
    except ValueError:
        raise refuse("listen-form", "listen", f"found the host {host!r}, expected an IP address or localhost") from None
    if where.certificate is None and not address.is_loopback:
        message = f"found {host}, expected 127.0.0.1, ::1 or localhost: any other address needs --tls-certificate"
        raise refuse("host-not-loopback", "listen", message)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET  # IPv6
    try:
        return socket.create_server((host, where.port), family=family, backlog=128)
    except OSError as error:
        message = f"cannot listen on {host} port {where.port}: {error.strerror}"
        raise refuse("port-not-free", "listen", message) from None


def _address(listening: socket.socket, encrypted: bool) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{'https' if encrypted else 'http'}://{shown}"
