"""What the ledger holds, against what was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, select, text

from ledger.checking.checking import check_ledger
from ledger.database import open_engine
from ledger.merkle import leaf_hash
from ledger.tables import events
from tests.faults.appending import Answer
from tests.faults.experiments import CODE

_OBSERVED = "observation.observed/1"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a ledger stands to a journal.

    `lost` were acknowledged, and are not at their position with the bytes that they were acknowledged with; `surplus`
    are in the ledger and were acknowledged to nobody, although every client asked until it had its answer;
    `differences` are what fsck finds in the ledger itself. `refusals` counts the other answers by their codes.
    """

    acknowledged: int
    lost: int
    surplus: int
    differences: int
    refusals: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of_nothing(cls) -> Verdict:
        """Return what others are added to."""
        return cls(0, 0, 0, 0)

    @property
    def whole(self) -> bool:
        """Whether every promise was kept, and there were any."""
        return self.acknowledged > 0 and not (self.lost or self.surplus or self.differences)

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.acknowledged + other.acknowledged,
            self.lost + other.lost,
            self.surplus + other.surplus,
            self.differences + other.differences,
            self.refusals + other.refusals,
        )

    def __str__(self) -> str:
        parts = [f"acknowledged {self.acknowledged:,}", f"lost {self.lost}"]
        parts += [f"surplus {self.surplus}"] if self.surplus else []
        parts += [f"differences {self.differences}"] if self.differences else []
        parts += [f"{code} {number}" for code, number in sorted(self.refusals.items())]
        return ", ".join(parts)


def verdict(url: str, journal: Sequence[Answer]) -> Verdict:
    """Hold the ledger against all that was answered; every key in the journal was asked to its end."""
    engine = open_engine(url)
    try:
        kept = observed(engine)
        told = {answer.position: answer for answer in journal if answer.position is not None}
        acknowledged = [answer for answer in journal if answer.position is not None]
        return Verdict(
            acknowledged=len(acknowledged),
            lost=sum(kept.get(answer.position or 0) != answer.leaf_hash for answer in acknowledged),
            surplus=len(kept.keys() - told.keys()),
            differences=differences(engine),
            refusals=Counter(answer.code for answer in journal if answer.code),
        )
    finally:
        engine.dispose()


def observed(engine: Engine) -> dict[int, str]:
    """Return the leaf hash of each observation's bytes by its position, worked out anew."""
    query = select(events.c.position, events.c.state).where(events.c.ledger == CODE, events.c.topic == _OBSERVED)
    with engine.connect() as connection:
        return {position: leaf_hash(state).hex() for position, state in connection.execute(query)}


def differences(engine: Engine) -> int:
    """Return how much fsck finds: positions, hashes, tree, keys, facts; of SQLite also its own check of the file."""
    damaged = 0
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            damaged = sum(1 for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok")
    return damaged + len(check_ledger(engine, CODE, lambda *_: None).findings)
