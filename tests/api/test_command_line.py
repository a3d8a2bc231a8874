"""The command line where no README speaks of it: refusals, JSON, and the order of a correction."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.decisions import CHINA

Run = Callable[..., tuple[int, str, str]]
WHERE = ("--jurisdiction", "360982", "--year", "2021")
CIRCULAR = ("-a", "level=municipal", "-a", "subject=new_media", "-a", "period=monthly")
PAPER = ("--evidence", "通报", "--document", "樟府办字〔2021〕8号")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    monkeypatch.setenv("COLUMNS", "200")

    def ran(*words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-c", "from api.command_line import main; main()", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return ran


def _observe(run: Run, *more: str) -> Any:
    words = ("observe", *WHERE, "--unit", "福城街道", "--kind", "circular", "--on", "2021-03-01", *CIRCULAR, *PAPER)
    status, shown, told = run(*words, "--json", *more)
    assert status == 0, told
    return json.loads(shown)[0]


def test_a_year_by_command_line(run: Run) -> None:
    assert run("year", "open", "zhangshu-2021")[0] == 0
    first = _observe(run, "--key", "once")
    assert _observe(run, "--key", "once") == first
    observation = first["observation"]
    words = ("--jurisdiction", "360982", observation, "--reason", "通报两次")
    assert run("amend", *words, "--count", "2")[0] == 0
    assert run("rectify", "--jurisdiction", "360982", observation, "--on", "2021-04-01")[0] == 0
    told = json.loads(run("history", *WHERE, "福城街道", "--json")[1])
    assert told["total"] == "88"
    assert [line["effective"] for line in told["lines"]] == ["100", "-2", "-10"]
    assert run("void", *words, *PAPER)[0] == 0
    sheet = json.loads(run("sheet", *WHERE, "福城街道", "--json")[1])
    assert (sheet["total"], sheet["rank"]) == ("100", 1)
    status, _, refused = run("void", *words, *PAPER)
    assert (status, "[observation-void]" in refused) == (2, True)
    [checked] = json.loads(run("fsck", "--jurisdiction", "360982", "--json")[1])["ledgers"]
    assert (checked["findings"], checked["events"]) == ([], 6)
    assert json.loads(run("rebuild", "--jurisdiction", "360982", "--json")[1]) == {"rows": 4}


def test_units_and_schemes_of_a_year(run: Run, tmp_path: Path) -> None:
    assert run("year", "open", "zhangshu-2021")[0] == 0
    day = ("--on", "2021-06-01", "--reason", "区划调整")
    assert run("year", "join", *WHERE, "新城街道", "--group", "township", *day)[0] == 0
    assert run("year", "rename", *WHERE, "新城街道", "新城镇", *day)[0] == 0
    assert run("year", "leave", *WHERE, "中洲乡", *day)[0] == 0
    ranking = json.loads(run("rank", *WHERE, "--json")[1])
    names = {place["unit"] for group in ranking["groups"] for place in group["places"]}
    assert names >= {"新城镇"}
    assert not names & {"新城街道", "中洲乡"}
    shipped = Path(__file__).parents[2] / "schemes" / "zhangshu-2021.yaml"
    revised = tmp_path / "revised.yaml"
    revised.write_text(shipped.read_text("utf-8").replace('version: "1"', 'version: "2"'), "utf-8")
    assert run("year", "adopt", str(revised), "--reason", "年中修订")[0] == 0
    assert json.loads(run("sheet", *WHERE, "新城镇", "--json")[1])["scheme"]["version"] == "2"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rank", *WHERE), "unknown-jurisdiction"),
        (("rank", "--jurisdiction", "36098", "--year", "2021"), "unknown-jurisdiction"),
        (("rank", *WHERE, "--known-at", "2021-03-02"), "moment-form"),
        (("year", "open", "nowhere-2021"), "scheme-not-readable"),
        (("rank", *WHERE, "--database", "mysql://localhost/x"), "database-address"),
        (("rank", *WHERE, "--database", "postgresql://127.0.0.1:1/x"), "database-unavailable"),
        (("rank", *WHERE, "--database", "sqlite:////dev/null/x/ledger.db"), "not-accessible"),
        (("serve", "--port", "99999"), "field-invalid"),
        (("serve", "--host", "0.0.0.0"), "tls-needed"),  # noqa: S104  # that it is refused is the point
        (("scheme", "validate", "nowhere-2021"), "scheme-not-readable"),
        (("replay", "nowhere.json"), "case-not-readable"),
        (("import", "nowhere.jsonl", *WHERE), "unknown-jurisdiction"),
        (("fsck", "--jurisdiction", "360982"), "unknown-jurisdiction"),
    ],
)
def test_a_refusal_has_a_code_and_status_2(run: Run, words: tuple[str, ...], code: str) -> None:
    status, _, told = run(*words)
    assert (status, code in told) == (2, True), told


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MINGZHANG_PUBLIC_URL", "mingzhang.example.gov.cn", "https://mingzhang.example.gov.cn"),
        ("MINGZHANG_PUBLIC_URL", "https://mingzhang.example.gov.cn/ledger", "without a path"),
        ("MINGZHANG_ORIGIN", "明账", "small letters"),
        ("MINGZHANG_LARGEST_BODY", "many", "integer"),
        ("MINGZHANG_PORT", "99999", "65535"),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    for words in (("serve",), ("rank", *WHERE)):
        status, _, told = run(*words)
        [line] = told.splitlines()
        assert status == 2
        assert variable in line
        assert expected in line


def test_a_demonstration_does_not_begin_beside_the_keys_of_one_that_is_gone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "demonstration.keys").mkdir(parents=True)
    status, shown, told = run("demo", "--once")
    assert (status, shown) == (2, "")
    assert "[demonstration-left]" in told
    assert "rm -r data/demonstration.keys" in told
    assert not (tmp_path / "data" / "demonstration.db").exists()


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        (("--unit", "福城", "--kind", "circular", "--on", "2021-03-01", *CIRCULAR, *PAPER), ["unknown-unit"]),
        (("--unit", "福城街道", "--kind", "circulars", "--on", "2021-03-01", *PAPER), ["unknown-kind"]),
        (("--unit", "福城街道", "--kind", "circular", "--on", "2022-03-01", *CIRCULAR, *PAPER), ["date-outside-year"]),
        (("--unit", "福城街道", "--kind", "circular", "--on", "2021-03-01", *CIRCULAR), ["field-invalid"]),
        (
            (
                "--unit",
                "福城街道",
                "--kind",
                "stale",
                "--on",
                "2021-03-01",
                "-a",
                "channel=web",
                "-a",
                "days=x",
                *PAPER,
            ),
            ["invalid-attribute", "invalid-attribute"],
        ),
        (("--unit", "福城街道", "--kind", "stale", "--on", "2021-03-01", "-a", "days", *PAPER), ["attribute-form"]),
    ],
)
def test_a_wrong_observation_is_refused_and_not_recorded(run: Run, more: tuple[str, ...], codes: list[str]) -> None:
    assert run("year", "open", "zhangshu-2021")[0] == 0
    status, _, told = run("observe", *WHERE, *more, "--json")
    assert (status, [one["code"] for one in json.loads(told)["errors"]]) == (2, codes)
    assert json.loads(run("rank", *WHERE, "--json")[1])["position"] == 2


def test_what_people_wrote_is_shown_as_they_wrote_it(run: Run) -> None:
    assert run("year", "open", "zhangshu-2021")[0] == 0
    observation = _observe(run, "--note", "见[/附件]和[red]红字[/red]")["observation"]
    words = ("--jurisdiction", "360982", observation, "--reason", "[b]重复[/b]")
    assert run("amend", *words, "--count", "2")[0] == 0
    status, shown, _ = run("history", *WHERE, "福城街道")
    assert status == 0
    assert "见[/附件]和[red]红字[/red]" in shown
    assert f"更正 {datetime.now(CHINA).date()} {observation}：[b]重复[/b]" in shown


def test_a_year_is_opened_with_unit_lists_of_ones_own(run: Run, tmp_path: Path) -> None:
    units = tmp_path / "units.json"
    units.write_text(json.dumps({"department": ["市发改委"], "township": ["虞山街道", "梅李镇"]}), "utf-8")
    status, _, told = run("year", "open", "changshu-2020", "--units", str(units))
    assert (status, told) == (0, "")
    ranking = json.loads(run("rank", "--jurisdiction", "320581", "--year", "2020", "--json")[1])
    assert [len(group["places"]) for group in ranking["groups"]] == [1, 2]
    assert "examples" in run("year", "open", "yanjiang-2021")[2]


def test_an_import_lists_the_errors_of_all_lines_and_records_all_or_nothing(run: Run, tmp_path: Path) -> None:
    assert run("year", "open", "zhangshu-2021")[0] == 0
    good = {
        "unit": "福城街道",
        "kind": "stale",
        "occurred_on": "2021-05-06",
        "attributes": {"channel": "website", "days": 15},
        "evidence": [{"title": "栏目页面", "url": "https://www.example.gov.cn/zwgk"}],
    }
    lines = [good, good | {"unit": "某镇"}, good | {"occurred_on": "2022-01-01"}, good]
    file = tmp_path / "observations.jsonl"
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    status, _, told = run("import", str(file), *WHERE, "--json")
    found = [(one["code"], one["where"].rsplit("/", 1)[-1]) for one in json.loads(told)["errors"]]
    assert (status, found) == (
        2,
        [("unknown-unit", "observations.jsonl:2 unit"), ("date-outside-year", "observations.jsonl:3 occurred_on")],
    )
    file.write_text(json.dumps(good) + "\n\n" + '{"unit": "a", "unit": "b"}\n{"count": NaN}\n', "utf-8")
    status, _, told = run("import", str(file), *WHERE, "--json")
    assert [one["code"] for one in json.loads(told)["errors"]] == ["json-duplicate-key", "json-not-a-number"]
    long = good | {"evidence": [{"title": "栏" * 490, "url": f"https://www.example.gov.cn/{at}"} for at in range(50)]}
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in [good, long]), "utf-8")
    status, _, told = run("import", str(file), *WHERE, "--json")
    assert [(one["code"], ":2 " in one["where"]) for one in json.loads(told)["errors"]] == [("json-too-large", True)]
    file.write_text("\n".join(json.dumps(good) for _ in range(1500)), "utf-8")
    status, shown, _ = run("import", str(file), *WHERE, "--json")
    assert [one["position"] for one in json.loads(shown)] == list(range(3, 1503))
    assert run("import", str(file), *WHERE, "--json")[1] == shown
    assert json.loads(run("rank", *WHERE, "--json")[1])["position"] == 1502
