"""Proofs and entries in one shape for HTTP and the command line: positions from 1, hashes as hexadecimal digits.

What is proven here is checked with `ledger.merkle` against a root that the ledger's key has signed; the leaf index of
RFC 9162 is the position less one.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Final

from pydantic import Field

from ledger.checkpoints import parse_checkpoint
from ledger.merkle import leaf_hash
from ledger.signed_notes import parse_note
from ledger.signing import LedgerProofs
from projections.answer_models import Answer

MOST_ENTRIES: Final = 500
LARGEST_POSITION: Final = 2**63 - 1
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in hexadecimal digits.")]
Position = Annotated[int, Field(ge=1, le=LARGEST_POSITION)]


class InclusionAnswer(Answer):
    """The entry at `position` is in the tree of `size` entries with this `root` (RFC 9162 section 2.1.3)."""

    position: Position
    leaf_hash: Hash
    size: Position
    root: Hash
    hashes: list[Hash]


class ConsistencyAnswer(Answer):
    """The tree of the `first` entries is the start of that of the `second` entries (RFC 9162 section 2.1.4)."""

    first: Position
    first_root: Hash
    second: Position
    second_root: Hash
    hashes: list[Hash]


class EntryAnswer(Answer):
    """An entry's exact bytes in base64; the leaf hash is SHA-256 of a zero byte and these bytes."""

    position: Position
    bytes: str
    leaf_hash: Hash


class EntriesAnswer(Answer):
    """Entries in their order; `next` is what to give as `after` for those that follow, null at the ledger's end."""

    entries: list[EntryAnswer]
    next: int | None


def signed_size(proofs: LedgerProofs) -> int:
    """Return the size of the ledger's signed head, signed now where it has grown.

    Raises Rejection as `LedgerProofs.checkpoint` does.
    """
    return parse_checkpoint(parse_note(proofs.checkpoint())[0]).size


def inclusion_answer(proofs: LedgerProofs, position: int, size: int | None) -> InclusionAnswer:
    """Return the proof of an entry in the tree of `size` entries, left out: of the signed head.

    Raises Rejection: `unknown-position`, `proof-size`, and what `signed_size` raises.
    """
    known = signed_size(proofs) if size is None else size
    hashes = proofs.inclusion(position, known)
    return InclusionAnswer(
        position=position,
        leaf_hash=proofs.leaf_hash(position).hex(),
        size=known,
        root=proofs.root(known).hex(),
        hashes=[one.hex() for one in hashes],
    )


def consistency_answer(proofs: LedgerProofs, first: int, second: int | None) -> ConsistencyAnswer:
    """Return the proof between two sizes; the second left out, that of the signed head.

    Raises Rejection: `proof-size`, and what `signed_size` raises.
    """
    known = signed_size(proofs) if second is None else second
    hashes = proofs.consistency(first, known)
    return ConsistencyAnswer(
        first=first,
        first_root=proofs.root(first).hex(),
        second=known,
        second_root=proofs.root(known).hex(),
        hashes=[one.hex() for one in hashes],
    )


def entries_answer(proofs: LedgerProofs, after: int, limit: int) -> EntriesAnswer:
    """Return at most `limit` entries behind the position `after`. Raises Rejection `ledger-damaged`."""
    size = proofs.size()
    last = min(after + limit, size)
    if after >= last:
        return EntriesAnswer(entries=[], next=None)
    found = [
        EntryAnswer(position=position, bytes=b64encode(data).decode("ascii"), leaf_hash=leaf_hash(data).hex())
        for position, data in enumerate(proofs.entries(after + 1, last), start=after + 1)
    ]
    return EntriesAnswer(entries=found, next=last if last < size else None)


def entry_bytes(proofs: LedgerProofs, position: int) -> bytes:
    """Return the exact bytes of one entry. Raises Rejection: `unknown-position`, `ledger-damaged`."""
    [data] = proofs.entries(position, position)
    return data
