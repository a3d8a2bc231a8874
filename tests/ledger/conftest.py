"""Recorders on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from ledger.recorder import Derive, LedgerRecorder
from tests.ledger.store import ZHANGSHU, Open


@pytest.fixture
def open_ledger(engine: Engine) -> Iterator[Open]:
    opened: list[LedgerRecorder] = []

    def open_one(code: str = ZHANGSHU, derive: Derive | None = None) -> LedgerRecorder:
        opened.append(LedgerRecorder(engine, code, derive))
        return opened[-1]

    yield open_one
    for recorder in opened:
        recorder.close()


@pytest.fixture
def recorder(open_ledger: Open) -> LedgerRecorder:
    return open_ledger()
