"""Appeals and claims through their pages, as the unit that files and as the office that decides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.proceeding_labels import RESULTS, STATUSES, STEPS
from tests.api.accounts import bearer, token_of
from tests.api.county import OTHER, UNIT, YEAR, County

HERE = "/jurisdictions/360982/years/2021"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
_keys = count(1)


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    """The account of the unit."""
    yield from _speaking_for(UNIT, application, engine, county)


@pytest.fixture
def other_speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    """The account of another unit."""
    yield from _speaking_for(OTHER, application, engine, county)


def _speaking_for(unit: str, application: FastAPI, engine: Engine, county: County) -> Iterator[TestClient]:
    token = token_of(engine, county.clock, f"{unit}联络员", [Grant("unit", "360982", unit)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def send(client: TestClient, path: str, **fields: str | list[str]) -> Response:
    return client.post(f"{HERE}/{path}", data={"key": f"form-{next(_keys)}", **fields})


def page(client: TestClient, path: str, status: int = 200) -> str:
    response = client.get(f"{HERE}/{path}")
    assert response.status_code == status, response.text
    return response.text


def filed(client: TestClient, **fields: str | list[str]) -> str:
    """File an appeal by the form and return its address behind the year's."""
    sent = {"unit": UNIT, "grounds": "已按期公开，附网页存档", **fields}
    response = send(client, "appeals/file", **sent)
    assert response.status_code == 303, response.text
    return response.headers["location"].removeprefix(f"{HERE}/")


def claimed(client: TestClient) -> str:
    """File a claim by the form and return its address behind the year's."""
    response = send(client, "claims/file", unit=UNIT, indicator="1.11", grounds="全年未收到申请")
    assert response.status_code == 303, response.text
    return response.headers["location"].removeprefix(f"{HERE}/")


def release(county: County) -> None:
    assert county.post(f"{YEAR}/release", {"as_of": "2021-12-31", "reason": "反馈结果"}).status_code == 201


def review(county: County, appeal: str) -> None:
    """Accept and review an appeal or a claim by the forms of its page."""
    assert send(county.client, f"{appeal}/accept").status_code == 303
    said = {"finding": "存档早于检查日", "recommendation": "作废"}
    assert send(county.client, f"{appeal}/review", **said).status_code == 303


def approve_pending(client: TestClient, appeal: str) -> Response:
    found = re.search(rf"{HERE}/approvals/([0-9a-f-]+)", page(client, appeal))
    assert found is not None
    shown = page(client, f"approvals/{found[1]}")
    leaf_hash = re.search(r'name="leaf_hash" value="([0-9a-f]{64})"', shown)
    assert leaf_hash is not None, shown
    return send(client, f"approvals/{found[1]}/approve", leaf_hash=leaf_hash[1])


def total(county: County) -> str:
    return str(county.get(f"{YEAR}/sheets/{UNIT}")["total"])


# --- filing ---------------------------------------------------------------------------------------------------------


def test_a_unit_files_an_appeal_with_a_file_and_a_document(
    county: County, speaker: TestClient, other_speaker: TestClient
) -> None:
    observation = county.record()
    form = page(speaker, f"appeals/file?observation={observation}")
    assert f'value="{observation}" checked' in form

    sent = speaker.post(
        f"{HERE}/appeals/file",
        data={
            "key": "one",
            "unit": UNIT,
            "observation": observation,
            "grounds": "通报的账号不属本单位",
            "evidence.title.0": "账号备案表",
            "evidence.source.0": "福街字〔2021〕8号",
        },
        files={"evidence.upload": ("备案截图.png", PNG)},
    )

    assert sent.status_code == 303, sent.text
    appeal = sent.headers["location"].removeprefix(f"{HERE}/")
    shown = page(speaker, appeal)
    for told in ("通报的账号不属本单位", "备案截图.png", "福街字〔2021〕8号", "2021年3月29日 被通报"):
        assert told in shown
    [file] = re.findall(r"/evidence/([0-9a-f]{64})/content", shown)
    content = speaker.get(f"/api/v1/jurisdictions/360982/evidence/{file}/content")
    assert content.content == PNG
    assert appeal in page(county.client, "appeals?status=open")
    assert appeal not in page(other_speaker, "appeals")
    page(other_speaker, appeal, 404)
    assert send(other_speaker, f"{appeal}/withdraw", reason="冒名").status_code == 404


