"""The commands that help to write a scheme, and the two guides: every block and every command of theirs works."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from typer.testing import CliRunner, Result

import api.commands.scheme
import api.commands.scheme_writing
from api.command_line import app
from projections.cases import differences, read_case, replay
from projections.scheme_files import vocabulary
from projections.workbooks.conditions import Conditions
from projections.workbooks.importing import template
from projections.workbooks.values import Context
from schemes.linting.lint import lint
from schemes.reading import read_scheme
from schemes.rules import Rule
from schemes.scheme import Group, Scheme

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = ("writing-a-scheme.md", "writing-a-scheme.zh-CN.md")
COMMANDS = (api.commands.scheme, api.commands.scheme_writing)


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / guide).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_skeleton_can_be_used_as_it_stands(desk: Path) -> None:
    assert run("scheme", "new", "--out", "new.yaml").exit_code == 0
    assert "can be used" in run("scheme", "validate", "new.yaml").stdout
    text = (desk / "new.yaml").read_text("utf-8")
    assert run("scheme", "new").stdout == text
    assert json.loads(run("scheme", "new", "--json").stdout) == {"text": text}
    assert [one.code for one in lint(read_scheme(text, "new", vocabulary()), vocabulary()) if not one.accepted] == []


def test_the_skeleton_shows_every_parameter_of_a_scheme_a_group_and_a_row() -> None:
    shown = yaml.safe_load(run("scheme", "new").stdout)
    [group] = shown["groups"]
    assert set(shown) == set(Scheme.model_fields)
    assert set(group) == set(Group.model_fields)
    schema = Scheme.model_json_schema()["$defs"]["Indicator"]["properties"]
    assert set(group["indicators"][0]) == set(schema)


@pytest.mark.parametrize(
    "command", [["new", "--out", "there"], ["template", "there.xlsx"], ["import", "t.xlsx", "--out", "there"]]
)
def test_no_command_overwrites_a_file(command: list[str], desk: Path) -> None:
    name = next(word for word in command if word.startswith("there"))
    (desk / name).write_text("my own words", "utf-8")
    scheme = read_scheme(run("scheme", "new").stdout, "new", vocabulary())
    (desk / "t.xlsx").write_bytes(template(vocabulary(), scheme))
    result = run("scheme", *command)
    assert (result.exit_code, (desk / name).read_text("utf-8")) == (2, "my own words")
    assert f"{name}: the file exists already" in result.stderr


def test_a_template_is_a_file_that_a_spreadsheet_opens(desk: Path) -> None:
    result = run("scheme", "template", "z.xls")
    assert (result.exit_code, list(desk.iterdir())) == (2, [])
    assert "z.xls: found another ending, expected a name that ends in .xlsx [workbook-type]" in result.stderr


ACCEPTING = ["--accept", "lint-full-sum", "--reason", "文件如此"]


@pytest.mark.parametrize("command", [["validate"], ["lint"], ["lint", *ACCEPTING], ["diff", "zhangshu-2021"]])
@pytest.mark.usefixtures("desk")
def test_a_workbook_is_imported_before_it_is_read_as_a_scheme(command: list[str]) -> None:
    run("scheme", "template", "mine.xlsx", "--scheme", "zhangshu-2021")
    result = run("scheme", *command, "mine.xlsx")
    assert result.exit_code == 2
    assert "first run: mingzhang scheme import mine.xlsx --out NAME.yaml [scheme-is-workbook]" in result.stderr


@pytest.mark.parametrize(("name", "noted"), [("zhangshu-2021.yaml", False), ("other.yaml", True)])
@pytest.mark.usefixtures("desk")
def test_a_scheme_file_named_otherwise_than_its_scheme_is_noted(name: str, noted: bool) -> None:
    run("scheme", "template", "t.xlsx", "--scheme", "zhangshu-2021")
    result = run("scheme", "import", "t.xlsx", "--out", name)
    assert result.exit_code == 0
    assert ("cases look for zhangshu-2021.yaml" in result.stderr) is noted


@pytest.mark.usefixtures("desk")
def test_a_shipped_scheme_goes_through_the_workbook_and_differs_in_nothing() -> None:
    assert run("scheme", "template", "old.xlsx", "--scheme", "zhangshu-2021", "--json").exit_code == 0
    assert run("scheme", "import", "old.xlsx", "--out", "new.yaml").exit_code == 0
    assert "0 changes" in run("scheme", "diff", "zhangshu-2021", "new.yaml").stdout


def test_errors_of_a_workbook_come_with_their_cells_and_nothing_is_written(desk: Path) -> None:
    run("scheme", "template", "blank.xlsx")
    result = run("scheme", "import", "blank.xlsx", "--out", "scheme.yaml", "--json")
    errors = json.loads(result.stderr)["errors"]
    assert result.exit_code == 2
    assert {"code": "workbook-missing", "where": "方案!B2", "message": "方案编号 is empty, expected a name"} in errors
    assert not (desk / "scheme.yaml").exists()


@pytest.mark.parametrize(("name", "code"), [("nowhere.xlsx", "workbook-not-readable"), (".", "workbook-not-readable")])
@pytest.mark.usefixtures("desk")
def test_a_workbook_that_is_not_there_is_refused(name: str, code: str) -> None:
    result = run("scheme", "import", name)
    assert result.exit_code == 2
    assert f"[{code}]" in result.stderr


def fragments(guide: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each YAML block as the whole scheme it makes: on its own, or put into the guide's first one."""
    first, *others = blocks(guide, "yaml")
    yield first, yaml.safe_load(first)
    own_items = {"articles_submitted": "年度报送信息篇数"}
    for block in others:
        whole = {**yaml.safe_load(first), "items": own_items}
        part = yaml.safe_load(block)
        if isinstance(part, list):
            whole["groups"][0]["indicators"] += part
        elif set(part) <= set(Scheme.model_fields):
            whole |= part
        else:
            whole["groups"][0] |= part
            if "quotas" in part:
                del whole["bands"]
        yield block, whole


