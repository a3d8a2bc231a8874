"""Claims that a row does not concern a unit this year; on both databases."""

from __future__ import annotations

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from ledger.commands import FileClaim, Withdraw
from ledger.database import open_engine
from ledger.proceeding_commands import _part
from ledger.rejection import Rejection
from projections.cases import Case, Replay, sheet_as_json
from projections.jurisdictions import Jurisdictions, scheme_version
from projections.proceedings.proceedings import proceeding_answer
from projections.scheme_files import load, source, vocabulary
from tests.projections.conftest import CODE, County
from tests.projections.proceedings import (
    OTHER,
    UNIT,
    YEAR,
    accepted,
    claimed,
    closed,
    found,
    granted,
    on_day,
    refused,
    sheets,
    size,
    view,
)

ROW = "1.11"
TODAY = date(2021, 3, 5)


def test_a_granted_claim_takes_the_row_off_the_sheet_as_a_case_does(county: County) -> None:
    county.observe(kind="late_reply", attributes={"matter": "disclosure_request"})
    claim = accepted(county, claimed(county), "claim")
    before = view(county)
    granted(county, claim)
    case = {
        "name": "claim",
        "scheme": "zhangshu-2021",
        "entries": [
            {
                "entry": "observe",
                "id": "o1",
                "recorded_at": "2021-01-04T01:00:00+00:00",
                "unit": UNIT,
                "kind": "late_reply",
                "occurred_on": "2021-03-01",
                "attributes": {"matter": "disclosure_request"},
            },
            {
                "entry": "not_applicable",
                "unit": UNIT,
                "indicator": ROW,
                "recorded_at": "2021-01-05T01:00:00+00:00",
            },
        ],
        "queries": [{}],
    }
    replay = Replay(Case.model_validate(case), load("zhangshu-2021"), vocabulary())
    expected = {unit: sheet_as_json(sheet) for unit, sheet in replay.answer(replay.case.queries[0]).items()}
    assert sheets(view(county)) == expected
    assert sheets(view(county)) != sheets(before)
    assert view(county).claims == {(UNIT, ROW)}


def test_a_grant_changes_nothing_known_before_it_and_every_day_after(county: County) -> None:
    claim = accepted(county, claimed(county), "claim")
    before = county.now
    past = sheets(view(county))
    granted(county, claim)
    ledgers = county.jurisdictions
    assert sheets(ledgers.view(CODE, YEAR, known_at=before)) == past
    assert sheets(ledgers.view(CODE, YEAR, known_at=county.now - timedelta(microseconds=1))) == past
    assert ledgers.view(CODE, YEAR, as_of=date(2021, 1, 1)).claims == {(UNIT, ROW)}
    answer = proceeding_answer(view(county), found(county, claim, "claim"), TODAY)
    assert (answer.status, answer.outcome, answer.key) == ("decided", "granted", UNIT)
    assert [(one.indicator, bool(one.titles), bool(one.clause)) for one in answer.indicators] == [(ROW, True, True)]


def test_a_refused_claim_changes_nothing(county: County) -> None:
    before = sheets(view(county))
    granted(county, accepted(county, claimed(county), "claim"), is_granted=False)
    assert sheets(view(county)) == before
    assert view(county).claims == frozenset()


def test_a_claim_is_granted_under_the_units_key(county: County) -> None:
    county.ledger.rename_unit(county.attempt(), YEAR, UNIT, "福城新区", date(2021, 6, 1), "更名")
    granted(county, accepted(county, claimed(county, unit="福城新区"), "claim"))
    assert view(county).claims == {(UNIT, ROW)}
    rows = {row.indicator.id for row in view(county).sheets()[UNIT].score.rows}
    assert ROW not in rows


