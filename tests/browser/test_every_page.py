"""Every entry of everybody's menu, at a desk and on a phone: it opens, has a heading and help, and axe is content."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import SignIn

YEAR = "/jurisdictions/360982/years/2021"
UNIT = quote("福城街道")
PEOPLE = ("登记员", "复核员", "分管领导", "福城街道", "审计员", "系统管理员")
PICTURES = {
    "overview": ("分管领导", YEAR),
    "record": ("登记员", f"{YEAR}/record?unit={UNIT}&row=2.2"),
    "unit": ("复核员", f"{YEAR}/units/{UNIT}"),
    "derivation": ("复核员", f"{YEAR}/derivations/{UNIT}?row=2.2"),
    "appeals": ("复核员", f"{YEAR}/appeals"),
    "scheme": ("复核员", f"{YEAR}/scheme"),
    "ledger": ("审计员", f"{YEAR}/ledger"),
    "unit-phone": ("福城街道", f"{YEAR}/units/{UNIT}"),
}


@pytest.mark.parametrize("name", PEOPLE)
def test_everything_in_the_menu_opens_and_can_be_used_by_all(sign_in: SignIn, name: str) -> None:
    page = sign_in(name)
    page.goto("/")
    addresses = page.locator("nav.menu a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert addresses

    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        expect(page.locator("h1")).not_to_be_empty()
        assert page.locator("details.help").count() == 1, address
        assert serious_findings(page) == [], address


@pytest.mark.parametrize("name", ["登记员", "福城街道"])
def test_everything_in_the_menu_fits_on_a_phone(sign_in: SignIn, name: str) -> None:
    page = sign_in(name, phone=True)
    page.goto("/")
    addresses = page.locator("nav.menu a").evaluate_all("links => links.map(link => link.getAttribute('href'))")

    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"), address


@pytest.mark.parametrize("name", PICTURES)
def test_the_main_pages_are_pictured(sign_in: SignIn, name: str, tmp_path: Path) -> None:
    account, address = PICTURES[name]
    page = sign_in(account, phone=name.endswith("-phone"))
    page.goto(address)
    page.wait_for_load_state("networkidle")

    taken = picture(page, Path(os.environ.get("MINGZHANG_PICTURES") or tmp_path) / f"{name}.png")

    assert taken.startswith(b"\x89PNG")


def picture(page: Page, path: Path) -> bytes:
    """Take a picture of what the page shows first; `MINGZHANG_PICTURES=docs/pictures` keeps them for the README."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return page.screenshot(path=path, animations="disabled")
