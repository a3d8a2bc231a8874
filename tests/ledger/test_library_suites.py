"""The event sourcing library's own recorder suites, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from unittest import TestCase, defaultTestLoader

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.tests import persistence as suites
from sqlalchemy import Engine

from ledger.recorder import LedgerRecorder


class PositionlessRecorder(LedgerRecorder):
    """A recorder as the aggregate suite wants it: one that does not tell positions."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class ApplicationSuite(suites.ApplicationRecorderTestCase[LedgerRecorder]):
    __test__ = False
    engine: Engine

    def create_recorder(self) -> LedgerRecorder:
        recorder = LedgerRecorder(self.engine, "360982")
        self.addCleanup(recorder.close)
        return recorder

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class AggregateSuite(suites.AggregateRecorderTestCase):
    __test__ = False
    engine: Engine

    def create_recorder(self) -> PositionlessRecorder:
        recorder = PositionlessRecorder(self.engine, "360982")
        self.addCleanup(recorder.close)
        return recorder


class OrderSuite(suites.NonInterleavingNotificationIDsBaseCase):
    __test__ = False
    engine: Engine

    def create_recorder(self) -> LedgerRecorder:
        recorder = LedgerRecorder(self.engine, "360982")
        self.addCleanup(recorder.close)
        return recorder


SUITES = (ApplicationSuite, AggregateSuite, OrderSuite)


@pytest.mark.parametrize(
    ("suite", "test"),
    [(suite, test) for suite in SUITES for test in defaultTestLoader.getTestCaseNames(suite)],
)
def test_the_library_suite_holds(engine: Engine, suite: type[TestCase], test: str) -> None:
    case = suite(test)
    vars(case)["engine"] = engine
    before = set(threading.enumerate())
    case.debug()
    # The suite leaves its readers to end by themselves; they hold connections until then.
    for thread in set(threading.enumerate()) - before:
        thread.join()
