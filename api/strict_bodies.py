"""Routes that read strictly: no unknown parameter; bodies of bounded size and stated media type, JSON of one meaning.

FastAPI's own reading takes `NaN`, duplicate keys, U+0000 and integers that other readers cannot hold, and answers a
body that is too large in plain text. Here the ledger's strict reader comes first (`ledger.canonical.read_json`), then
the model that the route declares, which is what OpenAPI documents.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from email.message import Message
from typing import Any, ClassVar, Literal, cast

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.status import (
    HTTP_400_BAD_REQUEST,
    HTTP_413_CONTENT_TOO_LARGE,
    HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    HTTP_422_UNPROCESSABLE_CONTENT,
)

from api.access.guard import admit
from api.access.permissions import ROUTES
from api.problems import RefusedRequest
from api.settings import Settings
from ledger.canonical import JsonProblem, read_json
from schemes.problem import Problem

MOST_VALUES = 100_000
"""Most commas in a body of JSON, and so about the most values: a full batch of observations holds half of them."""
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """A route whose body is read strictly, up to the settings' `largest_body`."""

    limit: ClassVar[Literal["largest_body", "largest_batch", "largest_evidence"]] = "largest_body"

    def get_route_handler(self) -> Handler:
        """Return FastAPI's handler, given a request that reads strictly."""
        handle = super().get_route_handler()
        known = sorted(set(_query_parameters(self.dependant)))
        needed = ROUTES.get((next(iter(self.methods or ())), self.path))

        async def handle_strictly(request: Request) -> Response:
            await admit(request, self.path, needed)
            for name in request.query_params.keys() - known:
                message = f"there is no such parameter; expected one of {', '.join(known) or 'none'}"
                found = Problem("parameter-unknown", name, message)
                raise RefusedRequest(HTTP_422_UNPROCESSABLE_CONTENT, found)
            for name in known:
                if len(request.query_params.getlist(name)) > 1:
                    found = Problem("parameter-twice", name, "the parameter stands twice; state it once")
                    raise RefusedRequest(HTTP_422_UNPROCESSABLE_CONTENT, found)
            settings = cast(Settings, request.app.state.settings)
            strict = _StrictRequest(request.scope, request.receive)
            strict.limit = getattr(settings, self.limit)
            if self.body_field is not None:
                request.state.body_type = self.body_field.field_info.annotation
                _check_media_type(request, getattr(self.body_field.field_info, "media_type", "application/json"))
            return await handle(strict)

        return handle_strictly


class BatchRoute(StrictRoute):
    """A route whose body may hold many observations."""

    limit = "largest_batch"


class _StrictRequest(Request):
    limit: int

    async def stream(self) -> AsyncGenerator[bytes, None]:
        found = self.headers.get("content-encoding", "identity")
        if found.strip().lower() != "identity":
            problem = Problem(
                "content-encoding", "Content-Encoding", f"found {found[:80]!r}, expected none: send it plain"
            )
            raise RefusedRequest(HTTP_415_UNSUPPORTED_MEDIA_TYPE, problem)
        async for chunk in super().stream():
            yield chunk

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            chunks: list[bytes] = []
            size = 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > self.limit:
                    message = f"the body is larger than {self.limit} bytes; split it"
                    raise RefusedRequest(HTTP_413_CONTENT_TOO_LARGE, Problem("body-too-large", "body", message))
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        try:
            data = await self.body()
            # Each value costs far more than its bytes, and each wrong one an error: 8 MB hold millions of `{},`.
            if data.count(b",") > MOST_VALUES:
                message = f"the body holds more than {MOST_VALUES} values; split it"
                raise RefusedRequest(HTTP_413_CONTENT_TOO_LARGE, Problem("body-too-many-values", "body", message))
            return read_json(data, self.limit)
        except JsonProblem as problem:
            found = Problem(problem.code, problem.where, problem.message)
            raise RefusedRequest(HTTP_400_BAD_REQUEST, found) from None


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


def _check_media_type(request: Request, expected: str) -> None:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    found = message.get_content_type() if request.headers.get("content-type") else "nothing"
    charset = message.get_content_charset("utf-8")
    if found != expected or charset != "utf-8":
        text = f"found {found} ({charset}), expected {expected} in UTF-8"
        raise RefusedRequest(HTTP_415_UNSUPPORTED_MEDIA_TYPE, Problem("media-type", "Content-Type", text))
