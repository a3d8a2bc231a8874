"""What every request passes through: an id, a log line, the figures, and an answer even to what nobody expected."""

from __future__ import annotations

import logging
import re
from time import perf_counter
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import failed

REQUEST_ID: Final = "X-Request-ID"
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
}
"""What every answer says to browsers, unless its route says otherwise."""
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_EVENT_STREAM: Final = "text/event-stream"
_logger = logging.getLogger("mingzhang.http")


class Requests:
    """Gives each request an id (the caller's, if it is a plain one), logs and counts it; ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102  # ASGI's own signature
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # Answered as GET (RFC 9110, section 9.3.2): the server that this runs in sends no body.
            scope = {**scope, "method": "GET"}
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else uuid4().hex
        status, streamed = 0, False
        began = perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, streamed
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                streamed = headers.get("content-type", "").startswith(_EVENT_STREAM)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # the last place before the server: whatever it is, it is logged and answered
            response = failed(request_id, error)
            if status:
                raise
            await response(scope, receive, send_with_id)
        finally:
            seconds = perf_counter() - began
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.answered(scope["method"], route, status, None if streamed else seconds)
            _logger.info("%s %s %s %s %.1f ms", request_id, scope["method"], route, status, seconds * 1000)
