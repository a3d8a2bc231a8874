"""The ledger's refusal of a command, before anything is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Refusal(NamedTuple):
    """One reason: a stable `code`, the field or thing it is about, and what was found, expected, to be done."""

    code: str
    where: str
    message: str


class Rejection(ValueError):
    """A command that cannot be recorded, with every reason found."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(f"{one.where}: {one.message} [{one.code}]" for one in refusals))
        self.refusals = refusals

    def within(self, place: str) -> Sequence[Refusal]:
        """Return the reasons with each place inside another (`observations[3].unit`)."""
        return [Refusal(one.code, f"{place}.{one.where}" if one.where else place, one.message) for one in self.refusals]


def rejected(code: str, where: str, message: str) -> Rejection:
    """Return the rejection for a single reason, ready to raise."""
    return Rejection(Refusal(code, where, message))
