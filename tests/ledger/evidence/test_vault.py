"""Files stored, read, checked and destroyed, on each database and each store."""

from __future__ import annotations

import secrets
import tracemalloc
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select, update

from ledger.event_bytes import EventMapper
from ledger.events import EvidenceErased
from ledger.evidence.commitments import commitment_to
from ledger.evidence.erasures import unfinished_erasures
from ledger.evidence.sealing import CHUNK
from ledger.evidence.stores import EvidenceStore, FolderStore
from ledger.evidence.vault import EvidenceVault, Finding, Stored, StoredFile
from ledger.recorder import LedgerRecorder
from ledger.rejection import Rejection
from ledger.tables import evidence_files
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


def record_erasure(engine: Engine, commitment: str) -> None:
    event = EvidenceErased(
        originator_id=uuid4(),
        originator_version=1,
        recorded_at=NOW,
        actor="office",
        nonce="00" * 16,
        commitment=commitment,
        ground="个人信息保护法第四十七条",
    )
    recorder = LedgerRecorder(engine, ZHANGSHU)
    recorder.insert_events([EventMapper(ZHANGSHU).to_stored_event(event)])
    recorder.close()


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


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(vault: EvidenceVault, store: EvidenceStore) -> None:
    assert put(vault, bytes(CHUNK), limit=CHUNK).size == CHUNK
    assert put(vault, bytes(CHUNK - 1), limit=CHUNK).size == CHUNK - 1
    with pytest.raises(Rejection) as refused:
        put(vault, bytes(CHUNK + 1), limit=CHUNK)
    assert code_of(refused) == "evidence-too-large"
    assert len(list(store.names(datetime.now(UTC) + timedelta(minutes=1)))) == 2


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


def test_an_erased_file_is_gone_and_its_commitment_stays(
    vault: EvidenceVault, store: EvidenceStore, engine: Engine
) -> None:
    stored, kept = put(vault), put(vault)
    before = row_of(engine, stored)
    record_erasure(engine, stored.commitment)
    assert unfinished_erasures(engine, ZHANGSHU) == [stored.commitment]
    assert vault.finish_erasures(ZHANGSHU, NOW) == [stored.commitment]
    row = row_of(engine, stored)
    assert (row["commitment"], row["salt"], row["sealed_key"]) == (before["commitment"], None, None)
    assert row["object"].hex() not in set(store.names(datetime.now(UTC) + timedelta(minutes=1)))
    assert vault.stored(ZHANGSHU, stored.commitment).erased_at == NOW
    with pytest.raises(Rejection) as refused:
        vault.open(ZHANGSHU, stored.commitment)
    assert code_of(refused) == "evidence-erased"
    found = vault.check(ZHANGSHU, stored.commitment)
    assert found
    assert (found.state, found.is_fault) == ("erased", False)
    assert read(vault, kept.commitment) == CONTENT


def test_an_erasure_done_again_keeps_its_moment(folder_vault: EvidenceVault, engine: Engine) -> None:
    stored = put(folder_vault)
    record_erasure(engine, stored.commitment)
    folder_vault.finish_erasures(ZHANGSHU, NOW)
    assert folder_vault.finish_erasures(ZHANGSHU, NOW + timedelta(days=1)) == []
    folder_vault.destroy(ZHANGSHU, stored.commitment, NOW + timedelta(days=1))
    assert folder_vault.stored(ZHANGSHU, stored.commitment).erased_at == NOW


def test_an_erasure_that_died_half_way_is_finished(
    folder_vault: EvidenceVault, folder_store: FolderStore, engine: Engine
) -> None:
    stored = put(folder_vault)
    record_erasure(engine, stored.commitment)
    folder_store.delete(row_of(engine, stored)["object"].hex())
    assert folder_vault.finish_erasures(ZHANGSHU, NOW) == [stored.commitment]
    assert row_of(engine, stored)["salt"] is None


def test_an_erasure_without_an_event_or_not_finished_is_found(folder_vault: EvidenceVault, engine: Engine) -> None:
    silent, half = put(folder_vault), put(folder_vault)
    folder_vault.destroy(ZHANGSHU, silent.commitment, NOW)
    assert state_of(folder_vault.check(ZHANGSHU, silent.commitment)) == "erased-without-event"
    record_erasure(engine, half.commitment)
    alter(engine, half, erased_at=0, salt=None, sealed_key=None)
    assert state_of(folder_vault.check(ZHANGSHU, half.commitment)) == "not-erased"


def test_an_erasure_of_what_another_ledger_stored_destroys_nothing(folder_vault: EvidenceVault, engine: Engine) -> None:
    record_erasure(engine, UNKNOWN)
    stored = put(folder_vault)
    assert folder_vault.finish_erasures(ZHANGSHU, NOW) == []
    assert read(folder_vault, stored.commitment) == CONTENT


def test_only_old_objects_that_no_row_names_are_removed(
    vault: EvidenceVault, store: EvidenceStore, engine: Engine
) -> None:
    stored, lost = put(vault), put(vault)
    name = row_of(engine, lost)["object"].hex()
    with engine.begin() as connection:
        commitment = bytes.fromhex(lost.commitment)
        connection.execute(evidence_files.delete().where(evidence_files.c.commitment == commitment))
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert vault.unnamed(soon, timedelta(hours=1)) == []
    assert vault.unnamed(soon, timedelta()) == [name]
    assert vault.remove_unnamed(soon, timedelta()) == 1
    assert set(store.names(soon)) == {row_of(engine, stored)["object"].hex()}
    assert read(vault, stored.commitment) == CONTENT
