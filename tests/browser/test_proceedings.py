"""An appeal from the unit's phone to the leader's approval, in a real browser."""

from __future__ import annotations

import json
import re
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

YEAR = "/jurisdictions/360982/years/2021"
UNIT = "福城街道"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def record(page: Page, **changes: object) -> str:
    """Record a circular about the unit as the account that is signed in, and return its id."""
    said = {
        "unit": UNIT,
        "kind": "circular",
        "occurred_on": "2021-12-20",
        "attributes": {"level": "municipal", "subject": "new_media", "period": "monthly"},
        "evidence": [{"title": "通报", "document": "宜府办字〔2021〕99号"}],
    }
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
    answer = page.request.post(f"/api/v1{YEAR}/observations", data=json.dumps(said | changes), headers=headers)
    assert answer.status == 201, answer.text()
    return str(answer.json()["observation"])


def test_a_unit_appeals_on_its_phone_and_the_office_decides_with_two_persons(sign_in: SignIn) -> None:
    recorder = sign_in("登记员")
    record(recorder, occurred_on="2021-12-20")
    observation = record(recorder, occurred_on="2021-12-21")

    phone = sign_in(UNIT, phone=True)
    phone.goto(f"{YEAR}/appeals")
    phone.get_by_role("link", name="提出申诉").click()
    expect(phone.get_by_role("heading", name="提出申诉")).to_be_visible()
    assert serious_findings(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= phone.evaluate("window.innerWidth")
    phone.goto(f"{YEAR}/appeals/file?observation={observation}")
    expect(phone.get_by_label("2021年12月21日 被通报")).to_be_checked()
    phone.get_by_label("申诉理由").fill("该账号不属本单位，附备案截图。")
    phone.get_by_label("附件 可多选").set_input_files({"name": "备案.png", "mimeType": "image/png", "buffer": PNG})
    expect(phone.get_by_role("status").filter(has_text="已附1个文件")).to_be_visible()
    phone.get_by_label("附件标题").fill("账号备案截图")
    phone.get_by_role("button", name="提交申诉").click()
    expect(phone.get_by_text("申诉已提交。")).to_be_visible()
    expect(phone.get_by_role("link", name="账号备案截图")).to_be_visible()
    appeal = phone.url
    phone.goto(appeal)
    assert serious_findings(phone) == []

    reviewer = sign_in("复核员")
    reviewer.goto(f"{YEAR}/appeals?status=open")
    expect(reviewer.get_by_role("row", name=UNIT)).to_be_visible()
    assert serious_findings(reviewer) == []
    reviewer.goto(appeal)
    expect(reviewer.get_by_role("heading", name="如果全部支持")).to_be_visible()
    reviewer.get_by_role("button", name="受理").click()
    expect(reviewer.get_by_text("已受理。")).to_be_visible()
    reviewer.get_by_label("复核查明").fill("备案属实。")
    reviewer.get_by_label("处理建议").fill("该条作废。")
    reviewer.get_by_role("button", name="记录复核意见").click()
    expect(reviewer.get_by_text("复核意见已记录。")).to_be_visible()

    reviewer.goto(appeal)
    reviewer.get_by_role("radio", name="成立", exact=True).check()
    reviewer.get_by_label("2021年12月21日 被通报").select_option("作废")
    prospect = reviewer.locator("#prospect")
    expect(prospect.get_by_role("columnheader", name="按所选决定")).to_be_visible()
    expected = prospect.get_by_role("row", name="总分").get_by_role("cell").nth(1).inner_text()
    assert serious_findings(reviewer) == []
    reviewer.get_by_label("理由", exact=True).fill("账号不属该单位，该条作废。")
    reviewer.get_by_role("button", name="提出决定").click()
    expect(reviewer.get_by_text("须由第二人在“审批”中批准后生效")).to_be_visible()
    reviewer.get_by_role("link", name="待第二人批准").click()
    expect(reviewer.get_by_text("由您提出，须由另一人批准。")).to_be_visible()
    expect(reviewer.get_by_role("button", name=re.compile("^批准"))).to_have_count(0)

    leader = sign_in("分管领导")
    leader.goto(f"{YEAR}/approvals")
    expect(leader.get_by_role("columnheader", name="批准后")).to_be_visible()
    assert serious_findings(leader) == []
    leader.get_by_role("button", name="批准：申诉成立").click()
    expect(leader.get_by_text("已批准，并已记入台账。")).to_be_visible()

    leader.goto(appeal)
    expect(leader.get_by_role("heading", name="决定前后")).to_be_visible()
    decided = leader.get_by_role("region", name="决定前与决定后").get_by_role("row", name="总分")
    assert decided.get_by_role("cell").nth(1).inner_text() == expected
    with leader.expect_download() as download:
        leader.get_by_role("link", name="Word").click()
    assert download.value.path().read_bytes().startswith(b"PK")
    assert serious_findings(leader) == []


def test_a_screenshot_is_pasted_into_the_form_that_is_open(sign_in: SignIn) -> None:
    page = sign_in(UNIT)
    page.goto(f"{YEAR}/claims/file")
    page.get_by_label("不涉及的指标").select_option("1.11 政府信息公开 / 依申请公开 / 答复期限（3分）")
    page.get_by_label("理由").fill("全年未收到申请。")
    page.get_by_label("理由").evaluate(
        """(area) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0])], "image.png"));
          area.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.get_by_role("status").filter(has_text="已附1个文件")).to_be_visible()
    assert page.get_by_label("附件标题").input_value().startswith("截图 ")
    assert serious_findings(page) == []
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("不涉及认定申请已提交。")).to_be_visible()
    expect(page.get_by_role("link", name="截图")).to_be_visible()