def test_the_same_form_sent_twice_files_one_appeal(county: County, speaker: TestClient) -> None:
    fields = {"key": "twice", "unit": UNIT, "observation": county.record(), "grounds": "不属实"}
    first = speaker.post(f"{HERE}/appeals/file", data=fields)
    size = county.size()

    assert speaker.post(f"{HERE}/appeals/file", data=fields).headers["location"] == first.headers["location"]
    assert county.size() == size


def test_a_form_that_was_sent_and_then_changed_can_be_sent_with_a_key_of_its_own(
    county: County, speaker: TestClient
) -> None:
    first, second = county.record(), county.record(occurred_on="2021-04-01")
    fields = {"key": "back", "unit": UNIT, "grounds": "不属实"}
    speaker.post(f"{HERE}/appeals/file", data={**fields, "observation": first})

    changed = speaker.post(f"{HERE}/appeals/file", data={**fields, "observation": second})

    assert changed.status_code == 409
    assert "idempotency-key-reused" in changed.text
    assert f'value="{second}" checked' in changed.text
    assert 'name="key" value="back"' not in changed.text


def test_a_form_that_is_refused_keeps_what_was_typed_and_the_files_that_came_with_it(
    county: County, speaker: TestClient
) -> None:
    observation, size = county.record(), county.size() + 1

    refused = speaker.post(
        f"{HERE}/appeals/file",
        data={"key": "kept", "unit": UNIT, "observation": observation, "grounds": " ", "evidence.title.0": "备案表"},
        files={"evidence.upload": ("截图.png", PNG)},
    )

    assert refused.status_code == 422
    assert f'value="{observation}" checked' in refused.text
    assert 'value="备案表"' in refused.text
    assert 'name="key" value="kept"' in refused.text
    [file] = re.findall(r'name="evidence.file.([0-9a-f]{64})" value="截图.png"', refused.text)
    again = {"key": "kept", "unit": UNIT, "observation": observation, "grounds": "不属实"}
    sent = speaker.post(f"{HERE}/appeals/file", data={**again, f"evidence.file.{file}": "截图.png"})
    assert sent.status_code == 303, sent.text
    assert county.size() == size
    assert f"/evidence/{file}/content" in speaker.get(sent.headers["location"]).text


@pytest.mark.parametrize(("kinds", "named"), [("appeals", "observation"), ("claims", "indicator")])
def test_a_file_that_cannot_be_stored_takes_nothing_of_the_filing_form_away(
    county: County, speaker: TestClient, kinds: str, named: str
) -> None:
    dispute = {"observation": county.record(), "indicator": "1.11"}[named]
    fields = {"key": "kept", "unit": UNIT, named: dispute, "grounds": "已按期公开", "evidence.title.0": "备案表"}
    size = county.size()

    refused = speaker.post(f"{HERE}/{kinds}/file", data=fields, files={"evidence.upload": ("空.png", b"")})

    assert refused.status_code == 422
    assert "附件是空文件" in refused.text
    for kept in ("已按期公开</textarea>", f'value="{dispute}" ', 'value="备案表"', 'name="key" value="kept"'):
        assert kept in refused.text
    assert county.size() == size


