"""Closing a year: what is frozen, what can follow, and what is shown beside it; on both databases."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256

import pytest
from sqlalchemy import delete, update

from ledger.checking.checking import check_ledger
from ledger.commands import Amend, Observe, OrderVoid, Rectify, SetTerms, Void
from ledger.database import open_engine
from ledger.events import Changes, DocumentType
from ledger.rejection import Rejection
from ledger.tables import documents
from projections.jurisdictions import Jurisdictions, scheme_version
from projections.official_documents.registering import LARGEST_DOCUMENT, official_document
from projections.proceedings.closings import close_year, closings_answer, frozen_document
from projections.proceedings.frozen_sheets import frozen_sheets
from projections.scheme_files import source
from tests.projections.conftest import CIRCULAR, CODE, EVIDENCE, County
from tests.projections.proceedings import (
    OTHER,
    UNIT,
    YEAR,
    accepted,
    claimed,
    closed,
    decided,
    filed,
    granted,
    on_day,
    refused,
    sheets,
    size,
    view,
)

VOID = Void(reason="重复", evidence=EVIDENCE)


def _quietly(_done: int, _total: int) -> None:
    """Progress nobody watches."""


def _wish(day: int = 1) -> Observe:
    on = date(2021, 3, day)
    return Observe(unit=UNIT, kind="circular", occurred_on=on, attributes={**CIRCULAR}, evidence=EVIDENCE)


def test_a_closed_year_takes_no_entry_until_it_is_reopened(county: County) -> None:
    ledger, on = county.ledger, date(2021, 4, 1)
    observation = county.observe()
    _, version = scheme_version(source("zhangshu-2021").replace('version: "1"', 'version: "2"'), "revised")
    closed(county)
    commands: list[Callable[[], object]] = [
        county.observe,
        lambda: ledger.check_observation(YEAR, _wish()),
        lambda: ledger.amend(county.attempt(), observation, Amend(changes=Changes(count=2), reason="x")),
        lambda: ledger.rectify(county.attempt(), observation, Rectify(on=on)),
        lambda: ledger.void(county.attempt(), observation, VOID),
        lambda: ledger.adopt_scheme(county.attempt(), YEAR, version, "x"),
        lambda: ledger.join_unit(county.attempt(), YEAR, "新城街道", "township", on, "x"),
        lambda: ledger.leave_unit(county.attempt(), YEAR, "中洲乡", on, "x"),
        lambda: ledger.rename_unit(county.attempt(), YEAR, UNIT, "福城新区", on, "x"),
        lambda: ledger.set_terms(county.attempt(), YEAR, SetTerms(days_to_file=1, days_to_decide=1, reason="x")),
        lambda: closed(county),
    ]
    for command in commands:
        with refused(county, "year-closed"):
            command()
    ledger.reopen_year(county.attempt(), YEAR, "漏登通报")
    with refused(county, "year-not-closed"):
        ledger.reopen_year(county.attempt(), YEAR, "再开")
    for command in commands:
        command()


def test_a_year_nobody_opened_is_neither_closed_nor_reopened(county: County) -> None:
    with refused(county, "year-not-open"):
        close_year(county.jurisdictions, CODE, 2022, county.attempt(), "x")
    with refused(county, "year-not-open"):
        county.ledger.reopen_year(county.attempt(), 2022, "x")
    with refused(county, "text-invalid"):
        closed(county, reason=" ")


def test_a_close_freezes_every_sheet_as_recorded(county: County) -> None:
    county.observe()
    county.observe(OTHER, day=date(2021, 8, 1), count=2)
    before = view(county)
    closed(county)
    [closing] = county.jurisdictions.closings(CODE, YEAR)
    document = frozen_document(county.jurisdictions, CODE, YEAR, 1)
    assert sha256(document).hexdigest() == closing.event.sheets
    frozen = frozen_sheets(document)
    assert frozen.position == closing.event.position == before.position == closing.position - 1
    assert closing.event.scheme == before.state.scheme
    assert {
        unit: {name: value for name, value in sheet.items() if name not in ("unit", "key", "group")}
        for unit, sheet in frozen.sheets.items()
    } == sheets(before)
    with refused(county, "unknown-closing"):
        frozen_document(county.jurisdictions, CODE, YEAR, 2)


def test_a_later_decision_is_shown_beside_what_was_frozen(county: County) -> None:
    disputed = county.observe(count=2)
    county.observe(OTHER)
    closed(county)
    unchanged = closings_answer(county.jurisdictions, CODE, YEAR).closings[0].units
    assert [unit for unit in unchanged if unit.changed or unit.decisions] == []
    with refused(county, "year-closed"):
        county.ledger.void(county.attempt(), disputed, VOID)
    appeal = accepted(county, filed(county, disputed))
    decided(county, appeal, OrderVoid(void=disputed))
    claim = accepted(county, claimed(county, "2.1", OTHER), "claim")
    granted(county, claim)
    answer = closings_answer(county.jurisdictions, CODE, YEAR)
    units = {unit.key: unit for unit in answer.closings[0].units}
    own = units[UNIT]
    assert (own.frozen_total, own.total, own.frozen_rank, own.rank) == ("88", "100", 19, 1)
    assert (own.changed, own.decisions) == (True, [str(appeal)])
    assert units[OTHER].decisions == [str(appeal), str(claim)]
    # Everybody behind the appellant moved with it; those before it stayed where they were.
    assert units["中洲乡"].changed is False
    assert answer.closed is True
    assert check_ledger(county.jurisdictions.engine, CODE, _quietly).findings == ()


def test_after_a_close_the_term_to_file_runs_from_the_closing_day(county: County) -> None:
    on_day(county, "2021-03-30")
    observation = county.observe()
    on_day(county, "2022-01-04")
    with refused(county, "appeal-late"):
        filed(county, observation)
    closed(county)
    # 15 working days after 4 January 2022: 25 January.
    on_day(county, "2022-01-25")
    filed(county, observation, indicators=["2.2"])
    on_day(county, "2022-01-26")
    with refused(county, "appeal-late", "appeal-late"):
        filed(county, observation, indicators=["2.2"])


def test_a_reopened_year_is_closed_anew_and_all_closes_are_kept(county: County) -> None:
    closed(county, "初次")
    county.ledger.reopen_year(county.attempt(), YEAR, "漏登通报")
    county.observe()
    closed(county, "再次")
    answer = closings_answer(county.jurisdictions, CODE, YEAR)
    assert [(one.number, one.reason) for one in answer.closings] == [(1, "初次"), (2, "再次")]
    first, second = answer.closings
    assert first.reopened is not None
    assert (first.reopened.reason, second.reopened) == ("漏登通报", None)
    totals = [{unit.key: unit.frozen_total for unit in one.units}[UNIT] for one in answer.closings]
    assert totals == ["100", "94"]
    assert [unit.key for unit in second.units if unit.changed] == []
    assert {unit.key: unit for unit in first.units}[UNIT].changed is True


def test_what_is_open_or_pending_at_the_close_is_named(county: County) -> None:
    appeal, claim = filed(county, county.observe()), claimed(county)
    done = accepted(county, filed(county, indicators=["2.2"]))
    decided(county, done, outcome="dismissed")
    closed(county)
    decided(county, accepted(county, appeal), outcome="dismissed")
    [closing] = closings_answer(county.jurisdictions, CODE, YEAR).closings
    assert closing.open_proceedings == [str(appeal), str(claim)]
    pending = {one.unit: one.indicators for one in closing.pending}
    assert pending[UNIT] == list(view(county).sheets()[UNIT].pending)
    assert pending[UNIT] != []


def test_the_same_key_closes_once_whatever_was_recorded_since(county: County) -> None:
    attempt = county.attempt("close")
    first = close_year(county.jurisdictions, CODE, YEAR, attempt, "考核结束")
    filed(county, indicators=["2.2"])
    before = size(county)
    assert close_year(county.jurisdictions, CODE, YEAR, attempt, "考核结束") == first
    assert size(county) == before


def test_a_close_among_writers_freezes_exactly_what_stands_before_it(county: County, database_url: str) -> None:
    engine = open_engine(database_url)
    others = Jurisdictions(engine, secrets.token_bytes)
    attempts = {(writer, turn): county.attempt(f"w{writer}-{turn}") for writer in range(4) for turn in range(6)}
    closing = county.attempt("closing")

    def write(writer: int) -> list[int]:
        ledger = (county.jurisdictions, others)[writer % 2].ledger(CODE)
        positions = []
        for turn in range(6):
            try:
                [receipt] = ledger.observe(attempts[writer, turn], YEAR, [_wish(turn + 1)])
            except Rejection as rejection:
                if [one.code for one in rejection.refusals] != ["year-closed"]:
                    raise
                break
            positions.append(receipt.position)
        return positions

    with ThreadPoolExecutor(5) as clients:
        writers = [clients.submit(write, writer) for writer in range(4)]
        [receipt] = clients.submit(close_year, county.jurisdictions, CODE, YEAR, closing, "考核结束").result()
        positions = [position for writer in writers for position in writer.result()]
    others.close()
    engine.dispose()
    [frozen] = county.jurisdictions.closings(CODE, YEAR)
    assert frozen.position == receipt.position
    assert all(position < receipt.position for position in positions)
    assert size(county) == receipt.position
    before = sheets(view(county, receipt.position - 1))
    assert {unit: sheet["total"] for unit, sheet in frozen.frozen.sheets.items()} == {
        unit: sheet["total"] for unit, sheet in before.items()
    }
    assert frozen.event.position == receipt.position - 1


def test_an_official_document_is_registered_for_a_version_that_the_ledger_has(county: County) -> None:
    document = official_document("考核方案", "text/plain", "一、考核对象".encode())
    county.ledger.register_document(county.attempt(), "zhangshu-2021", "1", document)
    kept = county.jurisdictions.official_document(CODE, "zhangshu-2021", "1")
    assert kept == document
    pdf = official_document("考核方案", "application/pdf", b"%PDF-1.7 ...")
    county.ledger.register_document(county.attempt(), "zhangshu-2021", "1", pdf)
    assert county.jurisdictions.official_document(CODE, "zhangshu-2021", "1") == pdf
    with refused(county, "unknown-scheme"):
        county.ledger.register_document(county.attempt(), "zhangshu-2021", "2", document)
    with refused(county, "unknown-document"):
        county.jurisdictions.official_document(CODE, "zhangshu-2021", "2")
    # A later version is registered behind the document, in the same stream.
    _, version = scheme_version(source("zhangshu-2021").replace('version: "1"', 'version: "2"'), "second")
    county.ledger.adopt_scheme(county.attempt(), YEAR, version, "修订")
    county.ledger.register_document(county.attempt(), "zhangshu-2021", "2", document)
    assert county.jurisdictions.official_document(CODE, "zhangshu-2021", "2") == document


@pytest.mark.parametrize(
    ("media_type", "content", "code"),
    [
        ("text/plain", b" \n", "document-empty"),
        ("text/plain", b"\xff\xfe", "document-not-text"),
        ("text/plain", "第一条\0".encode(), "document-not-text"),
        ("text/plain", b"1" * (LARGEST_DOCUMENT + 1), "document-too-large"),
        ("application/pdf", b"no PDF", "document-not-pdf"),
    ],
)
def test_bytes_that_are_not_what_they_are_said_to_be_are_no_document(
    media_type: DocumentType, content: bytes, code: str
) -> None:
    with pytest.raises(Rejection) as rejection:
        official_document("考核方案", media_type, content)
    assert [one.code for one in rejection.value.refusals] == [code]


def test_what_a_close_names_is_told_when_it_was_altered_or_is_gone(county: County) -> None:
    closed(county)
    [closing] = county.jurisdictions.closings(CODE, YEAR)
    engine, digest = county.jurisdictions.engine, bytes.fromhex(closing.event.sheets)
    sheets_kept = (documents.c.ledger == CODE) & (documents.c.digest == digest)
    altered = frozen_document(county.jurisdictions, CODE, YEAR, 1).replace(b'"total":"', b'"total":"9')
    with engine.begin() as connection:
        connection.execute(update(documents).where(sheets_kept).values(content=altered))
    with refused(county, "ledger-damaged"):
        frozen_document(county.jurisdictions, CODE, YEAR, 1)
    assert [(one.position, one.what) for one in check_ledger(engine, CODE, _quietly).findings] == [
        (closing.position, "documents.content")
    ]
    with engine.begin() as connection:
        connection.execute(delete(documents).where(sheets_kept))
    with refused(county, "ledger-damaged"):
        frozen_document(county.jurisdictions, CODE, YEAR, 1)
    assert [(one.position, one.what) for one in check_ledger(engine, CODE, _quietly).findings] == [
        (closing.position, "documents.*")
    ]
