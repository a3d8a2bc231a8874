"""Evidence: store a file, ask what is known of it, read it again.

A body is taken as it comes in, whatever media type it claims, and never held whole; the thread that works on it is
only taken while there is something to do, so that a slow sender holds none. What is read is saved, not run: only
images and PDF may be shown in their place, and only where the reader asks for it.
"""

from __future__ import annotations

from asyncio import timeout
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.status import HTTP_201_CREATED, HTTP_400_BAD_REQUEST, HTTP_408_REQUEST_TIMEOUT

from api.edge import JURISDICTION, READ, Edge, Given, JurisdictionCode, problems
from api.problems import RefusedRequest
from api.replies import content_reply
from api.settings import Settings
from api.strict_bodies import StrictRoute
from ledger.events import Digest
from ledger.evidence.content_types import EXTENSIONS, INLINE, OTHER
from ledger.evidence.vault import StoredFile, too_large, unknown_evidence
from projections.answer_models import Answer
from schemes.problem import Problem

router = APIRouter(route_class=StrictRoute, tags=["evidence"])
EVIDENCE: Final = f"{JURISDICTION}/evidence"
FILE: Final = f"{EVIDENCE}/{{file}}"
SILENCE: Final = 60
"""Seconds that a sender may say nothing before it is given up."""

_NAMED: Final = 12
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file itself. What it is, its content says; the media type sent does not count.",
        "content": {
            OTHER: _BINARY | {"examples": {"pdf": {"summary": "检查情况通报（扫描件）", "value": "%PDF-1.7\n"}}},
            "text/plain": {
                "schema": {"type": "string"},
                "examples": {"text": {"summary": "检查记录", "value": "2021年3月29日抽查政务公开栏，两处未更新。\n"}},
            },
        },
    }
}
_PROBLEM: Final = problems(404)[404]["content"]
_STORED: Final = problems(400, 404, 413, 422) | {
    408: {"description": "Nothing more came of the file", "content": _PROBLEM}
}
_CONTENT: Final = problems(404, 422) | {
    200: {"description": "The file", "content": dict.fromkeys(EXTENSIONS, _BINARY)},
    410: {"description": "The file was erased by law", "content": _PROBLEM},
    500: {"description": "The file is damaged, or its key is another; nothing of it is given", "content": _PROBLEM},
}
File = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{64}$",
        description="The commitment to the file, as storing it answered.",
        examples=["9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a"],
    ),
]


class StoredEvidence(Answer):
    """A file just stored. Entries name it by `file`; `sha256` of its content is for the sender to compare."""

    file: Digest
    size: Annotated[int, Field(description="In bytes.")]
    media_type: str
    sha256: Digest


class EvidenceFile(Answer):
    """What is known of a stored file; it is gone since `erased_at`."""

    file: Digest
    size: Annotated[int, Field(description="In bytes.")]
    media_type: str
    stored_by: str
    stored_at: datetime
    erased_at: datetime | None


@router.post(
    EVIDENCE,
    status_code=HTTP_201_CREATED,
    response_model=StoredEvidence,
    responses=_STORED,
    openapi_extra=_BODY,
)
async def store_evidence(request: Request, given: Given, jurisdiction: JurisdictionCode) -> StoredEvidence:
    """Store a file, encrypted under a key of its own; it is on the disk once this answers.

    The same file stored twice has two names, and nothing tells that they are the same.
    """
    await run_in_threadpool(given.jurisdictions.known_ledger, jurisdiction)
    limit = cast(Settings, request.app.state.settings).largest_evidence
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise too_large(limit)
    with await run_in_threadpool(lambda: given.evidence.begin(limit)) as incoming:
        async for chunk in _chunks(request):
            await run_in_threadpool(incoming.write, chunk)
        stored = await run_in_threadpool(incoming.finish, jurisdiction, given.asking.name, given.clock())
    return StoredEvidence(file=stored.commitment, size=stored.size, media_type=stored.media_type, sha256=stored.sha256)


@router.get(FILE, response_model=EvidenceFile, responses=READ)
def read_evidence(request: Request, given: Given, jurisdiction: JurisdictionCode, file: File) -> Response:
    """Return what is known of a stored file."""
    found = _seen(given, jurisdiction, file)
    answer = EvidenceFile(
        file=found.commitment,
        size=found.size,
        media_type=found.media_type,
        stored_by=found.stored_by,
        stored_at=found.stored_at,
        erased_at=found.erased_at,
    )
    return content_reply(request, answer.model_dump_json().encode())


@router.get(f"{FILE}/content", response_class=Response, responses=_CONTENT)
def read_content(
    given: Given,
    jurisdiction: JurisdictionCode,
    file: File,
    inline: Annotated[bool, Query(description="Show it in its place: images and PDF only.")] = False,
) -> Response:
    """Return a stored file, once the whole of it was held against its commitment."""
    _seen(given, jurisdiction, file)
    opened = given.evidence.open(jurisdiction, file)
    media_type = opened.media_type if opened.media_type in EXTENSIONS else OTHER
    shown = "inline" if inline and media_type in INLINE else "attachment"
    return StreamingResponse(
        opened.chunks,
        headers={
            "Content-Type": media_type,
            "Content-Length": str(opened.size),
            "Content-Disposition": f'{shown}; filename="{evidence_name(file, media_type)}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )


def evidence_name(file: str, media_type: str) -> str:
    """Return what the file is called where it is saved; whatever its sender called it is not kept."""
    return f"evidence-{file[:_NAMED]}.{EXTENSIONS[media_type]}"


def _seen(given: Edge, code: str, file: str) -> StoredFile:
    """Return what is known of the file; refuses one that the account may not see as if it were not there.

    An account that speaks for a unit sees what it stored itself, and what none but its own unit's entries rest on.
    """
    given.jurisdictions.known_ledger(code)
    found = given.evidence.stored(code, file)
    if not given.sees_file(code, found):
        raise unknown_evidence(code, file)
    return found


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    try:
        while True:
            async with timeout(SILENCE):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield chunk
    except ClientDisconnect:
        found = Problem("evidence-incomplete", "body", "the connection ended before the file did; send it again")
        raise RefusedRequest(HTTP_400_BAD_REQUEST, found) from None
    except TimeoutError:
        found = Problem("evidence-incomplete", "body", f"nothing came for {SILENCE} seconds; send the file again")
        raise RefusedRequest(HTTP_408_REQUEST_TIMEOUT, found) from None
