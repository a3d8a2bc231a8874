"""The commands of the READMEs, run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
OBSERVATION = {
    "unit": "大桥街道",
    "kind": "stale",
    "occurred_on": "2021-05-06",
    "attributes": {"channel": "website", "days": 15},
    "evidence": [{"title": "栏目页面", "url": "https://www.example.gov.cn/zwgk"}],
    "note": "监测时间点前2周内无更新",
}


def _commands(readme: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("mingzhang ") and line != "mingzhang serve"]


def test_both_readmes_show_the_same_commands() -> None:
    assert _commands("README.md") == _commands("README.zh-CN.md")


def test_the_commands_of_the_readme_work_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "observations.jsonl").write_text(json.dumps(OBSERVATION, ensure_ascii=False) + "\n", "utf-8")
    (tmp_path / "schemes").symlink_to(ROOT / "schemes")
    environment = {**os.environ, "MINGZHANG_DATABASE_URL": f"sqlite:///{tmp_path}/ledger.db", "COLUMNS": "200"}
    shown = ""
    for command in _commands("README.md"):
        words = [str(Path(sys.executable).with_name("mingzhang")), *shlex.split(command)[1:]]
        run = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
        shown += run.stdout
    for expected in ("总分 94", "no findings", "1 of 1 cases as expected", "can be used"):
        assert expected in shown
