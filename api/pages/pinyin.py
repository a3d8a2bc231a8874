"""Finding Chinese names by what is quickly typed: their characters, the initials of their pinyin, or pinyin itself.

A character is read as it is within the name, and as it mostly is by itself: 重庆 is found by c and by z. Rare readings
are left out, for they would find too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pypinyin import Style, lazy_pinyin

_KNOWN_NAMES: Final = 5_000


def initials(name: str) -> str:
    """Return the first letters of the name's pinyin in lower case; letters and digits stand for themselves."""
    return "".join(one for part in lazy_pinyin(name, style=Style.FIRST_LETTER) for one in part if one.isalnum()).lower()


@lru_cache(_KNOWN_NAMES)
def readings(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the readings of each character in lower case without tones: within the name, then by itself.

    Letters and digits read as themselves; punctuation and blanks are left out.
    """
    within = iter(lazy_pinyin(name, errors="ignore"))
    found = []
    for character in _characters(name):
        by_itself = lazy_pinyin(character, errors="ignore")
        found.append(tuple(dict.fromkeys((next(within), *by_itself))) if by_itself else (character.lower(),))
    return tuple(found)


def matches(name: str, typed: str) -> bool:
    """Whether the name holds what was typed: characters, initials or pinyin, mixed as well; nothing typed fits all."""
    wanted = "".join(one for one in typed.lower() if one.isalnum())
    if not wanted or typed.strip().lower() in name.lower():
        return True
    read = [(character.lower(), own) for character, own in zip(_characters(name), readings(name), strict=True)]
    return any(_continues(read[at:], wanted) for at in range(len(read)))


def _characters(name: str) -> list[str]:
    return [one for one in name if one.isalnum()]


def _continues(read: Sequence[tuple[str, Sequence[str]]], wanted: str) -> bool:
    """Whether what is wanted is a beginning of these characters, each told by itself, its initial or its pinyin."""
    if not wanted:
        return True
    if not read:
        return False
    character, own = read[0]
    told = {character, *own, *(reading[0] for reading in own)}
    return any(reading.startswith(wanted) for reading in own) or any(
        wanted.startswith(one) and _continues(read[1:], wanted[len(one) :]) for one in told
    )
