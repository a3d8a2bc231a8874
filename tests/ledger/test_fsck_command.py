"""`mingzhang fsck`: what it says of ledgers, and what it refuses to check."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete
from typer.testing import CliRunner

from api.command_line import app
from ledger.application import LedgerApplication
from ledger.commands import Attempt, Frozen
from ledger.signing import LedgerProofs
from ledger.tables import documents, events, evidence_files, facts, idempotency_keys, ledgers
from tests.ledger.small_ledgers import ACTOR, damage, two_ledgers
from tests.ledger.store import LANGXI, NINE, ZHANGSHU


@pytest.fixture
def ledger(engine: Engine) -> Iterator[LedgerApplication]:
    with two_ledgers(engine) as ledger:
        yield ledger


def _proofs(engine: Engine, folder: Path) -> LedgerProofs:
    return LedgerProofs(engine, ZHANGSHU, folder, "mingzhang", secrets.token_bytes)


@pytest.fixture
def fsck(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import_module("api.commands.fsck")
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", database_url)
    monkeypatch.setenv("MINGZHANG_KEY_FOLDER", str(tmp_path / "keys"))
    monkeypatch.setenv("MINGZHANG_EVIDENCE_FOLDER", str(tmp_path / "evidence"))
    return lambda *words: CliRunner().invoke(app, ["fsck", *words])


@pytest.mark.usefixtures("ledger")
def test_the_command_tells_one_finding_a_line(engine: Engine, fsck: Any, tmp_path: Path) -> None:
    proofs = _proofs(engine, tmp_path / "keys")
    (tmp_path / "minute").write_bytes(proofs.checkpoint())
    with_checkpoint = ("-j", ZHANGSHU, "--checkpoint", str(tmp_path / "minute"), "--key", proofs.verifier_key())
    sound = fsck(*with_checkpoint)
    assert sound.exit_code == 0
    assert sound.stdout.count("nothing recorded before 6 was rewritten since the checkpoint was signed") == 2
    assert sound.stdout.endswith(f"{ZHANGSHU} 5 events read: no findings\n")
    damage(engine, 4, topic="x")
    assert fsck("-j", LANGXI).exit_code == 0
    found_here = fsck()
    assert found_here.exit_code == 1
    line = f"{ZHANGSHU} position 4: events.topic: expected observation.observed/1, found x [column-differs]\n"
    assert line in found_here.stdout
    answer = fsck(*with_checkpoint, "--json")
    assert answer.exit_code == 1
    [told] = json.loads(answer.stdout)["ledgers"]
    expected = {"position": 4, "code": "column-differs", "what": "events.topic", "found": "x"}
    assert told["findings"] == [expected | {"expected": "observation.observed/1"}]
    assert [one["size"] for one in told["checkpoints"]] == [5, 5]


@pytest.mark.usefixtures("ledger")
def test_a_ledger_that_was_signed_and_of_which_nothing_is_left_is_told(
    engine: Engine, fsck: Any, tmp_path: Path
) -> None:
    _proofs(engine, tmp_path / "keys").checkpoint()
    with engine.begin() as connection:
        for table in (events, facts, idempotency_keys, documents, evidence_files):
            connection.execute(delete(table).where(table.c.ledger == ZHANGSHU))
        connection.execute(delete(ledgers).where(ledgers.c.code == ZHANGSHU))
    answer = fsck()
    assert answer.exit_code == 1
    told = "ledger: checkpoint kept: expected at least the 5 events that were signed, found 0 events"
    assert f"{ZHANGSHU} {told} [checkpoint-beyond]\n" in answer.stdout


def test_what_a_close_froze_must_be_frozen_sheets(ledger: LedgerApplication, fsck: Any) -> None:
    size = ledger.ledger_recorder.head().size
    ledger.close_year(Attempt(ACTOR, NINE, "close"), 2021, Frozen(size, b'{"nonsense":1}'), "考核结束")
    answer = fsck("-j", ZHANGSHU)
    assert answer.exit_code == 1
    assert answer.stdout.count("[document-not-frozen-sheets]") == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-j", "110101"), "unknown-jurisdiction"),
        (("--checkpoint", "minute", "--key", "x"), "checkpoint-options"),
        (("-j", ZHANGSHU, "--checkpoint", "minute"), "checkpoint-options"),
        (("-j", ZHANGSHU, "--checkpoint", "nowhere", "--key", "x"), "file-not-readable"),
        (("-j", ZHANGSHU, "--checkpoint", __file__, "--key", "x"), "checkpoint-rejected"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("ledger")
def test_what_cannot_be_checked_is_refused(fsck: Any, words: tuple[str, ...], code: str) -> None:
    refused = fsck(*words)
    assert (refused.exit_code, code in refused.stderr) == (2, True), refused.stderr
