"""A year in the ledger, on both databases: what is recorded, what it does to scores, and what was known when."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, event

from ledger.checking.checking import check_ledger
from ledger.commands import Amend, Observe, Rectify, Void
from ledger.database import open_engine
from ledger.events import Changes
from ledger.rebuilding import rebuild_facts
from ledger.rejection import Rejection
from ledger.tables import facts
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.scheme_files import source
from tests.projections.conftest import CIRCULAR, CODE, EVIDENCE, County


def _quietly(done: int, total: int) -> None:
    """Progress nobody watches."""


def _wish() -> Observe:
    day = date(2021, 3, 1)
    return Observe(unit="福城街道", kind="circular", occurred_on=day, attributes={**CIRCULAR}, evidence=EVIDENCE)


def _code(rejection: pytest.ExceptionInfo[Rejection]) -> str:
    return rejection.value.refusals[0].code


def test_an_observation_counts_at_once_and_a_void_undoes_it(county: County) -> None:
    assert county.total() == "100"
    observation = county.observe()
    before_void = county.now
    assert county.total() == "94"
    county.ledger.void(county.attempt(), observation, Void(reason="重复", evidence=EVIDENCE))
    assert county.total() == "100"
    assert county.total(known_at=before_void) == "94"
    assert county.total(known_at=before_void - timedelta(seconds=1)) == "100"


def test_an_amendment_reads_otherwise_from_its_moment_on(county: County) -> None:
    observation = county.observe()
    wish = Amend(changes=Changes(count=2, unit="大桥街道"), reason="通报两次，单位记错")
    county.ledger.amend(county.attempt(), observation, wish)
    assert (county.total("福城街道"), county.total("大桥街道")) == ("100", "88")
    assert county.total("福城街道", known_at=county.now - timedelta(seconds=1)) == "94"


def test_a_day_sees_what_had_happened_by_its_end(county: County) -> None:
    county.observe(day=date(2021, 3, 1))
    county.observe(day=date(2021, 5, 1))
    totals = {day: county.total(as_of=day) for day in (date(2021, 2, 28), date(2021, 3, 1), date(2022, 5, 1))}
    assert totals == {date(2021, 2, 28): "100", date(2021, 3, 1): "94", date(2022, 5, 1): "88"}


def test_a_rectification_changes_no_score_by_itself(county: County) -> None:
    observation = county.observe()
    county.ledger.rectify(county.attempt(), observation, Rectify(on=date(2021, 4, 1)))
    assert county.total() == "94"
    state = county.ledger.observation(observation)
    assert (state.rectified_on, state.version) == (date(2021, 4, 1), 2)


def test_what_cannot_follow_is_refused_and_nothing_is_recorded(county: County) -> None:
    observation = county.observe()
    void = Void(reason="重复", evidence=EVIDENCE)
    county.ledger.void(county.attempt(), observation, void)
    size = county.ledger.ledger_recorder.head().size
    refused = {}
    commands: dict[str, Callable[[], object]] = {
        "void": lambda: county.ledger.void(county.attempt(), observation, void),
        "amend": lambda: county.ledger.amend(
            county.attempt(), observation, Amend(changes=Changes(count=2), reason="x")
        ),
        "rectify": lambda: county.ledger.rectify(county.attempt(), observation, Rectify(on=date(2021, 4, 1))),
        "outside": lambda: county.observe(day=date(2022, 1, 1)),
        "early": lambda: county.observe(day=date(2020, 12, 31)),
        "unit": lambda: county.observe(unit="福城镇"),
        "long ago": lambda: county.observe(kind="request_received", day=date(2019, 6, 3), attributes={"request": "R1"}),
        "nothing": lambda: county.ledger.observe(county.attempt(), 2021, []),
        "year": lambda: county.ledger.observe(county.attempt(), 2022, []),
    }
    for name, command in commands.items():
        with pytest.raises(Rejection) as rejection:
            command()
        refused[name] = _code(rejection)
    assert refused == {
        "void": "observation-void",
        "amend": "observation-void",
        "rectify": "observation-void",
        "outside": "date-outside-year",
        "early": "date-outside-year",
        "unit": "unknown-unit",
        "long ago": "date-outside-year",
        "nothing": "batch-size",
        "year": "batch-size",
    }
    assert county.ledger.ledger_recorder.head().size == size


def test_requests_from_before_the_year_are_recorded_for_what_derives_from_them(county: County) -> None:
    county.observe(kind="request_received", day=date(2020, 12, 14), attributes={"request": "R1"})
    assert county.total() == "97"


def test_the_same_key_answers_the_same_and_other_content_is_refused(county: County) -> None:
    attempt = county.attempt("once")
    observation = county.observe()
    void = Void(reason="重复", evidence=EVIDENCE)
    first = county.ledger.void(attempt, observation, void)
    assert county.ledger.void(attempt, observation, void) == first
    with pytest.raises(Rejection) as rejection:
        county.ledger.amend(attempt, county.observe(), Amend(changes=Changes(count=2), reason="x"))
    assert _code(rejection) == "idempotency-key-reused"
    with pytest.raises(Rejection) as rejection:
        county.ledger.void(county.attempt("a key with spaces"), observation, void)
    assert _code(rejection) == "idempotency-key-invalid"


def test_time_never_goes_back_within_a_ledger(county: County) -> None:
    county.observe()
    latest = county.now
    county.now = latest - timedelta(days=30)
    observation = county.observe()
    [observed] = county.ledger.events.get(observation)
    assert observed.recorded_at == latest  # type: ignore[attr-defined]  # every event of a ledger has its moment


def test_units_join_leave_and_change_their_names(county: County) -> None:
    ledger = county.ledger
    ledger.join_unit(county.attempt(), 2021, "新城街道", "township", date(2021, 4, 1), "区划调整")
    ledger.leave_unit(county.attempt(), 2021, "中洲乡", date(2021, 7, 1), "撤并")
    ledger.rename_unit(county.attempt(), 2021, "福城街道", "福城新区", date(2021, 6, 1), "更名")
    county.observe("福城街道", day=date(2021, 3, 1))
    county.observe("福城新区", day=date(2021, 8, 1))
    county.observe("新城街道", day=date(2021, 8, 1))
    view = county.jurisdictions.view
    names = {
        day: {unit.name_on(day) for unit in view(CODE, 2021, day).units}
        & {"福城街道", "福城新区", "中洲乡", "新城街道"}
        for day in (date(2021, 3, 31), date(2021, 6, 30), date(2021, 12, 31))
    }
    assert names == {
        date(2021, 3, 31): {"福城街道", "中洲乡"},
        date(2021, 6, 30): {"福城新区", "中洲乡", "新城街道"},
        date(2021, 12, 31): {"福城新区", "新城街道"},
    }
    assert county.total("福城新区") == county.total("福城街道") == "88"
    assert county.total("新城街道") == "94"
    assert len(view(CODE, 2021).units) == 54


def test_a_year_is_opened_once_and_its_list_of_units_holds_together(county: County) -> None:
    scheme, version = scheme_version(source("zhangshu-2021"), "z")
    ledger, on = county.ledger, date(2021, 4, 1)
    ledger.leave_unit(county.attempt(), 2021, "中洲乡", on, "撤并")
    refused = []
    commands: list[Callable[[], object]] = [
        lambda: ledger.open_year(county.attempt(), 2021, version, scheme_units(scheme)),
        lambda: ledger.join_unit(county.attempt(), 2021, "福城街道", "township", on, "x"),
        lambda: ledger.join_unit(county.attempt(), 2021, "新城街道", "villages", on, "x"),
        lambda: ledger.join_unit(county.attempt(), 2021, "新城街道", "township", date(2022, 1, 1), "x"),
        lambda: ledger.leave_unit(county.attempt(), 2021, "中洲乡", on, "x"),
        lambda: ledger.leave_unit(county.attempt(), 2021, "某乡", on, "x"),
        lambda: ledger.rename_unit(county.attempt(), 2021, "福城街道", "大桥街道", on, "x"),
        lambda: ledger.adopt_scheme(county.attempt(), 2021, version, "x"),
        lambda: ledger.adopt_scheme(county.attempt(), 2020, version, "x"),
    ]
    for command in commands:
        with pytest.raises(Rejection) as rejection:
            command()
        refused.append(_code(rejection))
    assert refused == [
        "year-already-open",
        "unit-name-taken",
        "unknown-group",
        "date-outside-year",
        "unit-has-left",
        "unknown-unit",
        "unit-name-taken",
        "scheme-in-force",
        "year-not-open",
    ]


def test_every_wrong_text_of_a_command_is_refused_and_nothing_is_recorded(county: County) -> None:
    ledger, on = county.ledger, date(2021, 4, 1)
    observation = county.observe()
    size = ledger.ledger_recorder.head().size
    _, version = scheme_version(source("zhangshu-2021").replace('version: "1"', 'version: "2"'), "revised")
    nobody = replace(county.attempt(), actor="")
    void = Void(reason="重复", evidence=EVIDENCE)
    refused = []
    commands: list[Callable[[], object]] = [
        lambda: ledger.void(nobody, observation, void),
        lambda: ledger.observe(nobody, 2021, [_wish()]),
        lambda: ledger.void(replace(nobody, actor="中心\n主任", key="a b"), observation, void),
        lambda: ledger.join_unit(county.attempt(), 2021, "", "township", on, "x"),
        lambda: ledger.join_unit(nobody, 2021, " 新城街道", "town\u200bship", on, " "),
        lambda: ledger.leave_unit(county.attempt(), 2021, "中洲乡", on, ""),
        lambda: ledger.rename_unit(county.attempt(), 2021, "福城街道", "\u202e福城", on, "x" * 4001),
        lambda: ledger.adopt_scheme(county.attempt(), 2021, version, ""),
        lambda: ledger.adopt_scheme(county.attempt(), 2021, replace(version, version="2\n"), "x"),
        lambda: ledger.open_year(county.attempt(), 2022, replace(version, id="", version=" "), ()),
    ]
    for command in commands:
        with pytest.raises(Rejection) as rejection:
            command()
        refused.append([(one.code, one.where) for one in rejection.value.refusals])
    actor, reason = ("actor-invalid", "actor"), ("text-invalid", "reason")
    assert refused == [
        [actor],
        [actor],
        [("idempotency-key-invalid", "Idempotency-Key"), actor],
        [("text-invalid", "unit")],
        [actor, ("text-invalid", "unit"), ("text-invalid", "group"), reason],
        [reason],
        [("text-invalid", "name"), reason],
        [reason],
        [("text-invalid", "scheme.version")],
        [("text-invalid", "scheme.id"), ("text-invalid", "scheme.version")],
    ]
    assert ledger.ledger_recorder.head().size == size


def test_what_follows_a_change_of_the_year_needs_one_transaction(county: County) -> None:
    ledger, engine, on = county.ledger, county.jurisdictions.engine, date(2021, 2, 1)
    _, version = scheme_version(source("zhangshu-2021").replace('version: "1"', 'version: "2"'), "revised")
    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: ledger.join_unit(county.attempt(), 2021, "新城街道", "township", on, "区划调整"),
        lambda: ledger.rename_unit(county.attempt(), 2021, "新城街道", "新城新区", on, "更名"),
        lambda: ledger.leave_unit(county.attempt(), 2021, "中洲乡", on, "撤并"),
        lambda: ledger.adopt_scheme(county.attempt(), 2021, version, "年中修订"),
    ]
    begun: list[Connection] = []
    event.listen(engine, "begin", begun.append)
    for change in changes:
        change()
        # What the process needs of a scheme it reads once, by looking at it.
        ledger.check_observation(2021, _wish())
        before = len(begun)
        county.observe()
        assert len(begun) - before == 1


def test_an_adopted_scheme_is_in_force_from_its_moment(county: County) -> None:
    county.observe()
    before = county.now
    text = (
        source("zhangshu-2021").replace('version: "1"', 'version: "2"').replace("each: 5, max: 10", "each: 3, max: 10")
    )
    _, version = scheme_version(text, "revised")
    county.ledger.adopt_scheme(county.attempt(), 2021, version, "年中修订")
    assert county.total() == "96"
    assert county.total(known_at=before) == "94"
    _, other = scheme_version(text.replace("each: 3, max: 10", "each: 4, max: 10"), "revised again")
    with pytest.raises(Rejection) as rejection:
        county.ledger.adopt_scheme(county.attempt(), 2021, other, "同一版本号")
    assert _code(rejection) == "scheme-version-taken"


def test_facts_can_be_rebuilt_and_a_changed_row_is_found(county: County) -> None:
    observations = [county.observe(day=date(2021, 3, day)) for day in range(1, 6)]
    county.ledger.amend(county.attempt(), observations[0], Amend(changes=Changes(count=2), reason="x"))
    county.ledger.void(county.attempt(), observations[1], Void(reason="x", evidence=EVIDENCE))
    county.ledger.rectify(county.attempt(), observations[2], Rectify(on=date(2021, 4, 1)))
    engine = county.jurisdictions.engine
    with engine.connect() as connection:
        live = connection.execute(facts.select().order_by(facts.c.position)).all()
    assert check_ledger(engine, CODE, _quietly).findings == ()
    with engine.begin() as connection:
        connection.execute(facts.update().where(facts.c.position == 3).values(count=9))
        connection.execute(facts.delete().where(facts.c.position == 4))
        connection.execute(facts.update().where(facts.c.position == 10).values(position=11))
    found = check_ledger(engine, CODE, _quietly).findings
    assert [(one.position, one.what) for one in found] == [
        (3, "facts.count"),
        (4, "facts.*"),
        (10, "facts.*"),
        (11, "facts.*"),
    ]
    assert rebuild_facts(engine, CODE, _quietly) == 8
    with engine.connect() as connection:
        assert connection.execute(facts.select().order_by(facts.c.position)).all() == live


def test_another_process_sees_the_same_and_decides_on_what_it_finds(county: County, database_url: str) -> None:
    engine = open_engine(database_url)
    other = County(Jurisdictions(engine, secrets.token_bytes), now=county.now + timedelta(hours=1))
    try:
        assert other.total() == "100"
        county.ledger.rename_unit(county.attempt(), 2021, "福城街道", "福城新区", date(2021, 2, 1), "更名")
        observation = county.observe("福城新区")
        assert other.total("福城新区") == "94"
        other.ledger.void(other.attempt("other"), observation, Void(reason="重复", evidence=EVIDENCE))
        with pytest.raises(Rejection) as rejection:
            county.ledger.void(county.attempt(), observation, Void(reason="重复", evidence=EVIDENCE))
        assert _code(rejection) == "observation-void"
        assert county.total() == "100"
        county.ledger.join_unit(county.attempt(), 2021, "新城街道", "township", date(2021, 2, 1), "区划调整")
        other.keys = iter(range(1000, 2000))
        other.observe("新城街道")
        assert county.total("新城街道") == "94"
    finally:
        other.jurisdictions.close()
        engine.dispose()


def test_a_question_from_before_or_after_says_when_to_ask(county: County) -> None:
    county.ledger.leave_unit(county.attempt(), 2021, "中洲乡", date(2021, 7, 1), "撤并")
    with pytest.raises(Rejection) as gone:
        county.total("中洲乡")
    span = "from 2021-01-01 until before 2021-07-01, not on 2021-12-31"
    assert gone.value.refusals[0].message == f"'中洲乡' was assessed {span}; ask as of a day when it was"
    assert county.total("中洲乡", as_of=date(2021, 6, 30)) == "100"
    with pytest.raises(Rejection) as early:
        county.total(known_at=county.now - timedelta(days=1))
    assert early.value.refusals[0][:2] == ("year-not-open", "known_at")
