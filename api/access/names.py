"""Names of accounts: what an event calls its actor, and so nobody's name may be taken for another's.

Letters are those of the Latin alphabet and Chinese characters: no other script, whose letters look like these, and
nothing invisible. A name is compared in Unicode's composed form (NFC). Two names that differ only in case, or in
0 and O, or in 1, I and l, look alike, and only one of them can be had. Chinese characters that resemble each other
(未, 末) are left to those who read.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ledger.rejection import rejected

LONGEST_NAME: Final = 64
COMMAND_LINE: Final = "command-line"
"""The actor of whoever works on the machine itself, without an account."""
SERVER: Final = "server"
"""The actor of what the server does by itself."""
ANONYMOUS: Final = "anonymous"
"""The actor of an attempt to sign in that was refused."""
# The last one stands in entries that were recorded over HTTP before there were accounts.
_RESERVED: Final = frozenset({COMMAND_LINE, SERVER, ANONYMOUS, "unidentified"})
_LETTER: Final = "A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
_NAME: Final = re.compile(f"[{_LETTER}](?:[{_LETTER}._-]{{0,{LONGEST_NAME - 2}}}[{_LETTER}])?")
_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "i": "l"})


def composed(name: str) -> str | None:
    """Return the name as it is kept, or None for what cannot be a name."""
    found = unicodedata.normalize("NFC", name) if len(name) <= 2 * LONGEST_NAME else ""
    # What this Unicode does not know yet is not printable.
    return found if _NAME.fullmatch(found) and found.isprintable() else None


def checked_name(name: str) -> str:
    """Return the name as it is kept; raises Rejection `account-name-form` or `account-name-reserved`."""
    found = composed(name)
    if found is None:
        raise rejected(
            "account-name-form",
            "name",
            f"found {name[:LONGEST_NAME]!r}, expected 1 to {LONGEST_NAME} Latin letters, Chinese characters, "
            "digits and . _ - that begins and ends with none of these three",
        )
    if likeness(found) in {likeness(one) for one in _RESERVED}:
        raise rejected("account-name-reserved", "name", f"{found!r} names no person in the ledger; choose another")
    return found


def likeness(name: str) -> str:
    """Return what names that look alike have in common."""
    return name.casefold().translate(_ALIKE)
