"""Schemes as such: differences and findings over HTTP and by command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import api.commands.scheme  # noqa: F401  # puts its commands under `scheme`
from api.command_line import schemes
from projections.scheme_files import source
from tests.api.county import County

TEXT = source("zhangshu-2021")
REVISED = (
    TEXT.replace("cap: 100 ", "cap: null ")
    .replace("each: 10, max: 10", "each: 10")
    .replace("where: {subject: new_media}, each: 1}", "where: {subject: new_media}, each: 2}")
)


def _post(county: County, path: str, body: object) -> tuple[int, Any]:
    response = county.client.post(f"/api/v1/schemes/{path}", json=body)
    return response.status_code, response.json()


def test_the_difference_of_two_versions_names_rows_clauses_and_values(new_county: County) -> None:
    status, told = _post(new_county, "difference", {"old": {"scheme": "zhangshu-2021"}, "new": {"document": REVISED}})
    assert status == 200
    assert told["old"] == told["new"] == {"id": "zhangshu-2021", "version": "1"}
    assert [(one["id"], one["parameters"]) for one in told["changes"]] == [
        ("cap", [{"name": "cap", "old": "100", "new": None}]),
        ("township/2.2/rules/deduct[circular]/1", [{"name": "each", "old": "1", "new": "2"}]),
        ("department/2.2/rules/deduct[circular]/1", [{"name": "each", "old": "1", "new": "2"}]),
    ]
    assert told["changes"][1] == told["changes"][1] | {
        "what": "rule",
        "kind": "changed",
        "group": "township",
        "indicator": "2.2",
        "clause": "附件一 第13行",
        "titles": ["政务新媒体", "日常管理"],
        "scoring": True,
    }
    assert _post(new_county, "difference", {"old": {"document": TEXT}, "new": {"scheme": "zhangshu-2021"}})[1] == {
        **told,
        "changes": [],
    }


def test_whole_rows_and_predicates_are_shown_as_json(new_county: County) -> None:
    body = {"old": {"scheme": "langxi-2019"}, "new": {"scheme": "changshu-2020"}}
    told = _post(new_county, "difference", body)[1]
    [stages] = [one for one in told["changes"] if one["what"] == "stage"]
    assert stages["parameters"][0]["old"][0]["weight"] == "0.4"
    assert stages["parameters"][0]["new"] == []
    moved = {one["name"]: (one["old"], one["new"]) for one in stages["parameters"]}
    assert moved["township/1.1/stage"] == ("agency", None)
    predicates = [
        (one["id"], parameter["new"])
        for one in told["changes"]
        for parameter in one["parameters"]
        if parameter["name"] == "where" and one["kind"] == "changed" and parameter["new"]
    ]
    assert ("township/p2/rules/deduct[late_reply]/1", {"nature": ["violation", "other"]}) in predicates


def test_findings_are_told_with_what_is_accepted(new_county: County) -> None:
    accepting = f"{TEXT}\naccepted: [{{code: lint-label-sum, reason: 照文件所印}}]\n"
    status, told = _post(new_county, "lint", {"document": accepting})
    assert (status, told["unaccepted"], len(told["findings"])) == (200, 4, 6)
    assert told["findings"][0] == {
        "code": "lint-label-sum",
        "group": "township",
        "indicator": None,
        "path": "groups[0].labels[0]",
        "message": ("township: 政府信息公开 is printed with 55 points, its 11 rows add up to 50; the rows are used"),
        "sentence": "乡镇街道：“政府信息公开”印55分，其下11项指标合计50分，计分以各项为准。",
        "accepted": "照文件所印",
    }


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("lint", {"document": TEXT.replace("full: 100", "full: -1")}, "document:17 full"),
        ("lint", {"scheme": "nowhere"}, "scheme"),
        ("difference", {"old": {"scheme": "nowhere"}, "new": {"scheme": "zhangshu-2021"}}, "old.scheme"),
        (
            "difference",
            {"old": {"scheme": "zhangshu-2021"}, "new": {"document": TEXT.replace("full: 100", "full: -1")}},
            "new.document:17 full",
        ),
        ("difference", {"old": {"scheme": "zhangshu-2021"}}, "new"),
    ],
)
def test_a_scheme_that_cannot_be_read_is_refused_with_its_place(
    new_county: County, path: str, body: object, where: str
) -> None:
    status, told = _post(new_county, path, body)
    assert (status, [one["where"] for one in told["errors"]]) == (422, [where])


def _run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(schemes, words)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def revised(tmp_path: Path) -> Path:
    path = tmp_path / "revised.yaml"
    path.write_text(REVISED, "utf-8")
    return path


def test_a_difference_by_command_line(revised: Path) -> None:
    status, shown, _ = _run("diff", "zhangshu-2021", str(revised))
    assert status == 0
    assert "~ 方案的总分封顶由100分改为不设。" in shown
    assert shown.endswith("3 changes\n")
    told = json.loads(_run("diff", str(revised), "zhangshu-2021", "--json")[1])
    assert [one["id"] for one in told["changes"]][:1] == ["cap"]


def test_findings_are_accepted_one_by_one_in_the_file_itself(revised: Path) -> None:
    status, shown, _ = _run("lint", str(revised))
    assert (status, shown.splitlines()[-1]) == (1, "6 findings, 6 not accepted")
    codes = dict.fromkeys(one["code"] for one in json.loads(_run("lint", str(revised), "--json")[1])["findings"])
    for code in codes:
        status, shown, told = _run("lint", str(revised), "--accept", code, "--reason", "照文件")
        assert (status, told) == (int(code != list(codes)[-1]), "")
    assert shown.splitlines()[-1] == "6 findings, 0 not accepted"
    assert revised.read_text("utf-8").startswith(REVISED)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--accept", "lint-full-sum", "--reason", "照文件"), "lint-no-such-finding"),
        (("--accept", "lint-label-sum", "--row", "2.2", "--reason", "照文件"), "lint-no-such-finding"),
        (("--accept", "lint-label-sum"), "lint-accept-incomplete"),
        (("--accept", "lint-label-sum", "--reason", " "), "lint-accept-incomplete"),
        (("--reason", "照文件"), "lint-accept-incomplete"),
    ],
)
def test_an_acceptance_that_says_too_little_is_refused_and_nothing_written(
    revised: Path, words: tuple[str, ...], code: str
) -> None:
    status, _, told = _run("lint", str(revised), *words)
    assert (status, f"[{code}]" in told) == (2, True)
    assert revised.read_text("utf-8") == REVISED


def test_nothing_is_accepted_in_what_is_shipped() -> None:
    status, _, told = _run("lint", "zhangshu-2021", "--accept", "lint-label-sum", "--reason", "照文件")
    assert (status, "[lint-accept-shipped]" in told) == (2, True)


def test_validating_a_scheme_shows_what_the_lint_finds(revised: Path) -> None:
    status, shown, _ = _run("validate", str(revised))
    assert (status, shown.count("lint-label-sum")) == (0, 2)
    told = json.loads(_run("validate", str(revised), "--json")[1])
    assert told["groups"]["township"] == {"units": 19, "indicators": 24, "base_points": "100"}
    assert len(told["findings"]) == 6
