"""What a witness cosigns (C2SP tlog-witness, `add-checkpoint`). Pure: a request and what was seen in, an answer out.

A witness cosigns a head of a ledger only as the continuation of the head it cosigned last, so that a ledger that was
rewritten finds no witness. Rules kept here, in this order:

1. A request has one spelling: the old size, at most 63 hashes, an empty line, a note that is a checkpoint.
2. The checkpoint's origin is that of a known ledger, and a known key of that name signed it; other signatures are
   ignored.
3. The old size is at most the new one, and it is the size that was cosigned last.
4. The same size has the same root; another size comes with a consistency proof (RFC 6962 section 2.1.2).

That the state is read, compared and kept in one step, and kept before the answer goes out, is left to
`ledger.witness_store`; so are files and the clock.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from ledger.checkpoints import Checkpoint, parse_checkpoint
from ledger.merkle import EMPTY_ROOT, HASH_SIZE, ProofRejected, verify_consistency
from ledger.rejection import Refusal, Rejection, rejected
from ledger.signed_notes import (
    NoteRejected,
    SignatureType,
    SigningKey,
    VerifierKey,
    decoded_base64,
    note_bytes,
    open_note,
    parse_note,
)

LARGEST_REQUEST: Final = 64 * 1024
"""Most bytes of a request: 63 hashes, and a checkpoint with as many signatures as witnesses ever gave one."""
MOST_HASHES: Final = 63
TREE_SIZE: Final = "text/x.tlog.size"
"""The media type of the size that a witness cosigned last (C2SP tlog-witness)."""
_OLD: Final = re.compile("old (0|[1-9][0-9]{0,18})")
_SHOWN: Final = 80


class SizeConflict(Rejection):
    """The witness cosigned another size last (`witness-size`): ask again from `size`."""

    def __init__(self, old: int, size: int) -> None:
        message = f"found old {old}, expected {size}: the size this witness cosigned last; ask again from there"
        super().__init__(Refusal("witness-size", "old", message))
        self.size = size


class Forked(Rejection):
    """The ledger signed two roots for one size (`witness-fork`); the checkpoint that was refused is the proof of it."""

    def __init__(self, seen: Checkpoint, submitted: Checkpoint) -> None:
        message = (
            f"of size {seen.size} this witness has seen the root {seen.root.hex()}, found {submitted.root.hex()}: "
            "the ledger was rewritten; keep both checkpoints"
        )
        super().__init__(Refusal("witness-fork", "checkpoint", message))


@dataclass(frozen=True, slots=True)
class Submission:
    """A request: the size to go on from, the consistency proof from there, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    @classmethod
    def parse(cls, data: bytes) -> Submission:
        """Read the body of a request. Raises Rejection (`witness-request`) for anything but its one spelling."""
        if len(data) > LARGEST_REQUEST:
            raise _malformed(f"found {len(data)} bytes, expected at most {LARGEST_REQUEST}")
        head, separator, note = data.partition(b"\n\n")
        if not separator:
            raise _malformed("expected the old size, hashes, an empty line, and a checkpoint")
        try:
            old, *hashes = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise _malformed("the lines before the checkpoint are not ASCII") from None
        found = _OLD.fullmatch(old)
        if found is None:
            raise _malformed(f"the first line is {old[:_SHOWN]!r}, expected old and a size without leading zeros")
        if len(hashes) > MOST_HASHES:
            raise _malformed(f"found {len(hashes)} hashes, expected at most {MOST_HASHES}")
        return cls(int(found[1]), tuple(map(_hash, hashes)), note)

    def body(self) -> bytes:
        """Return the body of the request, as `parse` reads it."""
        hashes = "".join(f"{base64.b64encode(one).decode('ascii')}\n" for one in self.proof)
        return f"old {self.old}\n{hashes}\n".encode() + self.note


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a witness has seen: the checkpoint, and `note`, which holds the ledger's signature and the witness's own."""

    checkpoint: Checkpoint
    note: bytes
    line: str


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns, and the keys of the ledgers it knows; a ledger's origin is the name of its key.

    Raises NoteRejected for keys of the wrong type.
    """

    key: SigningKey
    logs: tuple[VerifierKey, ...]

    def __post_init__(self) -> None:
        """Refuse a key that makes no cosignatures, and ledgers' keys that make nothing else."""
        if self.key.type is not SignatureType.COSIGNATURE:
            raise NoteRejected(f"the key of the witness {self.key.name} is one of a ledger: it makes no cosignatures")
        for log in self.logs:
            if log.type is not SignatureType.ED25519:
                raise NoteRejected(f"the key {log.name} is one of a witness, expected the key of a ledger")

    def open(self, submission: Submission) -> tuple[Checkpoint, bytes]:
        """Return the checkpoint that a known ledger signed, and its note without the signatures of others.

        Raises Rejection: `witness-request` for what is no checkpoint, `witness-unknown-log`, `witness-signature`.
        """
        try:
            text, _ = parse_note(submission.note)
            checkpoint = parse_checkpoint(text)
        except NoteRejected as error:
            raise _malformed(str(error)) from None
        keys = [one for one in self.logs if one.name == checkpoint.origin]
        if not keys:
            message = f"found the origin {checkpoint.origin[:_SHOWN]!r}, which is no ledger this witness knows"
            raise rejected("witness-unknown-log", "checkpoint", message)
        try:
            note = open_note(submission.note, keys)
        except NoteRejected as error:
            raise rejected("witness-signature", "checkpoint", str(error)) from None
        if not checkpoint.size and checkpoint.root != EMPTY_ROOT:
            raise _malformed(f"found the root {checkpoint.root.hex()} of no entries, expected {EMPTY_ROOT.hex()}")
        return checkpoint, note_bytes(note.text, note.signatures)

    def cosign(self, submission: Submission, seen: Checkpoint | None, timestamp: int) -> Cosigned:
        """Return the checkpoint cosigned at the moment (seconds since 1970 UTC), given the one cosigned last.

        Raises what `open` raises, and Rejection `witness-old-size`, `witness-proof`, SizeConflict, Forked: nothing
        may be kept and nothing was signed then.
        """
        checkpoint, note = self.open(submission)
        _check_continuation(submission, checkpoint, seen or Checkpoint(checkpoint.origin, 0, EMPTY_ROOT))
        text, signatures = parse_note(note)
        cosignature = self.key.cosign(text, timestamp)
        return Cosigned(checkpoint, note_bytes(text, [*signatures, cosignature]), cosignature.line())

    def seen(self, note: bytes, origin: str) -> Checkpoint:
        """Return the checkpoint of a note that `cosign` made. Raises NoteRejected where this witness did not."""
        checkpoint = parse_checkpoint(open_note(note, [self.key.verifier]).text)
        if checkpoint.origin != origin:
            raise NoteRejected(f"a checkpoint of {checkpoint.origin!r}, expected one of {origin!r}")
        return checkpoint


