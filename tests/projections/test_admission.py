"""What the ledger refuses because no sheet could be worked out with it."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.commands import Amend
from ledger.events import Changes
from ledger.rejection import Rejection
from tests.projections.conftest import County

REQUEST = {"request": "R1"}
LONG_AGO = date(1999, 1, 4)
UNKNOWN = ("calendar-unknown-year", "occurred_on")


def test_a_request_of_a_year_without_a_holiday_notice_is_not_recorded(county: County) -> None:
    with pytest.raises(Rejection) as rejection:
        county.observe(kind="request_received", day=LONG_AGO, attributes=REQUEST)
    assert UNKNOWN in [(one.code, one.where) for one in rejection.value.refusals]
    assert county.total() == "100"


def test_nor_is_one_amended_to_such_a_day(county: County) -> None:
    observation = county.observe(kind="request_received", day=date(2020, 12, 14), attributes=REQUEST)
    wish = Amend(changes=Changes(occurred_on=LONG_AGO), reason="日期记错")
    with pytest.raises(Rejection) as rejection:
        county.ledger.amend(county.attempt(), observation, wish)
    assert UNKNOWN in [(one.code, one.where) for one in rejection.value.refusals]
    assert county.total() == "97"
