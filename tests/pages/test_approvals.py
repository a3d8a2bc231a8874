"""What waits for a second person, through the page that lists it."""

from __future__ import annotations

import re
from itertools import count

from httpx2 import Response
from starlette.testclient import TestClient

from tests.api.county import EVIDENCE, UNIT, YEAR, County, observation

HERE = "/jurisdictions/360982/years/2021"
_keys = count(1)


def propose(county: County, path: str, body: object) -> str:
    """Send what takes a second person and return the proposal's id."""
    response = county.client.post(path, json=body, headers={"Idempotency-Key": f"propose-{next(_keys)}"})
    assert response.status_code == 201, response.text
    return str(response.json()["proposal"])


def voiding(county: County) -> tuple[str, str]:
    recorded = county.record()
    path = f"/api/v1/jurisdictions/360982/observations/{recorded}/void"
    return recorded, propose(county, path, {"reason": "重复登记", "evidence": EVIDENCE})


def shown(client: TestClient, proposal: str = "", **headers: str) -> str:
    response = client.get(f"{HERE}/approvals{f'/{proposal}' if proposal else ''}", headers=headers)
    assert response.status_code == 200, response.text
    return response.text


def approve(client: TestClient, proposal: str, leaf_hash: str, key: str | None = None) -> Response:
    sent = {"key": key or f"approve-{next(_keys)}", "leaf_hash": leaf_hash}
    return client.post(f"{HERE}/approvals/{proposal}/approve", data=sent)


def leaf_hash_of(client: TestClient, proposal: str) -> str:
    [found] = re.findall(r'name="leaf_hash" value="([0-9a-f]{64})"', shown(client, proposal))
    return str(found)


def test_a_void_is_told_with_its_effect_and_approved_by_another_person(county: County) -> None:
    recorded, proposal = voiding(county)
    before = county.get(f"{YEAR}/sheets/{UNIT}")["total"]

    listed = shown(county.colleague)
    assert "待批准（1）" in listed
    assert f"作废：{UNIT} 2021年3月29日 被通报" in listed
    assert "重复登记" in listed
    effect = shown(county.colleague, proposal, **{"HX-Request": "true"})
    assert "<html" not in effect
    [expected] = re.findall(rf">{before}</td><td class=\"number\"><strong>([\d.]+)", effect)

    assert approve(county.colleague, proposal, leaf_hash_of(county.colleague, proposal)).status_code == 303
    assert county.get(f"{YEAR}/sheets/{UNIT}")["total"] == expected
    status = county.get(f"/api/v1/jurisdictions/360982/observations/{recorded}")["status"]
    assert status == "void"
    assert "待批准（0）" in shown(county.colleague)


def test_who_proposed_it_finds_no_way_to_approve_it_but_one_to_withdraw_it(county: County) -> None:
    _, proposal = voiding(county)

    own = shown(county.client)

    assert "由您提出，须由另一人批准" in own
    assert "/approve" not in own.replace("/approvals", "")
    withdrawn = county.client.post(
        f"{HERE}/approvals/{proposal}/decline", data={"key": "withdraw", "reason": "登记无误"}
    )
    assert withdrawn.status_code == 303
    assert "登记无误" in shown(county.client)


def test_the_second_of_two_reviewers_is_told_what_the_first_did(county: County) -> None:
    _, proposal = voiding(county)
    leaf_hash = leaf_hash_of(county.colleague, proposal)
    assert approve(county.colleague, proposal, leaf_hash).status_code == 303
    size = county.size()

    second = approve(county.colleague, proposal, leaf_hash)

    assert second.status_code == 409
    assert "proposal-approved" in second.text
    assert "已批准" in second.text
    assert "考核办乙" in second.text
    assert county.size() == size


def test_a_button_clicked_twice_approves_once(county: County) -> None:
    _, proposal = voiding(county)
    leaf_hash = leaf_hash_of(county.colleague, proposal)

    first, again = (approve(county.colleague, proposal, leaf_hash, "clicked") for _ in range(2))

    assert (first.status_code, again.status_code) == (303, 303)


def test_what_was_not_shown_is_not_approved(county: County) -> None:
    _, proposal = voiding(county)

    other = approve(county.colleague, proposal, "0" * 64)

    assert other.status_code == 422
    assert "approval-other-bytes" in other.text


def test_who_records_may_read_but_not_approve(county: County) -> None:
    _, proposal = voiding(county)

    assert "没有批准的权限" in shown(county.clerk)
    assert approve(county.clerk, proposal, "0" * 64).status_code == 403


def test_a_discretion_waits_with_its_effect_and_declining_it_needs_a_reason(county: County) -> None:
    said = {"section": "penalty", "points": "2", "authority": "市政府办"}
    body = observation(kind="discretion", attributes=said)
    proposal = propose(county, f"{YEAR}/observations", body)
    assert "−2" in shown(county.colleague, proposal)

    path = f"{HERE}/approvals/{proposal}/decline"
    assert county.colleague.post(path, data={"key": "none", "reason": " "}).status_code == 422
    assert county.colleague.post(path, data={"key": "some", "reason": "依据不足"}).status_code == 303
    assert "依据不足" in shown(county.colleague)


def test_what_can_no_longer_be_carried_out_is_told_before_it_is_approved(county: County) -> None:
    recorded, proposal = voiding(county)
    path = f"/api/v1/jurisdictions/360982/observations/{recorded}/void"
    other = propose(county, path, {"reason": "另一理由", "evidence": EVIDENCE})
    approve(county.colleague, other, leaf_hash_of(county.colleague, other))

    stale = shown(county.colleague, proposal)

    assert "按现状不能批准" in stale
    assert approve(county.colleague, proposal, leaf_hash_of(county.colleague, proposal)).status_code == 409


def test_what_waits_in_the_year_of_the_page_comes_first(county: County) -> None:
    voiding(county)
    [own] = re.findall(r'aria-labelledby="p-([0-9a-f-]+)"', shown(county.colleague))
    file = county.client.post("/api/v1/jurisdictions/360982/evidence", content=b"%PDF-1.7\n").json()["file"]
    erased = f"/api/v1/jurisdictions/360982/evidence/{file}/erase"
    of_no_year = propose(county, erased, {"ground": "《个人信息保护法》第四十七条"})

    assert re.findall(r'aria-labelledby="p-([0-9a-f-]+)"', shown(county.colleague)) == [own, of_no_year]
    assert "不影响得分" in shown(county.colleague, of_no_year)


def test_the_day_of_the_oldest_proposal_is_the_one_in_china(county: County) -> None:
    county.clock.set("2021-12-31T16:30:00+00:00")
    _, proposal = voiding(county)

    overview = county.client.get(HERE).text

    assert "最早2022-01-01提出" in overview
    made = county.get(f"/api/v1/jurisdictions/360982/proposals/{proposal}")["made"]
    assert made["recorded_at"] == "2021-12-31T16:30:00.000000Z"


def test_what_a_second_person_does_not_approve_is_called_so_and_not_returned(county: County) -> None:
    _, proposal = voiding(county)
    declined = {"key": "declined", "reason": "依据不足"}
    assert county.colleague.post(f"{HERE}/approvals/{proposal}/decline", data=declined).status_code == 303

    listed, alone = shown(county.client), shown(county.client, proposal)
    ledger = county.client.get(f"{HERE}/ledger", params={"entry": "proposal.declined"}).text

    assert "未批准" in listed
    assert "不批准或撤回：依据不足" in alone
    assert "不批准或撤回作废登记：2021年3月29日 被通报" in ledger
    assert "退回" not in listed + alone + ledger
