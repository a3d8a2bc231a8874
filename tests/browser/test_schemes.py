from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from projections.scheme_files import source
from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

YEAR = "/jurisdictions/360982/years/2021"
DRAFT = (
    source("zhangshu-2021")
    .replace('version: "1"', 'version: "2"', 1)
    .replace("nature: expression_error}, each: 1", "nature: expression_error}, each: 2")
)


def test_the_scheme_is_read_as_its_table_by_the_office_and_by_a_unit_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("审计员")
    page.goto(f"{YEAR}/scheme")
    table = page.get_by_role("region", name="乡镇街道指标表")
    expect(table.get_by_role("rowheader", name="1.1 公开指南")).to_be_visible()
    expect(table.get_by_text("扣1分").first).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("link", name="3.2", exact=True).click()
    expect(page.locator("tr:target")).to_contain_text("3.2")

    phone = sign_in("福城街道", phone=True)
    phone.goto(f"{YEAR}/scheme")
    expect(phone.get_by_role("heading", name="检查提示")).to_be_visible()
    expect(phone.get_by_role("link", name="按草案重算")).to_have_count(0)
    assert phone.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    assert serious_findings(phone) == []


def test_a_downloaded_scheme_is_changed_and_the_year_replayed_under_it(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("复核员")
    page.goto(f"{YEAR}/scheme")
    with page.expect_download() as saved:
        page.get_by_role("link", name="下载为工作簿").click()
    workbook = tmp_path / saved.value.suggested_filename
    saved.value.save_as(workbook)

    page.get_by_role("link", name="按草案重算").click()
    page.get_by_label("或上传方案文件").set_input_files(workbook)
    page.get_by_role("button", name="重算").click()
    expect(page.get_by_text("两个版本没有不同，所有单位的总分")).to_be_visible()

    draft = tmp_path / "修订稿.yaml"
    draft.write_text(DRAFT, encoding="utf-8")
    page.get_by_label("或上传方案文件").set_input_files(draft)
    page.get_by_role("button", name="重算").click()
    expect(page.get_by_text("个名次变动")).to_be_visible()
    moved = page.get_by_role("region", name="乡镇街道重算结果").get_by_role("row").filter(has_text="查看").first
    moved.get_by_text("查看").click()
    expect(moved.get_by_text("指标1.1")).to_be_visible()
    assert serious_findings(page) == []


def test_a_leader_looks_after_the_year_from_its_units_to_its_close(sign_in: SignIn) -> None:
    page = sign_in("分管领导")
    page.goto(f"{YEAR}/manage")
    assert serious_findings(page) == []
    page.get_by_role("link", name="大桥街道更名或退出").click()
    page.get_by_label("新名称").fill("大桥新街道")
    page.get_by_label("自哪天起使用").fill("2021-12-01")
    page.locator("#rename-reason").fill("机构更名批复")
    page.get_by_role("button", name="更名").click()
    expect(page.get_by_role("status").first).to_have_text("大桥街道已更名为大桥新街道。")
    expect(page.get_by_role("rowheader", name="大桥新街道")).to_be_visible()

    page.get_by_text("登记方案原文").click()
    page.get_by_label("文件", exact=False).last.set_input_files(
        {"name": "方案.txt", "mimeType": "text/plain", "buffer": "附件一\n序号\t指标\n1\t公开指南\n".encode()}
    )
    page.get_by_role("button", name="登记原文").click()
    expect(page.get_by_role("status").first).to_have_text("方案原文已登记。")

    page.get_by_text("办结年度", exact=True).click()
    page.locator("#close-reason").fill("考核结果已经审定")
    page.get_by_role("button", name="办结2021年度").click()
    expect(page.get_by_role("status").first).to_have_text("2021年度已办结，全部得分表已封存。")
    page.get_by_role("link", name="第1次封存的得分表").click()
    expect(page.get_by_role("region", name="第1次办结封存的得分")).to_be_visible()
    assert serious_findings(page) == []


def test_a_leader_opens_a_year_under_a_scheme_file(sign_in: SignIn) -> None:
    page = sign_in("分管领导")
    page.goto("/")
    page.get_by_role("link", name="开启360982的年度").click()
    expect(page.get_by_label("选用已有的方案")).to_be_focused()
    assert serious_findings(page) == []
    document = source("zhangshu-2021").replace("2021", "2022")
    page.get_by_label("或上传方案文件").set_input_files(
        {"name": "2022.yaml", "mimeType": "application/yaml", "buffer": document.encode()}
    )
    page.get_by_role("button", name="下一步：核对单位").click()
    page.get_by_label("乡镇街道").fill("福城街道\n大桥街道\n城北新区")
    assert serious_findings(page) == []
    page.get_by_role("button", name="开启2022年度").click()
    expect(page.get_by_role("status").first).to_have_text("已开启2022年度。")
    page.goto("/jurisdictions/360982/years/2022/manage")
    expect(page.get_by_role("rowheader", name="城北新区")).to_be_visible()
