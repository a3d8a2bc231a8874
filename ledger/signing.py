"""The signed head of one ledger, and its proofs: the key, the last signed checkpoint, the tree read from the events.

Rules kept here:

1. Nothing is signed that is not a continuation of what was signed last. That checkpoint is kept in the key folder,
   apart from the database, and is on the disk before the note is given to anybody. So is the one cosigned last, which
   this key signed too: both must be continued, so that taking one away allows nothing.
2. One process signs at a time: a lock file is held from the reading of the kept checkpoint to the writing of the next.
   The store is read after the kept checkpoint, so that it can only have grown since that was signed.
3. One head has one note: a head that was signed is not signed again, the kept note is given again.
4. Leaf hashes are computed from the events' bytes; no other column is believed. The ledger's head must agree.

When a checkpoint is asked for, who may have a proof, and which witnesses are trusted is left to others.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE, S_IRWXG, S_IRWXO, S_IWGRP, S_IWOTH
from threading import Lock
from typing import Final

from sqlalchemy import Connection, Engine, select

from ledger import tiles
from ledger.checkpoints import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.kept_files import locked, put_in_place
from ledger.merkle import Edge, leaf_hash
from ledger.rejection import Rejection, rejected
from ledger.signed_notes import (
    NoteRejected,
    Signature,
    SignatureType,
    SigningKey,
    VerifierKey,
    note_bytes,
    open_note,
    parse_note,
    signed,
    timestamp_of,
)
from ledger.tables import events, ledgers
from ledger.trees import TreeHashes

PAGE: Final = 10_000
"""Most events read at once."""
_SEED_SIZE: Final = 32
_PRIVATE_FOLDER: Final = 0o700


class LedgerProofs:
    """Signs the head of one ledger and proves what is in it. Safe to share between threads and processes.

    `origin` is what the names of all ledgers' checkpoints begin with: this one's origin, and its key's name, is
    `<origin>/<code>`. Nothing is read or written before a method is called.
    """

    def __init__(
        self, engine: Engine, code: str, key_folder: Path, origin: str, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._engine = engine
        self._code = code
        self.origin = f"{origin}/{code}"
        self._files = _KeyFiles(key_folder, code, self.origin, random_bytes)
        self._tree = TreeHashes()
        self._reading = Lock()

    # --- the signed head ---------------------------------------------------------------------------------------

    def verifier_key(self) -> str:
        """Return the public key in its written form (C2SP signed-note, vkey); makes the key where there is none.

        Raises Rejection: `signing-key-permissions`, `signing-key-origin`, `signing-key-damaged`, `signing-key-missing`.
        """
        with self._files.locked():
            return self._files.made_key().verifier.text()

    def checkpoint(self) -> bytes:
        """Return the signed note of the present head, with the cosignatures kept for that very checkpoint.

        Raises Rejection, and signs nothing: `checkpoint-not-consistent` where the store is no continuation of what was
        signed last, `ledger-damaged` where the store does not agree with itself, `checkpoint-damaged` where what is
        kept cannot be verified, and what `verifier_key` raises.
        """
        with self._files.locked():
            # 1. The key, and what it signed last.
            key = self._files.made_key()
            note = self._files.kept_checkpoint(key.verifier)
            cosigned = self._files.cosigned(key.verifier)
            # 2. The store, which must continue both.
            head = self._continued_head(note, cosigned)
            # 3. A new head is signed, and kept before anybody sees it.
            if note is None or _said(note) != head:
                note = signed(head.text(), [key])
                self._files.keep_checkpoint(note)
            # 4. The note, with its cosignatures.
            return cosigned if cosigned is not None and _said(cosigned) == head else note

    def sealed(self, text: str) -> bytes:
        """Return the signed note of a text that is no checkpoint: those are only signed by `checkpoint`.

        Raises ValueError for the text of a checkpoint, and Rejection as `verifier_key` does.
        """
        try:
            parse_checkpoint(text)
        except NoteRejected:
            with self._files.locked():
                return signed(text, [self._files.made_key()])
        raise ValueError("expected a text that is no checkpoint")

    def check_continuation(self) -> None:
        """Check that the store continues what was signed last, as `checkpoint` does; signs nothing, makes no key.

        Raises Rejection as `checkpoint` does. A ledger of which nothing was signed passes.
        """
        key = self._files.key()
        if key is None:
            return
        notes = (self._files.kept_checkpoint(key.verifier), self._files.cosigned(key.verifier))
        if any(notes):
            self._continued_head(*notes)

    def keep_cosignatures(self, note: bytes) -> None:
        """Keep the cosignatures of a checkpoint that this ledger signed, beside those kept of the same one.

        Whose they are, and that they verify, the caller has made sure. Those of an older checkpoint than the one last
        cosigned are let go. Raises Rejection: `cosignatures-invalid` for a note that is no cosigned checkpoint of this
        ledger, and what `verifier_key` raises.
        """
        with self._files.locked():
            verifier = self._files.made_key().verifier
            try:
                new = open_checkpoint(note, verifier)
                lines = _cosignatures(note, verifier)
            except NoteRejected as error:
                message = f"{error}; expected the signed checkpoint of {self.origin} with its cosignatures"
                raise rejected("cosignatures-invalid", "cosignatures", message) from error
            cosigned = self._files.cosigned(verifier)
            if cosigned is not None:
                if _said(cosigned).size > new.size:
                    return
                if _said(cosigned) == new:
                    lines = {**_cosignatures(cosigned, verifier), **lines}
            own = open_note(note, [verifier])
            self._files.keep_cosigned(note_bytes(own.text, [*own.signatures, *lines.values()]))

    def cosigned_checkpoint(self) -> bytes | None:
        """Return the note of the checkpoint last cosigned, with its cosignatures; it may be older than the head.

        Raises Rejection as `verifier_key` does, and `checkpoint-damaged`.
        """
        key = self._files.key()
        return None if key is None else self._files.cosigned(key.verifier)

    # --- the tree ----------------------------------------------------------------------------------------------

    def size(self) -> int:
        """Return the present number of entries. Raises Rejection `ledger-damaged`."""
        return self._read_whole().size

    def root(self, size: int) -> bytes:
        """Return the root hash of the first `size` entries. Raises Rejection: `proof-size`, `ledger-damaged`."""
        return self._tree_of(size).root(size)

    def leaf_hash(self, position: int) -> bytes:
        """Return the leaf hash at a position (from 1). Raises Rejection: `unknown-position`, `ledger-damaged`."""
        return self._tree_to(position).leaf_hash(position - 1)

    def inclusion(self, position: int, size: int) -> list[bytes]:
        """Return the proof that the entry at a position (from 1) is in the tree of `size` entries (RFC 6962 2.1.1).

        Raises Rejection: `proof-size` for a size the ledger does not have, `unknown-position` for a position beyond
        the size, `ledger-damaged`.
        """
        tree = self._tree_of(size)
        if not 1 <= position <= size:
            raise _unknown_position(position, size)
        return tree.inclusion_proof(position - 1, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the tree of `first` entries is the start of that of `second` (RFC 6962 2.1.2).

        Raises Rejection: `proof-size` unless 0 < first ≤ second ≤ the ledger's size, `ledger-damaged`.
        """
        tree = self._tree_of(second)
        if not 0 < first <= second:
            message = f"no consistency proof from {first} to {second}; expected 1 <= first <= second"
            raise rejected("proof-size", "first", message)
        return tree.consistency_proof(first, second)

    def entries(self, first: int, last: int) -> Iterator[bytes]:
        """Return the exact bytes of the events at the positions `first` to `last` (from 1), each held against its leaf.

        Raises Rejection: `unknown-position` unless 1 ≤ first ≤ last ≤ the ledger's size; while they are read
        `ledger-damaged` where one was altered since.
        """
        tree = self._tree_to(last)
        if not 1 <= first <= last:
            raise _unknown_position(first, last)
        return self._entries(tree, first, last)

    def export_tiles(self, folder: Path) -> Checkpoint:
        """Write the ledger as static files (`ledger.tiles`) and return the checkpoint that they are for.

        Raises Rejection as `checkpoint` does, and TilesRejected where the folder holds something else.
        """
        note = self.checkpoint()
        verifier = VerifierKey.parse(self.verifier_key())
        size = open_checkpoint(note, verifier).size
        tree = self._tree_of(size)
        return tiles.export_tiles(folder, note, verifier, tree, self._entries(tree, 1, size))

    def _continued_head(self, *notes: bytes | None) -> Checkpoint:
        """Return the store's head, which must continue the kept checkpoints, and agree with the store's entries."""
        tree, edge = self._read()
        for note in notes:
            if note is not None:
                _check_continuation(_said(note), tree)
        _check_head(self._code, tree, edge)
        return Checkpoint(self.origin, edge.size, edge.root())

    def _entries(self, tree: TreeHashes, first: int, last: int) -> Iterator[bytes]:
        with self._engine.connect() as connection:
            expected = first
            for position, state in _states(connection, self._code, first, last):
                if position != expected or leaf_hash(state) != tree.leaf_hash(position - 1):
                    break
                yield state
                expected += 1
        if expected <= last:
            raise _damaged(f"the event at position {expected} is missing or was altered")

    def _tree_of(self, size: int) -> TreeHashes:
        """Return a tree that has at least the first `size` entries, read on only where it is needed."""
        tree = self._tree
        if not 0 <= size <= tree.size:
            tree = self._read_whole()
        if not 0 <= size <= tree.size:
            message = f"no tree of {size} entries; expected 0 to {tree.size}, which ledger {self._code} has"
            raise rejected("proof-size", "size", message)
        return tree

    def _tree_to(self, position: int) -> TreeHashes:
        tree = self._tree
        if not 1 <= position <= tree.size:
            tree = self._read_whole()
        if not 1 <= position <= tree.size:
            raise _unknown_position(position, tree.size)
        return tree

    def _read_whole(self) -> TreeHashes:
        tree, edge = self._read()
        _check_head(self._code, tree, edge)
        return tree

    def _read(self) -> tuple[TreeHashes, Edge]:
        """Return the tree of the events as far as they go without a hole, and the edge that the ledger's head states.

        A tree that does not fit the head is read once more from the first event: the store may have been replaced.
        """
        with self._reading, self._engine.connect() as connection:
            edge, tree = _stated_edge(connection, self._code), self._tree
            _extend(connection, self._code, tree, edge.size)
            if not _fits(tree, edge):
                # Others may still be reading the old one.
                tree = TreeHashes()
                _extend(connection, self._code, tree, edge.size)
                self._tree = tree if _fits(tree, edge) else TreeHashes()
            return tree, edge


