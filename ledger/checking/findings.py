"""What a check finds: values, never exceptions. Pure.

A finding's texts are bounded and printable, whatever was found in a cell.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_SHOWN: Final = 200


class Finding(NamedTuple):
    """Something that is not as it must be.

    `position` is that of the event it is about, None for the ledger as a whole. `code` is stable. `what` names a cell
    (`facts.count`), a missing or surplus row (`facts.*`), or a checkpoint. Hashes are hexadecimal; None is nothing.
    """

    position: int | None
    code: str
    what: str
    expected: str | None
    found: str | None

    def __str__(self) -> str:
        place = "ledger" if self.position is None else f"position {self.position}"
        expected, found = ("nothing" if one is None else one for one in (self.expected, self.found))
        return f"{place}: {self.what}: expected {expected}, found {found} [{self.code}]"


def finding(position: int | None, code: str, what: str, expected: object, found: object) -> Finding:
    """Return the finding with both values as texts."""
    return Finding(position, code, what, shown(expected), shown(found))


def shown(value: object) -> str | None:
    """Return the value as a printable text of bounded length, None for None; bytes in hexadecimal."""
    if value is None:
        return None
    text = value[: _SHOWN // 2 + 1].hex() if isinstance(value, bytes) else str(value)
    if len(text) > _SHOWN:
        length = len(value) if isinstance(value, bytes | str) else len(text)
        text = f"{text[:_SHOWN]}… ({length} {'bytes' if isinstance(value, bytes) else 'characters'})"
    return text if text.isprintable() else repr(text)[1:-1]


def in_order(found: list[Finding]) -> list[Finding]:
    """Return the findings by position; those of the ledger as a whole come first."""
    return sorted(found, key=lambda one: (one.position is not None, one.position or 0, one.code, one.what))
