"""The page of an observation: what is said of it, and the forms that correct, void and rectify it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from tests.api.accounts import bearer, token_of
from tests.api.county import OTHER, UNIT, Clock, County

YEAR_PAGE = "/jurisdictions/360982/years/2021"
READS = {
    "unit": UNIT,
    "kind": "circular",
    "attribute.level": "municipal",
    "attribute.subject": "new_media",
    "attribute.period": "quarterly",
    "occurred_on": "2021-03-29",
    "count": "1",
    "reason": "复核后更正",
    "version": "1",
}


def _path(observation: str) -> str:
    return f"{YEAR_PAGE}/observations/{observation}"


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def _send(client: TestClient, observation: str, action: str, key: str = "k1", **changes: Any) -> Any:
    base = READS if action == "amend" else {"version": "1"}
    return client.post(f"{_path(observation)}/{action}", data={"key": key, **base, **changes})


@pytest.fixture
def observation(county: County) -> str:
    return county.record()


@pytest.fixture
def unit(client: TestClient, application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """The account of the other unit."""
    token = token_of(engine, clock, "大桥", [Grant("unit", "360982", OTHER)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def test_an_observation_is_told_in_chinese(county: County, observation: str) -> None:
    page = _plain(county.client.get(_path(observation)).text)

    assert "层级 设区市" in page
    assert "通报对象 政务新媒体" in page
    assert "检查情况通报" in page


def test_an_observation_of_another_year_or_of_none_is_not_there(county: County, observation: str) -> None:
    assert county.client.get(_path("00000000-0000-4000-8000-000000000000")).status_code == 404
    assert county.client.get(_path(observation).replace("/2021/", "/2020/")).status_code == 404


def test_a_unit_does_not_see_what_is_anothers(unit: TestClient, county: County, observation: str) -> None:
    own = county.record(unit=OTHER)

    assert unit.get(_path(observation)).status_code == 404
    shown = unit.get(_path(own))
    assert shown.status_code == 200
    assert "提交作废" not in shown.text
    assert _send(unit, own, "amend", count="2").status_code in (403, 404)


def test_only_what_differs_is_corrected(county: County, observation: str) -> None:
    amended = _send(county.client, observation, "amend", count="2")

    assert amended.status_code == 303
    page = _plain(county.client.get(_path(observation)).text)
    assert "数量：1 → 2" in page
    assert "层级：" not in page


def test_a_field_of_the_kind_is_corrected_with_the_others_as_they_are(county: County, observation: str) -> None:
    _send(county.client, observation, "amend", **{"attribute.level": "provincial"})

    answer = county.get(f"/api/v1/jurisdictions/360982/observations/{observation}")
    assert answer["reading"]["attributes"] == {"level": "provincial", "subject": "new_media", "period": "quarterly"}


def test_a_form_that_changes_nothing_is_refused(county: County, observation: str) -> None:
    refused = _send(county.client, observation, "amend")

    assert refused.status_code == 422
    assert 'data-code="nothing-changed"' in refused.text
    assert "复核后更正" in refused.text


def test_a_form_sent_twice_corrects_once(county: County, observation: str) -> None:
    first, second = (_send(county.client, observation, "amend", count="2") for _ in range(2))

    assert (first.status_code, second.status_code) == (303, 303)
    assert county.get(f"/api/v1/jurisdictions/360982/observations/{observation}")["version"] == 2


def test_a_stale_form_is_shown_again_with_the_newer_reading_and_what_was_typed(
    county: County, observation: str
) -> None:
    _send(county.client, observation, "amend", "k1", count="2")

    stale = _send(county.client, observation, "amend", "k2", count="3", reason="我的更正理由")

    assert stale.status_code == 409
    assert 'data-code="page-outdated"' in stale.text
    assert "数量 2" in _plain(stale.text)
    assert 'name="count" type="number" min="1" step="1" value="3"' in stale.text
    assert "我的更正理由" in stale.text
    assert 'name="version" value="2"' in stale.text


def test_a_rectification_is_recorded(county: County, observation: str) -> None:
    done = _send(county.client, observation, "rectify", on="2021-04-08", note="账号已恢复更新")

    assert done.status_code == 303
    page = _plain(county.client.get(_path(observation)).text)
    assert "整改 2021-04-08" in page
    assert "账号已恢复更新" in page


def test_a_rectification_before_the_fact_is_refused(county: County, observation: str) -> None:
    refused = _send(county.client, observation, "rectify", on="2021-03-01", note="误填")

    assert refused.status_code in (409, 422)
    assert 'data-code="rectified-before-fact"' in refused.text
    assert "误填" in refused.text


def test_a_void_waits_for_a_second_person(county: County, observation: str) -> None:
    source = {"evidence.title.0": "撤销通报的函", "evidence.source.0": "宜府办字〔2021〕31号"}
    sent = _send(county.client, observation, "void", reason="通报撤销", **source)

    assert sent.status_code == 303
    page = _plain(county.client.get(_path(observation)).text)
    assert "有1件待审批事项" in page
    assert "已作废" not in page


def test_a_void_without_evidence_is_refused_with_its_reason_kept(county: County, observation: str) -> None:
    refused = _send(county.client, observation, "void", reason="通报撤销")

    assert refused.status_code == 422
    assert "通报撤销" in refused.text


def test_the_form_can_be_shown_for_another_kind(county: County, observation: str) -> None:
    page = county.client.get(_path(observation), params={"kind": "stale"}).text

    assert 'name="attribute.days"' in page
    assert '<input type="hidden" name="kind" value="stale">' in page