class _KeyFiles:
    """The files of one ledger in the key folder. Whoever writes holds the lock; a file is there whole or not at all."""

    def __init__(self, folder: Path, code: str, origin: str, random_bytes: Callable[[int], bytes]) -> None:
        if not (code.isascii() and code.isalnum()):
            raise ValueError(f"no file can be named after the code {code!r}")
        self._folder = folder
        self._key = folder / f"{code}.signing-key"
        self._checkpoint = folder / f"{code}.checkpoint"
        self._cosigned = folder / f"{code}.cosignatures"
        self._lock = folder / f"{code}.lock"
        self._origin = origin
        self._random_bytes = random_bytes

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder where there is none, and hold the ledger's lock against other threads and processes."""
        _make_folder(self._folder, _PRIVATE_FOLDER)
        with locked(self._lock):
            yield

    def key(self) -> SigningKey | None:
        """Return the key, if it was made. Raises Rejection where it is unsafe, gone, damaged, or of another origin."""
        try:
            with self._key.open("rb") as file:
                self._check_permissions(file.fileno())
                data = file.read()
        except FileNotFoundError:
            signed = next((path for path in (self._checkpoint, self._cosigned) if path.exists()), None)
            if signed is not None:
                message = (
                    f"{self._key} is missing, but {signed} says that checkpoints were signed with it; "
                    "restore the key from its backup"
                )
                raise rejected("signing-key-missing", "key", message) from None
            return None
        try:
            key = SigningKey.parse(data.decode("ascii").removesuffix("\n"))
            if key.type is not SignatureType.ED25519:
                raise NoteRejected("the key of a witness")
        except (NoteRejected, UnicodeDecodeError):
            # What was read is a secret: neither message nor cause repeats it.
            message = f"{self._key} holds no signing key of a ledger; restore it from its backup"
            raise rejected("signing-key-damaged", "key", message) from None
        if key.name != self._origin:
            message = (
                f"{self._key} is the key of {key.name}, but the origin is {self._origin}; "
                "set the origin back, or give the new one a key folder of its own"
            )
            raise rejected("signing-key-origin", "key", message)
        return key

    def made_key(self) -> SigningKey:
        """Return the key, made now where there is none."""
        key = self.key()
        if key is None:
            key = SigningKey.generate(self._origin, self._random_bytes(_SEED_SIZE))
            put_in_place(self._key, f"{key.text()}\n".encode())
        return key

    def kept_checkpoint(self, verifier: VerifierKey) -> bytes | None:
        """Return the note that was signed last, if any was. Raises Rejection `checkpoint-damaged`."""
        return self._verified(self._checkpoint, verifier)

    def keep_checkpoint(self, note: bytes) -> None:
        """Keep what is going to be given away as signed."""
        put_in_place(self._checkpoint, note)

    def cosigned(self, verifier: VerifierKey) -> bytes | None:
        """Return the note that was cosigned last, if any was. Raises Rejection `checkpoint-damaged`."""
        return self._verified(self._cosigned, verifier)

    def keep_cosigned(self, note: bytes) -> None:
        """Keep the note of a checkpoint with its cosignatures."""
        put_in_place(self._cosigned, note)

    def _verified(self, path: Path, verifier: VerifierKey) -> bytes | None:
        try:
            note = path.read_bytes()
            open_checkpoint(note, verifier)
        except FileNotFoundError:
            return None
        except NoteRejected as error:
            message = f"{path} is no checkpoint that the key beside it signed ({error}); restore both from one backup"
            raise rejected("checkpoint-damaged", "checkpoint", message) from error
        return note

    def _check_permissions(self, opened: int) -> None:
        mode = S_IMODE(os.fstat(opened).st_mode)
        if mode & (S_IRWXG | S_IRWXO):
            message = (
                f"{self._key} is open to others (mode {mode:04o}), expected 0600; "
                "chmod 600 if nobody can have read it, else take another key and origin"
            )
            raise rejected("signing-key-permissions", "key", message)
        mode = S_IMODE(self._folder.stat().st_mode)
        if mode & (S_IWGRP | S_IWOTH):
            message = f"others can replace files in {self._folder} (mode {mode:04o}), expected 0700; chmod 700"
            raise rejected("signing-key-permissions", "key", message)


