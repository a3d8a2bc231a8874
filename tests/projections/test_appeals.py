"""Appeals: filed, decided, and what a decision orders recorded with it; on both databases."""

from __future__ import annotations

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.checking.checking import check_ledger
from ledger.commands import (
    Accept,
    Attempt,
    Complete,
    DecideAppeal,
    FileAppeal,
    Observe,
    OrderAmend,
    OrderJudge,
    OrderVoid,
    Return,
    Review,
    SetTerms,
    Step,
    Void,
    Withdraw,
)
from ledger.database import migrate, open_engine
from ledger.decisions import BEFORE_THE_PERIOD
from ledger.events import AppealDecided, Changes, ObservationVoided
from ledger.proceedings import Action
from ledger.rebuilding import rebuild_facts
from ledger.rejection import Rejection
from projections.cases import sheet_as_json
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.proceedings.proceedings import ProceedingsWanted, proceeding_answer, proceedings_answer
from projections.scheme_files import source
from schemes.sheets import sheets as sheets_of
from tests.projections.conftest import CIRCULAR, CODE, EVIDENCE, County
from tests.projections.proceedings import (
    OTHER,
    UNIT,
    YEAR,
    accepted,
    decided,
    decision,
    filed,
    found,
    on_day,
    refused,
    sheets,
    size,
    view,
)
from tests.projections.test_laws import _raw as raw_attributes
from tests.schemes.strategies import SCHEMES, facts

TODAY = date(2021, 3, 5)
START = datetime(2019, 1, 2, 1, 0, tzinfo=UTC)
JUDGE = OrderJudge(judge="1.2", value="4.5", occurred_on=date(2021, 12, 20))


def _quietly(_done: int, _total: int) -> None:
    """Progress nobody watches."""


def test_an_appeal_upheld_with_a_void_is_the_year_without_that_observation(county: County) -> None:
    county.observe(OTHER)
    disputed = county.observe(day=date(2021, 3, 1), count=2)
    appeal = accepted(county, filed(county, disputed))
    before = view(county)
    without = [fact for fact in before.situation.facts if fact.id != str(disputed)]
    expected = sheets_of(replace(before.situation, facts=without))
    decided(county, appeal, OrderVoid(void=disputed))
    assert sheets(view(county)) == {unit: sheet_as_json(sheet) for unit, sheet in expected.items()}
    assert county.total() == "100"
    assert sheets(view(county, before.position)) == sheets(before)
    [receipt_of_decision] = [one for one in found(county, appeal).steps if one.event.wire == "appeal.decided/1"]
    assert county.total(known_at=receipt_of_decision.event.recorded_at - timedelta(microseconds=1)) == "88"
    assert county.total(known_at=receipt_of_decision.event.recorded_at) == "100"


def test_what_is_ordered_stands_beside_the_decision_and_names_it(county: County) -> None:
    voided, amended = county.observe(), county.observe(day=date(2021, 4, 1), count=2)
    appeal = accepted(county, filed(county, voided, amended, indicators=["1.2"]))
    before = size(county)
    orders = (OrderVoid(void=voided), OrderAmend(amend=amended, changes=Changes(count=1)), JUDGE)
    receipts = county.ledger.decide_appeal(county.attempt(), YEAR, appeal, decision(*orders))
    events = [cast("AppealDecided | ObservationVoided", receipt.event) for receipt in receipts]
    assert [event.wire for event in events] == [
        "appeal.decided/1",
        "observation.voided/1",
        "observation.amended/1",
        "observation.observed/1",
    ]
    assert [receipt.position for receipt in receipts] == list(range(before + 1, before + 5))
    assert {event.decision for event in events if not isinstance(event, AppealDecided)} == {appeal}
    answer = proceeding_answer(view(county), found(county, appeal), TODAY)
    judgement = str(receipts[3].event.originator_id)
    assert [(one.order, one.observation, one.position) for one in answer.orders] == [
        ("void", str(voided), before + 2),
        ("amend", str(amended), before + 3),
        ("judge", judgement, before + 4),
    ]
    assert [(one.before and one.before.count, one.after and one.after.count) for one in answer.orders] == [
        (1, None),
        (2, 1),
        (None, 1),
    ]
    assert (answer.decided_position, answer.last_position) == (before + 1, before + 4)
    assert county.total() == "93.5"
    [row] = [row for row in view(county).sheets()[UNIT].score.rows if row.indicator.id == "1.2"]
    assert (str(row.value), row.pending) == ("4.5", False)


