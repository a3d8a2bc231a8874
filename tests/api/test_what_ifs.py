"""What would be if, over HTTP and by command line: nothing is recorded, and refusals say where."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from typer.testing import CliRunner

from api.command_line import app
from projections.scheme_files import source
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County

MONTHLY = {"level": "municipal", "subject": "open_government", "period": "monthly"}
WHERE = ("-j", "360982", "-y", "2021")
DRAFT = (
    source("zhangshu-2021")
    .replace('version: "1"', 'version: "2"', 1)
    .replace("where: {period: monthly}, each: 5, max: 10}", "where: {period: monthly}, each: 5, max: 15}")
)


def _ask(county: County, path: str, body: object) -> Response:
    """Send a question: it carries no key, because nothing is recorded."""
    return county.client.post(f"{YEAR}/{path}", json=body)


def _circulars(county: County, number: int = 3) -> list[str]:
    days = [f"2021-{month:02}-01" for month in range(2, 2 + number)]
    return [county.record(attributes=MONTHLY, occurred_on=day) for day in days]


def test_each_observation_is_shown_with_its_three_shares(county: County) -> None:
    """Three monthly circulars at 5, 10 at the most: the third took nothing, and none of them alone gives anything."""
    ids = _circulars(county)
    found = county.get(f"{YEAR}/what-if/{UNIT}")
    shares = [(one["nominal"], one["effective_in_order"], one["effect_of_removal"]) for one in found["observations"]]
    assert shares == [("-5", "-5", "0"), ("-5", "-5", "0"), ("-5", "0", "0")]
    assert {reason["code"] for one in found["observations"] for reason in one["why_not"]} == {"maximum"}
    assert len(found["total_rises"]["observations"]) == 2
    assert set(found["total_rises"]["observations"]) < set(ids)
    assert found["total_rises"]["proved"]
    assert county.get(f"{YEAR}/what-if/{UNIT}", as_of="2021-02-28")["score"]["total"] == "95"


def test_the_answer_is_the_same_until_something_is_recorded(county: County) -> None:
    first = county.client.get(f"{YEAR}/what-if/{UNIT}")
    again = county.client.get(f"{YEAR}/what-if/{UNIT}", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    county.record()
    moved = county.client.get(f"{YEAR}/what-if/{UNIT}", headers={"If-None-Match": first.headers["etag"]})
    assert moved.status_code == 200


def test_suppositions_are_answered_and_not_recorded(county: County) -> None:
    ids = _circulars(county)
    size = county.size()
    found = _ask(county, f"what-if/{UNIT}", {"without": ids[:1]}).json()
    assert found["unit"]["difference"] == "0"
    [still] = found["unmoved"]
    assert (still["observation"], [reason["code"] for reason in still["why_not"]]) == (ids[0], ["maximum"])
    assert (len(still["smallest"]["observations"]), still["smallest"]["total"]) == (2, "95")
    more = {"kind": "circular", "occurred_on": "2021-06-01", "attributes": MONTHLY, "unit": OTHER}
    both = _ask(county, f"what-if/{UNIT}", {"without": ids, "added": [more]}).json()
    assert (both["unit"]["after"]["total"], both["unit"]["after"]["rank"]) == ("100", 1)
    assert [(one["unit"], one["after"]["total"]) for one in both["others"]] == [(OTHER, "95")]
    assert county.size() == size


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        ({"without": ["o1"]}, 422, "unknown-observation", "without[0]"),
        ({"judgements": [{"indicator": "1.2", "value": "400"}]}, 422, "judgement-out-of-range", "judgements[0].value"),
        ({"added": [{"kind": "circular", "occurred_on": "2021-13-01"}]}, 422, "field-invalid", "added[0].occurred_on"),
        ({"omit": []}, 422, "field-unknown", "omit"),
        ({"amended": [{"observation": "o1", "changes": {}}]}, 422, "field-invalid", "amended[0].changes"),
    ],
    ids=["unknown", "out of range", "no day", "unknown field", "no change"],
)
def test_a_wrong_supposition_is_refused_with_its_place(
    county: County, body: dict[str, Any], status: int, code: str, where: str
) -> None:
    response = _ask(county, f"what-if/{UNIT}", body)
    [error] = response.json()["errors"]
    assert (response.status_code, error["code"], error["where"]) == (status, code, where)


def test_a_void_observation_cannot_fall_again(county: County) -> None:
    [gone] = _circulars(county, 1)
    paper = {"reason": "重复", "evidence": EVIDENCE}
    assert county.post(f"{HERE}/observations/{gone}/void", paper).status_code == 201
    response = _ask(county, f"what-if/{UNIT}", {"without": [gone]})
    assert (response.status_code, response.json()["code"]) == (409, "observation-void")
    assert _ask(county, "what-if/某街道", {}).status_code == 404


def test_a_draft_is_replayed_over_http(county: County) -> None:
    _circulars(county)
    size = county.size()
    found = _ask(county, "replay", {"document": DRAFT}).json()
    last = found["groups"][0]["units"][-1]
    assert (last["unit"], last["before"]["total"], last["after"]["total"]) == (UNIT, "90", "85")
    assert [(cause["points"], last["remainder"]) for cause in last["alone"]] == [("-5", "0")]
    assert any("单独使1个单位的总分变动，合计-5分" in line for line in found["summary"])
    assert _ask(county, "replay", {"scheme_id": "zhangshu-2021", "scheme_version": "1"}).json()["changes"] == []
    assert county.size() == size
    assert county.get(f"{YEAR}/sheets/{UNIT}")["total"] == "90"


def test_a_draft_with_errors_is_refused_with_all_of_them_over_http(county: County) -> None:
    broken = DRAFT.replace("full: 100", "full: lots", 1).replace("year: 2021", "year: soon", 1)
    response = _ask(county, "replay", {"document": broken})
    assert response.status_code == 422
    assert len(response.json()["errors"]) == 2
    assert _ask(county, "replay", {"scheme": "linyi-2023"}).json()["code"] == "scheme-jurisdiction"
    assert (
        _ask(county, "replay", {"scheme_id": "zhangshu-2021", "scheme_version": "9"}).json()["code"] == "unknown-scheme"
    )
    for body in ({}, {"scheme": "zhangshu-2021", "document": DRAFT}, {"scheme_id": "zhangshu-2021"}):
        assert _ask(county, "replay", body).json()["code"] == "field-invalid"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def recorded(url: str) -> list[str]:
    """Three monthly circulars recorded by command line; returns their ids."""
    assert _run(url, "year", "open", "zhangshu-2021")[0] == 0
    words = [f"{name}={value}" for name, value in MONTHLY.items()]
    attributes = [part for word in words for part in ("-a", word)]
    paper = ("--evidence", "通报", "--document", "宜府办字〔2021〕20号")
    ids = []
    for day in ("2021-02-01", "2021-03-01", "2021-04-01"):
        told = _run(
            url, "observe", *WHERE, "--unit", UNIT, "--kind", "circular", "--on", day, *attributes, *paper, "--json"
        )
        ids.append(json.loads(told[1])[0]["observation"])
    return ids


def _run(url: str, *words: str) -> tuple[int, str, str]:
    for module in ("api.commands.ledger", "api.commands.what_if"):
        import_module(module)
    done = CliRunner(env={"MINGZHANG_DATABASE_URL": url, "COLUMNS": "160"}).invoke(app, list(words))
    return done.exit_code, done.stdout, done.stderr


def test_the_command_line_shows_each_one_alone_and_what_must_fall(url: str, recorded: list[str]) -> None:
    status, shown, told = _run(url, "what-if", *WHERE, UNIT)
    assert status == 0, told
    assert "总分提高：至少须去掉2条，去掉后总分为95分；任何更少的条数都不行。" in shown
    assert shown.count("共2条一并去掉才变") == 3
    found = json.loads(_run(url, "what-if", *WHERE, UNIT, "--json")[1])
    assert [one["observation"] for one in found["observations"]] == recorded


def test_the_command_line_takes_suppositions_from_options_and_a_file(
    url: str, recorded: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "what.json"
    file.write_text(json.dumps({"without": recorded[:1]}), "utf-8")
    words = ("what-if", *WHERE, UNIT, "--without", recorded[1], "--judgement", "1.2=3", "--file", str(file))
    status, shown, told = _run(url, *words)
    assert status == 0, told
    assert "福城街道：总分由90变为93（+3）。" in shown
    found = json.loads(_run(url, *words, "--json")[1])
    assert {row["indicator"]: row["after"] for row in found["unit"]["rows"]} == {"p1": "-5", "1.2": "3"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--without", "o1"), "unknown-observation"),
        (("--judgement", "1.2"), "judgement-form"),
        (("--judgement", "1.2=400"), "judgement-out-of-range"),
        (("--file", "nowhere.json"), "file-not-readable"),
    ],
)
@pytest.mark.usefixtures("recorded")
def test_the_command_line_refuses_a_wrong_supposition(url: str, words: tuple[str, ...], code: str) -> None:
    status, _, told = _run(url, "what-if", *WHERE, UNIT, *words)
    assert (status, code in told) == (2, True), told


@pytest.mark.usefixtures("recorded")
def test_the_command_line_replays_a_year_under_a_draft(url: str, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT, "utf-8")
    status, shown, told = _run(url, "year", "replay", *WHERE, str(draft))
    assert status == 0, told
    assert "每处修改单独的作用" in shown
    assert "单独使1个单位的总分变动，合计-5分" in "".join(shown.split())
    kept = json.loads(_run(url, "year", "replay", *WHERE, "zhangshu-2021", "--version", "1", "--json")[1])
    assert (kept["changes"], kept["revised"]["kept"]) == ([], True)
    draft.write_text(DRAFT.replace("full: 100", "full: lots", 1), "utf-8")
    assert _run(url, "year", "replay", *WHERE, str(draft))[0] == 2
