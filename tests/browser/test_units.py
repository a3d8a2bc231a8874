"""A unit's score through the year in a real browser: the slider, what is known then, and the way down to the facts."""

from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

YEAR = "/jurisdictions/360982/years/2021"


def test_a_unit_is_found_by_initials_and_followed_through_the_year_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("审计员")
    page.goto(f"{YEAR}/units")
    page.get_by_label("查找单位").press_sequentially("zzx")
    expect(page.get_by_role("row")).to_have_count(2)
    assert serious_findings(page) == []
    page.get_by_role("link", name="中洲乡").click()

    expect(page.get_by_role("heading", name="中洲乡")).to_be_visible()
    expect(page.locator("[data-chart] svg")).to_have_count(2)
    assert serious_findings(page) == []
    total, standing = page.locator(".figures dd").first, page.locator(".standing")
    expect(total).to_have_text("50")
    slider = page.get_by_role("slider", name="逐日查看")
    slider.focus()
    slider.press("Home")
    expect(total).to_have_text("100")
    expect(standing).to_contain_text("截至 2021-01-01")
    for _ in range(18):
        slider.press("ArrowRight")
    expect(standing).to_contain_text("截至 2021-01-19")
    expect(total).to_have_text("99")
    page.wait_for_url(lambda url: url.endswith("as_of=2021-01-19"))
    expect(page.locator("[data-chart] svg")).to_have_count(2)

    # It was recorded on the 25th only.
    page.get_by_label("按当时所知").check()
    expect(total).to_have_text("100")
    page.wait_for_url(lambda url: url.endswith("as_of=2021-01-19&known=then"))
    page.reload()
    expect(page.get_by_label("按当时所知")).to_be_checked()
    expect(standing).to_contain_text("2021-01-19 24时（北京时间）以前")
    expect(total).to_have_text("100")


def test_a_score_is_derived_down_to_the_record_and_what_would_be_without_it(sign_in: SignIn) -> None:
    page = sign_in("复核员")
    page.goto(f"{YEAR}/units/中洲乡")
    page.get_by_role("link", name="50", exact=True).first.click()
    expect(page.get_by_role("heading", name="中洲乡得分推导")).to_be_visible()
    page.get_by_role("button", name="展开全部").click()
    expect(page.locator(".derivation-mark").first).to_be_visible()
    page.get_by_label("只看影响得分的").check()
    expect(page.locator(".derivation-mark").first).to_be_hidden()
    assert serious_findings(page) == []

    page.get_by_role("link", name="如果撤销这条").first.click()
    row = page.locator("#without tr:focus")
    expect(row).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_role("button", name="收起").click()
    expect(page.get_by_role("link", name="如果撤销这条").first).to_be_hidden()


def test_a_unit_reads_its_own_score_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("福城街道", phone=True)
    page.goto(f"{YEAR}/units")
    page.get_by_role("link", name="福城街道", exact=True).last.click()
    expect(page.get_by_role("heading", name="总分变化")).to_be_visible()
    expect(page.locator("[data-chart] svg")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    told = page.get_by_role("region", name="得分经过", exact=True).locator("tbody tr").last.locator("td").nth(2)
    assert told.evaluate("cell => cell.clientWidth") > 150
    assert serious_findings(page) == []


def test_the_score_of_any_day_is_there_without_scripts(sign_in: SignIn) -> None:
    page = sign_in("登记员")
    page.route("**/*.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(f"{YEAR}/units/中洲乡")
    page.get_by_label("截至").fill("2021-01-19")
    page.get_by_role("button", name="查看").click()
    expect(page.locator(".figures dd").first).to_have_text("99")
    page.get_by_text("数据表").first.click()
    expect(page.get_by_role("region", name="总分变化数据表").get_by_role("row")).to_have_count(3)