def _make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder, and those it stands in, so that after a power cut they are there."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _said(verified: bytes) -> Checkpoint:
    """Return what a note says whose signature was checked."""
    return parse_checkpoint(parse_note(verified)[0])


def _check_continuation(kept: Checkpoint, tree: TreeHashes) -> None:
    """Check that the tree begins with the one that was signed last. Raises Rejection `checkpoint-not-consistent`."""
    if kept.size <= tree.size and tree.root(kept.size) == kept.root:
        return
    before = f"the last signed checkpoint of {kept.origin} has size {kept.size} and root {_shown(kept.root)}"
    if kept.size > tree.size:
        message = (
            f"{before}, but the store has only {tree.size} entries, root {_shown(tree.root())}: it is older than what "
            "was signed, or entries were removed; restore the newer backup of the database"
        )
    else:
        message = (
            f"{before}, but the first {kept.size} of the store's {tree.size} entries have root "
            f"{_shown(tree.root(kept.size))}: entries were altered after they were signed, or this is another "
            "database; restore a backup whose entries lead to the signed root"
        )
    raise rejected("checkpoint-not-consistent", "checkpoint", message)


def _check_head(code: str, tree: TreeHashes, edge: Edge) -> None:
    if tree.size < edge.size:
        raise _damaged(f"the event at position {tree.size + 1} of ledger {code} is missing, its size is {edge.size}")
    if not _fits(tree, edge):
        found = f"{_shown(tree.root(edge.size))} from the events, {_shown(edge.root())} in the head"
        raise _damaged(f"the tree of the {edge.size} entries of ledger {code} has two roots: {found}")