def test_facts_of_ordered_entries_are_rebuilt_as_they_are(county: County) -> None:
    disputed = county.observe()
    decided(county, accepted(county, filed(county, disputed)), OrderVoid(void=disputed), JUDGE)
    engine = county.jurisdictions.engine
    live = sheets(view(county))
    assert check_ledger(engine, CODE, _quietly).findings == ()
    rebuild_facts(engine, CODE, _quietly)
    again = Jurisdictions(engine, secrets.token_bytes)
    assert sheets(again.view(CODE, YEAR)) == live
    again.close()


STEPS: dict[Action, Step | DecideAppeal] = {
    "return": Return(reason="请附存档"),
    "complete": Complete(grounds="附存档", evidence=EVIDENCE),
    "accept": Accept(),
    "review": Review(finding="属实", recommendation="撤销"),
    "withdraw": Withdraw(reason="不再申诉"),
    "decide": decision(outcome="dismissed"),
}


def _do(county: County, appeal: UUID, action: Action) -> None:
    wish = STEPS[action]
    if isinstance(wish, DecideAppeal):
        county.ledger.decide_appeal(county.attempt(), YEAR, appeal, wish)
    else:
        county.ledger.step(county.attempt(), YEAR, "appeal", appeal, wish)


@pytest.mark.parametrize(
    ("taken", "possible", "refusal"),
    [
        ((), {"return", "accept", "withdraw"}, "appeal-step"),
        (("return",), {"complete", "withdraw"}, "appeal-step"),
        (("return", "complete"), {"return", "accept", "withdraw"}, "appeal-step"),
        (("accept",), {"review", "decide", "withdraw"}, "appeal-step"),
        (("accept", "review"), {"review", "decide", "withdraw"}, "appeal-step"),
        (("accept", "decide"), set(), "appeal-decided"),
        (("return", "withdraw"), set(), "appeal-withdrawn"),
    ],
)
def test_only_what_is_possible_now_can_follow(
    county: County, taken: tuple[Action, ...], possible: set[Action], refusal: str
) -> None:
    appeal = filed(county, county.observe())
    for action in taken:
        _do(county, appeal, action)
    assert set(proceeding_answer(view(county), found(county, appeal), TODAY).possible) == possible
    for action in STEPS.keys() - possible:
        with refused(county, refusal):
            _do(county, appeal, action)


def test_every_step_is_told_in_order(county: County) -> None:
    disputed = county.observe()
    appeal = filed(county, disputed)
    actions: tuple[Action, ...] = ("return", "complete", "accept", "review", "decide")
    for action in actions:
        _do(county, appeal, action)
    answer = proceeding_answer(view(county), found(county, appeal), TODAY)
    assert [(one.step, one.text) for one in answer.steps] == [
        ("filed", "已按时公开"),
        ("returned", "请附存档"),
        ("completed", "附存档"),
        ("accepted", None),
        ("reviewed", "属实"),
        ("decided", "经复核，申诉成立"),
    ]
    assert (answer.status, answer.outcome, answer.due, answer.overdue) == ("decided", "dismissed", None, False)
    [observation] = answer.observations
    assert (observation.observation, observation.reading.kind) == (str(disputed), "circular")


def test_an_appeal_names_only_what_is_the_units_own_and_counts(county: County) -> None:
    own, foreign, void = county.observe(), county.observe(OTHER), county.observe(day=date(2021, 5, 1))
    county.ledger.void(county.attempt(), void, Void(reason="重复", evidence=EVIDENCE))
    with refused(county, "appeal-other-unit"):
        filed(county, foreign)
    with refused(county, "appeal-other-unit", "observation-void"):
        filed(county, own, foreign, void)
    with refused(county, "unknown-observation"):
        filed(county, uuid4())
    with refused(county, "unknown-indicator"):
        filed(county, own, indicators=["9.9"])
    with refused(county, "unknown-unit"):
        filed(county, own, unit="福成街道")
    for nothing in ({}, {"observations": [own, own]}, {"indicators": ["1.2", "1.2"]}):
        with pytest.raises(ValidationError):
            FileAppeal.model_validate({"unit": UNIT, "grounds": "有误", **nothing})


