"""What is to be put right: what cost points by the history, once for each fact, until it is recorded as rectified."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ledger.commands import Rectify
from projections.rectifications import points_lost, source_of, unrectified
from schemes.exact import ZERO, plain
from tests.projections.conftest import County
from tests.projections.proceedings import UNIT

PENALTY = {"section": "penalty", "points": "2", "authority": "市政府办"}


def found(county: County, day: date | None = None) -> list[tuple[str | None, str]]:
    """Return where each finding is read, and what it took from the rows."""
    seen = county.jurisdictions.view("360982", 2021, day)
    findings = unrectified(seen, seen.unit(UNIT))
    return [(source_of(seen, one.fact), plain(sum(map(points_lost, one.lines), ZERO))) for one in findings]


def test_a_fact_is_one_finding_until_the_day_it_is_rectified(county: County) -> None:
    first, second = county.observe(), county.observe(day=date(2021, 4, 1))
    county.ledger.rectify(county.attempt(), second, Rectify(on=date(2021, 4, 20)))

    assert [name for name, _ in found(county, date(2021, 3, 31))] == [str(first)]
    assert [name for name, _ in found(county, date(2021, 4, 19))] == [str(first), str(second)]
    assert [name for name, _ in found(county)] == [str(first)]
    assert all(points == "6" for _, points in found(county, date(2021, 4, 19)))


def test_what_the_office_decided_on_its_own_is_a_finding_and_what_it_gave_is_none(county: County) -> None:
    taken = county.observe(kind="discretion", attributes=PENALTY)
    county.observe(kind="discretion", attributes=PENALTY | {"section": "bonus"})
    county.observe(kind="judgement", attributes={"indicator": "1.2", "value": "0"})

    assert found(county) == [(str(taken), "2")]


def test_a_late_reply_that_was_derived_is_a_finding_that_is_read_where_its_request_is(county: County) -> None:
    request = county.observe(kind="request_received", day=date(2021, 3, 1), attributes={"request": "1号"})

    [(source, points)] = found(county)
    assert source == str(request)
    assert Decimal(points) > 0


def test_a_fact_that_took_nothing_from_a_row_with_nothing_left_is_no_finding(county: County) -> None:
    many = [county.observe() for _ in range(40)]

    told = found(county)
    assert 0 < len(told) < len(many)
    assert sum(Decimal(points) for _, points in told) >= 100 - Decimal(county.total())
