"""Laws of time: what was known stays known, a void undoes, and the ledger says what a replay says."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checking.checking import check_ledger
from ledger.commands import Amend, Attempt, Observe, Rectify, Void
from ledger.database import migrate, open_engine
from ledger.decisions import BEFORE_THE_PERIOD
from ledger.events import Changes, Evidence
from ledger.rebuilding import rebuild_facts
from projections.cases import Case, Query, Replay, sheet_as_json
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.scheme_files import load, source, vocabulary
from schemes.exact import plain
from schemes.fact import Fact
from tests.schemes.strategies import SCHEMES, facts

Entries = list[dict[str, Any]]
FIRST = datetime(2019, 1, 2, 1, 0, tzinfo=UTC)
EVIDENCE = (Evidence(title="通报", document="〔2021〕8号"),)
any_scheme = pytest.mark.parametrize("name", SCHEMES)


def _moment(at: int) -> str:
    return (FIRST + timedelta(minutes=at)).isoformat()


def _raw(fact: Fact) -> dict[str, Any]:
    shown = {name: plain(value) if isinstance(value, Decimal) else value for name, value in fact.attributes.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()}


@st.composite
def entries(draw: st.DrawFn, name: str) -> Entries:
    """Draw observations and what is said of them later, in ledger order, each a minute after the one before."""
    told: Entries = []
    live: list[str] = []
    days: dict[str, date] = {}
    for fact in draw(facts(name, most=8)):
        told.append(
            {
                "entry": "observe",
                "id": fact.id,
                "recorded_at": _moment(len(told)),
                "unit": fact.unit,
                "kind": fact.kind,
                "occurred_on": fact.occurred_on.isoformat(),
                "count": fact.count,
                "attributes": _raw(fact),
            }
        )
        live.append(fact.id)
        days[fact.id] = fact.occurred_on
        later = draw(st.sampled_from(["", "", "amend", "void", "rectify"]))
        if later:
            about = draw(st.sampled_from(live))
            entry: dict[str, Any] = {"entry": later, "observation": about, "recorded_at": _moment(len(told))}
            if later == "amend":
                entry["changes"] = {"count": draw(st.integers(5, 1000))}
            elif later == "rectify":
                entry["on"] = max(load(name).period.last, days[about]).isoformat()
            else:
                live.remove(about)
                entry["reason"] = "复核"
            told.append(entry)
    return told


def _answer(name: str, told: Entries, **asked: Any) -> dict[str, Any]:
    case = Case.model_validate({"name": "law", "scheme": name, "entries": told, "queries": []})
    found = Replay(case, load(name), vocabulary()).answer(Query.model_validate(asked))
    return {unit: sheet_as_json(sheet) for unit, sheet in found.items()}


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_a_prefix_replayed_is_the_past_as_it_was(name: str, data: st.DataObject) -> None:
    told = data.draw(entries(name))
    cut = data.draw(st.integers(0, len(told)))
    assert _answer(name, told, known_at=_moment(cut - 1)) == _answer(name, told[:cut])


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_a_void_undoes_an_observation(name: str, data: st.DataObject) -> None:
    told = data.draw(entries(name))
    observed = [entry for entry in told if entry["entry"] == "observe"]
    more = dict(observed[0], id="more", recorded_at=_moment(len(told))) if observed else None
    if more is not None:
        void = {"entry": "void", "observation": "more", "recorded_at": _moment(len(told) + 1)}
        assert (
            _answer(name, [*told, more, void]) == _answer(name, told) == _answer(name, [*told, more], without=["more"])
        )


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_what_is_left_out_is_as_if_it_had_never_been_said(name: str, data: st.DataObject) -> None:
    told = data.draw(entries(name))
    names = [entry["id"] for entry in told if entry["entry"] == "observe"]
    out = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    rest = [entry for entry in told if entry.get("id", entry.get("observation")) not in out]
    assert _answer(name, told, without=out) == _answer(name, rest)


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_only_the_order_within_a_day_comes_from_the_ledger(name: str, data: st.DataObject) -> None:
    told = [entry for entry in data.draw(entries(name)) if entry["entry"] == "observe"]
    mixed = data.draw(st.permutations(told))
    same_day_kept = sorted(mixed, key=lambda entry: (entry["occurred_on"], int(entry["id"][1:])))
    assert _answer(name, same_day_kept) == _answer(name, told)


@any_scheme
@settings(max_examples=4)
@given(data=st.data())
def test_the_ledger_says_what_a_replay_says_and_live_is_as_rebuilt(name: str, data: st.DataObject) -> None:
    period = load(name).period
    drawn = data.draw(entries(name))
    early = {
        entry["id"]
        for entry in drawn
        if entry["entry"] == "observe"
        and entry["occurred_on"] not in _days(period.first, period.last)
        and not (entry["kind"] in BEFORE_THE_PERIOD and entry["occurred_on"] < period.first.isoformat())
    }
    told = [entry for entry in drawn if entry.get("id", entry.get("observation")) not in early]
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'ledger.db'}")
        migrate(engine)
        jurisdictions = Jurisdictions(engine, secrets.token_bytes)
        _record(jurisdictions, name, told)
        code, year = load(name).jurisdiction.code, load(name).year
        live = {unit: sheet_as_json(one) for unit, one in jurisdictions.view(code, year).sheets().items()}
        assert live == _answer(name, told)
        assert check_ledger(engine, code, _quietly).findings == ()
        rebuild_facts(engine, code, _quietly)
        again = Jurisdictions(engine, secrets.token_bytes)
        assert {unit: sheet_as_json(one) for unit, one in again.view(code, year).sheets().items()} == live
        again.close()
        jurisdictions.close()
        engine.dispose()


def _quietly(_done: int, _total: int) -> None:
    """Progress nobody watches."""


def _days(first: Any, last: Any) -> set[str]:
    return {(first + timedelta(days=at)).isoformat() for at in range((last - first).days + 1)}


def _record(jurisdictions: Jurisdictions, name: str, told: Sequence[dict[str, Any]]) -> None:
    scheme, version = scheme_version(source(name), name)
    ledger = jurisdictions.ledger(scheme.jurisdiction.code)
    ledger.open_year(Attempt("office", FIRST, "open"), scheme.year, version, scheme_units(scheme))
    ids: dict[str, UUID] = {}
    for at, entry in enumerate(told):
        attempt = Attempt("office", datetime.fromisoformat(entry["recorded_at"]), f"entry-{at}")
        match entry["entry"]:
            case "observe":
                fields = {key: entry[key] for key in ("unit", "kind", "occurred_on", "count", "attributes")}
                wish = Observe.model_validate({**fields, "evidence": EVIDENCE})
                [receipt] = ledger.observe(attempt, scheme.year, [wish])
                ids[entry["id"]] = receipt.event.originator_id
            case "amend":
                changes = Changes.model_validate(entry["changes"])
                ledger.amend(attempt, ids[entry["observation"]], Amend(changes=changes, reason="复核"))
            case "void":
                ledger.void(attempt, ids[entry["observation"]], Void(reason="复核", evidence=EVIDENCE))
            case _:
                ledger.rectify(attempt, ids[entry["observation"]], Rectify(on=entry["on"]))
