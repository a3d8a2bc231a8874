"""The State Council's calendar and the terms of the two regulations, at known dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from schemes.fact import Fact
from schemes.late_replies import derived_late_replies
from schemes.problem import InvalidInput
from schemes.working_days import due_day, is_working_day, reply_term

FAR = date(2030, 1, 1)


@pytest.mark.parametrize(
    ("received", "term", "due"),
    [
        (date(2021, 9, 13), 20, date(2021, 10, 15)),
        (date(2023, 9, 11), 20, date(2023, 10, 13)),
        (date(2023, 9, 8), 20, date(2023, 10, 12)),
        (date(2021, 2, 8), 1, date(2021, 2, 9)),
        (date(2021, 2, 10), 1, date(2021, 2, 18)),
    ],
)
def test_terms_end_on_known_days(received: date, term: int, due: date) -> None:
    assert due_day(received, term, FAR) == due


def test_make_up_saturdays_and_sundays_count() -> None:
    assert is_working_day(date(2021, 2, 20))
    assert is_working_day(date(2023, 10, 8))
    assert not is_working_day(date(2021, 10, 1))


@pytest.mark.parametrize(("received", "days"), [(date(2019, 5, 14), 15), (date(2019, 5, 15), 20)])
def test_the_regulation_of_the_day_of_receipt_gives_the_term(received: date, days: int) -> None:
    assert reply_term(received) == days


def test_a_year_without_a_notice_is_an_error_but_only_when_it_is_reached() -> None:
    with pytest.raises(InvalidInput) as refused:
        is_working_day(date(2031, 3, 3))
    assert refused.value.problems[0].code == "calendar-unknown-year"
    assert due_day(date(2026, 12, 21), 20, date(2026, 12, 31)) is None


def _request(kind: str, day: date, position: int) -> Fact:
    return Fact(f"o{position}", position, "教育局", kind, day, 1, {"request": "R1"})


@pytest.mark.parametrize(
    ("later", "late_on"),
    [
        ([], date(2023, 10, 14)),
        ([("request_answered", date(2023, 10, 13))], None),
        ([("request_answered", date(2023, 10, 14))], date(2023, 10, 14)),
        ([("request_answered", date(2023, 9, 1))], None),
        ([("request_extended", date(2023, 10, 13))], date(2023, 11, 11)),
        ([("request_extended", date(2023, 10, 14))], date(2023, 10, 14)),
        ([("late_reply", date(2022, 5, 1))], None),
        ([("request_received", date(2023, 9, 20))], date(2023, 10, 14)),
    ],
)
def test_a_request_received_on_2023_09_11(later: list[tuple[str, date]], late_on: date | None) -> None:
    facts = [_request("request_received", date(2023, 9, 11), 1)]
    facts += [_request(kind, day, at) for at, (kind, day) in enumerate(later, start=2)]
    facts.sort(key=lambda fact: fact.order)
    found = list(derived_late_replies(facts, date(2023, 12, 31)))
    assert [late.occurred_on for late in found] == ([late_on] if late_on else [])
    for late in found:
        assert list(derived_late_replies(facts, late.occurred_on - timedelta(days=1))) == []
        assert late.position == min(fact.position for fact in facts if fact.kind == "request_received")
        assert late.attributes == {"matter": "disclosure_request", "request": "R1"}
        assert "o1" in late.sources
