"""What a measurement gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """A measured figure; `peak_kibibytes` is of another process where it was that one's memory that counted."""

    figure: float
    note: str = ""
    peak_kibibytes: int | None = None


Measurement = Callable[[str], Outcome]
"""Takes the URL of a new database, which some do not need."""
