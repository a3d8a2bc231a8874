from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn


def test_who_signs_in_comes_to_the_page_that_was_asked_for(sign_in: SignIn) -> None:
    page = sign_in("登记员")

    page.goto("/password")

    expect(page.get_by_role("heading", name="修改口令")).to_be_visible()
    assert serious_findings(page) == []


def test_the_page_to_sign_in_can_be_used_by_all(page: Page) -> None:
    page.goto("/sign-in")

    expect(page.get_by_label("用户名")).to_be_focused()
    assert serious_findings(page) == []
