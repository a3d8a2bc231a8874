"""The command line once the database has accounts: who records is who holds the token, and two persons are two."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from api.access.principals import Grant
from api.proceeding_labels import ACTIONS, PROPOSAL_STATUSES
from ledger.database import migrate, open_engine
from ledger.events import ProposedAction
from ledger.proposals import Status
from tests.api.accounts import office, token_of

Run = Callable[..., tuple[int, str, str]]
HERE = ("--jurisdiction", "360982")
WHERE = (*HERE, "--year", "2021")
PAPER = ("--evidence", "通报", "--document", "樟府办字〔2021〕8号")
CIRCULAR = ("-a", "level=municipal", "-a", "subject=new_media", "-a", "period=monthly")
OBSERVE = ("observe", *WHERE, "--unit", "福城街道", "--kind", "circular", "--on", "2021-03-01", *CIRCULAR, *PAPER)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    url = f"sqlite:///{tmp_path}/ledger.db"

    def ran(token: str, *words: str, columns: str = "200") -> tuple[int, str, str]:
        stated = {"MINGZHANG_DATABASE_URL": url, "MINGZHANG_TOKEN": token, "COLUMNS": columns}
        command = [sys.executable, "-c", "from api.command_line import main; main()", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | stated, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return ran


@pytest.fixture
def tokens(tmp_path: Path) -> dict[str, str]:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    people = {"甲": office("360982"), "乙": office("360982"), "审计": [Grant("auditor", "360982")]}
    made = {name: token_of(engine, lambda: datetime.now(UTC), name, grants) for name, grants in people.items()}
    engine.dispose()
    return made


def recorded(run: Run, token: str, *words: str) -> Any:
    status, shown, told = run(token, *words, "--json")
    assert status == 0, told
    return json.loads(shown)


def test_a_void_is_proposed_by_one_and_approved_by_another(run: Run, tokens: dict[str, str]) -> None:
    one, other = tokens["甲"], tokens["乙"]
    recorded(run, one, "year", "open", "zhangshu-2021")
    [observed] = recorded(run, one, *OBSERVE, "--actor", "冒名")
    [proposed] = recorded(run, one, "void", *HERE, observed["observation"], "--reason", "撤销", *PAPER)
    approve = ("proposal", "approve", *HERE, proposed["proposal"], "--leaf", proposed["leaf_hash"])

    status, _, told = run(one, *approve)
    assert (status, "approval-own" in told) == (2, True)
    receipts = recorded(run, other, *approve)
    assert [one["event"] for one in receipts] == ["proposal.approved/1", "observation.voided/1"]
    [listed] = recorded(run, other, "proposal", "list", *HERE)["proposals"]
    assert (listed["status"], listed["made"]["actor"], listed["ended"]["actor"]) == ("approved", "甲", "乙")


def test_proposals_are_listed_whole_on_a_narrow_screen(run: Run, tokens: dict[str, str]) -> None:
    recorded(run, tokens["甲"], "year", "open", "zhangshu-2021")
    [observed] = recorded(run, tokens["甲"], *OBSERVE)
    [proposed] = recorded(
        run, tokens["甲"], "void", *HERE, observed["observation"], "--reason", "撤销", *PAPER, "--key", "a"
    )
    for words in (("list", *HERE), ("show", *HERE, proposed["proposal"])):
        status, shown, told = run("", "proposal", *words, columns="80")
        assert status == 0, told
        lines = shown.splitlines()
        assert f"1  编号    {proposed['proposal']}" in lines
        assert f"   叶哈希  {proposed['leaf_hash']}" in lines
        assert [
            one for one in ("序号", "事项", "状态", "提出人", "提出时间", "作废", "待批准", "甲") if one not in shown
        ] == []


def test_every_action_and_status_of_a_proposal_has_its_word() -> None:
    assert (set(ACTIONS), set(PROPOSAL_STATUSES)) == (set(get_args(ProposedAction)), set(get_args(Status)))


@pytest.mark.parametrize(
    ("holder", "code"), [("", "sign-in-needed"), ("mz_wrong", "sign-in-needed"), ("审计", "not-allowed")]
)
def test_who_may_not_record_is_refused(run: Run, tokens: dict[str, str], holder: str, code: str) -> None:
    recorded(run, tokens["甲"], "year", "open", "zhangshu-2021")
    status, shown, told = run(tokens.get(holder, holder), *OBSERVE)

    assert (status, shown) == (2, "")
    assert f"[{code}]" in told


def test_nobody_records_onto_a_copy_older_than_what_was_signed(
    run: Run, tokens: dict[str, str], tmp_path: Path
) -> None:
    recorded(run, tokens["甲"], "year", "open", "zhangshu-2021")
    _set_back_behind_a_checkpoint(run, tokens["甲"], tmp_path)
    _refused_as_a_fork(run, tokens["甲"])


def test_nobody_records_onto_an_older_copy_without_accounts_either(run: Run, tmp_path: Path) -> None:
    recorded(run, "", "year", "open", "zhangshu-2021")
    _set_back_behind_a_checkpoint(run, "", tmp_path)
    _refused_as_a_fork(run, "")


def test_a_ledger_that_is_gone_from_the_database_is_not_begun_anew(run: Run, tmp_path: Path) -> None:
    recorded(run, "", "year", "open", "zhangshu-2021")
    recorded(run, "", "checkpoint", *HERE)
    for file in tmp_path.glob("ledger.db*"):
        file.unlink()
    status, _, told = run("", "year", "open", "zhangshu-2021")
    assert (status, "[checkpoint-not-consistent]" in told) == (2, True)


def test_a_ledger_whose_newest_database_is_lost_is_continued_under_a_new_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(run, "", "year", "open", "zhangshu-2021")
    _set_back_behind_a_checkpoint(run, "", tmp_path)
    monkeypatch.setenv("MINGZHANG_KEY_FOLDER", str(tmp_path / "new-keys"))
    monkeypatch.setenv("MINGZHANG_ORIGIN", "mingzhang/2")
    [observed] = recorded(run, "", *OBSERVE)
    head = recorded(run, "", "checkpoint", *HERE)
    assert (observed["position"], head["size"], head["origin"]) == (3, 3, "mingzhang/2/360982")


def _set_back_behind_a_checkpoint(run: Run, token: str, folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.db") as now, sqlite3.connect(folder / "older.db") as older:
        now.backup(older)
    recorded(run, token, *OBSERVE)
    recorded(run, token, "checkpoint", *HERE)
    for file in folder.glob("ledger.db*"):
        file.unlink()
    (folder / "older.db").rename(folder / "ledger.db")


def _refused_as_a_fork(run: Run, token: str) -> None:
    for words in (OBSERVE, ("year", "release", *WHERE, "--as-of", "2021-12-31", "--reason", "公布")):
        status, shown, told = run(token, *words)
        assert (status, shown) == (2, "")
        assert "[checkpoint-not-consistent]" in told
    assert recorded(run, token, "rank", *WHERE)["position"] == 2
