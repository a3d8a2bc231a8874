"""Processes killed while they store: no answered file is missing, and nothing half done has a name."""

from __future__ import annotations

import secrets
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from ledger.evidence.erasures import finish_erasures
from ledger.evidence.opening import open_vault
from ledger.evidence.stores import FolderStore
from ledger.evidence.vault import EvidenceVault
from ledger.rejection import Rejection
from ledger.tables import evidence_files
from tests.ledger.evidence.files import LIMIT, NOW
from tests.ledger.store import ROOT, ZHANGSHU


def storing(url: str, folder: Path, moment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ledger.evidence.storer", url, str(folder), moment]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def answered(lines: str) -> list[tuple[str, str]]:
    """What was said of each file: only whole lines were said."""
    whole = lines[: lines.rfind("\n") + 1]
    return [(commitment, digest) for commitment, digest in (line.split() for line in whole.splitlines())]


def reopened(engine: Engine, folder: Path) -> EvidenceVault:
    return open_vault(engine, FolderStore(folder), folder.parent / "keys", secrets.token_bytes)


def assert_all_is_there(engine: Engine, vault: EvidenceVault, said: list[tuple[str, str]]) -> None:
    for commitment, digest in said:
        content = b"".join(vault.open(ZHANGSHU, commitment).chunks)
        assert sha256(content).hexdigest() == digest
    with engine.connect() as connection:
        rows = [commitment.hex() for commitment in connection.scalars(select(evidence_files.c.commitment))]
    assert [vault.check(ZHANGSHU, commitment) for commitment in rows] == [None] * len(rows)
    assert {commitment for commitment, _ in said} <= set(rows)


# A file is synced, and then its folder, the store's and that one's parent; the fifth is the second file's own.
@pytest.mark.parametrize("moment", ["1", "2", "3", "4", "5", "commit"])
def test_a_process_that_dies_while_it_stores_leaves_nothing_named_that_is_not_there(
    engine: Engine, database_url: str, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "evidence"
    with storing(database_url, folder, moment) as process:
        lines, _ = process.communicate(timeout=60)
    assert process.returncode == -9
    said = answered(lines)
    assert len(said) == (1 if moment == "5" else 0)
    vault = reopened(engine, folder)
    assert_all_is_there(engine, vault, said)
    swept = FolderStore(folder).sweep(datetime.now(UTC) + timedelta(minutes=1))
    assert swept == (1 if moment in ("1", "5") else 0)
    # An object that had its name already stays: without its key, which nobody has, it says nothing.
    assert len([path for path in folder.rglob("*") if path.is_file()]) == len(said) + 1 - swept
    assert_all_is_there(engine, vault, said)


def test_no_answered_file_is_missing_when_the_process_is_killed(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    said: list[tuple[str, str]] = []
    for files in (1, 4, 9):
        with storing(database_url, folder, "never") as process:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(files)]
            process.kill()
            said += answered("".join(lines) + process.stdout.read())
    assert len(said) >= 14
    assert_all_is_there(engine, reopened(engine, folder), said)


@pytest.mark.parametrize("moment", ["commit", "unlink"])
def test_a_process_that_dies_while_it_erases_ends_with_all_or_nothing_erased(
    engine: Engine, database_url: str, folder_store: FolderStore, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "evidence"
    vault = reopened(engine, folder)
    stored = vault.put(ZHANGSHU, [b"content"], LIMIT, "office", NOW)
    command = [sys.executable, "-m", "tests.ledger.evidence.eraser", database_url, str(folder), moment]
    assert subprocess.run([*command, stored.commitment], cwd=ROOT, check=False).returncode == -9
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1
    if moment == "unlink":
        with pytest.raises(Rejection, match="evidence-erased"):
            vault.open(ZHANGSHU, stored.commitment)
    finish_erasures(engine, folder_store, ZHANGSHU)
    found = reopened(engine, folder).check(ZHANGSHU, stored.commitment)
    assert (found.state if found else None) == {"commit": None, "unlink": "erased"}[moment]
