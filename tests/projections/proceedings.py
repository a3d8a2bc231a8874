"""What the tests of appeals, claims and closings share: steps told briefly, and a county's state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.commands import Accept, DecideAppeal, DecideClaim, FileAppeal, FileClaim, Order
from ledger.proceedings import Kind
from ledger.rejection import Rejection
from projections.cases import sheet_as_json
from projections.proceedings.closings import close_year
from projections.proceedings.proceedings import Proceeding, proceeding_of
from projections.years import YearView
from tests.projections.conftest import CODE, County

UNIT, OTHER = "福城街道", "大桥街道"
YEAR = 2021


def view(county: County, position: int | None = None) -> YearView:
    return county.jurisdictions.view(CODE, YEAR, position=position)


def size(county: County) -> int:
    return county.ledger.ledger_recorder.head().size


def sheets(found: YearView) -> dict[str, dict[str, Any]]:
    return {unit: sheet_as_json(sheet) for unit, sheet in found.sheets().items()}


def on_day(county: County, day: str) -> None:
    """Set the clock to nine in the morning, in China, of that day."""
    county.now = datetime.fromisoformat(f"{day}T01:00:00+00:00").astimezone(UTC) - timedelta(minutes=1)


def filed(county: County, *observations: UUID, unit: str = UNIT, indicators: Sequence[str] = ()) -> UUID:
    wish = FileAppeal(unit=unit, observations=observations, indicators=tuple(indicators), grounds="已按时公开")
    [receipt] = county.ledger.file_appeal(county.attempt(), YEAR, wish)
    return receipt.event.originator_id


def claimed(county: County, indicator: str = "1.11", unit: str = UNIT) -> UUID:
    wish = FileClaim(unit=unit, indicator=indicator, grounds="全年无此项业务")
    [receipt] = county.ledger.file_claim(county.attempt(), YEAR, wish)
    return receipt.event.originator_id


def accepted(county: County, identifier: UUID, kind: Kind = "appeal") -> UUID:
    county.ledger.step(county.attempt(), YEAR, kind, identifier, Accept())
    return identifier


def decided(county: County, appeal: UUID, *orders: Order, outcome: str = "upheld") -> None:
    county.ledger.decide_appeal(county.attempt(), YEAR, appeal, decision(*orders, outcome=outcome))


def decision(*orders: Order, outcome: str = "upheld") -> DecideAppeal:
    return DecideAppeal.model_validate({"outcome": outcome, "reasons": "经复核，申诉成立", "orders": orders})


def granted(county: County, claim: UUID, is_granted: bool = True) -> None:
    wish = DecideClaim(granted=is_granted, reasons="登记簿为空")
    county.ledger.decide_claim(county.attempt(), YEAR, claim, wish)


def closed(county: County, reason: str = "考核结束") -> None:
    close_year(county.jurisdictions, CODE, YEAR, county.attempt(), reason)


def found(county: County, identifier: UUID, kind: Kind = "appeal") -> Proceeding:
    return proceeding_of(view(county), kind, identifier)


@contextmanager
def refused(county: County, *codes: str) -> Iterator[None]:
    """Expect these codes, in their order, and nothing recorded."""
    before = size(county)
    with pytest.raises(Rejection) as rejection:
        yield
    assert [one.code for one in rejection.value.refusals] == list(codes)
    assert size(county) == before


Command = Callable[[], object]
