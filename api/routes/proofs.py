"""What an auditor reads: the signed head, its key, the proofs of RFC 9162, and the entries' exact bytes."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.edge import JURISDICTION, READ, Given, JurisdictionCode
from api.replies import content_reply
from api.strict_bodies import StrictRoute
from ledger.signing import LedgerProofs
from projections.proofs.answers import (
    LARGEST_POSITION,
    MOST_ENTRIES,
    ConsistencyAnswer,
    EntriesAnswer,
    InclusionAnswer,
    consistency_answer,
    entries_answer,
    entry_bytes,
    inclusion_answer,
)

router = APIRouter(route_class=StrictRoute, tags=["proofs"])

_PLAIN: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
_NOTE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The text", "content": {"text/plain": {"schema": {"type": "string"}}}}
}
_ENTRY: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The bytes", "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}}
}


def _number(description: str, ge: int, *examples: int) -> Any:
    return Query(description=description, ge=ge, le=LARGEST_POSITION, examples=list(examples) or None)


Size = Annotated[int | None, _number("Entries of the tree. Default: those of the signed head.", ge=1)]
First = Annotated[int, _number("Entries of the smaller tree.", 1, 1)]
Second = Annotated[int | None, _number("Entries of the larger tree. Default: those of the signed head.", ge=1)]
PositionAsked = Annotated[int, _number("The entry's position, from 1.", 1, 1)]
PositionNamed = Annotated[
    int, Path(description="The entry's position, from 1.", ge=1, le=LARGEST_POSITION, examples=[1])
]
After = Annotated[int, _number("Entries behind this position; `next` of the answer before.", ge=0)]
Limit = Annotated[int, Query(description="Most entries of the answer.", ge=1, le=MOST_ENTRIES)]


def _proofs(given: Given, jurisdiction: JurisdictionCode) -> LedgerProofs:
    return given.proofs(jurisdiction)


Proofs = Annotated[LedgerProofs, Depends(_proofs)]


@router.get(f"{JURISDICTION}/checkpoint", response_class=Response, responses=READ | _NOTE)
def read_checkpoint(request: Request, proofs: Proofs) -> Response:
    """Return the ledger's signed head (C2SP tlog-checkpoint in a signed note), with the cosignatures it has."""
    return content_reply(request, proofs.checkpoint(), _PLAIN)


@router.get(f"{JURISDICTION}/verifier-key", response_class=Response, responses=READ | _NOTE)
def read_verifier_key(request: Request, proofs: Proofs) -> Response:
    """Return the public key that signs this ledger's heads (C2SP signed-note, vkey), and a newline.

    A key that comes from the server it is to check proves nothing: compare it with one on paper.
    """
    return content_reply(request, f"{proofs.verifier_key()}\n".encode(), _PLAIN)


@router.get(f"{JURISDICTION}/proof/inclusion", response_model=InclusionAnswer, responses=READ)
def read_inclusion_proof(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    proofs: Proofs,
    position: PositionAsked,
    size: Size = None,
) -> Response:
    """Return the proof that an entry is in the tree (RFC 9162 section 2.1.3); its leaf index is position - 1."""
    given.refuse_foreign_position(jurisdiction, position)
    return content_reply(request, inclusion_answer(proofs, position, size).model_dump_json().encode())


@router.get(f"{JURISDICTION}/proof/consistency", response_model=ConsistencyAnswer, responses=READ)
def read_consistency_proof(request: Request, proofs: Proofs, first: First, second: Second = None) -> Response:
    """Return the proof that one tree is the start of another (RFC 9162 section 2.1.4)."""
    return content_reply(request, consistency_answer(proofs, first, second).model_dump_json().encode())


@router.get(f"{JURISDICTION}/entries", response_model=EntriesAnswer, responses=READ)
def list_entries(request: Request, proofs: Proofs, after: After = 0, limit: Limit = 100) -> Response:
    """Return entries by position, each with its exact bytes and its leaf hash."""
    return content_reply(request, entries_answer(proofs, after, limit).model_dump_json().encode())


@router.get(f"{JURISDICTION}/entries/{{position}}/bytes", response_class=Response, responses=READ | _ENTRY)
def read_entry(request: Request, proofs: Proofs, position: PositionNamed) -> Response:
    """Return the exact bytes of one entry, which are what its leaf hash is made of."""
    return content_reply(request, entry_bytes(proofs, position), _BYTES)