@pytest.mark.parametrize("guide", GUIDES)
def test_every_yaml_block_of_a_guide_can_be_used(guide: str) -> None:
    schema = Draft202012Validator(Scheme.model_json_schema())
    for block, whole in fragments(guide):
        text = yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)
        read_scheme(text, block, vocabulary())
        written = json.loads(json.dumps(whole, default=str))
        assert [error.message for error in schema.iter_errors(written)] == [], block


@pytest.mark.parametrize("guide", GUIDES)
def test_every_kind_of_rule_has_an_example_under_its_own_heading(guide: str) -> None:
    kinds = set(TypeAdapter[Any](Rule).json_schema()["discriminator"]["mapping"])
    sections = (DOCS / guide).read_text("utf-8").split("\n### ")[1:]
    found = {part.split()[0]: part for part in sections if part.split()[0] in kinds}
    assert set(found) == kinds
    for kind, part in found.items():
        assert f"{{effect: {kind}" in part, kind


@pytest.mark.parametrize("guide", GUIDES)
def test_every_case_of_a_guide_comes_out_as_it_says(guide: str) -> None:
    scheme = read_scheme(blocks(guide, "yaml")[0], "whole", vocabulary())
    for block in blocks(guide, "json"):
        case = read_case(block.encode(), guide)
        assert differences(case, replay(case, scheme, vocabulary())["results"]) == []


def test_both_guides_show_the_same() -> None:
    english, chinese = ({language: blocks(guide, language) for language in ("yaml", "json")} for guide in GUIDES)
    assert english == chinese
    commands = [[line.split("  #")[0].rstrip() for line in shell(guide)] for guide in GUIDES]
    assert commands[0] == commands[1]
    headings = [re.findall(r"^(#+) ", (DOCS / guide).read_text("utf-8"), re.MULTILINE) for guide in GUIDES]
    assert headings[0] == headings[1]


def shell(guide: str) -> list[str]:
    return "".join(blocks(guide, "sh")).splitlines()


