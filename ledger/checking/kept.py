"""What the ledger keeps beside its events: documents by their SHA-256, and files of evidence by their commitment.

Rules kept here:

1. A document that an event names is there, with that SHA-256; one that no event names does not belong there. What a
   close froze is looked into by `FrozenProblem`.
2. A file that an event names has a row, which says where it is and how it is opened, and an object; with the master
   key the object is opened and held against the commitment, without it against its own SHA-256 only.
3. A file is erased exactly when an event says so; then its salt, its key and the object are gone.

A stored file that no event names is no finding: its entry may still be written. Such files are counted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping

from ledger.checking.findings import Finding, finding
from ledger.checking.remembered import Remembered
from ledger.checking.snapshots import Rows
from ledger.events import (
    Event,
    EvidenceErased,
    ProposalMade,
    SchemeDocumentRegistered,
    SchemeReference,
    YearClosed,
)
from ledger.evidence.stores import EvidenceStore, ObjectMissing
from ledger.evidence.vault import EvidenceVault
from ledger.tables import documents, evidence_files

FrozenProblem = Callable[[bytes, int, int], str | None]
"""What is wrong with a document that a close of the year, at the ledger's position before it, names as its sheets."""
_DIGEST_SIZE: Final = 32
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_OBJECT: Final = "evidence_files.object"
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Evidence(NamedTuple):
    """What files of evidence are checked with: the store of their objects, and the vault, where its key is at hand."""

    store: EvidenceStore
    vault: EvidenceVault | None


def remember_named(remembered: Remembered, position: int, event: Event) -> None:
    """Remember which documents and files the event names, and what it says of them."""
    scheme = getattr(event, "scheme", None)
    digests = [scheme.digest] if isinstance(scheme, SchemeReference) else []
    if isinstance(event, SchemeDocumentRegistered):
        digests.append(event.digest)
    if isinstance(event, YearClosed):
        digests.append(event.sheets)
        remembered.first("frozen", bytes.fromhex(event.sheets), f"{event.year} {event.position}")
    for digest in digests:
        remembered.first("document", bytes.fromhex(digest), position)
    for commitment in _named_files(event):
        remembered.first("evidence", bytes.fromhex(commitment), position)
    if isinstance(event, EvidenceErased):
        remembered.first("erased", bytes.fromhex(event.commitment), position)


def _named_files(event: Event) -> Iterator[str]:
    """Yield the commitments of the files that the event's evidence names, also in what it proposes."""
    if isinstance(event, ProposalMade):
        yield from _proposed_files(event.content.get("evidence"))
    else:
        yield from (one.file for one in getattr(event, "evidence", ()) if one.file is not None)


def _proposed_files(evidence: Any) -> Iterator[str]:
    for one in evidence if isinstance(evidence, list) else ():
        file = one.get("file") if isinstance(one, dict) else None
        if isinstance(file, str) and _DIGEST.fullmatch(file):
            yield file


def document_findings(
    rows: Rows, code: str, remembered: Remembered, frozen: FrozenProblem | None = None
) -> Iterator[Finding]:
    """Yield what is wrong with the ledger's documents, given those that its events name."""
    for row in rows.of(documents, code, documents.c.digest, portion=1):
        digest = row["digest"] if type(row["digest"]) is bytes else b""
        position = remembered.take("document", digest)
        if position is None:
            yield finding(None, "document-unnamed", "documents.*", None, row["digest"])
        if type(row["content"]) is not bytes:
            yield finding(position, "cell-type", "documents.content", "bytes", type(row["content"]).__name__)
        elif hashlib.sha256(row["content"]).digest() != digest:
            found = hashlib.sha256(row["content"]).digest()
            yield finding(position, "document-altered", "documents.content", row["digest"], found)
        elif frozen is not None and (close := remembered.get("frozen", digest)) is not None:
            problem = frozen(row["content"], *map(int, close.split()))
            if problem is not None:
                expected = "the sheets that the close froze"
                yield finding(position, "document-not-frozen-sheets", "documents.content", expected, problem)
    for digest, position in remembered.left("document"):
        yield finding(position, "document-missing", "documents.*", digest, None)


