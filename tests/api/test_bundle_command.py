"""`mingzhang bundle` and `mingzhang verify`: one file from the office, checked by somebody who has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]
WHERE = ("--jurisdiction", "360982", "--year", "2021")
UNIT = "福城街道"
MAIN = "from api.command_line import main; main()"


def _run(folder: Path, environment: dict[str, str], *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", MAIN, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(scope="module")
def office(folder: Path) -> Run:
    """The machine with the database and the key."""
    stated = {"MINGZHANG_DATABASE_URL": f"sqlite:///{folder}/ledger.db", "MINGZHANG_KEY_FOLDER": f"{folder}/keys"}
    environment = os.environ | stated | {"COLUMNS": "200"}
    return lambda *words: _run(folder, environment, *words)


@pytest.fixture(scope="module")
def auditor(folder: Path) -> Run:
    """A machine whose settings name no database that could be opened."""
    environment = os.environ | {"MINGZHANG_DATABASE_URL": "nowhere", "MINGZHANG_KEY_FOLDER": "/dev/null/keys"}
    return lambda *words: _run(folder, environment, *words)


@pytest.fixture(scope="module")
def key(office: Run, folder: Path) -> str:
    """The ledger's public key; its bundles are `unit.json` and `year.json`, the unit's total is 94."""
    assert office("year", "open", "zhangshu-2021")[0] == 0
    said = ("-a", "level=municipal", "-a", "subject=new_media", "-a", "period=monthly")
    paper = ("--evidence", "通报", "--document", "樟府办字〔2021〕8号")
    observed = ("--unit", UNIT, "--kind", "circular", "--on", "2021-03-01", *said, *paper)
    assert office("observe", *WHERE, *observed)[0] == 0
    assert office("bundle", UNIT, *WHERE, "--out", "unit.json")[0] == 0
    status, shown, told = office(
        "bundle", UNIT, *WHERE, "--as-of", "2021-06-30", "--whole-year", "--out", "year.json", "--json"
    )
    assert status == 0, told
    made = json.loads(shown)
    assert made["bytes"] == (folder / "year.json").stat().st_size
    return str(made["key"])


def test_an_auditor_checks_a_bundle_without_database_or_settings(key: str, auditor: Run, folder: Path) -> None:
    status, shown, told = auditor("verify", "unit.json", "--key", key)
    assert (status, told) == (0, "")
    lines = shown.splitlines()
    assert [line.split()[0] for line in lines[:10]] == [f"第{number}步" for number in range(1, 11)]
    assert lines[4].startswith("第5步 收录证明：共核对3条记录的字节与证明")
    assert lines[10] == f"各步都成立：依检查点为止的全部登记，{UNIT}2021年度截至2021-12-31得94分。"
    assert lines[11] == "核对不了的事："
    assert all(line.startswith("- ") for line in lines[12:])
    (folder / "key.txt").write_text(f"{key}\n")
    status, shown, _ = auditor("verify", "year.json", "--key", "key.txt", "--json")
    answer: dict[str, Any] = json.loads(shown)
    assert (status, answer["holds"], answer["finding"]) == (0, True, None)
    assert (answer["proved"]["total"], answer["proved"]["rank"], answer["proved"]["as_of"]) == ("94", 19, "2021-06-30")


def test_an_auditor_checks_the_static_files_of_a_ledger(key: str, office: Run, auditor: Run, folder: Path) -> None:
    assert office("tiles", "static", "--jurisdiction", "360982")[0] == 0
    status, shown, told = auditor("verify", "--tiles", "static", "--key", key)
    assert (status, told) == (0, "")
    assert "全部3条记录的原文与各层散列值齐全" in shown
    [entries] = (folder / "static" / "tile" / "entries").rglob("3")
    entries.write_bytes(entries.read_bytes().replace(b"2021-03-01", b"2021-03-02"))
    status, shown, _ = auditor("verify", "--tiles", "static", "--key", key)
    assert (status, shown.count("[tiles-refused]")) == (1, 1)
    status, shown, _ = auditor("verify", "--tiles", "static", "--key", key, "--json")
    assert (status, json.loads(shown)["holds"]) == (1, False)


def test_the_first_thing_that_does_not_hold_ends_the_check_with_status_1(key: str, auditor: Run, folder: Path) -> None:
    file = folder / "altered.json"
    file.write_bytes((folder / "unit.json").read_bytes().replace(b'"total":"94"', b'"total":"95"', 1))
    status, shown, _ = auditor("verify", str(file), "--key", key)
    assert status == 1
    assert shown.splitlines()[0].startswith("第1步 封印：不成立。")
    assert "[seal-other-content]" in shown
    assert shown.splitlines()[1:] == ["核对到此为止，以后各步没有进行。"]
    status, shown, _ = auditor("verify", str(file), "--key", key, "--json")
    assert (status, json.loads(shown)["finding"]["code"]) == (1, "seal-other-content")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere.json", "--key", "x"), "verifier-key-form"),
        (("nowhere.json", "--key", "甲" * 300), "verifier-key-form"),
        (("nowhere.json",), "not-accessible"),
        (("unit.json", "--evidence", "nowhere"), "not-accessible"),
        (("unit.json", "--witness-key", "x"), "verifier-key-form"),
        ((), "verify-options"),
        (("unit.json", "--tiles", "static"), "verify-options"),
    ],
)
def test_what_cannot_be_checked_at_all_is_refused_with_status_2(
    key: str, auditor: Run, words: tuple[str, ...], code: str
) -> None:
    given = () if "--key" in words else ("--key", key)
    status, _, told = auditor("verify", *words, *given)
    assert (status, code in told) == (2, True), told


def test_a_bundle_of_an_unknown_unit_is_refused_and_no_file_is_written(key: str, office: Run, folder: Path) -> None:
    assert key
    status, _, told = office("bundle", "无此街道", *WHERE, "--out", "none.json")
    assert (status, "unknown-unit" in told) == (2, True)
    assert not (folder / "none.json").exists()
