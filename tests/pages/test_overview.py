"""总览: for the office the whole year, for a unit its own matters; links, filters, and the parts that are refreshed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from tests.api.accounts import bearer, token_of
from tests.api.county import HERE, OTHER, UNIT, YEAR, County

PAGE = YEAR.removeprefix("/api/v1")
GROUNDS = {"grounds": "已按时更新"}


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    token = token_of(engine, county.clock, "福城街道联络员", [Grant("unit", "360982", UNIT)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def opened(client: TestClient, **parameters: str) -> str:
    response = client.get(PAGE, params=parameters)
    assert response.status_code == 200, response.text
    return response.text


def released(county: County) -> None:
    assert county.post(f"{YEAR}/release", {"as_of": "2021-12-31", "reason": "反馈结果"}).status_code == 201


def test_the_office_sees_every_unit_the_last_entries_and_what_waits(county: County) -> None:
    observation = county.record()
    county.post(f"{YEAR}/appeals", {"unit": UNIT, "observations": [observation], **GROUNDS})
    void = county.client.post(
        f"{HERE}/observations/{observation}/void",
        json={"reason": "重复", "evidence": [{"title": "说明", "document": "1号"}]},
        headers={"Idempotency-Key": "void"},
    )
    assert void.status_code == 201

    text = opened(county.client)

    assert f'href="{PAGE}/units/%E7%A6%8F%E5%9F%8E%E8%A1%97%E9%81%93">{UNIT}</a>' in text
    assert f'href="{PAGE}/observations/{observation}">登记：2021年3月29日 被通报' in text
    assert f'<a href="{PAGE}/approvals">待审批</a> 1项' in text
    assert "作废登记 1项" in text
    assert f'<a href="{PAGE}/appeals">在办申诉</a> 1件' in text
    assert "未登记整改的扣分事项 1项" in text
    assert "row=1.2&amp;kind=judgement" in text


def test_the_day_and_the_group_can_be_chosen(county: County) -> None:
    county.record()

    text = opened(county.client, as_of="2021-03-28", group="township")

    assert 'value="2021-03-28"' in text
    assert "乡镇街道排名" in text
    assert "市直部门排名" not in text
    assert "未登记整改的扣分事项 0项" in text
    assert "乡镇街道排名" in opened(county.client, as_of="", group="")
    assert county.client.get(PAGE, params={"group": "villages"}).status_code == 422
    assert county.client.get(PAGE, params={"as_of": "yesterday"}).status_code == 422


def test_in_a_running_year_the_page_opens_as_of_today(county: County) -> None:
    county.clock.set("2022-03-01T09:00:00+08:00")
    assert 'value="2021-12-31"' in opened(county.client)

    county.clock.set("2021-06-15T09:00:00+08:00")
    assert 'value="2021-06-15"' in opened(county.client)


@pytest.mark.parametrize(("asked", "shown"), [("0001-01-01", "2021-01-01"), ("9999-12-31", "2021-12-31")])
def test_a_day_outside_the_period_is_its_first_or_its_last(
    county: County, speaker: TestClient, asked: str, shown: str
) -> None:
    released(county)
    for client in (county.client, speaker):
        assert f'name="as_of" type="date" value="{shown}"' in opened(client, as_of=asked)


def test_the_former_rank_has_a_column_where_some_rank_moved(county: County) -> None:
    assert "原名次" not in opened(county.client)
    county.record(occurred_on="2021-12-20")
    assert 'wide-only">原名次</th>' in opened(county.client)


def test_only_the_parts_are_sent_where_only_they_are_asked_for(county: County) -> None:
    response = county.client.get(PAGE, params={"group": "township"}, headers={"HX-Request": "true"})

    assert response.text.lstrip().startswith('<div id="overview"')
    assert f'hx-get="{PAGE}?group=township"' in response.text


def test_a_unit_sees_its_score_after_the_release_and_never_anothers_name(county: County, speaker: TestClient) -> None:
    observation = county.record()
    county.record(unit=OTHER)
    county.post(f"{YEAR}/appeals", {"unit": UNIT, "observations": [observation], **GROUNDS})
    units = {one["name"] for one in county.get(f"{YEAR}/units")} - {UNIT}

    before = opened(speaker)
    released(county)
    after = opened(speaker, as_of="2021-12-31")

    assert "得分尚未公布" in before
    assert "扣分" not in before
    assert "未登记整改的扣分事项 1项" in after
    total = county.get(f"{YEAR}/sheets/{UNIT}")["total"]
    assert f'aria-label="{UNIT}{total}分"' in after
    for text in (before, after):
        assert f'href="{PAGE}/observations/{observation}"' in text
        assert [unit for unit in units if unit in text] == []
        assert f'href="{PAGE}/approvals"' not in text


def test_a_year_that_is_not_open_has_no_page(county: County) -> None:
    assert county.client.get(PAGE.replace("2021", "2022")).status_code in (404, 422)