class EvidenceFiles:
    """The ledger's files of evidence; `unused` counts those that no event names, once `findings` was read."""

    def __init__(self, code: str, remembered: Remembered, evidence: Evidence | None) -> None:
        self._code = code
        self._remembered = remembered
        self._evidence = evidence
        self.unused = 0

    def findings(self, rows: Rows) -> Iterator[Finding]:
        """Yield what is wrong with the files; where nothing opens them, what their rows alone can tell.

        Raises Rejection `evidence-store-unavailable`.
        """
        for row in rows.of(evidence_files, self._code, evidence_files.c.commitment):
            commitment = row["commitment"] if type(row["commitment"]) is bytes else b""
            named = self._remembered.take("evidence", commitment)
            erased = self._remembered.take("erased", commitment)
            if len(commitment) != _DIGEST_SIZE:
                yield finding(None, "evidence-row", "evidence_files.commitment", "32 bytes", row["commitment"])
            elif erased is not None:
                yield from self._erased(erased, row)
            elif row["erased_at"] is not None:
                what = "evidence_files.erased_at"
                yield finding(named, "evidence-erased-without-event", what, None, row["erased_at"])
            elif named is not None:
                yield from self._stored(named, row)
            else:
                self.unused += 1
        for kind in ("evidence", "erased"):
            for commitment, position in self._remembered.left(kind):
                yield finding(position, "evidence-missing-row", "evidence_files.*", commitment, None)

    def _erased(self, position: int, row: RowMapping) -> Iterator[Finding]:
        for name in ("salt", "sealed_key"):
            if row[name] is not None:
                yield finding(position, "evidence-not-erased", f"evidence_files.{name}", None, "something")
        if type(row["erased_at"]) is not int:
            yield finding(position, "evidence-not-erased", "evidence_files.erased_at", "a moment", row["erased_at"])
        if not _is_digest(row["object"]):
            yield finding(position, "evidence-row", _OBJECT, "32 bytes", row["object"])
        elif self._evidence is not None and _object_digest(self._evidence.store, row["object"]) is not None:
            yield finding(position, "evidence-not-erased", _OBJECT, None, row["object"])

    def _stored(self, position: int, row: RowMapping) -> Iterator[Finding]:
        malformed = [*_malformed(position, row)]
        if malformed or self._evidence is None:
            yield from malformed
        elif self._evidence.vault is None:
            found = _object_digest(self._evidence.store, row["object"])
            if found != row["object"]:
                code = "evidence-missing-object" if found is None else "evidence-object-altered"
                yield finding(position, code, _OBJECT, row["object"], found)
        else:
            fault = self._evidence.vault.check(self._code, row["commitment"].hex())
            # What was erased since the check began is no fault.
            if fault is not None and fault.is_fault:
                yield finding(position, f"evidence-{fault.state}", "evidence_files.*", row["commitment"], fault.message)


def _malformed(position: int, row: RowMapping) -> Iterator[Finding]:
    expected: dict[str, tuple[str, bool]] = {
        "salt": ("32 bytes", _is_digest(row["salt"])),
        "sealed_key": ("bytes", type(row["sealed_key"]) is bytes),
        "object": ("32 bytes", _is_digest(row["object"])),
        "size": ("a number", type(row["size"]) is int),
        "media_type": ("a text", _is_text(row["media_type"])),
        "stored_by": ("a text", _is_text(row["stored_by"])),
        "stored_at": ("a number", type(row["stored_at"]) is int),
    }
    for name, (form, fits) in expected.items():
        if not fits:
            yield finding(position, "evidence-row", f"evidence_files.{name}", form, row[name])


def _is_digest(cell: object) -> bool:
    return isinstance(cell, bytes) and len(cell) == _DIGEST_SIZE


def _is_text(cell: object) -> bool:
    return isinstance(cell, str) and not _LONE_SURROGATE.search(cell)


def _object_digest(store: EvidenceStore, name: bytes) -> bytes | None:
    """Return the SHA-256 of the object's bytes, None where the store has none of that name."""
    try:
        with store.open(name.hex()) as file:
            return hashlib.file_digest(file, "sha256").digest()  # type: ignore[arg-type]  # every reader will do
    except ObjectMissing:
        return None
