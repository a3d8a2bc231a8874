"""The signed head of a ledger as people read it: what stands in the note, and who cosigned it when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.checkpoints import parse_checkpoint
from ledger.rejection import rejected
from ledger.signed_notes import NoteRejected, Signature, VerifierKey, open_note, parse_note, timestamp_of
from projections.answer_models import Answer
from projections.proofs.answers import Hash


class CosignatureAnswer(Answer):
    """A witness says that it saw this head at a moment; `verified` where its key was given, and it signed."""

    witness: str
    key_id: str
    cosigned_at: datetime
    verified: bool


class HeadAnswer(Answer):
    """The signed head of a ledger. `shown_at` is when it was asked for: a checkpoint itself bears no date."""

    jurisdiction: str
    origin: str
    size: int
    root: Hash
    shown_at: datetime
    verifier_key: str
    cosignatures: list[CosignatureAnswer]
    note: str


def head_answer(
    jurisdiction: str, note: bytes, verifier: VerifierKey, witnesses: Sequence[VerifierKey], shown_at: datetime
) -> HeadAnswer:
    """Return what a note of this ledger says; the cosignatures of these witnesses are verified.

    Raises Rejection `checkpoint-invalid` where the ledger's key did not sign it, or a given witness's signature fails.
    """
    try:
        opened = open_note(note, [verifier, *witnesses])
        open_note(note, [verifier])
        checkpoint = parse_checkpoint(opened.text)
        lines = [line for line in parse_note(note)[1] if not verifier.made(line)]
        cosignatures = [_cosignature(line, line in opened.signatures) for line in lines]
    except NoteRejected as error:
        raise rejected("checkpoint-invalid", "checkpoint", str(error)) from None
    return HeadAnswer(
        jurisdiction=jurisdiction,
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        shown_at=shown_at,
        verifier_key=verifier.text(),
        cosignatures=cosignatures,
        note=note.decode("utf-8"),
    )


def _cosignature(line: Signature, verified: bool) -> CosignatureAnswer:
    moment = datetime.fromtimestamp(timestamp_of(line), UTC)
    return CosignatureAnswer(witness=line.name, key_id=line.key_id.hex(), cosigned_at=moment, verified=verified)
