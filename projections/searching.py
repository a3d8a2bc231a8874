"""Full-text search without an index: what is found contains every word, and nothing that contains them all is missed.

Text and words are compared as people mean them: full and half width, capitals and compatibility characters are one
(Unicode NFKC and case folding). A word is found wherever it stands, also within another, because Chinese is written
without spaces; several words are all asked for, in any order. Pure; which texts an entry is searched by, and who may
see it, is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import is_normalized, normalize


def folded(text: str) -> str:
    """Return the text as it is compared; folding it again changes nothing."""
    # Folding capitals may leave characters that are not in this form any more (Unicode section 3.13, NFKC_Casefold).
    return _composed(_composed(text).casefold())


def _composed(text: str) -> str:
    return text if is_normalized("NFKC", text) else normalize("NFKC", text)


def words_of(asked: str) -> tuple[str, ...]:
    """Return the words that are asked for, each once."""
    return tuple(dict.fromkeys(folded(asked).split()))


def searched_text(texts: Iterable[str]) -> str:
    """Return what `contains` looks through: each text on lines of its own, so that no word is found across two."""
    return folded("\n".join(texts))


def contains(text: str, words: Sequence[str]) -> bool:
    """Whether every word is in the text, both as they are compared."""
    return all(word in text for word in words)
