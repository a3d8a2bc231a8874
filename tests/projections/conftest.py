"""A county's ledger on each database, with a clock that tests set."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine

from ledger.application import LedgerApplication
from ledger.commands import Attempt, Observe
from ledger.events import Evidence
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.scheme_files import source

CODE = "360982"
EVIDENCE = (Evidence(title="通报", document="樟府办字〔2021〕8号"),)
CIRCULAR = {"level": "municipal", "subject": "new_media", "period": "monthly"}


@dataclass
class County:
    """Zhangshu's ledger with its year 2021 open; every command is a minute later than the one before."""

    jurisdictions: Jurisdictions
    now: datetime = datetime(2021, 1, 4, 1, 0, tzinfo=UTC)
    keys: Iterator[int] = field(default_factory=count)

    @property
    def ledger(self) -> LedgerApplication:
        return self.jurisdictions.ledger(CODE)

    def attempt(self, key: str | None = None) -> Attempt:
        self.now += timedelta(minutes=1)
        return Attempt("经济信息中心", self.now, key or f"key-{next(self.keys)}")

    def observe(self, unit: str = "福城街道", kind: str = "circular", day: date = date(2021, 3, 1), **more: Any) -> Any:
        attributes = more.pop("attributes", CIRCULAR)
        wish = Observe(unit=unit, kind=kind, occurred_on=day, attributes=attributes, evidence=EVIDENCE, **more)
        [receipt] = self.ledger.observe(self.attempt(), 2021, [wish])
        return receipt.event.originator_id

    def total(self, unit: str = "福城街道", **asked: Any) -> str:
        view = self.jurisdictions.view(CODE, 2021, **asked)
        return format(view.sheets()[view.unit(unit).key].total.normalize(), "f")


@pytest.fixture
def county(engine: Engine) -> Iterator[County]:
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    county = County(jurisdictions)
    scheme, version = scheme_version(source("zhangshu-2021"), "zhangshu-2021")
    county.ledger.open_year(county.attempt(), 2021, version, scheme_units(scheme))
    yield county
    jurisdictions.close()
