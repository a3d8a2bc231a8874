"""Who may open which page and send which form: the office's own list, in the letters of `tests.api.access_table`."""

from __future__ import annotations

J = "/jurisdictions/{jurisdiction}"
Y = f"{J}/years/{{year}}"

PAGES = {
    # sign-in and home
    ("GET", "/"): "+",
    ("GET", "/sign-in"): "*",
    ("POST", "/sign-in"): "*",
    ("GET", "/signed-in"): "*",
    ("POST", "/sign-out"): "+",
    ("GET", "/password"): "+",
    ("POST", "/password"): "+",
    # overview
    # record
    # units
    # proceedings
    # approvals
    # scheme
    # manage
    # ledger
    # verify
    # system
    # workbooks
    # papers
    # notices
}
