"""Files stored, read, checked and destroyed, on each database and each store."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import tracemalloc
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.exc import OperationalError

from ledger.appends import microseconds
from ledger.evidence.commitments import commitment_to
from ledger.evidence.erasures import finish_erasures
from ledger.evidence.sealing import CHUNK
from ledger.evidence.stores import EvidenceStore, FolderStore, ObjectMissing
from ledger.evidence.vault import EvidenceVault, Finding, Stored, StoredFile
from ledger.rejection import Rejection
from ledger.tables import evidence_files
from tests.ledger.evidence.erasing import record_erasure
from tests.ledger.evidence.files import LIMIT, NOW, image, in_parts
from tests.ledger.store import LANGXI, ZHANGSHU

CONTENT = b"the minutes of the meeting\n" * 10_000
UNKNOWN = "ab" * 32


def put(vault: EvidenceVault, content: bytes = CONTENT, limit: int = LIMIT) -> Stored:
    return vault.put(ZHANGSHU, in_parts(content), limit, "office", NOW)


def read(vault: EvidenceVault, commitment: str) -> bytes:
    return b"".join(vault.open(ZHANGSHU, commitment).chunks)


def code_of(refused: pytest.ExceptionInfo[Rejection]) -> str:
    [one] = refused.value.refusals
    return one.code


def state_of(found: Finding | None) -> str | None:
    return None if found is None else found.state


def row_of(engine: Engine, stored: Stored) -> dict[str, Any]:
    query = select(evidence_files).where(evidence_files.c.commitment == bytes.fromhex(stored.commitment))
    with engine.connect() as connection:
        return dict(connection.execute(query).mappings().one())


def alter(engine: Engine, stored: Stored, **values: object) -> None:
    changed = update(evidence_files).where(evidence_files.c.commitment == bytes.fromhex(stored.commitment))
    with engine.begin() as connection:
        connection.execute(changed.values(values))


def objects(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def is_there(store: EvidenceStore, row: dict[str, Any]) -> bool:
    try:
        store.open(row["object"].hex()).close()
    except ObjectMissing:
        return False
    return True


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_is_read_as_it_was_stored(vault: EvidenceVault, size: int) -> None:
    content = secrets.token_bytes(size)
    stored = put(vault, content)
    opened = vault.open(ZHANGSHU, stored.commitment)
    assert b"".join(opened.chunks) == content
    assert (stored.size, opened.size, stored.sha256) == (size, size, sha256(content).hexdigest())
    assert vault.check(ZHANGSHU, stored.commitment) is None


def test_what_is_known_of_a_file_is_told_without_reading_it(vault: EvidenceVault) -> None:
    stored = put(vault)
    known = vault.stored(ZHANGSHU, stored.commitment)
    assert known == StoredFile(stored.commitment, len(CONTENT), "text/plain", "office", NOW, None)


def test_the_commitment_is_to_salt_and_content(vault: EvidenceVault, engine: Engine) -> None:
    stored = put(vault, b"abc")
    salt = row_of(engine, stored)["salt"]
    digest = bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert stored.commitment == sha256(b"mingzhang evidence v1\x00" + salt + digest).hexdigest()


def test_a_commitment_known_in_advance() -> None:
    digest = sha256(b"abc").digest()
    known = "12f4e38d5dbfedf139177271757d9b886093710838bea188f4f6ac083da93031"
    assert commitment_to(bytes(range(32)), digest).hex() == known
    with pytest.raises(ValueError, match="32 bytes"):
        commitment_to(b"", digest)


def test_the_same_content_twice_shares_nothing(vault: EvidenceVault, engine: Engine) -> None:
    first, second = put(vault), put(vault)
    assert first.sha256 == second.sha256
    rows = row_of(engine, first), row_of(engine, second)
    for name in ("commitment", "salt", "sealed_key", "object"):
        assert rows[0][name] != rows[1][name]


def test_nothing_of_the_content_is_in_the_store_or_the_database(
    folder_vault: EvidenceVault, engine: Engine, tmp_path: Path
) -> None:
    stored = put(folder_vault, b"secret words " * 20_000)
    kept = b"".join(path.read_bytes() for path in objects(tmp_path))
    assert kept
    assert b"secret words" not in kept
    assert bytes.fromhex(stored.sha256) not in kept
    assert bytes.fromhex(stored.sha256) not in row_of(engine, stored).values()


def test_a_file_belongs_to_one_ledger(vault: EvidenceVault) -> None:
    stored = put(vault)
    with pytest.raises(Rejection) as refused:
        vault.open(LANGXI, stored.commitment)
    assert code_of(refused) == "unknown-evidence"


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(vault: EvidenceVault) -> None:
    assert put(vault, bytes(CHUNK), limit=CHUNK).size == CHUNK
    assert put(vault, bytes(CHUNK - 1), limit=CHUNK).size == CHUNK - 1
    with pytest.raises(Rejection) as refused:
        put(vault, bytes(CHUNK + 1), limit=CHUNK)
    assert code_of(refused) == "evidence-too-large"


def test_what_is_beyond_the_limit_is_refused_before_the_rest_is_read(folder_vault: EvidenceVault) -> None:
    def endless() -> Any:
        for _ in range(3):
            yield bytes(CHUNK)
        raise AssertionError("nobody reads on")

    with pytest.raises(Rejection, match="evidence-too-large"):
        folder_vault.put(ZHANGSHU, endless(), 2 * CHUNK, "office", NOW)


@pytest.mark.parametrize("parts", [[], [b""], [b"", b""]])
def test_an_empty_file_is_refused(vault: EvidenceVault, parts: list[bytes]) -> None:
    with pytest.raises(Rejection) as refused:
        vault.put(ZHANGSHU, parts, LIMIT, "office", NOW)
    assert code_of(refused) == "evidence-empty"


@pytest.mark.parametrize("name", ["", " office", "off\nice", "\udcff", "a" * 501])
def test_a_name_that_no_entry_could_have_stores_nothing(folder_vault: EvidenceVault, name: str) -> None:
    with pytest.raises(Rejection) as refused:
        folder_vault.put(ZHANGSHU, [CONTENT], LIMIT, name, NOW)
    assert code_of(refused) == "actor-invalid"


def test_what_is_refused_leaves_nothing_behind(folder_vault: EvidenceVault, tmp_path: Path, engine: Engine) -> None:
    for content, limit in ((b"", LIMIT), (CONTENT, 1000), (image("PNG", 30_001, 1), LIMIT)):
        with pytest.raises(Rejection):
            put(folder_vault, content, limit)
    with engine.connect() as connection:
        assert connection.execute(select(evidence_files)).all() == []
    assert objects(tmp_path / "evidence") == []


def test_a_sender_that_fails_leaves_nothing_behind(folder_vault: EvidenceVault, tmp_path: Path) -> None:
    def breaking() -> Any:
        yield CONTENT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        folder_vault.put(ZHANGSHU, breaking(), LIMIT, "office", NOW)
    assert objects(tmp_path / "evidence") == []


def test_a_large_file_is_never_held_in_memory(folder_vault: EvidenceVault) -> None:
    size, part = 16 * 1024 * 1024, bytes(64 * 1024)
    put(folder_vault, image("PNG"))
    tracemalloc.start()
    try:
        stored = folder_vault.put(ZHANGSHU, (part for _ in range(size // len(part))), size, "office", NOW)
        assert sum(map(len, folder_vault.open(ZHANGSHU, stored.commitment).chunks)) == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The first MiB is looked at whole, to tell what the file is.
    assert peak < 3 * 1024 * 1024


def test_no_single_bit_of_an_object_can_be_changed(folder_vault: EvidenceVault, tmp_path: Path) -> None:
    stored = put(folder_vault, b"a small object")
    [path] = objects(tmp_path / "evidence")
    whole = path.read_bytes()
    refused = 0
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(Rejection) as found:
            folder_vault.open(ZHANGSHU, stored.commitment)
        refused += code_of(found) == "evidence-damaged"
    assert refused == 8 * len(whole) == 8 * (14 + 16)


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: CHUNK + 16],
        lambda whole: whole[CHUNK + 16 :],
        lambda whole: whole[CHUNK + 16 : 2 * (CHUNK + 16)] + whole[: CHUNK + 16] + whole[2 * (CHUNK + 16) :],
        lambda whole: whole + whole[-100:],
        lambda whole: whole + b"\x00",
        lambda whole: whole[:10],
        lambda whole: whole[:0],
    ],
    ids=["last byte", "first chunk only", "first chunk gone", "two swapped", "more", "one more", "ten bytes", "empty"],
)
def test_chunks_that_are_cut_moved_or_added_are_refused(
    folder_vault: EvidenceVault, tmp_path: Path, change: Any
) -> None:
    stored = put(folder_vault)
    [path] = objects(tmp_path / "evidence")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Rejection) as refused:
        folder_vault.open(ZHANGSHU, stored.commitment)
    assert code_of(refused) == "evidence-damaged"
    assert state_of(folder_vault.check(ZHANGSHU, stored.commitment)) == "object-altered"


def test_a_missing_object_is_said_so(vault: EvidenceVault, store: EvidenceStore, engine: Engine) -> None:
    stored = put(vault)
    store.delete(row_of(engine, stored)["object"].hex())
    with pytest.raises(Rejection) as refused:
        vault.open(ZHANGSHU, stored.commitment)
    assert code_of(refused) == "evidence-damaged"
    assert state_of(vault.check(ZHANGSHU, stored.commitment)) == "missing-object"


def test_a_file_nobody_stored_is_unknown(vault: EvidenceVault) -> None:
    for ask in (vault.open, vault.stored):
        with pytest.raises(Rejection) as refused:
            ask(ZHANGSHU, UNKNOWN)
        assert code_of(refused) == "unknown-evidence"
    assert state_of(vault.check(ZHANGSHU, UNKNOWN)) == "missing-row"


@pytest.mark.parametrize(
    ("column", "value", "state", "code"),
    [
        ("salt", bytes(32), "commitment-wrong", "evidence-damaged"),
        ("salt", b"", "commitment-wrong", "evidence-damaged"),
        ("sealed_key", bytes(40), "key-wrong", "evidence-key-wrong"),
        ("sealed_key", b"x", "key-wrong", "evidence-key-wrong"),
        ("size", 1, "key-wrong", "evidence-key-wrong"),
        ("media_type", "text/html", "key-wrong", "evidence-key-wrong"),
        ("stored_by", "somebody else", "key-wrong", "evidence-key-wrong"),
        ("stored_at", 0, "key-wrong", "evidence-key-wrong"),
        ("object", bytes(32), "missing-object", "evidence-damaged"),
        ("commitment", bytes(32), "commitment-wrong", "evidence-damaged"),
    ],
)
def test_every_altered_column_of_a_row_is_found(
    folder_vault: EvidenceVault, engine: Engine, column: str, value: object, state: str, code: str
) -> None:
    stored = put(folder_vault)
    alter(engine, stored, **{column: value})
    commitment = bytes(32).hex() if column == "commitment" else stored.commitment
    assert state_of(folder_vault.check(ZHANGSHU, commitment)) == state
    with pytest.raises(Rejection) as refused:
        folder_vault.open(ZHANGSHU, commitment)
    assert code_of(refused) == code


def test_a_row_that_points_to_another_file_gives_neither(folder_vault: EvidenceVault, engine: Engine) -> None:
    first, second = put(folder_vault, b"A" * 20), put(folder_vault, b"B" * 20)
    other = row_of(engine, second)
    taken = {name: other[name] for name in ("salt", "sealed_key", "object")}
    alter(engine, first, **taken)
    assert state_of(folder_vault.check(ZHANGSHU, first.commitment)) == "commitment-wrong"
    with pytest.raises(Rejection) as refused:
        read(folder_vault, first.commitment)
    assert code_of(refused) == "evidence-damaged"


def test_another_master_key_opens_nothing(
    folder_vault: EvidenceVault, folder_store: FolderStore, engine: Engine
) -> None:
    stored = put(folder_vault)
    other = EvidenceVault(engine, folder_store, secrets.token_bytes(32), secrets.token_bytes)
    with pytest.raises(Rejection) as refused:
        other.open(ZHANGSHU, stored.commitment)
    assert code_of(refused) == "evidence-key-wrong"
    assert state_of(other.check(ZHANGSHU, stored.commitment)) == "key-wrong"
    assert (folder_vault.opens_any_key(), other.opens_any_key()) == (True, False)


def test_a_file_cannot_be_read_from_the_moment_its_erasure_is_recorded(vault: EvidenceVault, engine: Engine) -> None:
    stored, kept = put(vault), put(vault)
    before = row_of(engine, stored)
    record_erasure(engine, stored.commitment)
    gone: dict[str, Any] = {"salt": None, "sealed_key": None, "erased_at": microseconds(NOW)}
    assert row_of(engine, stored) == before | gone
    with pytest.raises(Rejection) as refused:
        vault.open(ZHANGSHU, stored.commitment)
    assert code_of(refused) == "evidence-erased"
    assert vault.stored(ZHANGSHU, stored.commitment).erased_at == NOW
    assert read(vault, kept.commitment) == CONTENT


def test_an_erased_file_is_gone_and_its_commitment_stays(
    vault: EvidenceVault, store: EvidenceStore, engine: Engine
) -> None:
    stored, kept = put(vault), put(vault)
    record_erasure(engine, stored.commitment)
    for _ in range(2):
        finish_erasures(engine, store, ZHANGSHU)
        assert not is_there(store, row_of(engine, stored))
        found = vault.check(ZHANGSHU, stored.commitment)
        assert found
        assert (found.state, found.is_fault) == ("erased", False)
    assert read(vault, kept.commitment) == CONTENT


def test_what_a_restored_copy_brought_back_is_erased_again(
    folder_vault: EvidenceVault, folder_store: FolderStore, engine: Engine, tmp_path: Path
) -> None:
    stored = put(folder_vault)
    row, [path] = row_of(engine, stored), objects(tmp_path / "evidence")
    sealed = path.read_bytes()
    record_erasure(engine, stored.commitment)
    finish_erasures(engine, folder_store, ZHANGSHU)
    path.write_bytes(sealed)
    assert state_of(folder_vault.check(ZHANGSHU, stored.commitment)) == "not-erased"
    finish_erasures(engine, folder_store, ZHANGSHU)
    assert state_of(folder_vault.check(ZHANGSHU, stored.commitment)) == "erased"
    path.write_bytes(sealed)
    alter(engine, stored, **row)
    assert read(folder_vault, stored.commitment) == CONTENT
    finish_erasures(engine, folder_store, ZHANGSHU)
    assert state_of(folder_vault.check(ZHANGSHU, stored.commitment)) == "erased"
    assert row_of(engine, stored)["erased_at"] == microseconds(NOW)


def test_a_row_alone_that_says_erased_deletes_nothing(
    folder_vault: EvidenceVault, folder_store: FolderStore, engine: Engine, tmp_path: Path
) -> None:
    stored = put(folder_vault)
    alter(engine, stored, erased_at=0)
    finish_erasures(engine, folder_store, ZHANGSHU)
    assert len(objects(tmp_path / "evidence")) == 1


def test_an_erasure_without_an_event_or_not_finished_is_found(folder_vault: EvidenceVault, engine: Engine) -> None:
    silent, half = put(folder_vault), put(folder_vault)
    alter(engine, silent, erased_at=0, salt=None, sealed_key=None)
    assert state_of(folder_vault.check(ZHANGSHU, silent.commitment)) == "erased-without-event"
    record_erasure(engine, half.commitment)
    assert state_of(folder_vault.check(ZHANGSHU, half.commitment)) == "not-erased"


def test_an_erasure_touches_no_file_of_another_name_or_ledger(
    folder_vault: EvidenceVault, folder_store: FolderStore, engine: Engine
) -> None:
    stored = put(folder_vault)
    other = folder_vault.put(LANGXI, in_parts(CONTENT), LIMIT, "office", NOW)
    for commitment in (UNKNOWN, other.commitment):
        record_erasure(engine, commitment)
    finish_erasures(engine, folder_store, ZHANGSHU)
    assert read(folder_vault, stored.commitment) == CONTENT
    assert folder_vault.check(LANGXI, other.commitment) is None


@pytest.mark.parametrize("moment", ["before_cursor_execute", "commit"])
def test_a_file_that_the_database_cannot_take_is_refused_and_leaves_nothing(
    vault: EvidenceVault, store: EvidenceStore, engine: Engine, moment: str
) -> None:
    calls = count(1)

    def fail(*_: object) -> None:
        if next(calls) == 1:
            raise OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))

    with vault.begin(LIMIT) as incoming:
        incoming.write(CONTENT)
        event.listen(engine, moment, fail)
        with pytest.raises(Rejection, match=r"nothing was recorded.*evidence-store-unavailable"):
            incoming.finish(ZHANGSHU, "office", NOW)
        name = incoming._object_hash.hexdigest()
    with pytest.raises(ObjectMissing):
        store.open(name)
    with engine.connect() as connection:
        assert connection.execute(select(evidence_files)).all() == []
    assert read(vault, put(vault).commitment) == CONTENT


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_database_is_said_so_and_leaves_nothing(
    folder_vault: EvidenceVault, engine: Engine, tmp_path: Path
) -> None:
    put(folder_vault)

    def full(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(engine, "checkout", full)
    told: list[str] = []
    while not told:
        try:
            put(folder_vault, b"small")
        except Rejection as refused:
            told.append(str(refused))
    assert ("nothing was recorded" in told[0], "evidence-store-unavailable" in told[0]) == (True, True)
    with engine.connect() as connection:
        named = {row.hex() for row in connection.scalars(select(evidence_files.c.object))}
    assert {path.name for path in objects(tmp_path / "evidence")} == named


def test_the_folder_failing_after_the_name_was_given_leaves_nothing(
    folder_vault: EvidenceVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, calls = os.fsync, count(1)

    def fail(descriptor: int) -> None:
        if next(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Rejection, match="nothing was recorded"):
        put(folder_vault)
    assert objects(tmp_path / "evidence") == []