def test_a_claim_is_filed_for_a_row_of_the_units_sheet_only(county: County) -> None:
    with refused(county, "unknown-indicator"):
        claimed(county, "9.9")
    with refused(county, "unknown-unit"):
        claimed(county, unit="福成街道")
    text = source("zhangshu-2021").replace('version: "1"', 'version: "2"')
    text = text.replace('id: "2.2"\n', f'id: "2.2"\n        applies_to: {{all_but: [{UNIT}]}}\n', 1)
    _, version = scheme_version(text, "second")
    county.ledger.adopt_scheme(county.attempt(), YEAR, version, "修订")
    with refused(county, "unknown-indicator"):
        claimed(county, "2.2")
    claimed(county, "2.2", OTHER)


def test_one_claim_for_a_row_is_open_or_granted_at_a_time(county: County) -> None:
    first = claimed(county)
    with refused(county, "claim-open"):
        claimed(county)
    county.ledger.step(county.attempt(), YEAR, "claim", first, Withdraw(reason="填错"))
    second = accepted(county, claimed(county), "claim")
    granted(county, second, is_granted=False)
    with refused(county, "claim-decided"):
        granted(county, second)
    third = accepted(county, claimed(county), "claim")
    granted(county, third)
    with refused(county, "claim-granted"):
        claimed(county)
    claimed(county, unit=OTHER)
    assert len({first, second, third}) == 3


def test_of_claims_filed_at_once_one_is_filed(county: County, database_url: str) -> None:
    engine = open_engine(database_url)
    others = Jurisdictions(engine, secrets.token_bytes)
    attempts = [county.attempt(f"claimant-{number}") for number in range(8)]
    wish = FileClaim(unit=UNIT, indicator=ROW, grounds="无此项业务")
    before = size(county)

    def file(number: int) -> str:
        ledger = (county.jurisdictions, others)[number % 2].ledger(CODE)
        try:
            ledger.file_claim(attempts[number], YEAR, wish)
        except Rejection as rejection:
            return rejection.refusals[0].code
        return "filed"

    with ThreadPoolExecutor(8) as clients:
        answers = Counter(clients.map(file, range(8)))
    others.close()
    engine.dispose()
    assert answers == {"filed": 1, "claim-open": 7}
    assert size(county) == before + 1


def test_a_claim_is_no_appeal(county: County) -> None:
    claim, observation = claimed(county), county.observe()
    with refused(county, "unknown-appeal"):
        accepted(county, claim, "appeal")
    with refused(county, "unknown-claim"):
        accepted(county, observation, "claim")
    assert found(county, accepted(county, claim, "claim"), "claim").state.status == "accepted"


def test_claims_have_no_term_until_the_year_is_closed(county: County) -> None:
    on_day(county, "2021-12-20")
    claimed(county)
    on_day(county, "2022-01-04")
    closed(county)
    # 15 working days after 4 January 2022: 25 January.
    on_day(county, "2022-01-25")
    claimed(county, "2.2")
    on_day(county, "2022-01-26")
    with refused(county, "appeal-late"):
        claimed(county, "2.1")


def test_claims_of_names_with_slashes_are_each_their_own(county: County) -> None:
    streams = {
        county.ledger.stream("claim", YEAR, _part(unit), _part(row), 1)
        for unit, row in (("甲/1", "1.11"), ("甲", "1/1.11"), ("甲%2F1", "1.11"), ("甲%252F1", "1.11"))
    }
    assert len(streams) == 4
    # Names without either sign keep the streams that they always had.
    assert claimed(county) == county.ledger.stream("claim", YEAR, UNIT, ROW, 1)


def test_a_granted_claim_is_not_to_be_filed_again_but_a_refused_one_is(county: County) -> None:
    first = accepted(county, claimed(county, "1.10"), "claim")
    granted(county, first, is_granted=False)
    with pytest.raises(Rejection, match="nothing can follow; file a new one"):
        granted(county, first)
    second = accepted(county, claimed(county, "1.10"), "claim")
    granted(county, second)
    with pytest.raises(Rejection, match=r"the claim is granted: nothing can follow \[claim-decided\]"):
        granted(county, second, is_granted=False)
