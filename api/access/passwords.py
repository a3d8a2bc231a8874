"""Passwords: Argon2id hashes (RFC 9106), which passwords are too weak to be chosen, and one-time passwords.

A password is taken in Unicode's composed form, so that two keyboards type the same one. How often somebody may be
wrong is decided in `api.access.access`.
"""

from __future__ import annotations

import re
import unicodedata
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from api.access.tokens import RandomBytes, random_symbols
from ledger.rejection import Rejection, rejected

SHORTEST: Final = 10
LONGEST: Final = 128

_AT_ONCE: Final = 4
"""How many passwords one process hashes at once: each takes 64 MiB while it lasts."""
_ROWS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
)
_COMMON: Final = frozenset(
    {"password", "passwd", "passw0rd", "p@ssword", "p@ssw0rd", "admin", "administrator", "mingzhang", "qwerty",
     "qwertyuiop", "welcome", "letmein", "iloveyou", "woaini", "abc", "test", "root", "user", "zhengwugongkai", "mima"}
)  # fmt: skip
_SHORTEST_PIECE: Final = 3


def strong_hasher() -> PasswordHasher:
    """Return a hasher with the second recommended parameters of RFC 9106 (section 4): 64 MiB, 3 passes, 4 lanes."""
    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class Passwords:
    """Makes and verifies hashes with one hasher's parameters, a few at a time."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._turn = BoundedSemaphore(_AT_ONCE)
        # Nobody knows a password of it, and to find that out takes as long as for any other hash.
        salt, digest = ("A" * -(-length * 8 // 6) for length in (hasher.salt_len, hasher.hash_len))
        costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
        self._decoy = f"$argon2id$v=19${costs}${salt}${digest}"

    def hashed(self, password: str) -> str:
        """Return the hash of a password, in Argon2's own form, with a salt of its own."""
        with self._turn:
            return self._hasher.hash(_bytes(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Return whether the password is that of the hash; no hash takes as long as a wrong password."""
        with self._turn:
            try:
                self._hasher.verify(stored or self._decoy, _bytes(password))
            except VerifyMismatchError:
                return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Return whether the hash was made with other parameters than these."""
        return self._hasher.check_needs_rehash(stored)


def check_new_password(password: str, name: str) -> None:
    """Refuse (`password-too-weak`) what is too short, too long, or among the first things anybody tries."""
    taken = unicodedata.normalize("NFC", password)
    if not SHORTEST <= len(taken) <= LONGEST:
        raise _weak(f"found {len(taken)} characters, expected {SHORTEST} to {LONGEST}")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in taken):
        raise _weak("found a control character, expected what a keyboard types")
    plain = taken.casefold()
    if len(set(plain)) == 1:
        raise _weak("found one character again and again, expected several different ones")
    if plain.replace(name.casefold(), "").strip("0123456789!@#$.-_ ") == "":
        raise _weak("found the account's name or a number, expected something that others cannot guess")
    if re.fullmatch(r"(.{2,5})\1+.{0,4}", plain):
        raise _weak("found one short piece again and again, expected something that others cannot guess")
    if _of_a_row(plain) or re.sub(r"[\W\d_]+$", "", plain) in _COMMON:
        raise _weak("found one of the passwords that everybody tries first, expected another")


def one_time_password(random_bytes: RandomBytes) -> str:
    """Return a password of 100 random bits, in four groups without letters and digits that look alike."""
    symbols = random_symbols(random_bytes, 20)
    return "-".join(symbols[at : at + 5] for at in range(0, len(symbols), 5))


def _of_a_row(plain: str) -> bool:
    """Whether the password is made of pieces of the alphabet, of the digits or of the keyboard's rows."""
    rows = [direction for row in _ROWS for direction in (row, row[::-1])]
    rest = plain
    while rest:
        piece = next((rest[:end] for end in range(len(rest), 0, -1) if any(rest[:end] in row for row in rows)), "")
        if len(piece) < _SHORTEST_PIECE:
            return False
        rest = rest[len(piece) :]
    return True


def _bytes(password: str) -> bytes:
    # What is no text (a lone surrogate) is no password that was ever taken, but it is compared like any other.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _weak(message: str) -> Rejection:
    return rejected("password-too-weak", "new", message)
