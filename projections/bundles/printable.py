"""Words of a bundle in the sentences of its check: nothing that an office wrote looks like the check's own words. Pure.

Who checks reads a terminal or a page: a title with a line break in it, with characters that move the cursor or turn
the direction of writing, or with spaces up to the next line, could otherwise state any verdict.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST_SENTENCE: Final = 1_000
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SPACES: Final = re.compile(r"\s{2,}")


def printable(text: str) -> str:
    r"""Return the text on one line: what cannot be seen as its code, spaces once, and no more than a sentence's length.

    Control and format characters, lone surrogates and line separators come as `\u001b`.
    """
    shown = text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}…"
    if not shown.isprintable():
        shown = "".join(f"\\u{ord(one):04x}" if unicodedata.category(one) in _HIDDEN else one for one in shown)
    return _SPACES.sub(" ", shown)
