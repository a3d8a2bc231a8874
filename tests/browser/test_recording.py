"""Recording in a browser: by keyboard alone, with a pasted screenshot, and with what it will do seen before saving."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from api.demonstration.accounts import PASSWORD
from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

YEAR = "/jurisdictions/360982/years/2021"
RECORD = f"{YEAR}/record"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="  # of a PNG
PASTE = """(pixel) => {
  const bytes = Uint8Array.from(atob(pixel), (one) => one.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
  const pasted = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(pasted);
}"""


def _choose(page: Page, label: str, typed: str, chosen: str) -> None:
    page.keyboard.type(typed)
    expect(page.get_by_role("combobox", name=label)).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_have_text(chosen)
    page.keyboard.press("Enter")


def _filled(page: Page, unit: str, **more: str) -> None:
    """A monthly circular about open government: its preview is complete but for the evidence."""
    query = {"unit": unit, "row": "p1", "on": "2021-06-01", **more}
    page.goto(f"{RECORD}?{'&'.join(f'{name}={quote(value)}' for name, value in query.items())}")
    page.get_by_role("group", name="层级").get_by_label("设区市").check()
    page.get_by_role("group", name="通报对象").get_by_label("政务公开").check()


def test_an_incident_is_recorded_by_keyboard_alone_with_a_pasted_screenshot(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    page.goto(RECORD)
    unit, row = (page.get_by_role("combobox", name=name) for name in ("单位", "指标"))
    preview = page.get_by_role("region", name="将产生的影响")

    expect(unit).to_be_focused()
    _choose(page, "单位", "fcjd", "福城街道")
    expect(unit).to_have_value("福城街道")
    page.keyboard.press("Tab")
    expect(page.locator("#row option[value='2.2']")).to_have_count(1)
    expect(row).to_be_focused()
    _choose(page, "指标", "2.2", "2.2 日常管理")
    expect(page.get_by_text("每有1次“被通报”（通报对象为政务新媒体）扣1分。")).to_be_visible()
    expect(row).to_be_focused()
    expect(preview).to_contain_text("还缺：层级、周期、依据")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(preview).to_contain_text("→")
    expect(preview).to_contain_text("还缺：依据")
    page.evaluate(PASTE, PIXEL)
    expect(page.get_by_role("textbox", name="附件标题")).to_have_value(re.compile("截图 "))
    expect(page.locator("[data-attached] img")).to_be_visible()
    expect(preview).not_to_contain_text("还缺")
    assert serious_findings(page) == []
    page.keyboard.press("Control+Enter")

    page.wait_for_url(re.compile("/observations/"))
    expect(page.get_by_role("status").first).to_contain_text("已登记，台账第")
    expect(page.get_by_role("link", name=re.compile("截图 "))).to_be_visible()
    assert serious_findings(page) == []


def test_tab_leads_from_the_row_to_its_own_fields(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    page.goto(f"{RECORD}?unit={quote('福城街道')}")
    row = page.get_by_role("combobox", name="指标")

    expect(row).to_be_focused()
    page.keyboard.type("2.2")
    expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_have_text("2.2 日常管理")
    page.keyboard.press("Tab")
    expect(page.get_by_role("group", name="层级").get_by_label("国家")).to_be_focused()
    expect(row).to_have_value("2.2 日常管理")


def test_nothing_typed_fast_is_lost_while_the_form_comes_anew(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    for leaving, told in (([], "2.2"), (["Tab"], "2.2 日常管理")):
        page.goto(RECORD)
        expect(page.get_by_role("combobox", name="单位")).to_be_focused()
        page.keyboard.type("fcjd", delay=0)
        page.keyboard.press("Tab")
        page.keyboard.type("2.2", delay=0)
        for key in leaving:
            page.keyboard.press(key)
        expect(page.locator("#row option[value='2.2']")).to_have_count(1)
        expect(page.get_by_role("combobox", name="单位")).to_have_value("福城街道")
        expect(page.get_by_role("combobox", name="指标")).to_have_value(told)
        if not leaving:
            expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_have_text("2.2 日常管理")
    expect(page.get_by_role("group", name="层级").get_by_label("国家")).to_be_focused()


def test_a_cap_that_is_reached_is_seen_before_saving_and_the_next_keeps_the_row(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    _filled(page, "店下镇")
    preview = page.get_by_role("region", name="将产生的影响")
    page.get_by_label("数量").fill("50")
    page.get_by_label("文号或网址").fill("宜府办字〔2021〕20号")
    expect(preview).to_contain_text("每有1次“被通报”（周期为月度）扣5分，最多扣10分")
    page.get_by_label("下一条保留").select_option("指标")
    page.get_by_role("button", name="保存并登记下一条").click()

    expect(page.get_by_role("status").first).to_contain_text("已登记：店下镇")
    expect(page.get_by_role("combobox", name="单位")).to_be_focused()
    expect(page.get_by_role("link", name="回执")).to_be_visible()

    _filled(page, "店下镇")
    expect(preview).to_contain_text("不影响得分：“p1 月度通报”按本条规则计的分已达上限10分")


def test_a_double_click_records_once(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    _filled(page, "观上镇")
    page.get_by_label("文号或网址").fill("宜府办字〔2021〕21号")
    page.get_by_role("button", name="保存并登记下一条").dblclick()

    expect(page.get_by_role("status").first).to_contain_text("已登记：观上镇")
    listed = page.request.get(f"/api/v1{YEAR}/observations", params={"unit": "观上镇", "limit": 500}).json()
    evidence = [one["entries"][0]["evidence"][0]["document"] for one in listed["observations"]]
    assert evidence.count("宜府办字〔2021〕21号") == 1


def test_one_finding_is_recorded_of_many_units_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("登记员", phone=True)
    page.goto(f"{RECORD}/batch?row=township/2.2")
    page.get_by_role("group", name="层级").get_by_label("设区市").check()
    page.get_by_role("group", name="周期").get_by_label("月度").check()
    page.get_by_label("查找单位").fill("yh")
    expect(page.get_by_role("checkbox", name="洋湖乡")).to_be_visible()
    expect(page.get_by_role("checkbox", name="福城街道")).to_be_hidden()
    page.get_by_label("查找单位").fill("xiang")
    page.get_by_role("button", name="勾选列出的").click()
    page.get_by_label("文号或网址").fill("宜府办字〔2021〕22号")

    expect(
        page.get_by_role("region", name="将产生的影响").get_by_role("row", name=re.compile("洋湖乡"))
    ).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="保存", exact=False).first.click()
    expect(page.get_by_role("status").first).to_contain_text("已登记：洋湖乡")


def test_nothing_typed_is_lost_when_the_session_ends_in_the_middle_of_a_form(
    browser: Browser, demonstration: str
) -> None:
    # Not watched: the refusal itself is an error to the console.
    context = browser.new_context(base_url=demonstration, locale="zh-CN")
    page = context.new_page()
    page.request.post("/api/v1/session", data={"name": "登记员", "password": PASSWORD})
    _filled(page, "经楼镇")
    page.get_by_label("文号或网址").fill("宜府办字〔2021〕23号")
    page.get_by_label("备注").fill("第一行\n第二行")
    expect(page.get_by_role("region", name="将产生的影响")).to_contain_text("→")
    context.clear_cookies()
    page.get_by_role("button", name="保存", exact=False).first.click()

    expect(page.get_by_text("刚才填写的内容已保留")).to_be_visible()
    page.get_by_label("用户名").fill("登记员")
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("definition").filter(has_text="第二行")).to_be_visible()
    page.get_by_role("button", name="继续提交").click()

    expect(page.get_by_role("status").first).to_contain_text("经楼镇现得分")
    expect(page.get_by_text("第二行")).to_be_visible()
    context.close()
