"""What every store holds to."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.evidence.opening import open_store
from ledger.evidence.s3 import S3Store
from ledger.evidence.stores import EvidenceStore, FolderStore, ObjectMissing
from ledger.rejection import Rejection

CONTENT = b"\x00sealed\xff" * 20_000
NAME = sha256(CONTENT).hexdigest()


def kept(store: EvidenceStore, content: bytes = CONTENT) -> str:
    name = sha256(content).hexdigest()
    incoming = store.begin()
    incoming.file.write(content)
    incoming.keep(name)
    incoming.discard()
    return name


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_an_object_is_read_as_it_was_written_and_from_anywhere(store: EvidenceStore) -> None:
    with store.open(kept(store)) as file:
        assert file.read() == CONTENT
        file.seek(-8, 2)
        assert file.read() == CONTENT[-8:]


def test_an_object_is_not_there_before_it_has_its_name(store: EvidenceStore) -> None:
    incoming = store.begin()
    incoming.file.write(CONTENT)
    incoming.file.flush()
    with pytest.raises(ObjectMissing):
        store.open(NAME)
    incoming.discard()
    with pytest.raises(ObjectMissing):
        store.open(NAME)


def test_a_removed_object_is_gone_and_may_be_removed_again(store: EvidenceStore) -> None:
    kept(store)
    for _ in range(2):
        store.delete(NAME)
        with pytest.raises(ObjectMissing):
            store.open(NAME)


def test_only_what_is_old_and_never_got_a_name_is_swept_from_a_folder(
    folder_store: FolderStore, tmp_path: Path
) -> None:
    name, abandoned = kept(folder_store), folder_store.begin()
    assert folder_store.sweep(later() - timedelta(hours=1)) == 0
    assert folder_store.sweep(later()) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name]
    abandoned.discard()


def test_the_folder_is_for_its_user_alone(folder_store: FolderStore, tmp_path: Path) -> None:
    kept(folder_store)
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "evidence").rglob("*")}
    assert modes == {0}


def test_a_bucket_is_told_the_checksum_of_what_it_is_sent(bucket_store: S3Store) -> None:
    sent: list[bytes] = []
    bucket_store._client.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(request.headers["x-amz-checksum-sha256"])
    )
    kept(bucket_store)
    assert [b64decode(checksum).hex() for checksum in sent] == [NAME]


def test_a_bucket_that_is_not_there_is_said_so(s3_endpoint: str) -> None:
    store = S3Store("no-such-bucket", s3_endpoint)
    with pytest.raises(Rejection, match=r"NoSuchBucket.*evidence-store-unavailable"):
        store.open(NAME)
    store._client.close()


@pytest.mark.usefixtures("s3_endpoint")
def test_a_service_that_does_not_answer_is_said_so() -> None:
    store = S3Store("evidence", "http://127.0.0.1:9")
    with pytest.raises(Rejection, match="evidence-store-unavailable"):
        store.delete(NAME)
    store._client.close()


@pytest.mark.usefixtures("s3_endpoint")
def test_only_what_stores_says_that_nothing_was_recorded(folder_store: FolderStore, tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("no folder")
    down = S3Store("evidence", "http://127.0.0.1:9")
    told: dict[bool, set[bool]] = {True: set(), False: set()}
    incoming = down.begin()
    asks: list[tuple[bool, Callable[[], object]]] = [
        (True, folder_store.begin),
        (True, lambda: incoming.keep(NAME)),
        (False, lambda: folder_store.open(NAME)),
        (False, lambda: folder_store.delete(NAME)),
        (False, lambda: down.open(NAME)),
        (False, lambda: down.delete(NAME)),
    ]
    for stores, ask in asks:
        with pytest.raises(Rejection, match="evidence-store-unavailable") as refused:
            ask()
        told[stores].add("nothing was recorded" in str(refused.value))
    assert told == {True: {True}, False: {False}}
    incoming.discard()
    down._client.close()


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file")
    with pytest.raises(Rejection, match="evidence-store-unavailable"):
        FolderStore(tmp_path / "evidence").begin()


def test_the_settings_say_which_store_it_is(tmp_path: Path, s3_endpoint: str) -> None:
    assert isinstance(open_store(tmp_path, None, None), FolderStore)
    store = open_store(tmp_path, "evidence", s3_endpoint)
    assert isinstance(store, S3Store)
    store._client.close()
