"""Figures for Prometheus: requests, durations, appended events, sizes of ledgers. Nothing about units or scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ledger.commands import Receipt
from projections.jurisdictions import Jurisdictions


class Metrics:
    """The figures of one server, in a registry of its own."""

    def __init__(self, jurisdictions: Jurisdictions) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "mingzhang_http_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "mingzhang_http_request_seconds",
            "Time to the last byte, without streams.",
            ["method", "route"],
            registry=self._registry,
        )
        self._appended = Counter(
            "mingzhang_appended_events", "Events appended by this server.", ["ledger"], registry=self._registry
        )
        self._registry.register(_LedgerSizes(jurisdictions))

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count a request that was answered; `route` is the path's template, `seconds` None for a stream.

        How long a stream was open says nothing of how fast the server is.
        """
        self._requests.labels(method, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(method, route).observe(seconds)

    def appended(self, ledger: str, asked_at: datetime, receipts: Sequence[Receipt]) -> None:
        """Count what a command appended; an answer given again was recorded before it was asked for."""
        self._appended.labels(ledger).inc(sum(receipt.event.recorded_at >= asked_at for receipt in receipts))

    def exposition(self) -> bytes:
        """Return all figures in the text format that Prometheus reads."""
        return generate_latest(self._registry)


class _LedgerSizes(Collector):
    def __init__(self, jurisdictions: Jurisdictions) -> None:
        self._jurisdictions = jurisdictions

    def collect(self) -> Iterator[Metric]:
        sizes = GaugeMetricFamily("mingzhang_ledger_events", "Events in the ledger.", labels=["ledger"])
        for code, size in self._jurisdictions.sizes().items():
            sizes.add_metric([code], size)
        yield sizes

    def describe(self) -> Iterator[Metric]:
        """Name the metric without asking the database."""
        yield GaugeMetricFamily("mingzhang_ledger_events", "Events in the ledger.", labels=["ledger"])
