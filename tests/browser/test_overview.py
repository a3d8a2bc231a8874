"""总览 and 通知 in a real browser: found, filtered, refreshed by themselves, told on pages that do not refresh."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

YEAR = "/jurisdictions/360982/years/2021"
RECORD = """
async (key) => {
  const observation = {
    unit: "福城街道", kind: "circular", occurred_on: "2021-12-30",
    attributes: {level: "county", subject: "website", period: "monthly"},
    evidence: [{title: "通报", document: "1号"}],
  };
  const sent = await fetch("/api/v1/jurisdictions/360982/years/2021/observations", {
    method: "POST", body: JSON.stringify(observation),
    headers: {"Content-Type": "application/json", "Idempotency-Key": key},
  });
  return sent.status;
}
"""


def listening(page: Page, path: str) -> None:
    """Open the page and wait until it hears of changes."""
    with page.expect_response(lambda one: one.url.endswith("/live")):
        page.goto(path)


def test_the_office_sees_the_year_and_what_a_colleague_records_without_asking_again(sign_in: SignIn) -> None:
    page, colleague = sign_in("复核员"), sign_in("登记员")
    listening(page, YEAR)
    expect(page.get_by_role("heading", name="总览")).to_be_visible()
    row = page.get_by_role("region", name="乡镇街道排名").get_by_role("row", name="福城街道")
    expect(row.get_by_role("cell").nth(2)).to_have_text("100")
    assert serious_findings(page) == []

    colleague.goto("/me")
    assert colleague.evaluate(RECORD, "overview") == 201

    recent = page.get_by_role("region", name="最近记录")
    expect(recent.get_by_role("link", name="登记：2021年12月30日 被通报").first).to_be_visible()
    expect(row.get_by_role("cell").nth(2)).not_to_have_text("100")


def test_a_page_that_does_not_refresh_itself_says_that_there_is_news(sign_in: SignIn) -> None:
    page, colleague = sign_in("审计员"), sign_in("登记员")
    listening(page, f"{YEAR}/scheme")

    colleague.goto("/me")
    assert colleague.evaluate(RECORD, "elsewhere") == 201

    expect(page.get_by_text("数据已有更新")).to_be_visible()


def test_the_day_and_the_group_are_chosen_above_the_ranking(sign_in: SignIn) -> None:
    page = sign_in("分管领导")
    page.goto(YEAR)

    page.get_by_label("分组").select_option("市直部门")
    page.get_by_label("截至").fill("2021-06-30")
    page.get_by_role("button", name="查看").click()

    expect(page.get_by_role("heading", name="截至2021-06-30")).to_be_visible()
    expect(page.get_by_role("region", name="乡镇街道排名")).to_have_count(0)


def test_a_unit_reads_its_own_overview_and_notices_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("福城街道", phone=True)
    page.goto(YEAR)
    expect(page.get_by_role("region", name="本单位得分").get_by_role("link", name="福城街道")).to_be_visible()
    assert serious_findings(page) == []

    page.get_by_role("link", name="全部通知").click()

    expect(page.get_by_role("heading", name="通知")).to_be_visible()
    expect(page.get_by_role("link", name="考核得分已公布")).to_be_visible()
    assert serious_findings(page) == []