def test_a_renamed_unit_appeals_under_any_of_its_names(county: County) -> None:
    disputed = county.observe()
    county.ledger.rename_unit(county.attempt(), YEAR, UNIT, "福城新区", date(2021, 6, 1), "更名")
    appeal = filed(county, disputed, county.observe("福城新区", day=date(2021, 7, 1)), unit="福城新区")
    answer = proceeding_answer(view(county), found(county, appeal), TODAY)
    assert (answer.unit, answer.key) == ("福城新区", UNIT)


def test_an_order_about_what_is_not_the_appellants_or_not_possible_orders_nothing(county: County) -> None:
    own, foreign, void = county.observe(), county.observe(OTHER), county.observe(day=date(2021, 5, 1))
    appeal = accepted(county, filed(county, own))
    county.ledger.void(county.attempt(), void, Void(reason="重复", evidence=EVIDENCE))
    before = sheets(view(county))
    with refused(county, "observation-void"):
        decided(county, appeal, OrderVoid(void=own), OrderVoid(void=void))
    with refused(county, "appeal-other-unit"):
        decided(county, appeal, OrderVoid(void=own), OrderVoid(void=foreign))
    with refused(county, "appeal-other-unit"):
        decided(county, appeal, OrderAmend(amend=foreign, changes=Changes(count=2)))
    with refused(county, "invalid-attribute"):
        attributes = {**CIRCULAR, "level": "city"}
        decided(county, appeal, OrderAmend(amend=own, changes=Changes.model_validate({"attributes": attributes})))
    with refused(county, "judgement-out-of-range", "unknown-indicator"):
        out_of_range = JUDGE.model_copy(update={"value": "6"})
        decided(county, appeal, out_of_range, OrderJudge(judge="9.9", value="1", occurred_on=date(2021, 5, 1)))
    with refused(county, "unknown-observation"):
        decided(county, appeal, OrderVoid(void=uuid4()))
    assert sheets(view(county)) == before
    assert found(county, appeal).state.status == "accepted"


def test_a_dismissal_orders_nothing_and_any_other_outcome_something(county: County) -> None:
    own = OrderVoid(void=county.observe())
    same = OrderAmend(amend=own.void, changes=Changes(count=2))
    for outcome, orders in (("dismissed", [own]), ("upheld", []), ("partly_upheld", []), ("upheld", [own, same])):
        with pytest.raises(ValidationError):
            DecideAppeal.model_validate({"outcome": outcome, "reasons": "复核", "orders": orders})


def test_two_who_decide_at_once_decide_once(county: County, database_url: str) -> None:
    observations = [county.observe(day=date(2021, 3, day)) for day in (1, 2, 3)]
    appeal = accepted(county, filed(county, *observations))
    before = size(county)
    engine = open_engine(database_url)
    others = Jurisdictions(engine, secrets.token_bytes)
    attempts = [county.attempt(f"decider-{number}") for number in range(8)]
    wish = decision(*(OrderVoid(void=one) for one in observations))

    def decide(number: int) -> int | str:
        ledger = (county.jurisdictions, others)[number % 2].ledger(CODE)
        try:
            return len(ledger.decide_appeal(attempts[number], YEAR, appeal, wish))
        except Rejection as rejection:
            return rejection.refusals[0].code

    with ThreadPoolExecutor(8) as clients:
        recorded = list(clients.map(decide, range(8)))
    others.close()
    engine.dispose()
    assert Counter(recorded) == {4: 1, "appeal-decided": 7}
    assert size(county) == before + 4
    assert county.total() == "100"


def test_the_same_key_gives_the_first_decision_again(county: County) -> None:
    own = county.observe()
    appeal = accepted(county, filed(county, own))
    attempt = county.attempt("once")
    first = county.ledger.decide_appeal(attempt, YEAR, appeal, decision(OrderVoid(void=own)))
    assert county.ledger.decide_appeal(attempt, YEAR, appeal, decision(OrderVoid(void=own))) == first
    assert size(county) == first[-1].position


