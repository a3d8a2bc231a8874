"""What axe finds on a page: nothing serious may be left."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_GRAVE = {"serious", "critical"}


def serious_findings(page: Page) -> list[str]:
    """Return the serious and critical findings of axe on the page as it is now, one line each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {', '.join(node['html'][:120] for node in one['nodes'][:3])}"
        for one in found
        if one["impact"] in _GRAVE
    ]
