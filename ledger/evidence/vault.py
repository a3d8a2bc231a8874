"""Stored files: received, given out and checked.

Rules kept here:

1. A file is hashed and encrypted while it comes in; none of its content is ever on a disk unencrypted.
2. What is refused (too large, empty, an image or archive beyond its bounds) leaves nothing behind.
3. The object has its name, on the disk, before the row that names it is committed, and the row is before any answer.
4. The same content stored twice has another salt, key, object and commitment: nothing tells that they are the same.
5. Not a byte is given out before the whole file was held against its commitment, and none that is not authenticated.
6. What is erased by law is opened no more, and its row stays and says when; see `ledger.evidence.erasures`.

Who may do any of this, and the events that name the files, are left to others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO, Final, Literal, NamedTuple, Self

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine, RowMapping, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from ledger.appends import microseconds, moment
from ledger.database import for_writing
from ledger.events import Text
from ledger.evidence.commitments import SALT_SIZE, commitment_to
from ledger.evidence.content_types import media_type_of
from ledger.evidence.erasures import erased_commitments
from ledger.evidence.sealing import (
    CHUNK,
    KEY_SIZE,
    ContentDamaged,
    KeyRefused,
    Sealer,
    unsealed,
    unwrapped_key,
    wrapped_key,
)
from ledger.evidence.stores import EvidenceStore, ObjectMissing, store_errors, store_unavailable
from ledger.rejection import Rejection, rejected
from ledger.tables import evidence_files

RandomBytes = Callable[[int], bytes]
_WHERE: Final = "file"
_NAME: Final = TypeAdapter(Text)


class Stored(NamedTuple):
    """A file just stored. `sha256` is that of its content, so that whoever sent it can compare; it is not kept."""

    commitment: str
    size: int
    media_type: str
    sha256: str


class StoredFile(NamedTuple):
    """What is known of a stored file without reading it; `size` in bytes."""

    commitment: str
    size: int
    media_type: str
    stored_by: str
    stored_at: datetime
    erased_at: datetime | None


class Opened(NamedTuple):
    """A stored file's content, which was held against its commitment; `size` in bytes. The chunks are read once."""

    media_type: str
    size: int
    chunks: Iterator[bytes]


class Finding(NamedTuple):
    """What a check found of a file that is not there whole. `erased`, by an event, is no fault; all else is."""

    state: Literal[
        "erased",
        "erased-without-event",
        "not-erased",
        "missing-row",
        "missing-object",
        "object-altered",
        "commitment-wrong",
        "key-wrong",
    ]
    message: str

    @property
    def is_fault(self) -> bool:
        """Whether something was lost or changed."""
        return self.state != "erased"