def test_the_commands_of_the_guide_work_in_their_order(desk: Path) -> None:
    whole = blocks(GUIDES[0], "yaml")[0]
    scheme = read_scheme(whole, "whole", vocabulary())
    for line in shell(GUIDES[0]):
        words = shlex.split(line, comments=True)[1:]
        if words[1] == "import":
            (desk / "shili-2024.yaml").unlink()
            (desk / "shili.xlsx").write_bytes(template(vocabulary(), scheme))
        (desk / "shili-2024-cases.json").write_text(blocks(GUIDES[0], "json")[0], "utf-8")
        (desk / "shili-2024-v2.yaml").write_text(whole.replace('version: "1"', 'version: "2"'), "utf-8")
        result = run(*words)
        assert result.exit_code in ((0, 1) if words[1] == "lint" else (0,)), (line, result.output)
    read = read_scheme((desk / "shili-2024.yaml").read_text("utf-8"), "written", vocabulary())
    assert [one.code for one in read.accepted] == ["lint-kinds-unused"]


Told = tuple[str, str, int, dict[str, Any]]
LINK = {"item": "policy_document", "nature": "broken_link", "channel": "new_media"}
TYPO = LINK | {"nature": "typo"}
CLAIMS: list[tuple[str, list[Told], dict[str, str]]] = [
    ("d1", [("甲镇", "stale", 4, {"channel": "new_media", "days": 14}), ("乙镇", "defect", 4, TYPO),
            ("乙镇", "defect", 2, LINK), ("丙街道", "stale", 1, {"channel": "new_media", "days": 13})],
     {"甲镇": "4", "乙镇": "7", "丙街道": "10"}),
    ("a1", [("甲镇", "commendation", 3, {"level": "national", "form": "award"})], {"甲镇": "10"}),
    ("f1", [("甲镇", "omission", 1, {"item": "annual_report"})], {"甲镇": "0", "乙镇": "5"}),
    ("t1", [("甲镇", "activity", 1, {"item": "open_day"}), ("乙镇", "activity", 3, {"item": "open_day"})],
     {"甲镇": "7", "乙镇": "10", "丙街道": "0"}),
    ("c1", [("甲镇", "provision", 2, {"item": "support_agency"})], {"甲镇": "1"}),
    ("c2", [("甲镇", "omission", 2, {"item": "zone_equipment"})], {"甲镇": "2"}),
    ("j1", [("甲镇", "judgement", 1, {"indicator": "j1", "value": "3.5"})], {"甲镇": "3.5", "乙镇": "5"}),
    ("r1", [("甲镇", "ranking", 1, {"name": "third_party_q1", "rank": 2})], {"甲镇": "1", "乙镇": "0"}),
    ("r2", [("甲镇", "metric", 1, {"name": "mailbox_satisfaction", "value": "95"}),
            ("财政局", "metric", 1, {"name": "mailbox_satisfaction", "value": "96"})], {"甲镇": "3", "乙镇": "5"}),
    ("r3", [("甲镇", "adoption", 3, {"level": "municipal"}), ("乙镇", "adoption", 1, {"level": "municipal"})],
     {"甲镇": "4", "乙镇": "2", "丙街道": "0"}),
    ("s1", [("甲镇", "metric", 1, {"name": "website_support_score", "value": "60"}),
            ("财政局", "metric", 1, {"name": "website_support_score", "value": "100"})], {"甲镇": "5", "乙镇": "10"}),
    ("m1", [("甲镇", "rating", 1, {"value": "90", "rater": "财政局"}),
            ("甲镇", "rating", 1, {"value": "85", "rater": "教育局"})], {"甲镇": "87.5", "乙镇": "0"}),
    ("k1", [("甲镇", "request_answered", 10, {"request": "1"}), ("乙镇", "request_answered", 9, {"request": "2"})],
     {"甲镇": "4", "乙镇": "0"}),
    ("i1", [("甲镇", "late_reply", 2, {"matter": "disclosure_request"})], {"甲镇": "0", "乙镇": "3"}),
    ("g1", [("甲镇", "prior_grade", 1, {"year": 2023, "grade": "优秀"})], {"甲镇": "2"}),
    ("x1", [("甲镇", "discretion", 1, {"section": "bonus", "points": "1.5", "authority": "组"})], {"甲镇": "1.5"}),
    ("x2", [("甲镇", "discretion", 1, {"section": "penalty", "points": "2", "authority": "组"})], {"甲镇": "-2"}),
    ("n1", [("甲镇", "publication", 5, {"item": "interpretation"})], {"甲镇": "0"}),
    ("o1", [("甲镇", "metric", 1, {"name": "articles_submitted", "value": "18"}),
            ("乙镇", "metric", 1, {"name": "articles_submitted", "value": "30"})], {"甲镇": "7.5", "乙镇": "10"}),
    ("v1", [("甲镇", "metric", 1, {"name": "mailbox_satisfaction", "value": "95"}),
            ("乙镇", "metric", 1, {"name": "mailbox_satisfaction", "value": "84.9"})], {"甲镇": "5", "乙镇": "0"}),
    ("w1", [("甲镇", "defect", 1, TYPO | {"channel": "website"}), ("乙镇", "defect", 1, TYPO)],
     {"甲镇": "10", "乙镇": "9"}),
    ("w2", [("甲镇", "publication", 1, {"item": "interpretation", "forms": ["text", "chart", "video"]})],
     {"甲镇": "1"}),
    ("q1", [("甲镇", "omission", 1, {"item": "disclosure_catalogue"})], {"甲镇": "-2"}),
    ("q2", [("甲镇", "adverse_event", 3, {"nature": "other"})], {"甲镇": "-10"}),
    ("u1", [("甲镇", "stale", 1, {"channel": "new_media", "days": 20, "account": "甲"}),
            ("甲镇", "stale", 2, {"channel": "new_media", "days": 20, "account": "乙"})], {"甲镇": "24"}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "told", "expected"), CLAIMS, ids=[row for row, _, _ in CLAIMS])
