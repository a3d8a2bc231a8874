"""The two kinds of bearer secrets: a session's token, and an API token `mz_<prefix>_<secret>`. Pure.

Both hold 256 random bits, so a plain SHA-256 is all that is kept of them. The prefix of an API token may be shown and
logged; it says which token it is, and the hash is of the whole token, prefix and secret together.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Final, NamedTuple

from pydantic import Field, model_validator

from api.access.permissions import Permission
from api.access.principals import Grant
from ledger.events import Text, Value

RandomBytes = Callable[[int], bytes]

_SECRET_BYTES: Final = 32
_PREFIX_LENGTH: Final = 12
_SYMBOLS: Final = "23456789abcdefghijkmnpqrstuvwxyz"
_SECRET: Final = r"[A-Za-z0-9_-]{43}"  # noqa: S105  # a form, no secret
_SESSION: Final = re.compile(_SECRET)
_PREFIX: Final = re.compile(f"[a-z2-9]{{{_PREFIX_LENGTH}}}")
_API_TOKEN: Final = re.compile(f"mz_({_PREFIX.pattern})_{_SECRET}")


class TokenWish(Value):
    """An API token to be made: what it is for, how long it is good, and what bounds it.

    `scopes` are the permissions that it may use, all of its account's if there are none stated; `jurisdiction` and
    `unit` leave it only the grants for them. A bound never adds anything to what the account may do.
    """

    name: Annotated[Text, Field(max_length=100)]
    days: Annotated[int, Field(ge=1, le=366, strict=True)]
    scopes: Annotated[tuple[Permission, ...], Field(min_length=1, max_length=50)] | None = None
    jurisdiction: Text | None = None
    unit: Text | None = None

    @model_validator(mode="after")
    def _unit_somewhere(self) -> TokenWish:
        if self.unit is not None and self.jurisdiction is None:
            raise ValueError("a unit only together with its jurisdiction")
        return self


class ApiToken(NamedTuple):
    """A token as its bearer gets it, and the part of it that may be shown."""

    text: str
    prefix: str


def new_session_token(random_bytes: RandomBytes) -> str:
    """Return a token of 256 random bits, in 43 characters."""
    return urlsafe_b64encode(random_bytes(_SECRET_BYTES)).decode().rstrip("=")


def new_api_token(random_bytes: RandomBytes) -> ApiToken:
    """Return a token with a random prefix (60 bits) and 256 random bits."""
    prefix = random_symbols(random_bytes, _PREFIX_LENGTH)
    return ApiToken(f"mz_{prefix}_{new_session_token(random_bytes)}", prefix)


def narrowed(grants: tuple[Grant, ...], jurisdiction: str | None, unit: str | None) -> tuple[Grant, ...]:
    """Return the grants that a token restricted to the jurisdiction, and to the unit, leaves of its account's."""
    return tuple(
        one
        for one in grants
        if (jurisdiction is None or one.jurisdiction == jurisdiction) and (unit is None or one.unit == unit)
    )


def random_symbols(random_bytes: RandomBytes, length: int) -> str:
    """Return so many of 32 lower-case letters and digits, none of which looks like another: 5 random bits each."""
    return "".join(_SYMBOLS[byte % len(_SYMBOLS)] for byte in random_bytes(length))


def is_session_token(token: str) -> bool:
    """Return whether the text has the form of a session's token."""
    return _SESSION.fullmatch(token) is not None


def is_prefix(text: str) -> bool:
    """Return whether the text has the form of an API token's prefix."""
    return _PREFIX.fullmatch(text) is not None


def prefix_of(token: str) -> str | None:
    """Return the prefix of a text that has the form of an API token, else None."""
    found = _API_TOKEN.fullmatch(token)
    return found[1] if found else None


def digest(token: str) -> bytes:
    """Return the SHA-256 under which a token is kept."""
    return sha256(token.encode()).digest()