def test_a_file_that_cannot_be_stored_takes_nothing_of_a_steps_form_away(county: County, speaker: TestClient) -> None:
    appeal, claim = filed(speaker, observation=county.record()), claimed(speaker)
    assert send(county.client, f"{appeal}/return", reason="请补截图").status_code == 303
    said = {
        (speaker, f"{appeal}/complete"): {"grounds": "网页存档见附件"},
        (county.client, f"{claim}/review"): {"finding": "经查全年没有申请", "recommendation": "准予为宜"},
        (county.client, f"{claim}/decide"): {"granted": "yes", "reasons": "经查全年没有申请"},
    }
    assert send(county.client, f"{claim}/accept").status_code == 303
    for (client, path), fields in said.items():
        sent = {"key": path, "step": path.rpartition("/")[2], "evidence.title.0": "网页存档", **fields}
        if path.endswith("/decide"):
            review_again = {"finding": "存档早于检查日", "recommendation": "准予"}
            assert send(client, f"{claim}/review", **review_again).status_code == 303
        refused = client.post(f"{HERE}/{path}", data=sent, files={"evidence.upload": ("空.png", b"")})
        assert refused.status_code == 422, path
        assert 'value="网页存档"' in refused.text
        assert f'name="key" value="{path}"' in refused.text
        typed = [f"{text}</textarea>" for name, text in fields.items() if name != "granted"]
        assert [one for one in typed if one not in refused.text] == []


def test_a_file_that_cannot_be_stored_takes_nothing_of_an_appeals_decision_away(
    county: County, speaker: TestClient
) -> None:
    observation = county.record()
    appeal = filed(speaker, observation=observation)
    review(county, appeal)
    fields = {"key": "kept", "step": "decide", "outcome": "upheld", "reasons": "存档属实"}

    refused = county.client.post(
        f"{HERE}/{appeal}/decide",
        data={**fields, f"order.{observation}": "void"},
        files={"evidence.upload": ("空.png", b"")},
    )

    assert refused.status_code == 422
    for kept in ("存档属实</textarea>", 'value="upheld" required checked', '<option value="void" selected>'):
        assert kept in refused.text


def test_a_unit_is_told_points_once_its_scores_are_released(county: County, speaker: TestClient) -> None:
    county.record()
    before = page(speaker, "appeals/file")
    assert "得分尚未公布" in before
    assert "新媒体" in before

    release(county)

    after = page(speaker, "appeals/file")
    assert f"现总分 <strong>{total(county)}</strong>" in after
    assert "日常管理" in after
    assert "去掉后总分" in after


def test_what_is_too_late_or_disputed_already_is_counted_and_not_offered(county: County, speaker: TestClient) -> None:
    late = county.record()
    county.clock.set("2022-02-28T10:00:00+08:00")
    disputed, free = county.record(occurred_on="2021-04-01"), county.record(occurred_on="2021-05-01")
    filed(speaker, observation=disputed)

    form = page(speaker, f"appeals/file?observation={late}")

    assert re.findall(r'name="observation" value="([0-9a-f-]+)"', form) == [free]
    assert "1条已过申诉期限，1条正在申诉中" in form
    assert "所选的登记事项现在不能申诉" in form


def test_a_unit_cannot_file_for_another_or_about_anothers_observation(county: County, speaker: TestClient) -> None:
    others = county.record(unit=OTHER)
    size = county.size()

    named = send(speaker, "appeals/file", unit=OTHER, observation=others, grounds="不属实")
    about = send(speaker, "appeals/file", unit=UNIT, observation=others, grounds="不属实")

    assert {named.status_code, about.status_code} == {422}
    assert "unknown-unit" in named.text
    assert "unknown-observation" in about.text
    assert OTHER not in about.text
    page(speaker, f"appeals/file?unit={OTHER}", 422)
    assert county.size() == size


def test_a_recorder_chooses_the_unit_for_which_a_paper_is_handed_in(county: County) -> None:
    county.record()
    assert f"<option>{OTHER}</option>" in page(county.clerk, "appeals/file")

    form = page(county.clerk, f"appeals/file?unit={UNIT}")

    assert f'name="unit" value="{UNIT}"' in form
    assert "实际影响" in form


# --- the course and the decision ------------------------------------------------------------------------------------


