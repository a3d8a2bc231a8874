"""Serving the application: database, migrations, keys, one uvicorn process, and an orderly end.

1. A host other than loopback needs TLS, here or in front (`api.listening`): passwords and the session's cookie go over
   it. A request addressed to another name is refused: a page of another site must not reach the ledger through a
   browser on this machine (DNS rebinding).
2. The database is migrated, and the ledgers are opened. One that is no continuation of the last checkpoint signed for
   it (an older copy was restored, or it was rewritten) ends the start, and so does a lost key of the evidence; an
   erasure that was cut short is finished.
3. Each ledger with entries has its signing key from here on. Its public key is told on standard error, and loudly
   where it had to be made now: the key folder may have been lost.
4. The first start makes an administrator; the one-time password goes to standard error, this once, and to no log.
5. While it serves, notices are delivered by a thread of its own, which ends before the ledgers are closed.
6. At the end those requests that began are answered, what was submitted is written, and the ledgers are closed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from ipaddress import ip_address
from socket import socket
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.status import HTTP_400_BAD_REQUEST
from starlette.types import ASGIApp, Receive, Scope, Send

from api.edge import Edge
from api.http import create_app
from api.listening import SETTINGS, Listening, begin_log, listen, run
from api.notices.delivering import delivering
from api.opening import now, open_ledgers, signing_key_told
from api.problems import problem_response
from api.settings import Settings
from projections.jurisdictions import Jurisdictions
from schemes.problem import Problem, refuse

_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises `InvalidInput` as `listen` does, and `public-url-needed` where nobody could reach the server by a name it
    knows; Rejection `checkpoint-not-consistent` for a ledger that lost or changed what was signed, `evidence-key-wrong`
    for evidence whose key is lost, `evidence-store-unavailable`, and what the signing keys raise.
    """
    where = Listening(
        settings.host,
        settings.port,
        settings.tls_certificate,
        settings.tls_key,
        encrypted_in_front=(settings.public_url or "").startswith("https://"),
        names=SETTINGS,
    )
    with listen(where) as listening:
        _check_reachable(listening, settings)
        begin_log()
        with open_ledgers(settings.database_url) as jurisdictions:
            app = create_app(jurisdictions, settings, now)
            _prepare(jurisdictions, app.state.edge, settings)
            # Inside of what gives every answer its request id.
            app.user_middleware.append(Middleware(_KnownHosts, _names(settings)))
            with delivering(jurisdictions, settings, now):
                run(app, listening, where)


def _check_reachable(listening: socket, settings: Settings) -> None:
    """Refuse to listen on all addresses without the one name by which people reach them."""
    if settings.public_url is None and ip_address(listening.getsockname()[0]).is_unspecified:
        message = (
            f"{settings.host!r} listens on every address of this machine, but requests are answered by name only: set "
            "MINGZHANG_PUBLIC_URL to what people type, like https://mingzhang.example.gov.cn"
        )
        raise refuse("public-url-needed", "MINGZHANG_PUBLIC_URL", message)


def _prepare(jurisdictions: Jurisdictions, edge: Edge, settings: Settings) -> None:
    codes = jurisdictions.codes()
    for code in sorted({*codes, *edge.custody.signed_ledgers()}):
        edge.custody.proofs(code).check_continuation()
    # Opened now: a store that cannot be had and a key that was lost are for the operator, not for the first upload.
    _ = edge.evidence
    for code in codes:
        key, warning = signing_key_told(edge.custody.proofs(code), settings, code)
        sys.stderr.write(f"ledger {code}: public key {key}\n")
        if warning is not None:
            sys.stderr.write(f"{warning}\n")
    edge.custody.prepare_evidence(codes, edge.clock())
    first = edge.access.first_administrator()
    if first is not None:
        sys.stderr.write(
            f"account {first.name!r}, one-time password {first.one_time_password!r}: shown this once; "
            "it has to be changed at the first sign-in\n"
        )


class _KnownHosts:
    """Answers only requests that are addressed to a name of this server's; ASGI middleware."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # ASGI's own signature
        found = Headers(scope=scope).get("host", "") if scope["type"] == "http" else None
        if found is None or _host(found) in self._names:
            await self._app(scope, receive, send)
            return
        message = (
            f"found {found[:80]!r}, which is no name of this server; if people reach it by that name, set "
            "MINGZHANG_PUBLIC_URL to it, with https://"
        )
        await problem_response(HTTP_400_BAD_REQUEST, [Problem("host-unknown", "Host", message)])(scope, receive, send)


def _host(header: str) -> str | None:
    found = _HOST.fullmatch(header)
    return None if found is None else (found[1] or found[2]).lower()


def _names(settings: Settings) -> frozenset[str]:
    public = urlsplit(settings.public_url or "").hostname
    return frozenset({*_LOOPBACK_NAMES, settings.host.lower(), *([public] if public else [])})
