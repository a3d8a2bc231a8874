"""Serving the application: database, migrations, one uvicorn process on loopback, and an orderly end.

1. A host other than loopback is refused, and so is a request addressed to another name: there is no access control
   yet, and a page of another site must not reach the ledger through a browser on this machine (DNS rebinding).
2. The database is migrated, and the ledgers are opened.
3. Once the server listens, its address is the only line on standard output; the log goes to standard error.
4. SIGTERM or SIGINT: no new requests, those begun are answered, what was submitted is written, the ledgers are closed.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
from ipaddress import ip_address

import uvicorn
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api.http import create_app
from api.opening import now, open_ledgers
from api.settings import Settings
from schemes.problem import refuse

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1", "[::1]")
SECONDS_TO_FINISH = 20
_logger = logging.getLogger("mingzhang")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `InvalidInput` for a host that is not loopback, or a port that is taken."""
    listening = _listen(settings)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with listening, open_ledgers(settings.database_url) as jurisdictions:
        app = create_app(jurisdictions, settings, now)
        # Inside of what gives every answer its request id.
        app.user_middleware.append(Middleware(TrustedHostMiddleware, LOOPBACK_NAMES, www_redirect=False))
        config = uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        )
        # uvicorn raises the signal that ended it once more, but the ledgers have yet to be closed, and it is no error.
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: None)
        _Announcing(config, _address(listening)).run([listening])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _logger.warning("there is no access control yet: %s answers on loopback only", self._address)
        sys.stdout.write(f"{self._address}\n")
        sys.stdout.flush()


def _listen(settings: Settings) -> socket.socket:
    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        message = f"found {settings.host!r}, expected 127.0.0.1, ::1 or localhost: there is no access control yet"
        raise refuse("host-not-loopback", "host", message)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise refuse(
            "port-not-free", "port", f"cannot listen on {host} port {settings.port}: {error.strerror}"
        ) from None


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