def test_an_appeal_goes_its_whole_course_and_the_unit_sees_the_result_once_released(
    county: County, speaker: TestClient
) -> None:
    appeal = filed(speaker, observation=county.record())
    assert send(county.client, f"{appeal}/return", reason="请补截图").status_code == 303
    assert "退回补正期间不计" in page(speaker, appeal)
    assert send(speaker, f"{appeal}/complete", grounds="已补").status_code == 303
    review(county, appeal)

    office = page(county.client, appeal)
    assert "如果全部支持" in office
    assert "提出决定" in office
    own = page(speaker, appeal)
    assert "如果全部支持" not in own
    assert "提出决定" not in own
    assert "/dossier" not in own

    [observation] = re.findall(r'name="order.([0-9a-f-]+)"', office)
    before = total(county)
    decided = {"outcome": "upheld", "reasons": "存档属实", f"order.{observation}": "void"}
    assert send(county.client, f"{appeal}/decide", **decided).status_code == 303
    assert total(county) == before
    assert "待第二人批准" in page(county.client, appeal)
    assert approve_pending(county.colleague, appeal).status_code == 303

    after = total(county)
    assert after != before
    shown = page(county.client, appeal)
    assert "决定前后" in shown
    assert re.search(rf">{before}</td><td class=\"number\"><strong>{after}</strong>", shown)
    assert "存档属实" in page(speaker, appeal)
    assert "由考核办公布后可见" in page(speaker, appeal)

    release(county)
    assert re.search(rf">{before}</td><td class=\"number\"><strong>{after}</strong>", page(speaker, appeal))


def test_what_is_shown_before_a_decision_is_what_it_then_changes(county: County, speaker: TestClient) -> None:
    observation = county.record(count=2)
    appeal = filed(speaker, observation=observation)
    review(county, appeal)
    place = f"amend.{observation}."
    orders = {
        f"order.{observation}": "amend",
        f"{place}count": "1",
        f"{place}occurred_on": "2021-03-29",
        f"{place}attributes.level": "municipal",
        f"{place}attributes.subject": "new_media",
        f"{place}attributes.period": "quarterly",
    }

    told = send(county.client, f"{appeal}/prospect", **orders)

    assert told.status_code == 200, told.text
    [expected] = re.findall(
        r"总分</th><td class=\"number\">[\d.]+</td><td class=\"number\"><strong>([\d.]+)", told.text
    )
    decided = send(county.client, f"{appeal}/decide", outcome="partly_upheld", reasons="只有一次", **orders)
    assert decided.status_code == 303, decided.text
    assert expected != total(county)
    approve_pending(county.colleague, appeal)
    assert total(county) == expected
    reading = county.get(f"/api/v1/jurisdictions/360982/observations/{observation}")["reading"]
    assert (reading["count"], reading["occurred_on"]) == (1, "2021-03-29")


def test_a_judged_row_in_dispute_is_judged_anew(county: County, speaker: TestClient) -> None:
    judged = {"indicator": "1.2", "value": "3"}
    county.record(kind="judgement", occurred_on="2021-06-01", attributes=judged)
    appeal = filed(speaker, indicator="1.2")
    review(county, appeal)
    shown = page(county.client, appeal)
    assert "重新评定 1.2" in shown
    assert 'name="judge.1.2.day" value="2021-12-31"' in shown

    orders = {"judge.1.2.value": "4.5", "judge.1.2.day": "2021-12-31"}
    sent = send(county.client, f"{appeal}/decide", outcome="upheld", reasons="材料齐全", **orders)
    assert sent.status_code == 303, sent.text
    approve_pending(county.colleague, appeal)

    rows = {row["indicator"]: row["value"] for row in county.get(f"{YEAR}/sheets/{UNIT}")["rows"]}
    assert rows["1.2"] == "4.5"


def test_orders_that_do_not_fit_are_refused_in_their_place_with_everything_kept(
    county: County, speaker: TestClient
) -> None:
    observation = county.record()
    appeal = filed(speaker, observation=observation)
    review(county, appeal)
    size = county.size()

    none = send(county.client, f"{appeal}/decide", step="decide", outcome="upheld", reasons="理由充分")
    wrong = {f"order.{observation}": "amend", f"amend.{observation}.count": "两次"}
    preview = send(county.client, f"{appeal}/prospect", **wrong)

    assert none.status_code == 422
    assert "理由充分" in none.text
    assert 'value="upheld" required checked' in none.text
    assert "两次" in preview.text
    assert county.size() == size