def test_the_term_to_file_runs_in_working_days_from_what_was_said_last(county: County) -> None:
    # 15 working days after 30 March 2021, with 清明 (3 to 5 April) in between: 21 April.
    on_day(county, "2021-03-30")
    observation = county.observe()
    on_day(county, "2021-04-21")
    filed(county, observation)
    on_day(county, "2021-04-22")
    with refused(county, "appeal-late"):
        filed(county, observation)
    filed(county, indicators=["1.2"])


def test_a_late_filing_says_when_it_was_due_and_an_amendment_begins_the_term_anew(county: County) -> None:
    on_day(county, "2021-03-30")
    observation = county.observe()
    appeal = accepted(county, filed(county, observation))
    on_day(county, "2021-04-21")
    decided(county, appeal, OrderAmend(amend=observation, changes=Changes(count=2)), outcome="partly_upheld")
    on_day(county, "2021-05-13")
    filed(county, observation)
    on_day(county, "2021-05-14")
    with pytest.raises(Rejection, match="15 working days after 2021-04-21 ended on 2021-05-13"):
        filed(county, observation)


def test_terms_are_the_years_own(county: County) -> None:
    on_day(county, "2021-03-30")
    terms = SetTerms(days_to_file=2, days_to_decide=1, reason="实施细则")
    county.ledger.set_terms(county.attempt(), YEAR, terms)
    with refused(county, "terms-unchanged"):
        county.ledger.set_terms(county.attempt(), YEAR, terms)
    observation = county.observe()
    appeal = filed(county, observation)
    answer = proceeding_answer(view(county), found(county, appeal), date(2021, 4, 1))
    assert (answer.days_to_decide, answer.due, answer.overdue) == (1, date(2021, 3, 31), True)
    on_day(county, "2021-04-02")
    with refused(county, "appeal-late"):
        filed(county, observation)


def test_what_is_overdue_is_listed_and_what_will_be(county: County) -> None:
    on_day(county, "2021-03-30")
    waiting, returned, done = (filed(county, county.observe()) for _ in range(3))
    _do(county, accepted(county, done), "decide")
    _do(county, returned, "return")
    on_day(county, "2021-04-08")
    _do(county, returned, "complete")

    def overdue(day: date, within: int = 0) -> list[str]:
        wanted = ProceedingsWanted("appeal", overdue_on=day, within=within)
        return [one.id for one in proceedings_answer(view(county), wanted, day).proceedings]

    # 10 working days after 30 March: 14 April; after 8 April: 22 April.
    assert overdue(date(2021, 4, 14)) == []
    assert overdue(date(2021, 4, 15)) == [str(waiting)]
    assert overdue(date(2021, 4, 14), within=9) == [str(waiting), str(returned)]
    assert overdue(date(2021, 4, 23)) == [str(waiting), str(returned)]


def test_a_term_is_told_only_as_far_as_the_holiday_notices_go(county: County) -> None:
    # No notice is known for 2199; ten working days never fit into nine days, and may be in twenty.
    on_day(county, "2199-03-01")
    observation = county.observe()
    appeal = filed(county, observation)
    answer = proceeding_answer(view(county), found(county, appeal), date(2199, 3, 9))
    assert (answer.due, answer.overdue) == (None, False)
    assert proceeding_answer(view(county), found(county, appeal), date(2199, 3, 20)).overdue is None
    on_day(county, "2199-03-30")
    with refused(county, "calendar-unknown-year"):
        filed(county, observation)


