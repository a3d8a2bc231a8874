"""Answers to reads: UTF-8 JSON with a strong entity tag, or 304 when the reader has it already (RFC 9110, 13.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel
from starlette.status import HTTP_304_NOT_MODIFIED

from projections.years import YearView

JSON: Final = "application/json"
_CACHING: Final = "private, no-cache"
_VERSION: Final = version("mingzhang")


def view_reply(request: Request, view: YearView, build: Callable[[], BaseModel]) -> Response:
    """Return the answer about a view, which is only built when the reader does not have it yet.

    What the view is of, the address and the version of this program decide the answer, and so they are its tag. Who
    sees a part of the view gets the tag of that part: another one's entries do not show in it.
    """
    if view.visible is not None:
        return content_reply(request, build().model_dump_json().encode())
    tag = _tag(f"{_VERSION} {request.url.path}?{request.url.query} {view.etag}".encode())
    if _has(request, tag):
        return _not_modified(tag)
    return _reply(build().model_dump_json().encode(), JSON, tag)


def content_reply(request: Request, data: bytes, media_type: str = JSON) -> Response:
    """Return the bytes, tagged by themselves."""
    tag = _tag(data)
    return _not_modified(tag) if _has(request, tag) else _reply(data, media_type, tag)


def _tag(content: bytes) -> str:
    return f'"{sha256(content).hexdigest()[:32]}"'


def _has(request: Request, tag: str) -> bool:
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    return tag in known or "*" in known


def _reply(data: bytes, media_type: str, tag: str) -> Response:
    return Response(data, media_type=media_type, headers={"ETag": tag, "Cache-Control": _CACHING})


def _not_modified(tag: str) -> Response:
    return Response(status_code=HTTP_304_NOT_MODIFIED, headers={"ETag": tag, "Cache-Control": _CACHING})