def test_an_example_of_the_guide_scores_as_its_words_say(row: str, told: list[Told], expected: dict[str, str]) -> None:
    [whole] = [whole for block, whole in fragments(GUIDES[0]) if block.startswith("- id") and f"- id: {row}\n" in block]
    scheme = read_scheme(yaml.safe_dump(whole, allow_unicode=True), "block", vocabulary())
    common = {"entry": "observe", "recorded_at": "2024-12-31T09:00:00+08:00", "occurred_on": "2024-06-03"}
    entries = [
        {**common, "id": f"o{at}", "unit": unit, "kind": kind, "count": count, "attributes": attributes}
        for at, (unit, kind, count, attributes) in enumerate(told)
    ]
    expect = {unit: {"indicators": {row: points}} for unit, points in expected.items()}
    case = {"name": row, "scheme": scheme.id, "entries": entries, "queries": [{"expect": expect}]}
    read = read_case(json.dumps(case).encode(), row)
    assert differences(read, replay(read, scheme, vocabulary())["results"]) == []


@pytest.mark.parametrize("guide", GUIDES)
def test_the_condition_the_guide_shows_for_a_cell_is_understood(guide: str) -> None:
    [line] = re.findall(r"^- 条件[：:] ?`([^`]+)`", (DOCS / guide).read_text("utf-8"), re.MULTILINE)
    context = Context(vocabulary(), ("circular", "stale", "publication"))
    assert Conditions().read(line, context) == {
        "level": ["municipal", "provincial"],
        "subject": "new_media",
        "days": {"at_least": 14},
        "forms": {"size_at_least": 3},
        "rectified": False,
        "not": {"channel": "website"},
    }


def test_the_codes_that_the_guide_explains_are_those_that_files_and_workbooks_are_refused_with() -> None:
    rows = re.findall(r"^\| (`(?:scheme|workbook)-.*?) \|", (DOCS / GUIDES[1]).read_text("utf-8"), re.MULTILINE)
    explained = {code for row in rows for code in re.findall("`([a-z-]+)`", row)}
    root = DOCS.parent
    sources = [*(root / "schemes").glob("*.py"), *(root / "projections" / "workbooks").glob("*.py")]
    written = "".join(path.read_text("utf-8") for path in sources)
    of_pydantic = {f"scheme-{kind}" for kind in ("extra-forbidden", "string-type", "tuple-type", "value-error")}
    assert len(explained) > 15
    for code in explained - of_pydantic:
        assert f'"{code}"' in written or f'"{code.removeprefix("workbook-")}"' in written, code
