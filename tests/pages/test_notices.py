"""通知: a unit reads its own; the office chooses whose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from tests.api.accounts import bearer, token_of
from tests.api.county import OTHER, UNIT, YEAR, County

PAGE = f"{YEAR.removeprefix('/api/v1')}/notices"


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    token = token_of(engine, county.clock, "福城街道联络员", [Grant("unit", "360982", UNIT)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def test_a_unit_reads_what_it_is_told_with_the_way_to_it(county: County, speaker: TestClient) -> None:
    observation = county.record()
    county.record(unit=OTHER, occurred_on="2021-04-01")

    text = speaker.get(PAGE).text

    assert f'/observations/{observation}">登记：2021年3月29日 被通报' in text
    assert "2021年4月1日" not in text
    assert OTHER not in text


def test_a_unit_cannot_ask_for_anothers(county: County, speaker: TestClient) -> None:
    county.record(unit=OTHER)

    there, absent = (speaker.get(PAGE, params={"unit": unit}) for unit in (OTHER, "无此单位"))

    assert there.status_code == absent.status_code == 422
    assert there.text.replace(OTHER, "…") == absent.text.replace("无此单位", "…")


def test_the_office_reads_what_the_chosen_unit_is_told(county: County) -> None:
    county.record()
    county.record(kind="judgement", occurred_on="2021-05-01", attributes={"indicator": "1.2", "value": "3.5"})

    chosen = county.client.get(PAGE, params={"unit": UNIT}).text

    assert "登记：2021年3月29日 被通报" in chosen
    assert "评定分" not in chosen
    assert "请选择单位" in county.client.get(PAGE).text
    assert county.client.get(PAGE, params={"unit": "无此单位"}).status_code == 422


def test_only_the_list_is_sent_where_only_it_is_asked_for(county: County, speaker: TestClient) -> None:
    county.record()

    response = speaker.get(PAGE, headers={"HX-Request": "true"})

    assert response.text.startswith('<div id="notices"')
