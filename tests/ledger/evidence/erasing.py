"""Erasures as the ledger records them."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Engine

from ledger.event_bytes import EventMapper
from ledger.events import EvidenceErased
from ledger.recorder import LedgerRecorder
from tests.ledger.evidence.files import NOW
from tests.ledger.store import ZHANGSHU


def record_erasure(engine: Engine, commitment: str) -> None:
    """Record that a file was erased, as an approval does."""
    erased = EvidenceErased(
        originator_id=uuid4(),
        originator_version=1,
        recorded_at=NOW,
        actor="office",
        nonce="00" * 16,
        commitment=commitment,
        ground="个人信息保护法第四十七条",
    )
    recorder = LedgerRecorder(engine, ZHANGSHU)
    recorder.insert_events([EventMapper(ZHANGSHU).to_stored_event(erased)], recorded_at=NOW)
    recorder.close()
