from pathlib import Path

from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn
from tests.projections.observation_workbooks import ROW, own_workbook

PAGE = "/jurisdictions/360982/years/2021/workbooks"


def test_a_recorder_imports_a_workbook_after_seeing_what_it_does(sign_in: SignIn, tmp_path: Path) -> None:
    file = tmp_path / "台账.xlsx"
    file.write_bytes(own_workbook([{"序号": at, **ROW, "时间": f"2021-11-0{at}"} for at in (1, 2)]))
    page = sign_in("登记员")
    page.goto(PAGE)
    assert serious_findings(page) == []

    page.get_by_label("工作簿").set_input_files(file)
    page.get_by_role("button", name="核对并预览").click()
    expect(page.get_by_text("核对无误：2 行")).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="全部登记").click()
    expect(page.get_by_text("已登记 2 条")).to_be_visible()

    page.goto(PAGE)
    page.get_by_label("工作簿").set_input_files(file)
    page.get_by_role("button", name="核对并预览").click()
    expect(page.get_by_text("此文件已导入过，未新增")).to_be_visible()


def test_errors_are_listed_with_their_cells_on_a_phone_too(sign_in: SignIn, tmp_path: Path) -> None:
    file = tmp_path / "错误.xlsx"
    file.write_bytes(own_workbook([{**ROW, "层级": "乡镇"}]))
    page = sign_in("登记员", phone=True)
    page.goto(PAGE)

    page.get_by_label("工作簿").set_input_files(file)
    page.get_by_role("button", name="核对并预览").click()

    expect(page.get_by_role("rowheader", name="台账!D2")).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth")
    assert serious_findings(page) == []


def test_an_auditor_saves_the_score_sheets(sign_in: SignIn) -> None:
    page = sign_in("审计员")
    page.goto(PAGE)
    expect(page.get_by_role("heading", name="导入")).to_have_count(0)

    with page.expect_download() as saved:
        page.get_by_role("link", name="全部单位评分表").click()
    assert saved.value.suggested_filename.endswith(".xlsx")
