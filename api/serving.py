"""Serving the application: database, migrations, one uvicorn process on loopback, and an orderly end.

1. A host other than loopback needs TLS, here or in front: passwords and the session's cookie go over it. A request
   addressed to another name is refused: a page of another site must not reach the ledger through a browser on this
   machine (DNS rebinding).
2. The database is migrated, and the ledgers are opened. One that is no continuation of the last checkpoint signed for
   it (an older copy was restored, or it was rewritten) ends the start; an erasure that was cut short is finished.
3. The first start makes an administrator; the one-time password goes to standard error, this once, and to no log.
4. Once the server listens, its address is the only line on standard output; the log goes to standard error.
5. SIGTERM or SIGINT: no new requests, those begun are answered, what was submitted is written, the ledgers are closed.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
from ipaddress import ip_address
from urllib.parse import urlsplit

import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api.edge import Edge
from api.http import create_app
from api.opening import now, open_ledgers
from api.settings import Settings
from ledger.evidence.erasures import unfinished_erasures
from projections.jurisdictions import Jurisdictions
from schemes.problem import refuse

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
SECONDS_TO_FINISH = 20
_logger = logging.getLogger("mingzhang")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises `InvalidInput` for a host that needs TLS and has none, or a port that is taken, and `Rejection`
    (`checkpoint-not-consistent`) for a ledger that lost or changed what was signed.
    """
    listening = _listen(settings)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with listening, open_ledgers(settings.database_url) as jurisdictions:
        app = create_app(jurisdictions, settings, now)
        _prepare(jurisdictions, app.state.edge)
        # Inside of what gives every answer its request id.
        app.user_middleware.append(Middleware(TrustedHostMiddleware, _names(settings), www_redirect=False))
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        )
        # uvicorn raises the signal that ended it once more, but the ledgers have yet to be closed, and it is no error.
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: None)
        _Announcing(config, _address(listening, settings)).run([listening])


def _prepare(jurisdictions: Jurisdictions, edge: Edge) -> None:
    for code in jurisdictions.codes():
        edge.custody.proofs(code).check_continuation()
        if unfinished_erasures(jurisdictions.engine, code):
            edge.finish_erasures(code)
    edge.custody.sweep(edge.clock())
    first = edge.access.first_administrator()
    if first is not None:
        sys.stderr.write(
            f"account {first.name!r}, one-time password {first.one_time_password!r}: shown this once; "
            "it has to be changed at the first sign-in\n"
        )


def _names(settings: Settings) -> list[str]:
    public = urlsplit(settings.public_url or "").hostname
    return [*LOOPBACK_NAMES, settings.host, *([public] if public else [])]


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self._address}\n")
        sys.stdout.flush()


def _listen(settings: Settings) -> socket.socket:
    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    encrypted = settings.tls_certificate is not None or (settings.public_url or "").startswith("https://")
    if not loopback and not encrypted:
        message = (
            f"found {settings.host!r}, expected 127.0.0.1, ::1 or localhost, or TLS: set MINGZHANG_TLS_CERTIFICATE and "
            "MINGZHANG_TLS_KEY, or put a proxy with TLS in front and set MINGZHANG_PUBLIC_URL=https://…"
        )
        raise refuse("tls-needed", "host", message)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise refuse(
            "port-not-free", "port", f"cannot listen on {host} port {settings.port}: {error.strerror}"
        ) from None


def _address(listening: socket.socket, settings: Settings) -> str:
    host, port = listening.getsockname()[:2]
    scheme = "http" if settings.tls_certificate is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