def _fits(tree: TreeHashes, edge: Edge) -> bool:
    return tree.size == edge.size and tree.root() == edge.root()


def _stated_edge(connection: Connection, code: str) -> Edge:
    row = connection.execute(select(ledgers.c.size, ledgers.c.edge).where(ledgers.c.code == code)).one_or_none()
    if row is None:
        return Edge()
    try:
        edge = Edge.from_bytes(row.edge)
    except ValueError as error:
        raise _damaged(f"the head of ledger {code} cannot be read ({error})") from error
    if edge.size != row.size:
        raise _damaged(f"the head of ledger {code} has size {row.size}, but an edge of {edge.size}")
    return edge


def _extend(connection: Connection, code: str, tree: TreeHashes, size: int) -> None:
    """Read the events behind the tree up to `size`; stops at the first hole."""
    leaves: list[bytes] = []
    for position, state in _states(connection, code, tree.size + 1, size):
        if position != tree.size + len(leaves) + 1:
            break
        leaves.append(leaf_hash(state))
        if len(leaves) == PAGE:
            tree.extend(leaves)
            leaves.clear()
    tree.extend(leaves)


def _states(connection: Connection, code: str, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield position and bytes of the events from `first` to `last` that there are, a page at a time."""
    for start in range(first, last + 1, PAGE):
        end = min(start + PAGE - 1, last)
        query = select(events.c.position, events.c.state).where(
            events.c.ledger == code, events.c.position.between(start, end)
        )
        for row in connection.execute(query.order_by(events.c.position)):
            yield row.position, row.state


def _cosignatures(note: bytes, verifier: VerifierKey) -> dict[tuple[str, bytes], Signature]:
    """Return the lines of a note that are not by this key, one for each other key. Raises NoteRejected."""
    lines = open_note(note, [verifier]).unverified
    for line in lines:
        timestamp_of(line)
    if not lines:
        raise NoteRejected("the note has no cosignature")
    return {(line.name, line.key_id): line for line in lines}


def _shown(root: bytes) -> str:
    """Return a root as it stands in a checkpoint."""
    return b64encode(root).decode("ascii")


def _unknown_position(position: int, size: int) -> Rejection:
    return rejected("unknown-position", "position", f"no position {position}; expected 1 to {size}")


def _damaged(found: str) -> Rejection:
    return rejected("ledger-damaged", "events", f"{found}; restore a backup")
