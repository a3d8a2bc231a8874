"""The page that derives a score: the tree with its ways to records and files, and what would be without each fact."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.api.county import OTHER, UNIT, County
from tests.api.test_unit_accounts import released, speaking_for
from tests.pages.test_units import HERE, shown

PAGE = f"{HERE}/derivations/{UNIT}"


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    yield from speaking_for(UNIT, "360982", application, engine, county.clock)


def test_a_fact_leads_to_its_record_and_to_what_would_be_without_it(county: County) -> None:
    observation = county.record()
    page = shown(county.client, PAGE, what_if="yes")
    assert f'<a href="{HERE}/observations/{observation}">查看记录</a> <a href="#without-{observation}">' in page
    [row] = re.findall(rf'<tr id="without-{observation}">(.*?)</tr>', page, re.DOTALL)
    assert re.findall(r'<td class="number">(?:<span[^>]*>)?([^<]*)', row) == ["1", "−1", "−1", "−1", "100", "1"]


def test_what_moves_nothing_says_why_and_what_would_have_to_fall_with_it(county: County) -> None:
    stale = {"channel": "website", "days": 20, "column": "政策"}
    for day in (1, 2, 3):
        county.record(kind="stale", occurred_on=f"2021-04-0{day}", count=5, attributes=stale)
    page = shown(county.client, PAGE, what_if="yes")
    assert page.count("去掉这一条后仍然达到上限。") == 3
    assert "至少须去掉2条" in page


def test_what_would_be_is_worked_out_when_it_is_asked_for(county: County) -> None:
    county.record()
    assert "推算每一条的分量" in shown(county.client, PAGE)
    part = county.client.get(PAGE, params={"what_if": "yes"}, headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "依次实得分" in part


def test_one_row_is_derived_alone_and_an_unknown_one_is_refused(county: County) -> None:
    county.record()
    page = shown(county.client, PAGE, row="2.2")
    assert re.findall(r'data-node="([^"/]+/[^"/]+/[^"/]+)"', page) == ["total/base/2.2"]
    assert "没有这一行" in shown(county.client, PAGE, 422, row="9.9")


def test_a_stored_file_can_be_opened_from_the_tree(county: County) -> None:
    stored = county.client.post(
        "/api/v1/jurisdictions/360982/evidence",
        content=b"%PDF-1.4\n",
        headers={"Content-Type": "application/octet-stream"},
    )
    assert stored.status_code == 201, stored.text
    file = stored.json()["file"]
    county.record(evidence=[{"title": "截图", "file": file}])
    page = shown(county.client, PAGE)
    [link] = re.findall(rf'href="(/api/v1/[^"]+{file}/content)"', page)
    assert county.client.get(link).content == b"%PDF-1.4\n"


def test_the_day_and_the_moment_hold_for_the_tree(county: County) -> None:
    county.record(occurred_on="2021-03-29")
    page = shown(county.client, PAGE, as_of="2021-03-28", known_at="2021-12-31T23:59:59+08:00")
    assert "截至2021年3月28日，按2021年12月31日23:59:59以前的登记" in page


def test_a_unit_derives_its_own_score_and_nobody_elses(county: County, speaker: TestClient) -> None:
    county.record()
    county.record(unit=OTHER)
    released(county)
    page = shown(speaker, PAGE, what_if="yes")
    assert "扣1分" in page
    assert "撤销后名次" not in page
    assert OTHER not in page
    shown(speaker, f"{HERE}/derivations/{OTHER}", 404)


def test_a_unit_is_led_to_the_files_it_may_read_only(county: County, speaker: TestClient) -> None:
    api = "/api/v1/jurisdictions/360982/evidence"
    own, shared = (county.client.post(api, content=one).json()["file"] for one in (b"%PDF-1.4\n", b"%PDF-1.7\n"))
    county.record(unit=OTHER, evidence=[{"title": "检查汇总", "file": shared}])
    county.record(evidence=[{"title": "截图", "file": own}, {"title": "检查汇总", "file": shared}])
    released(county)

    page = shown(speaker, PAGE)

    links = set(re.findall(r'href="(/api/v1/[^"]+/evidence/[^"]+)"', page))
    assert [speaker.get(one).status_code for one in links] == [200]
    assert "检查汇总" in page
    assert f"{shared}/content" in shown(county.client, PAGE)
