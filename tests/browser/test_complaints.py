from typing import Literal

import pytest
from playwright.sync_api import Browser

from tests.browser.complaints import watch


@pytest.mark.parametrize(
    ("event", "script", "complaint"),
    [
        (
            "request",
            "fetch('http://example.com/').catch(() => 0)",
            "request to another host: http://example.com/",
        ),
        (
            "request",
            "fetch('http://192.0.2.1/').catch(() => 0)",
            "request to another host: http://192.0.2.1/",
        ),
        ("console", "fetch('/no-such-page')", "console error: Failed to load resource"),
        ("console", "console.error('broken')", "console error: broken"),
        ("weberror", "setTimeout(() => { throw new Error('broken') })", "uncaught exception: broken"),
    ],
    ids=["named host", "numbered host", "missing page", "console error", "exception"],
)
def test_what_a_page_does_wrong_is_noticed(
    browser: Browser,
    server: str,
    event: Literal["request", "console", "weberror"],
    script: str,
    complaint: str,
) -> None:
    # The page's own policy would stop some of these before they are seen.
    context = browser.new_context(base_url=server, bypass_csp=True)
    page = context.new_page()
    page.goto("/docs")
    complaints = watch(context, server)

    with context.expect_event(event, lambda _: bool(complaints)):
        page.evaluate(script)
    context.close()

    assert any(line.startswith(complaint) for line in complaints)
