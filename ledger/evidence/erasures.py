"""Which files events say were erased by law, and which of them are still there.

Rules kept here: the event comes first, and the bytes follow; a process that dies between the two is made up for at the
next start (`EvidenceVault.finish_erasures`). Who may order an erasure, and who has to agree, is left to others.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Engine, select

from ledger.canonical import read_json
from ledger.events import EvidenceErased
from ledger.tables import events, evidence_files


def erased_commitments(engine: Engine, code: str) -> frozenset[str]:
    """Return the commitments that the ledger's events say are to files that were erased."""
    query = select(events.c.state).where(events.c.ledger == code, events.c.topic == EvidenceErased.wire)
    with engine.connect() as connection:
        states = connection.scalars(query).all()
    return frozenset(cast("dict[str, Any]", read_json(state))["data"]["commitment"] for state in states)


def unfinished_erasures(engine: Engine, code: str) -> list[str]:
    """Return the commitments of files that events say were erased and that are still there, sorted."""
    query = select(evidence_files.c.commitment).where(
        evidence_files.c.ledger == code, evidence_files.c.erased_at.is_(None)
    )
    with engine.connect() as connection:
        there = {commitment.hex() for commitment in connection.scalars(query)}
    # Events are many and have no index by topic: they are only looked through where there is something to erase.
    return sorted(there & erased_commitments(engine, code)) if there else []
