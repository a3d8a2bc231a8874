"""Checkpoints of a ledger and their cosignatures (C2SP tlog-checkpoint, tlog-cosignature). Pure.

Rules kept here: a checkpoint says of which ledger it is (its origin), how many leaves it has and what their root is,
each with exactly one spelling; it is believed only when the key that bears the origin's name has signed it; a
cosignature says that a witness saw it at a moment. Whether the tree is so is left to `ledger.merkle`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.merkle import HASH_SIZE
from ledger.signed_notes import (
    Note,
    NoteRejected,
    SigningKey,
    VerifierKey,
    check_line,
    decoded_base64,
    note_bytes,
    open_note,
    timestamp_of,
)

LARGEST_SIZE: Final = 2**63 - 1
"""Most leaves of a tree: what every reader's signed 64-bit integer holds."""

_SIZE: Final = re.compile("0|[1-9][0-9]{0,18}")
_MANDATORY_LINES: Final = 3
_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a ledger's tree: origin, number of leaves, root hash; and further lines that nobody can audit.

    Raises NoteRejected where these make no checkpoint.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what `parse_checkpoint` would not read back."""
        check_line("the origin of a checkpoint", self.origin)
        if not 0 <= self.size <= LARGEST_SIZE:
            raise NoteRejected(f"a checkpoint of size {self.size}, expected 0 to {LARGEST_SIZE}")
        if len(self.root) != HASH_SIZE:
            raise NoteRejected(f"a checkpoint with a root of {len(self.root)} bytes, expected {HASH_SIZE}")
        for line in self.extensions:
            check_line("a further line of a checkpoint", line)

    def text(self) -> str:
        """Return the text that is signed."""
        root = base64.b64encode(self.root).decode("ascii")
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness saw the checkpoint, consistent with all it had seen before, at a moment in seconds since 1970 UTC."""

    witness: VerifierKey
    timestamp: int


def parse_checkpoint(text: str) -> Checkpoint:
    """Return what the text of a note says of a tree; nothing is verified. Raises NoteRejected for anything else."""
    lines = text.split("\n")
    if lines.pop() or len(lines) < _MANDATORY_LINES:
        raise NoteRejected("a checkpoint has at least three lines (origin, size, root), each ending in a newline")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None:
        shown = size[:_SHOWN]
        raise NoteRejected(f"the size of a checkpoint is {shown!r}, expected digits without leading zeros")
    return Checkpoint(origin, int(size), decoded_base64("the root of a checkpoint", root), tuple(extensions))


def open_checkpoint(data: bytes, verifier: VerifierKey) -> Checkpoint:
    """Return the checkpoint of a note that the ledger's key has signed; the origin must be that key's name.

    Raises NoteRejected.
    """
    return open_cosigned(data, verifier)[0]


def open_cosigned(
    data: bytes, verifier: VerifierKey, witnesses: Sequence[VerifierKey] = ()
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    """Return the checkpoint, which the ledger's key must have signed, and what these witnesses cosigned of it.

    Cosignatures by others are not looked at; one by a known witness must verify. Raises NoteRejected.
    """
    return _opened(open_note(data, [verifier, *witnesses]), verifier, witnesses)


def cosigned(data: bytes, verifier: VerifierKey, witness: SigningKey, timestamp: int) -> bytes:
    """Return the checkpoint's note with one more line: the witness saw it at this moment (seconds since 1970 UTC).

    An earlier cosignature by the same witness gives way. Raises NoteRejected where the ledger's key has not signed it,
    ValueError for a key or a moment that makes no cosignature. That the checkpoint continues what the witness saw
    before is for the caller to know.
    """
    note = open_note(data, [verifier])
    _opened(note, verifier, ())
    others = [one for one in note.unverified if not witness.verifier.made(one)]
    return note_bytes(note.text, [*note.signatures, *others, witness.cosign(note.text, timestamp)])


def _opened(
    note: Note, verifier: VerifierKey, witnesses: Sequence[VerifierKey]
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    if not any(map(verifier.made, note.signatures)):
        raise NoteRejected(f"the checkpoint is not signed by {verifier.name} {verifier.key_id.hex()}")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != verifier.name:
        raise NoteRejected(
            f"a checkpoint of {checkpoint.origin!r}, expected one of {verifier.name!r}, whose key signed"
        )
    seen = tuple(
        Cosignature(witness, timestamp_of(signature))
        for witness in witnesses
        for signature in note.signatures
        if witness.made(signature)
    )
    return checkpoint, seen
