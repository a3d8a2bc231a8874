"""Cursors of pages: opaque to whoever carries them; inside, the ledger position to go on after."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from ledger.rejection import rejected

_PLACE = re.compile(rb"after:([0-9]{1,18})")


def cursor_at(position: int) -> str:
    """Return the cursor of the page after the position."""
    return urlsafe_b64encode(f"after:{position}".encode()).decode().rstrip("=")


def position_of(cursor: str | None) -> int:
    """Return the position to go on after, 0 without a cursor; refuses what was never a cursor."""
    if cursor is None:
        return 0
    try:
        place = _PLACE.fullmatch(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    # Base64 is read leniently; a cursor has one spelling only.
    if place is None or cursor_at(int(place[1])) != cursor:
        raise rejected("cursor-invalid", "cursor", f"found {cursor[:80]!r}, expected `next` of the page before")
    return int(place[1])
