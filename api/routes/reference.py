"""What facts and schemes are written in: the vocabulary, the scheme format, the shipped schemes, a check of others."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel

from api.edge import API, READ, problems
from api.replies import content_reply
from api.routes.bodies import SCHEME_TEXT
from api.scheme_answers import FindingAnswer, finding_answers
from api.strict_bodies import StrictRoute
from projections.scheme_files import load, shipped, source, vocabulary
from schemes.linting.lint import lint
from schemes.reading import read_scheme
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary

YAML = "application/yaml"
router = APIRouter(route_class=StrictRoute, tags=["schemes"])
SchemeId = Annotated[str, Path(description="The id of a shipped scheme.", examples=["zhangshu-2021"])]


class SchemeSummary(BaseModel):
    """A scheme that can be used, and what the lint finds in it."""

    id: str
    version: str
    title: str
    jurisdiction: str
    year: int
    groups: dict[str, int]
    findings: list[FindingAnswer]


class SchemeList(BaseModel):
    """The schemes that are shipped."""

    schemes: list[SchemeSummary]


@router.get(f"{API}/vocabulary", response_model=Vocabulary, responses=READ)
def read_vocabulary(request: Request) -> Response:
    """Return the kinds of observations, their attributes and the item codes, with Chinese labels."""
    return content_reply(request, vocabulary().model_dump_json().encode())


@router.get(f"{API}/scheme-format", response_model=dict[str, object], responses=READ)
def read_scheme_format(request: Request) -> Response:
    """Return the JSON Schema of scheme files, for editors."""
    return content_reply(request, json.dumps(Scheme.model_json_schema(), ensure_ascii=False).encode())


@router.get(f"{API}/schemes", response_model=SchemeList, responses=READ)
def list_shipped_schemes(request: Request) -> Response:
    """List the schemes that are shipped."""
    answer = SchemeList(schemes=[_shipped_summary(one) for one in shipped()])
    return content_reply(request, answer.model_dump_json().encode())


@router.post(f"{API}/schemes/validate", response_model=SchemeSummary, responses=problems(400, 413, 415, 422))
def validate_scheme(text: Annotated[str, Body(media_type=YAML, openapi_examples=SCHEME_TEXT)]) -> SchemeSummary:
    """Check the text of a scheme file: all its errors with line and path, or what it holds. Nothing is recorded."""
    return _summary(read_scheme(text, "document", vocabulary()))


@router.get(f"{API}/schemes/{{scheme}}", response_model=Scheme, responses=READ)
def read_shipped_scheme(request: Request, scheme: SchemeId) -> Response:
    """Return a shipped scheme."""
    return content_reply(request, load(scheme).model_dump_json().encode())


@router.get(
    f"{API}/schemes/{{scheme}}/document",
    response_class=Response,
    responses=READ | {200: {"description": "The scheme file", "content": {YAML: {}}}},
)
def read_scheme_document(request: Request, scheme: SchemeId) -> Response:
    """Return a shipped scheme's file as its authors wrote it."""
    return content_reply(request, source(scheme).encode(), YAML)


@router.get(f"{API}/schemes/{{scheme}}/summary", response_model=SchemeSummary, responses=READ)
def read_scheme_summary(request: Request, scheme: SchemeId) -> Response:
    """Return what a shipped scheme holds, and what the lint finds in it."""
    return content_reply(request, _shipped_summary(scheme).model_dump_json().encode())


@cache
def _shipped_summary(scheme_id: str) -> SchemeSummary:
    return _summary(load(scheme_id))


def _summary(scheme: Scheme) -> SchemeSummary:
    return SchemeSummary(
        id=scheme.id,
        version=scheme.version,
        title=scheme.document.title,
        jurisdiction=scheme.jurisdiction.code,
        year=scheme.year,
        groups={group.id: len(group.indicators) for group in scheme.groups},
        findings=finding_answers(lint(scheme, vocabulary())),
    )