def _check_continuation(submission: Submission, checkpoint: Checkpoint, seen: Checkpoint) -> None:
    old, size = submission.old, checkpoint.size
    if old > size:
        message = f"found old {old}, expected at most {size}: the size of the checkpoint"
        raise rejected("witness-old-size", "old", message)
    if old != seen.size:
        raise SizeConflict(old, seen.size)
    if old == size and checkpoint.root != seen.root:
        raise Forked(seen, checkpoint)
    if old in (0, size):
        # Every tree continues the empty one and itself: there is nothing to prove.
        if submission.proof:
            raise _not_proven(f"found {len(submission.proof)} hashes from {old} to {size}, expected none")
        return
    try:
        verify_consistency(old, size, submission.proof, seen.root, checkpoint.root)
    except ProofRejected as error:
        raise _not_proven(str(error)) from None


def _hash(line: str) -> bytes:
    try:
        value = decoded_base64("a hash", line)
    except NoteRejected as error:
        raise _malformed(str(error)) from None
    if len(value) != HASH_SIZE:
        raise _malformed(f"found a hash of {len(value)} bytes, expected {HASH_SIZE}")
    return value


def _malformed(message: str) -> Rejection:
    return rejected("witness-request", "request", message)


def _not_proven(message: str) -> Rejection:
    return rejected("witness-proof", "proof", f"{message}; the checkpoint is not shown to continue the one before")
