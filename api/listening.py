"""How a server of this program listens, and how it ends: the ledgers' server and a witness's alike.

Rules kept here:

1. Everything that stands against listening is found before anything else is done, and is one refusal that names the
   setting: a host other than loopback without TLS, half of a certificate, files that cannot be used, a taken port.
2. Once the server listens, its address is the only line on standard output; the log goes to standard error.
3. SIGTERM or SIGINT: no new requests, those begun are answered; ended in order is no error.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from schemes.problem import refuse

SECONDS_TO_FINISH: Final = 20


class Names(NamedTuple):
    """What whoever starts the server calls what it is given."""

    host: str
    port: str
    certificate: str
    key: str


OPTIONS: Final = Names("--listen", "--listen", "--tls-certificate", "--tls-key")
SETTINGS: Final = Names("MINGZHANG_HOST", "MINGZHANG_PORT", "MINGZHANG_TLS_CERTIFICATE", "MINGZHANG_TLS_KEY")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens: an address and a port (0 takes any free one), and its certificate and key, or none.

    `encrypted_in_front`: a proxy with TLS stands between this server and everybody.
    """

    host: str
    port: int
    certificate: Path | None = None
    certificate_key: Path | None = None
    encrypted_in_front: bool = False
    names: Names = OPTIONS


def begin_log() -> None:
    """Send the log to standard error; what this server asks of others is not in it: their addresses may hold keys."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for library in ("httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)


def listen(where: Listening) -> socket.socket:
    """Return the socket, listening.

    Raises `InvalidInput`: `certificate-incomplete`, `certificate-not-usable`, `tls-needed` for another host than
    loopback without TLS, `port-not-free`.
    """
    _check_certificate(where)
    host = "127.0.0.1" if where.host == "localhost" else where.host
    if not (_is_loopback(host) or where.certificate is not None or where.encrypted_in_front):
        message = (
            f"found {where.host!r}, expected 127.0.0.1, ::1 or localhost, or TLS: give {where.names.certificate} and "
            f"{where.names.key}"
        )
        if where.names is SETTINGS:
            message += ", or put a proxy with TLS in front and set MINGZHANG_PUBLIC_URL=https://…"
        raise refuse("tls-needed", where.names.host, message)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, where.port), family=family, backlog=2048)
    except OSError as error:
        message = f"cannot listen on {host} port {where.port}: {error.strerror}"
        raise refuse("port-not-free", where.names.port, message) from None


def run(app: ASGIApp, listening: socket.socket, where: Listening, most_at_once: int | None = None) -> None:
    """Serve on the socket until SIGTERM or SIGINT; `most_at_once` requests are answered at a time, others refused."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever sends a request could write the address it comes from into a header.
        proxy_headers=False,
        limit_concurrency=most_at_once,
        ssl_certfile=where.certificate,
        ssl_keyfile=where.certificate_key,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    # uvicorn raises the signal that ended it once more, but who called it has yet to finish, and it is no error.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: None)
    _Announcing(config, _address(listening, where.certificate is not None)).run([listening])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address
        self._ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # What goes on for long looks at this in its request's state, and ends (`api.pages.live`).
        self.lifespan.state["ending"] = self._ending
        await super().startup(sockets)
        sys.stdout.write(f"{self._address}\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending.set()
        await super().shutdown(sockets)


def _check_certificate(where: Listening) -> None:
    names = where.names
    if where.certificate is None and where.certificate_key is None:
        return
    if where.certificate is None or where.certificate_key is None:
        given, missing = (names.key, names.certificate) if where.certificate is None else (names.certificate, names.key)
        raise refuse("certificate-incomplete", missing, f"found {given} without it; give both, or neither")
    for name, path in ((names.certificate, where.certificate), (names.key, where.certificate_key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise refuse("certificate-not-usable", name, f"{path} cannot be read: {error.strerror}") from None
    try:
        # An encrypted key would make the server wait for a password that nobody types.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            where.certificate, where.certificate_key, password=lambda: b""
        )
    except ssl.SSLError as error:
        message = (
            f"{where.certificate_key} is not the key of {where.certificate} in {names.certificate}, or one of them "
            f"cannot be read ({error.reason}); expected a certificate chain and its key, not encrypted, both PEM"
        )
        raise refuse("certificate-not-usable", names.key, message) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _address(listening: socket.socket, encrypted: bool) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{'https' if encrypted else 'http'}://{shown}"
