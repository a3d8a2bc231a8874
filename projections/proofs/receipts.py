"""A receipt of one entry as a file: that it is in the ledger, in a form that a page or a program checks offline.

What it says of the moment and the actor is proved only by the entry's own bytes, which not everybody is given: what is
proved without them is that an entry with this leaf hash stands at this position.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Literal

from ledger.checkpoints import parse_checkpoint
from ledger.signed_notes import parse_note
from ledger.signing import LedgerProofs
from projections.answer_models import Answer
from projections.proofs.answers import Hash, Position, entry_bytes, inclusion_answer


class ReceiptFile(Answer):
    """The entry at `position`, its proof (RFC 9162 section 2.1.3) and the checkpoint (C2SP) that it leads to.

    `verifier_key` is told so that it can be compared with the one on paper; it proves nothing here. `entry` are the
    entry's exact bytes in base64, null for whoever may not have them.
    """

    format: Literal["mingzhang/receipt/1"]
    jurisdiction: str
    position: Position
    event: str
    recorded_at: datetime
    actor: str
    leaf_hash: Hash
    size: Position
    root: Hash
    hashes: list[Hash]
    checkpoint: str
    verifier_key: str
    entry: str | None


def receipt_file(
    proofs: LedgerProofs,
    code: str,
    position: int,
    event: str,
    recorded_at: datetime,
    actor: str,
    *,
    with_entry: bool = False,
) -> ReceiptFile:
    """Return the receipt of an entry against the present checkpoint. Raises Rejection as `LedgerProofs` does."""
    note = proofs.checkpoint()
    proof = inclusion_answer(proofs, position, parse_checkpoint(parse_note(note)[0]).size)
    return ReceiptFile(
        format="mingzhang/receipt/1",
        jurisdiction=code,
        position=position,
        event=event,
        recorded_at=recorded_at,
        actor=actor,
        leaf_hash=proof.leaf_hash,
        size=proof.size,
        root=proof.root,
        hashes=proof.hashes,
        checkpoint=note.decode("utf-8"),
        verifier_key=proofs.verifier_key(),
        entry=b64encode(entry_bytes(proofs, position)).decode("ascii") if with_entry else None,
    )
