"""The official document of a scheme version: registered once as evidence, and read again."""

from __future__ import annotations

from email.message import Message
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.status import (
    HTTP_201_CREATED,
    HTTP_413_CONTENT_TOO_LARGE,
    HTTP_415_UNSUPPORTED_MEDIA_TYPE,
)

from api.edge import JURISDICTION, READ, WRITTEN, Given, JurisdictionCode, Key
from api.problems import RefusedRequest
from api.replies import content_reply
from api.strict_bodies import StrictRoute
from ledger.events import DocumentType
from projections.answer_models import ReceiptAnswer
from projections.official_documents.registering import LARGEST_DOCUMENT, official_document
from schemes.problem import Problem

MEDIA_TYPES: Final = ("text/plain", "application/pdf")
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "examples": {"text": {"summary": "方案正文", "value": "政务公开工作考核方案\n一、考核对象\n"}},
            },
            "application/pdf": _BINARY | {"examples": {"pdf": {"summary": "方案扫描件", "value": "%PDF-1.7\n"}}},
        },
    }
}
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The document", "content": dict.fromkeys(MEDIA_TYPES, _BINARY)}
}

router = APIRouter(route_class=StrictRoute, tags=["schemes"])
DOCUMENT = f"{JURISDICTION}/schemes/{{scheme_id}}/versions/{{version}}/document"
SchemeId = Annotated[str, Path(description="The scheme's id.", examples=["zhangshu-2021"])]
Version = Annotated[str, Path(description="A version of it that the ledger has.", examples=["1"])]
Title = Annotated[str, Query(description="The document's title.", examples=["政务公开工作考核方案"])]


async def _content(request: Request) -> tuple[DocumentType, bytes]:
    """Read the body, up to `LARGEST_DOCUMENT` bytes of one of the media types."""
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    found = header.get_content_type() if request.headers.get("content-type") else "nothing"
    if found not in MEDIA_TYPES:
        message = f"found {found}, expected {' or '.join(MEDIA_TYPES)}"
        raise RefusedRequest(HTTP_415_UNSUPPORTED_MEDIA_TYPE, Problem("media-type", "Content-Type", message))
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_DOCUMENT:
            message = f"the document is larger than {LARGEST_DOCUMENT} bytes"
            raise RefusedRequest(HTTP_413_CONTENT_TOO_LARGE, Problem("body-too-large", "body", message))
    return cast("DocumentType", found), bytes(content)


Content = Annotated[tuple[DocumentType, bytes], Depends(_content)]


@router.post(
    DOCUMENT,
    status_code=HTTP_201_CREATED,
    response_model=ReceiptAnswer,
    responses=WRITTEN,
    openapi_extra=_BODY,
)
def register_document(
    given: Given,
    jurisdiction: JurisdictionCode,
    scheme_id: SchemeId,
    version: Version,
    title: Title,
    key: Key,
    content: Content,
) -> ReceiptAnswer:
    """Register the official document (text in UTF-8, or PDF) that a scheme version of the ledger encodes."""
    document = official_document(title, *content)
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(
        ledger, key, lambda on, attempt: on.register_document(attempt, scheme_id, version, document)
    )
    return receipt


@router.get(DOCUMENT, response_class=Response, responses=READ | _SHOWN)
def read_document(
    request: Request, given: Given, jurisdiction: JurisdictionCode, scheme_id: SchemeId, version: Version
) -> Response:
    """Return the official document last registered for a scheme version."""
    document = given.jurisdictions.official_document(jurisdiction, scheme_id, version)
    return content_reply(request, document.content, document.media_type)
