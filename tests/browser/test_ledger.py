from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

LEDGER = "/jurisdictions/360982/years/2021/ledger"


def test_the_office_searches_while_it_types_and_opens_an_entry_with_its_receipt(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    page.goto(LEDGER)
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(50)
    assert serious_findings(page) == []

    page.keyboard.press("/")
    page.keyboard.type("fcjd 政策解读")
    expect(rows).to_have_count(1)
    page.get_by_label("记录种类").select_option("登记")
    expect(rows).to_have_count(1)

    rows.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="回执", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="下载回执文件").click()
    assert download.value.suggested_filename.startswith("回执-360982-")
    assert serious_findings(page) == []


def test_a_unit_finds_its_own_matters_only_also_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("福城街道", phone=True)
    page.goto(LEDGER)

    units = set(page.locator("#found tbody td:nth-child(4)").all_inner_texts())
    assert units == {"福城街道"}
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert serious_findings(page) == []


def test_filters_work_without_javascript_too(sign_in: SignIn) -> None:
    page = sign_in("审计员")
    page.goto(f"{LEDGER}?entry=appeal&status=ended")

    expect(page.get_by_label("记录种类")).to_have_value("appeal")
    assert all("申诉" in one for one in page.locator("#found tbody td:nth-child(3)").all_inner_texts())
