"""What a decision may order: about what is in dispute once the year is closed, and never without effect; on both."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest

from ledger.commands import OrderAmend, OrderJudge, OrderVoid
from ledger.events import Changes
from ledger.rejection import Rejection
from projections.proceedings.deciding import decide_appeal
from tests.projections.conftest import CODE, County
from tests.projections.proceedings import (
    YEAR,
    accepted,
    claimed,
    closed,
    decided,
    decision,
    filed,
    found,
    granted,
    refused,
    size,
)

GUIDE = {"item": "disclosure_guide"}
JUDGED = {"indicator": "1.2", "value": "1"}
DAY = date(2021, 12, 20)


def _decide(county: County, appeal: UUID, *orders: OrderVoid | OrderAmend | OrderJudge) -> None:
    decide_appeal(county.jurisdictions, CODE, YEAR, county.attempt(), appeal, decision(*orders))


def test_a_closed_year_is_changed_only_in_what_the_appeal_disputes(county: County) -> None:
    omission = county.observe(kind="omission", attributes=GUIDE)
    named, other = county.observe(), county.observe(day=date(2021, 4, 1))
    closed(county)
    appeal = accepted(county, filed(county, named, indicators=["1.1"]))
    for order in (OrderVoid(void=other), OrderAmend(amend=other, changes=Changes(count=2))):
        with refused(county, "order-not-in-dispute"):
            decided(county, appeal, order)
    judge = OrderJudge(judge="1.2", value="5", occurred_on=DAY)
    with pytest.raises(Rejection) as rejection:
        decided(county, appeal, OrderVoid(void=named), judge)
    assert [(one.code, one.where) for one in rejection.value.refusals] == [("order-not-in-dispute", "orders[1]")]
    # Named itself, and looked at by the row that is named.
    decided(county, appeal, OrderVoid(void=named), OrderVoid(void=omission))
    assert county.total() == "94"


def test_an_open_year_may_be_put_right_in_whatever_is_the_appellants(county: County) -> None:
    named, other = county.observe(), county.observe(day=date(2021, 4, 1))
    appeal = accepted(county, filed(county, named))
    decided(county, appeal, OrderVoid(void=other), OrderJudge(judge="1.2", value="4", occurred_on=DAY))
    assert county.total() == "93"


def test_a_judgement_in_dispute_may_be_made_anew_in_a_closed_year(county: County) -> None:
    judgement = county.observe(kind="judgement", attributes=JUDGED)
    closed(county)
    appeal = accepted(county, filed(county, judgement))
    with refused(county, "order-not-in-dispute"):
        decided(county, appeal, OrderJudge(judge="1.3", value="1", occurred_on=DAY))
    decided(county, appeal, OrderJudge(judge="1.2", value="4", occurred_on=DAY))
    assert county.total() == "99"


def test_what_a_late_reply_is_derived_from_is_in_dispute_with_its_row(county: County) -> None:
    received = county.observe(kind="request_received", attributes={"request": "1号"})
    answered = county.observe(kind="request_answered", day=date(2021, 11, 1), attributes={"request": "1号"})
    closed(county)
    # Row 1.11 holds 3 points, and a late reply forfeits it.
    assert county.total() == "97"
    elsewhere = accepted(county, filed(county, indicators=["1.1"]))
    with refused(county, "order-not-in-dispute"):
        decided(county, elsewhere, OrderVoid(void=received))
    appeal = accepted(county, filed(county, indicators=["1.11"]))
    decided(county, appeal, OrderAmend(amend=answered, changes=Changes(occurred_on=date(2021, 3, 2))))
    assert county.total() == "100"


def test_a_judgement_that_a_later_one_supersedes_is_not_ordered(county: County) -> None:
    standing = county.observe(kind="judgement", day=DAY, attributes=JUDGED)
    appeal = accepted(county, filed(county, standing))
    early = OrderJudge(judge="1.2", value="5", occurred_on=date(2021, 12, 1))
    with pytest.raises(Rejection, match="expected 2021-12-20 or later") as rejection:
        _decide(county, appeal, early)
    assert [(one.code, one.where) for one in rejection.value.refusals] == [
        ("judgement-superseded", "orders[0].occurred_on")
    ]
    later = OrderAmend(amend=standing, changes=Changes(occurred_on=date(2021, 12, 21)))
    with refused(county, "judgement-superseded"):
        _decide(county, appeal, later, early)
    assert found(county, appeal).state.status == "accepted"
    _decide(county, appeal, OrderVoid(void=standing), early)
    assert county.total() == "100"


def test_on_the_same_day_the_ordered_judgement_is_the_later_one(county: County) -> None:
    standing = county.observe(kind="judgement", day=DAY, attributes=JUDGED)
    appeal = accepted(county, filed(county, standing))
    _decide(county, appeal, OrderJudge(judge="1.2", value="5", occurred_on=DAY))
    assert county.total() == "100"


def test_a_row_that_a_granted_claim_took_out_is_not_judged(county: County) -> None:
    appeal = accepted(county, filed(county, indicators=["1.2"]))
    granted(county, accepted(county, claimed(county, "1.2"), "claim"))
    with refused(county, "indicator-not-applicable"):
        _decide(county, appeal, OrderJudge(judge="1.2", value="5", occurred_on=DAY))
    _decide(county, appeal, OrderVoid(void=county.observe()))


def test_a_decision_sent_again_is_answered_as_before_although_it_would_have_no_effect_now(county: County) -> None:
    appeal = accepted(county, filed(county, indicators=["1.2"]))
    attempt = county.attempt("once")
    wish = decision(OrderJudge(judge="1.2", value="4", occurred_on=date(2021, 12, 1)))
    first = decide_appeal(county.jurisdictions, CODE, YEAR, attempt, appeal, wish)
    county.observe(kind="judgement", day=DAY, attributes=JUDGED)
    assert decide_appeal(county.jurisdictions, CODE, YEAR, attempt, appeal, wish) == first
    other = accepted(county, filed(county, indicators=["1.2"]))
    before = size(county)
    with pytest.raises(Rejection) as rejection:
        decide_appeal(county.jurisdictions, CODE, YEAR, attempt, other, wish)
    assert [one.code for one in rejection.value.refusals] == ["idempotency-key-reused"]
    assert size(county) == before


def test_an_unknown_observation_is_told_at_its_order(county: County) -> None:
    own = county.observe()
    appeal = accepted(county, filed(county, own))
    judge = OrderJudge(judge="1.2", value="4", occurred_on=DAY)
    with pytest.raises(Rejection) as rejection:
        decided(county, appeal, judge, OrderVoid(void=uuid4()), OrderVoid(void=own), OrderVoid(void=uuid4()))
    assert [(one.code, one.where) for one in rejection.value.refusals] == [
        ("unknown-observation", "orders[1]"),
        ("unknown-observation", "orders[3]"),
    ]
