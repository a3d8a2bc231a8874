"""The key of the evidence: made once, read strictly, missed when it is lost."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.evidence.master_key import FILE, make_master_key, read_master_key
from ledger.evidence.opening import open_vault
from ledger.evidence.stores import FolderStore
from ledger.rejection import Rejection
from tests.ledger.evidence.files import LIMIT, NOW
from tests.ledger.store import ZHANGSHU


def test_a_key_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    assert read_master_key(folder) is None
    key = make_master_key(folder, secrets.token_bytes)
    assert read_master_key(folder) == make_master_key(folder, secrets.token_bytes) == key
    assert ((folder / FILE).stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert {path.name for path in folder.iterdir()} == {FILE, f"{FILE}.lock"}


def test_all_who_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: make_master_key(tmp_path, secrets.token_bytes), range(16)))
    assert set(made) == {read_master_key(tmp_path)}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    make_master_key(tmp_path, secrets.token_bytes)
    (tmp_path / FILE).chmod(mode)
    with pytest.raises(Rejection, match="evidence-key-permissions"):
        read_master_key(tmp_path)


@pytest.mark.parametrize("text", ["", "00", "00" * 32, "zz" * 32 + "\n", "00" * 33 + "\n", "\xff"])
def test_what_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    make_master_key(tmp_path, secrets.token_bytes)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Rejection, match="evidence-key-wrong"):
        read_master_key(tmp_path)


def test_a_lost_key_is_missed_and_never_made_anew(engine: Engine, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "evidence")
    vault = open_vault(engine, store, tmp_path, secrets.token_bytes)
    stored = vault.put(ZHANGSHU, [b"content"], LIMIT, "office", NOW)
    again = open_vault(engine, store, tmp_path, secrets.token_bytes)
    assert b"".join(again.open(ZHANGSHU, stored.commitment).chunks) == b"content"
    kept = (tmp_path / FILE).rename(tmp_path / "away")
    with pytest.raises(Rejection, match=r"is not there.*evidence-key-wrong"):
        open_vault(engine, store, tmp_path, secrets.token_bytes)
    assert not (tmp_path / FILE).exists()
    make_master_key(tmp_path, secrets.token_bytes)
    with pytest.raises(Rejection, match=r"opens none.*evidence-key-wrong"):
        open_vault(engine, store, tmp_path, secrets.token_bytes)
    kept.replace(tmp_path / FILE)
    assert open_vault(engine, store, tmp_path, secrets.token_bytes).check(ZHANGSHU, stored.commitment) is None
