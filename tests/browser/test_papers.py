from pathlib import Path

from docx import Document
from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

PAPERS = "/jurisdictions/360982/years/2021/papers"


def test_the_office_saves_a_rectification_notice_as_word(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("登记员")
    page.goto(PAPERS)
    assert serious_findings(page) == []
    form = page.get_by_role("form", name="整改通知")
    form.get_by_label("单位", exact=True).select_option("大桥街道")
    form.get_by_label("整改期限").fill("2022-03-31")
    form.get_by_label("发文字号").fill("某政办〔2022〕4号")

    with page.expect_download() as download:
        form.get_by_role("button", name="下载 Word").click()

    assert download.value.suggested_filename == "2021年度整改通知（大桥街道）.docx"
    download.value.save_as(tmp_path / "notice.docx")
    saved = Document(str(tmp_path / "notice.docx"))
    assert "大桥街道：" in [paragraph.text for paragraph in saved.paragraphs]
    assert len(saved.tables[0].rows) > 1


def test_on_a_phone_the_forms_are_within_the_screen(sign_in: SignIn) -> None:
    page = sign_in("审计员", phone=True)
    page.goto(PAPERS)
    expect(page.get_by_role("heading", name="申诉答复")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious_findings(page) == []
