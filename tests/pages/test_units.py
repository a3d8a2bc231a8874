"""The pages about units: what the office sees of all of them, a unit's account of its own, on any day."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from projections.swallower_labels import SWALLOWER_LABELS
from schemes.history import Swallower
from tests.api.county import OTHER, UNIT, County
from tests.api.test_unit_accounts import released, speaking_for

HERE = "/jurisdictions/360982/years/2021"
PAGE = f"{HERE}/units/{UNIT}"
MISCHIEF = '</script><img src=x onerror="alert(1)">'


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    yield from speaking_for(UNIT, "360982", application, engine, county.clock)


def shown(client: TestClient, path: str, status: int = 200, **asked: str) -> str:
    response = client.get(path, params=asked)
    assert response.status_code == status, response.text
    return response.text


def figure(page: str, title: str) -> str:
    found = re.search(rf"<dt>{title}</dt><dd>(.*?)</dd>", page)
    assert found is not None
    return re.sub(r"<[^>]+>", "", found.group(1))


def drawn(page: str, source: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{source}">(.*?)</script>', page)
    assert found is not None
    return json.loads(found.group(1))


def test_units_stand_by_group_in_the_order_of_rank(county: County) -> None:
    county.record(occurred_on="2021-03-29")
    page = shown(county.client, f"{HERE}/units")
    units = re.findall(r'/units/[^"]+">([^<]+)</a>', page)
    assert re.findall(r"<h2>([^<]+)</h2>", page) == ["乡镇街道", "市直部门"]
    assert len(units) == 54
    assert units[18] == UNIT
    assert (
        re.findall(r'/units/[^"]+">([^<]+)</a>', shown(county.client, f"{HERE}/units", as_of="2021-03-28"))[0] == UNIT
    )


@pytest.mark.parametrize("typed", ["福城", "fcjd", "fuchengjie"])
def test_units_are_found_by_characters_and_by_pinyin(county: County, typed: str) -> None:
    assert re.findall(r'/units/[^"]+">([^<]+)</a>', shown(county.client, f"{HERE}/units", search=typed)) == [UNIT]


def test_a_unit_is_shown_as_of_any_day(county: County) -> None:
    county.record(occurred_on="2021-03-29")
    assert figure(shown(county.client, PAGE), "总分") == "99"
    assert figure(shown(county.client, PAGE, as_of="2021-03-28"), "总分") == "100"
    assert figure(shown(county.client, PAGE, as_of=""), "总分") == "99"


def test_as_known_then_leaves_out_what_was_recorded_after_the_end_of_the_day(county: County) -> None:
    county.clock.set("2022-01-01T00:30:00+08:00")
    county.record(occurred_on="2021-03-29")
    known_now = shown(county.client, PAGE, as_of="2021-12-31")
    known_then = shown(county.client, PAGE, as_of="2021-12-31", known="then")
    assert (figure(known_now, "总分"), figure(known_then, "总分")) == ("99", "100")
    assert "2021-12-31 24时（北京时间）以前" in known_then
    assert "known_at=2021-12-31T23%3A59%3A59.999999%2B08%3A00" in known_then


def test_every_row_that_moved_leads_to_its_derivation_and_the_others_are_folded(county: County) -> None:
    observation = county.record()
    page = shown(county.client, PAGE)
    moved, still = page.split("没有得失的", 1)
    assert f"{HERE}/observations/{observation}" in moved
    link = re.search(r'href="([^"]+row=2\.2[^"]*)">4</a>', moved)
    assert link is not None
    assert shown(county.client, link.group(1).replace("&amp;", "&")).count("扣1分") > 0
    assert re.search(r"row=1\.1&amp;[^>]+>5</a>", still)


def test_the_course_and_the_waterfall_end_at_the_total(county: County) -> None:
    county.record(occurred_on="2021-03-29", note=MISCHIEF)
    page = shown(county.client, PAGE)
    course = drawn(page, "course-data")
    assert course["line"] == [["2021-01-01", "100"], ["2021-03-29", "99"], ["2021-12-31", "99"]]
    assert [entry["at"] for entry in course["entries"]] == [["2021-03-29", "99"]]
    bars = drawn(page, "waterfall-data")["bars"]
    assert (bars[0]["text"], bars[-1]["text"], bars[1]) == (
        "100",
        "99",
        {"title": "政务新媒体", "from": "100", "to": "99", "text": "-1", "tone": "loss"},
    )
    assert MISCHIEF not in page


def test_corrections_and_what_was_voided_are_listed(county: County) -> None:
    amended, voided = county.record(), county.record(occurred_on="2021-05-01")
    api = "/api/v1/jurisdictions/360982/observations"
    assert county.post(f"{api}/{amended}/amend", {"changes": {"count": 2}, "reason": "应为两次"}).status_code == 201
    evidence = [{"title": "说明", "document": "1号"}]
    assert county.post(f"{api}/{voided}/void", {"reason": "重复登记", "evidence": evidence}).status_code == 201
    page = shown(county.client, PAGE)
    assert figure(page, "总分") == "98"
    assert "<td>应为两次</td>" in page
    assert "<td>重复登记</td>" in page


def test_htmx_is_given_the_score_alone(county: County) -> None:
    part = county.client.get(PAGE, headers={"HX-Request": "true"})
    assert figure(part.text, "总分") == "100"
    assert "<html" not in part.text


@pytest.mark.parametrize("path", [f"{HERE}/units", PAGE, f"{HERE}/derivations/{UNIT}"])
def test_a_unit_is_told_that_nothing_was_released_yet(speaker: TestClient, path: str) -> None:
    assert "得分尚未公布" in shown(speaker, path)


def test_a_unit_sees_itself_only_and_what_was_released(county: County, speaker: TestClient) -> None:
    county.record(occurred_on="2021-03-29")
    county.record(unit=OTHER, occurred_on="2021-03-29")
    released(county, "2021-06-30")
    county.record(occurred_on="2021-05-01")
    listed = shown(speaker, f"{HERE}/units")
    assert UNIT in listed
    assert OTHER not in listed
    page = shown(speaker, PAGE)
    assert figure(page, "总分") == "99"
    assert 'max="2021-06-30"' in page
    assert figure(shown(speaker, PAGE, as_of="2021-12-31"), "总分") == "99"
    assert shown(speaker, f"{HERE}/units/{OTHER}", 404).count(OTHER) <= 1


def test_whatever_swallows_points_has_a_label() -> None:
    assert {*SWALLOWER_LABELS} == {*get_args(Swallower)}
