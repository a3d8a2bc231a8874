"""Static files: compressed, and kept by browsers for good where the address names their version."""

from __future__ import annotations

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "public, no-cache"


class _Versioned(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOR_GOOD if scope["query_string"].startswith(b"v=") else _ASK_AGAIN
        return response


def static_files() -> ASGIApp:
    """Return the application that serves `api/static`. Nothing in it is secret, so compressing it tells nothing."""
    return GZipMiddleware(_Versioned(packages=[("api", "static")]), minimum_size=1000)