class Incoming:
    """A file on its way in. `write` its content, then `finish`; leaving the context removes what was not finished."""

    def __init__(self, engine: Engine, store: EvidenceStore, master_key: bytes, random_bytes: RandomBytes, limit: int):
        self._engine = engine
        self._store = store
        self._master_key = master_key
        self._random_bytes = random_bytes
        self._limit = limit
        self._key = random_bytes(KEY_SIZE)
        self._sealer = Sealer(self._key)
        self._content_hash, self._object_hash = sha256(), sha256()
        self._size = 0
        self._pending = bytearray()
        self._object = store.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._object.discard()

    def write(self, data: bytes) -> None:
        """Take the next part of the content. Raises Rejection `evidence-too-large` beyond the limit."""
        self._size += len(data)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._content_hash.update(data)
        parts = memoryview(data)
        while parts:
            if len(self._pending) == CHUNK:
                self._seal(last=False)
            room = CHUNK - len(self._pending)
            self._pending += parts[:room]
            parts = parts[room:]

    def finish(self, code: str, stored_by: str, now: datetime) -> Stored:
        """Keep the file, and return what it is named by; everything is on the disk once this returns.

        Raises Rejection: `evidence-empty`, `evidence-image-too-large`, `evidence-archive-too-large`,
        `evidence-store-unavailable`, and `actor-invalid` for a name that no entry could have.
        """
        if not _is_name(stored_by):
            raise rejected("actor-invalid", "actor", f"found {stored_by[:40]!r}, expected a name on one line")
        # 1. The last chunk says that it is the last.
        if not self._pending:
            raise rejected("evidence-empty", _WHERE, "the file is empty; send its content")
        self._seal(last=True)
        # 2. What it is, from the object as it will be read again.
        media_type = media_type_of(unsealed(self._object.file, self._key), self._size)
        # 3. The object gets its name.
        name = self._object_hash.digest()
        self._object.keep(name.hex())
        # 4. The row names it.
        salt, content_digest = self._random_bytes(SALT_SIZE), self._content_hash.digest()
        row: dict[str, Any] = {
            "ledger": code,
            "commitment": commitment_to(salt, content_digest),
            "salt": salt,
            "object": name,
            "size": self._size,
            "media_type": media_type,
            "stored_by": stored_by,
            "stored_at": microseconds(now),
        }
        row["sealed_key"] = wrapped_key(self._master_key, self._key, _said(row))
        self._record(row)
        return Stored(row["commitment"].hex(), self._size, media_type, content_digest.hex())

    def _record(self, row: dict[str, Any]) -> None:
        committing = False
        try:
            with for_writing(self._engine).connect() as connection:
                connection.execute(insert(evidence_files), row)
                committing = True
                try:
                    connection.commit()
                except SQLAlchemyError:
                    # Whatever state the transaction is in, nobody may go on with it.
                    connection.invalidate()
                    raise
        except SQLAlchemyError as error:
            # What cannot be removed now stays, and nothing names it.
            with suppress(SQLAlchemyError, Rejection):
                self._unrecord(row, committing)
            reason = f"its database failed: {type(error).__name__}"
            raise store_unavailable(reason, storing=True) from error

    def _unrecord(self, row: dict[str, Any], committing: bool) -> None:
        """Remove the object; where the commit failed, the row may be there all the same, and goes before."""
        if committing:
            with for_writing(self._engine).begin() as connection:
                connection.execute(delete(evidence_files).where(*_of(row["ledger"], row["commitment"].hex())))
        self._store.delete(row["object"].hex())

    def _seal(self, *, last: bool) -> None:
        sealed = self._sealer.seal(bytes(self._pending), last=last)
        self._object_hash.update(sealed)
        with store_errors(storing=True):
            self._object.file.write(sealed)
            if last:
                self._object.file.flush()
        self._pending.clear()


class EvidenceVault:
    """The stored files of all ledgers of a database. Safe to share between threads."""

    def __init__(self, engine: Engine, store: EvidenceStore, master_key: bytes, random_bytes: RandomBytes) -> None:
        self._engine = engine
        self._store = store
        self._master_key = master_key
        self._random_bytes = random_bytes

    def begin(self, limit: int) -> Incoming:
        """Return a file to be written, of at most `limit` bytes; at most two chunks of it are held in memory."""
        return Incoming(self._engine, self._store, self._master_key, self._random_bytes, limit)

    def put(self, code: str, chunks: Iterable[bytes], limit: int, stored_by: str, now: datetime) -> Stored:
        """Store a file of at most `limit` bytes; refuses as `Incoming.write` and `Incoming.finish` do."""
        with self.begin(limit) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.finish(code, stored_by, now)

    def stored(self, code: str, commitment: str) -> StoredFile:
        """Return what is known of a file. Raises Rejection `unknown-evidence`."""
        row = self._known(code, commitment)
        erased_at = None if row["erased_at"] is None else moment(row["erased_at"])
        return StoredFile(
            commitment, row["size"], row["media_type"], row["stored_by"], moment(row["stored_at"]), erased_at
        )

    def open(self, code: str, commitment: str) -> Opened:
        """Return a file's content, of which every byte was held against the commitment.

        Raises Rejection: `unknown-evidence`, `evidence-erased`, `evidence-damaged`, `evidence-key-wrong`,
        `evidence-store-unavailable`; and ContentDamaged from the chunks, where the object is altered meanwhile.
        """
        row = self._known(code, commitment)
        if row["erased_at"] is not None:
            erased_on = moment(row["erased_at"]).isoformat(timespec="seconds")
            raise rejected("evidence-erased", _WHERE, f"erased by law at {erased_on}; the commitment to it stays")
        try:
            file, key = self._sealed(row)
            with _closed_on_error(file):
                _verify(row, file, key)
        except KeyRefused:
            raise rejected("evidence-key-wrong", _WHERE, _KEY_WRONG) from None
        except (ObjectMissing, ContentDamaged) as damage:
            raise rejected("evidence-damaged", _WHERE, f"{_said_of(damage)}; restore it from a backup") from None
        return Opened(row["media_type"], row["size"], _chunks(file, key))

    def check(self, code: str, commitment: str) -> Finding | None:
        """Read a file whole and return what is wrong with it; None for one that is there as it was stored.

        Raises Rejection `evidence-store-unavailable`.
        """
        row = self._row(code, commitment)
        if row is None:
            return Finding("missing-row", "nothing is kept of the file: no row names it; restore the database")
        if row["erased_at"] is not None or row["salt"] is None or row["sealed_key"] is None:
            return self._check_erased(row)
        try:
            file, key = self._sealed(row)
            with file:
                _verify(row, file, key)
        except KeyRefused:
            return Finding("key-wrong", _KEY_WRONG)
        except ObjectMissing as missing:
            return Finding("missing-object", _said_of(missing))
        except _OtherCommitment as other:
            return Finding("commitment-wrong", str(other))
        except ContentDamaged as damage:
            return Finding("object-altered", str(damage))
        return None

    def opens_any_key(self) -> bool:
        """Return whether the master key opens a stored file's key, or none is stored: looked up in a few rows."""
        query = select(evidence_files).where(evidence_files.c.erased_at.is_(None)).limit(_SAMPLE)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return not rows or any(self._opens(row) for row in rows)

    def _opens(self, row: RowMapping) -> bool:
        try:
            self._key(row)
        except KeyRefused:
            return False
        return True

    def _row(self, code: str, commitment: str) -> RowMapping | None:
        with self._engine.connect() as connection:
            return connection.execute(select(evidence_files).where(*_of(code, commitment))).mappings().one_or_none()

    def _known(self, code: str, commitment: str) -> RowMapping:
        row = self._row(code, commitment)
        if row is None:
            raise unknown_evidence(code, commitment)
        return row

    def _key(self, row: RowMapping) -> bytes:
        if row["sealed_key"] is None:
            raise KeyRefused("the row has no key")
        return unwrapped_key(self._master_key, row["sealed_key"], _said(row))

    def _sealed(self, row: RowMapping) -> tuple[BinaryIO, bytes]:
        key = self._key(row)
        return self._store.open(row["object"].hex()), key

    def _check_erased(self, row: RowMapping) -> Finding:
        commitment = row["commitment"].hex()
        if commitment not in erased_commitments(self._engine, row["ledger"]):
            return Finding("erased-without-event", "the file was destroyed, but no event says so; restore the database")
        try:
            self._store.open(row["object"].hex()).close()
        except ObjectMissing:
            if row["salt"] is None and row["sealed_key"] is None and row["erased_at"] is not None:
                return Finding("erased", "erased, commitment intact")
        return Finding("not-erased", "an event says that the file was erased, but not all of it is gone; start again")


