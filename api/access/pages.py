"""What each page needs: the part of the table of permissions that is about pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from api.access.permissions import Permission

_J: Final = "/jurisdictions/{jurisdiction}"
_Y: Final = f"{_J}/years/{{year}}"

PAGES: Final[Mapping[tuple[str, str], Permission]] = {
    # sign-in and home
    ("GET", "/"): "signed-in",
    ("GET", "/sign-in"): "open",
    ("POST", "/sign-in"): "open",
    ("GET", "/signed-in"): "open",
    ("POST", "/sign-out"): "signed-in",
    ("GET", "/password"): "signed-in",
    ("POST", "/password"): "signed-in",
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
