"""Workbooks by the command line: rows that are recorded already are left out, and it says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.projections.observation_workbooks import ROW, own_workbook

Result = subprocess.CompletedProcess[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    assert _run("year", "open", "zhangshu-2021").returncode == 0
    return tmp_path


def _run(*words: str) -> Result:
    command = [sys.executable, "-c", "from api.command_line import main; main()", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _imported(folder: Path, days: Sequence[str], *more: str) -> Result:
    file = folder / "台账.xlsx"
    file.write_bytes(own_workbook([{**ROW, "时间": day} for day in days]))
    return _run("import", str(file), "--jurisdiction", "360982", "--year", "2021", *more)


def test_of_a_file_that_grew_the_new_rows_are_recorded_unless_all_are_asked_for(folder: Path) -> None:
    days = ["2021-03-29", "2021-04-01"]
    assert "2 observations" in _imported(folder, days).stdout

    grown = _imported(folder, [*days, "2021-05-01"])
    assert "1 observations" in grown.stdout
    assert "2行与台账中已有的事实相同，不再登记（要登记请加 --all-rows）：台账!A2、台账!A3" in grown.stderr

    assert "没有新的行，未新增" in _imported(folder, ["2021-04-01", "2021-05-01"]).stdout
    assert "2 observations" in _imported(folder, ["2021-04-01", "2021-05-01"], "--all-rows").stdout


def test_a_preview_is_of_what_would_be_recorded(folder: Path) -> None:
    assert _imported(folder, ["2021-03-29"]).returncode == 0
    days = ["2021-03-29", "2021-04-01"]
    assert '"rows": 1' in _imported(folder, days, "--dry-run", "--json").stdout
    assert '"rows": 2' in _imported(folder, days, "--dry-run", "--all-rows", "--json").stdout
