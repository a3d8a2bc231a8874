import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn


def test_an_administrator_makes_an_account_and_gives_it_a_role(sign_in: SignIn) -> None:
    page = sign_in("系统管理员")
    page.goto("/system/accounts")
    page.get_by_text("开立账户", exact=True).click()
    page.get_by_label("用户名").fill("新登记员")
    assert serious_findings(page) == []
    page.get_by_role("button", name="开立").click()

    expect(page.get_by_label("一次性口令")).not_to_be_empty()
    page.get_by_role("link", name="查看账户").click()
    page.get_by_label("角色").select_option("登记员")
    page.get_by_label("地区代码").fill("360982")
    page.get_by_role("button", name="授予").click()
    expect(page.get_by_role("cell", name="登记员", exact=True)).to_be_visible()
    assert serious_findings(page) == []


@pytest.mark.parametrize("path", ["/system/access-log", "/system/settings"])
def test_what_an_administrator_reads_is_readable(sign_in: SignIn, path: str) -> None:
    page = sign_in("系统管理员")
    page.goto(path)

    assert serious_findings(page) == []


def test_somebody_reckons_a_term_and_looks_after_tokens_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("登记员", phone=True)
    page.goto("/system/calendar?year=2021")
    page.get_by_label("收到日期").fill("2021-09-13")
    page.get_by_role("button", name="推算期满日").click()
    expect(page.get_by_text("2021-10-15")).to_be_visible()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.goto("/me")
    page.get_by_label("用途").fill("数据大屏")
    page.get_by_role("button", name="创建令牌").click()
    expect(page.get_by_label("新令牌")).to_contain_text("mz_")
    assert serious_findings(page) == []
    page.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("已撤销", exact=True)).to_be_visible()
