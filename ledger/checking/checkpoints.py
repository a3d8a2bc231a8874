"""Checkpoints that a ledger is held against: those that its own key signed here last, and one from outside.

Rules kept here: a checkpoint is believed only where its signature verifies and its origin ends in the ledger's code;
the tree of what stands in the ledger now has, at the checkpoint's size, the checkpoint's root. Where that holds,
nothing recorded before that size was rewritten since the checkpoint was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ledger.checking.findings import Finding, finding
from ledger.checkpoints import Checkpoint, open_checkpoint
from ledger.merkle import Edge
from ledger.rejection import rejected
from ledger.signed_notes import NoteRejected, SigningKey, VerifierKey

_KEPT: Final = {"kept": "checkpoint", "cosigned": "cosignatures"}
"""Where checkpoints signed here are kept: how each is called, and how its file ends."""


class Against(NamedTuple):
    """A checkpoint whose signature verified, and where it comes from: `kept`, `cosigned`, or the name of a file."""

    source: str
    checkpoint: Checkpoint


def outside_checkpoint(source: str, note: bytes, verifier_key: str, code: str) -> Against:
    """Return the checkpoint of a note, signed by the key given in its written form.

    Raises Rejection: `checkpoint-rejected`, or `checkpoint-other-ledger` for a checkpoint of another ledger.
    """
    try:
        checkpoint = open_checkpoint(note, VerifierKey.parse(verifier_key))
    except NoteRejected as error:
        raise rejected("checkpoint-rejected", source, str(error)) from error
    if checkpoint.origin.rpartition("/")[2] != code:
        message = f"found a checkpoint of {checkpoint.origin}, expected one of the ledger {code}"
        raise rejected("checkpoint-other-ledger", source, message)
    return Against(source, checkpoint)


def kept_checkpoints(key_folder: Path, code: str) -> list[Against | Finding]:
    """Return the last checkpoint signed here and the last one cosigned, as far as there are any, or what is wrong.

    Either can be the larger: somebody may have taken the other away. Raises OSError where files cannot be read.
    """
    found = (_kept(key_folder, code, source, ending) for source, ending in _KEPT.items())
    return [one for one in found if one is not None]


def known_codes(key_folder: Path) -> set[str]:
    """Return the codes of the ledgers of which the key folder holds a signed checkpoint."""
    paths = (path for ending in _KEPT.values() for path in key_folder.glob(f"*.{ending}"))
    return {path.stem for path in paths if path.stem.isascii() and path.stem.isalnum()}


def _kept(key_folder: Path, code: str, source: str, ending: str) -> Against | Finding | None:
    try:
        note = (key_folder / f"{code}.{ending}").read_bytes()
    except FileNotFoundError:
        return None
    try:
        key = (key_folder / f"{code}.signing-key").read_text("utf-8")
        return outside_checkpoint(source, note, SigningKey.parse(key.strip()).verifier.text(), code)
    except FileNotFoundError:
        said = "no signing key beside it"
    except ValueError as error:
        said = str(error)
    expected = "a checkpoint of this ledger, signed by its key"
    return finding(None, "checkpoint-unreadable", f"checkpoint {source}", expected, said)


class Tree:
    """The tree of the leaves so far, with its roots at the sizes that checkpoints name."""

    def __init__(self, against: Iterable[Against]) -> None:
        self.edge = Edge()
        self._against = tuple(against)
        self._sizes = sorted({one.checkpoint.size for one in self._against}, reverse=True)
        self._roots: dict[int, bytes] = {}

    def extend(self, leaves: list[bytes]) -> None:
        """Add leaves, given as their leaf hashes in order."""
        while self._sizes and self._sizes[-1] <= self.edge.size + len(leaves):
            here = self._sizes.pop()
            ahead = here - self.edge.size
            self.edge = self.edge.extend(leaves[:ahead])
            self._roots[here] = self.edge.root()
            leaves = leaves[ahead:]
        self.edge = self.edge.extend(leaves)

    def proved(self) -> list[Against]:
        """Return the checkpoints that the tree continues."""
        return [one for one in self._against if self._roots.get(one.checkpoint.size) == one.checkpoint.root]

    def findings(self) -> Iterator[Finding]:
        """Yield the checkpoints that the tree does not continue."""
        for source, checkpoint in self._against:
            what, root = f"checkpoint {source}", self._roots.get(checkpoint.size)
            if root is None:
                expected = f"at least the {checkpoint.size} events that were signed"
                yield finding(None, "checkpoint-beyond", what, expected, f"{self.edge.size} events")
            elif root != checkpoint.root:
                expected = f"root {checkpoint.root.hex()} at size {checkpoint.size}: something before it was rewritten"
                yield finding(None, "checkpoint-root", what, expected, root)