def test_whoever_filed_an_appeal_is_told_that_another_person_decides_it(county: County) -> None:
    appeal = filed(county.client, observation=county.record())
    review(county, appeal)

    shown = page(county.client, appeal)

    assert "由您提出，须由他人决定" in shown
    assert "提出决定</summary>" not in shown
    assert "提出决定</summary>" in page(county.colleague, appeal)


def test_a_step_that_somebody_took_before_is_refused_and_the_present_state_shown(
    county: County, speaker: TestClient
) -> None:
    appeal = filed(speaker, observation=county.record())
    assert send(county.client, f"{appeal}/accept").status_code == 303

    second = send(county.colleague, f"{appeal}/return", step="return", reason="缺截图")

    assert second.status_code == 409
    assert "appeal-step" in second.text
    assert "已受理" in second.text


def test_terms_are_shown_with_the_working_days_that_are_left(county: County, speaker: TestClient) -> None:
    county.clock.set("2022-01-04T10:00:00+08:00")
    appeal = filed(speaker, observation=county.record())
    assert '<td class="number">10个工作日</td>' in page(county.client, "appeals")

    county.clock.set("2022-01-12T10:00:00+08:00")
    # The term ends on Tuesday, the 18th; the 15th and 16th are a weekend.
    assert "剩余4个工作日" in page(county.client, appeal)

    county.clock.set("2022-02-25T10:00:00+08:00")
    assert "已逾期" in page(county.client, "appeals?status=filed")


# --- claims ---------------------------------------------------------------------------------------------------------


def test_a_claim_is_filed_shown_with_its_effect_granted_and_approved(county: County, speaker: TestClient) -> None:
    release(county)
    sent = send(speaker, "claims/file", unit=UNIT, indicator="1.11", grounds="全年未收到申请")
    assert sent.status_code == 303, sent.text
    claim = sent.headers["location"].removeprefix(f"{HERE}/")
    assert "如果准予" in page(county.client, claim)
    assert "如果准予" not in page(speaker, claim)
    review(county, claim)

    assert send(county.client, f"{claim}/decide", granted="yes", reasons="登记簿为空").status_code == 303
    assert approve_pending(county.colleague, claim).status_code == 303

    assert "已决定：准予" in page(speaker, claim)
    assert "1.11" not in [row["indicator"] for row in county.get(f"{YEAR}/sheets/{UNIT}")["rows"]]
    assert '<option value="1.11"' not in page(speaker, "claims/file")


def test_an_address_that_names_no_year_or_no_appeal_is_not_found(county: County) -> None:
    page(county.client, "appeals/00000000-0000-4000-8000-000000000000", 404)
    assert county.client.get("/jurisdictions/360982/years/x/appeals").status_code == 404
    page(county.client, "appeals?state=open", 422)


def test_a_list_tells_days_as_they_are_in_china(county: County, speaker: TestClient) -> None:
    county.clock.set("2022-01-05T17:30:00+00:00")
    appeal = filed(speaker, observation=county.record())

    assert f'<a href="{HERE}/{appeal}">2022-01-06</a>' in page(speaker, "appeals")


def test_steps_and_states_are_called_the_same_on_the_pages_and_in_the_command_line(
    county: County, speaker: TestClient
) -> None:
    claim = claimed(speaker)

    assert f"<dd>{STATUSES['filed']}</dd>" in page(speaker, claim)
    assert f'<td class="text-nowrap">{STEPS["filed"]}</td>' in page(speaker, claim)
    assert f'<td class="text-nowrap">{STATUSES["filed"]}</td>' in page(speaker, "claims")
    review(county, claim)
    assert f'value="no" required> <span class="form-check-label">{RESULTS["refused"]}' in page(county.client, claim)
    assert f"不涉及认定·{STEPS['filed']}" in page(county.client, "ledger?entry=claim.filed")
