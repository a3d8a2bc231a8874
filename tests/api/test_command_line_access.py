"""The command line once the database has accounts: who records is who holds the token, and two persons are two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.access.principals import Grant
from ledger.database import migrate, open_engine
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

    def ran(token: str, *words: str) -> tuple[int, str, str]:
        stated = {"MINGZHANG_DATABASE_URL": url, "MINGZHANG_TOKEN": token, "COLUMNS": "200"}
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


@pytest.mark.parametrize(
    ("holder", "code"), [("", "sign-in-needed"), ("mz_wrong", "sign-in-needed"), ("审计", "not-allowed")]
)
def test_who_may_not_record_is_refused(run: Run, tokens: dict[str, str], holder: str, code: str) -> None:
    recorded(run, tokens["甲"], "year", "open", "zhangshu-2021")
    status, shown, told = run(tokens.get(holder, holder), *OBSERVE)

    assert (status, shown) == (2, "")
    assert f"[{code}]" in told
