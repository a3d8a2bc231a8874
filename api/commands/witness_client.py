"""Asking a witness over HTTP for its cosignature (C2SP tlog-witness). Only the command line does: no server fetches."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from httpx2 import Client, HTTPError, InvalidURL

from ledger.checkpoints import open_checkpoint
from ledger.rejection import Rejection, rejected
from ledger.signed_notes import NoteRejected, VerifierKey, note_bytes, parse_note, parse_signature_lines
from ledger.signing import LedgerProofs
from ledger.witnessing import TREE_SIZE, Submission

SECONDS: Final = 30
LARGEST_ANSWER: Final = 64 * 1024
_OK: Final = 200
_CONFLICT: Final = 409
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_SHOWN: Final = 500


class _Answer(NamedTuple):
    status: int
    media_type: str
    content: bytes


def submission(proofs: LedgerProofs, note: bytes, size: int, old: int) -> Submission:
    """Return the request for a cosignature of this ledger's note of that size, from a witness that has seen `old`.

    Raises Rejection `proof-size` for an old size that the checkpoint does not reach.
    """
    if not 0 <= old <= size:
        message = f"found {old}, expected 0 to {size}, the size of the checkpoint"
        raise rejected("proof-size", "request", message)
    hashes = proofs.consistency(old, size) if 0 < old < size else ()
    return Submission(old, tuple(hashes), note)


def asked_witness(url: str, witness: VerifierKey, proofs: LedgerProofs, note: bytes) -> bytes:
    """Return the note with the witness's cosignature, which is verified.

    It is asked from the size that it is known to have cosigned last, or from 0; where it says that it has another, once
    more from there.

    Raises Rejection: `witness-url`, `witness-not-reached`, `witness-refused` (what it answered), `witness-ahead` where
    it has seen more entries than there are, `cosignatures-invalid` for a cosignature that does not hold.
    """
    verifier = VerifierKey.parse(proofs.verifier_key())
    checkpoint = open_checkpoint(note, verifier)
    old = _seen_by(witness, verifier, proofs)
    try:
        with Client(timeout=SECONDS) as client:
            answer = _posted(client, url, submission(proofs, note, checkpoint.size, old))
            if (answer.status, answer.media_type) == (_CONFLICT, TREE_SIZE):
                has = _stated_size(answer.content)
                if has > checkpoint.size:
                    raise _ahead(url, has, checkpoint.size)
                answer = _posted(client, url, submission(proofs, note, checkpoint.size, has))
    except InvalidURL as error:
        raise rejected("witness-url", "witness", f"found {url!r}: {error}") from None
    except HTTPError as error:
        message = f"{url} does not answer ({error}); write a request for it with --request instead"
        raise rejected("witness-not-reached", "witness", message) from None
    if answer.status != _OK:
        said = answer.content[:_SHOWN].decode("utf-8", "replace").strip()
        raise rejected("witness-refused", "witness", f"{url} answered {answer.status}: {said!r}")
    return with_cosignature(note, answer.content, witness)


def with_cosignature(note: bytes, lines: bytes, witness: VerifierKey) -> bytes:
    """Return the note with the witness's line of its answer; lines of others are left out.

    Raises Rejection `cosignatures-invalid` where the witness's is missing or does not verify.
    """
    try:
        text, signatures = parse_note(note)
        found = [line for line in parse_signature_lines(lines) if witness.made(line)]
        for line in found:
            witness.verify(text, line)
        if not found:
            raise NoteRejected(f"the answer has no cosignature by {witness.name} {witness.key_id.hex()}")
        others = [line for line in signatures if not witness.made(line)]
        return note_bytes(text, [*others, found[0]])
    except NoteRejected as error:
        raise rejected("cosignatures-invalid", "witness", str(error)) from None


def _posted(client: Client, url: str, wanted: Submission) -> _Answer:
    content = bytearray()
    with client.stream("POST", f"{url.rstrip('/')}/add-checkpoint", content=wanted.body()) as response:
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > LARGEST_ANSWER:
                raise rejected("witness-refused", "witness", f"{url} answers with more than {LARGEST_ANSWER} bytes")
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        return _Answer(response.status_code, media_type, bytes(content))


def _seen_by(witness: VerifierKey, verifier: VerifierKey, proofs: LedgerProofs) -> int:
    """Return the size of the checkpoint last cosigned, if the witness did; else 0."""
    kept = proofs.cosigned_checkpoint()
    if kept is None or not any(witness.made(line) for line in parse_note(kept)[1]):
        return 0
    return open_checkpoint(kept, verifier).size


def _stated_size(content: bytes) -> int:
    found = _SIZE.fullmatch(content)
    if found is None:
        message = f"the witness answered 409 and {content[:_SHOWN]!r}, expected a size and a newline"
        raise rejected("witness-refused", "witness", message)
    return int(found[1])


def _ahead(url: str, has: int, size: int) -> Rejection:
    message = (
        f"{url} has cosigned {has} entries of this ledger, but there are {size}: the database is older than what was "
        "signed; restore the newer backup"
    )
    return rejected("witness-ahead", "witness", message)