@pytest.mark.parametrize("name", SCHEMES)
@settings(max_examples=4)
@given(data=st.data())
def test_an_upheld_void_is_always_the_year_without_that_observation(name: str, data: st.DataObject) -> None:
    scheme, version = scheme_version(source(name), name)
    code, year, period = scheme.jurisdiction.code, scheme.year, scheme.period
    drawn = [
        fact
        for fact in data.draw(facts(name, most=8))
        if fact.occurred_on <= period.last and (fact.occurred_on >= period.first or fact.kind in BEFORE_THE_PERIOD)
    ]
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ledger.db'}")
        migrate(engine)
        jurisdictions = Jurisdictions(engine, secrets.token_bytes)
        ledger = jurisdictions.ledger(code)
        keys = count()

        def attempt() -> Attempt:
            number = next(keys)
            return Attempt("office", START + timedelta(minutes=number), f"k{number}")

        ledger.open_year(attempt(), year, version, scheme_units(scheme))
        for fact in drawn:
            wish = Observe(
                unit=fact.unit,
                kind=fact.kind,
                occurred_on=fact.occurred_on,
                count=fact.count,
                attributes=raw_attributes(fact),
                evidence=EVIDENCE,
            )
            ledger.observe(attempt(), year, [wish])
        before = jurisdictions.view(code, year)
        for disputed in before.observed[:1]:
            identifier = UUID(disputed.observation)
            wish_to_file = FileAppeal(unit=disputed.fact.unit, observations=(identifier,), grounds="有误")
            [filing] = ledger.file_appeal(attempt(), year, wish_to_file)
            appeal = filing.event.originator_id
            ledger.step(attempt(), year, "appeal", appeal, Accept())
            ledger.decide_appeal(attempt(), year, appeal, decision(OrderVoid(void=identifier)))
            kept = [fact for fact in before.situation.facts if fact.id != disputed.observation]
            expected = sheets_of(replace(before.situation, facts=kept))
            after = jurisdictions.view(code, year)
            assert sheets(after) == {unit: sheet_as_json(sheet) for unit, sheet in expected.items()}
            assert sheets(jurisdictions.view(code, year, known_at=filing.event.recorded_at)) == sheets(before)
        jurisdictions.close()
        engine.dispose()


def test_what_has_begun_to_run_keeps_its_term_when_the_terms_change(county: County) -> None:
    on_day(county, "2021-03-30")
    observation = county.observe()
    appeal, returned = filed(county, observation), filed(county, observation)
    _do(county, returned, "return")
    on_day(county, "2021-04-06")
    county.ledger.set_terms(county.attempt(), YEAR, SetTerms(days_to_file=1, days_to_decide=1, reason="缩短"))
    # Filed on 30 March under terms of 15 and 10 working days: to be decided by 14 April; to be filed by 21 April.
    answer = proceeding_answer(view(county), found(county, appeal), date(2021, 4, 14))
    assert (answer.days_to_decide, answer.due, answer.overdue) == (10, date(2021, 4, 14), False)
    on_day(county, "2021-04-21")
    filed(county, observation)
    # Completed under the new terms, and said under them: one working day.
    _do(county, returned, "complete")
    answer = proceeding_answer(view(county), found(county, returned), date(2021, 4, 22))
    assert (answer.days_to_decide, answer.due) == (1, date(2021, 4, 22))
    later = county.observe(day=date(2021, 4, 1))
    on_day(county, "2021-04-23")
    with refused(county, "appeal-late"):
        filed(county, later)


def test_what_was_returned_waits_for_the_unit_and_is_due_by_nobody(county: County) -> None:
    on_day(county, "2021-03-30")
    appeal = filed(county, county.observe())
    _do(county, appeal, "return")
    answer = proceeding_answer(view(county), found(county, appeal), date(2021, 6, 1))
    assert (answer.status, answer.due, answer.overdue) == ("returned", None, False)
    wanted = ProceedingsWanted("appeal", overdue_on=date(2021, 6, 1))
    assert proceedings_answer(view(county), wanted, date(2021, 6, 1)).proceedings == []


def test_days_after_a_day_end_where_days_end_and_need_a_day(county: County) -> None:
    appeal = filed(county, county.observe())
    wanted = ProceedingsWanted("appeal", overdue_on=date.max, within=1)
    assert [one.id for one in proceedings_answer(view(county), wanted, TODAY).proceedings] == [str(appeal)]
    with refused(county, "overdue-day-missing"):
        proceedings_answer(view(county), ProceedingsWanted("appeal", within=1), TODAY)


def test_a_used_key_with_other_content_is_told_before_whatever_else_is_wrong(county: County) -> None:
    own = county.observe()
    appeal = accepted(county, filed(county, own))
    attempt = county.attempt("once")
    county.ledger.decide_appeal(attempt, YEAR, appeal, decision(OrderVoid(void=own)))
    with refused(county, "idempotency-key-reused"):
        county.ledger.decide_appeal(attempt, YEAR, appeal, decision(outcome="dismissed"))
    with refused(county, "idempotency-key-reused"):
        county.ledger.step(attempt, YEAR, "appeal", appeal, Accept())