class _OtherCommitment(ContentDamaged):
    """The content is whole, and not what the commitment is to."""


_SAMPLE: Final = 16
_KEY_WRONG: Final = (
    "the key of the file cannot be opened: the master key is another than it was stored under, or its row was altered; "
    "restore evidence.key, or the database"
)


def _is_name(text: str) -> bool:
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


def too_large(limit: int) -> Rejection:
    """Return the refusal of a file of more than `limit` bytes."""
    return rejected("evidence-too-large", _WHERE, f"the file is larger than {limit} bytes; compress or split it")


def unknown_evidence(code: str, commitment: str) -> Rejection:
    """Return the refusal of a file that is not there."""
    message = f"no stored file {commitment} in {code}; expected what storing a file answered"
    return rejected("unknown-evidence", _WHERE, message)


@contextmanager
def _closed_on_error(file: BinaryIO) -> Iterator[None]:
    """Close the file where the block does not end well."""
    try:
        yield
    except BaseException:
        file.close()
        raise


def _of(code: str, commitment: str) -> tuple[Any, Any]:
    return evidence_files.c.ledger == code, evidence_files.c.commitment == bytes.fromhex(commitment)


def _said(row: Any) -> bytes:
    """Return what a row says of its file, which its key is wrapped with."""
    said = [row[name] for name in ("ledger", "size", "media_type", "stored_by", "stored_at")]
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _said_of(damage: ObjectMissing | ContentDamaged) -> str:
    return f"the object {damage} is missing" if isinstance(damage, ObjectMissing) else str(damage)


def _chunks(file: BinaryIO, key: bytes) -> Iterator[bytes]:
    with file:
        content = unsealed(file, key)
        while chunk := content.read(CHUNK):
            yield chunk


def _verify(row: RowMapping, file: BinaryIO, key: bytes) -> None:
    """Read the file whole. Raises ContentDamaged unless it is what the row and the commitment say."""
    content, found = unsealed(file, key), sha256()
    while chunk := content.read(CHUNK):
        found.update(chunk)
    salt = row["salt"] or b""
    if len(salt) != SALT_SIZE or commitment_to(salt, found.digest()) != row["commitment"]:
        raise _OtherCommitment("the content or the salt is not what the commitment is to")
