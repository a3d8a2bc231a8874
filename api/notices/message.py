"""What leaves the product of a notice: its brief sentence, the unit, where it is shown, and an id. Nothing else."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

from projections.notices import Notice

_DIGITS: Final = 12


class DeliveryFailed(Exception):
    """A notice could not be handed over; the text says why, without secrets. It is tried again later."""


class Message(NamedTuple):
    """A notice to one unit; `event` is its stable id, in ASCII, and `path` begins with a slash."""

    event: str
    unit: str
    sentence: str
    path: str


def message_of(notice: Notice, year_path: str, unit: str, key: str) -> Message:
    """Return what a unit is told, as it is sent; `key` is its first name in the year.

    Several units may be told of one entry: the id of each is its own.
    """
    digest = sha256(key.encode()).hexdigest()[:_DIGITS]
    path = year_path if notice.path is None else f"{year_path}/{notice.path}"
    return Message(f"{notice.id}/{digest}", unit, notice.brief, path)
