"""Bundles of ledgers that no program of ours would write, signed with the right key: a finding each, and no error."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import canonical_bytes
from ledger.events import (
    Event,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    Reading,
    UnitLeft,
)
from tests.projections.bundles import MAPPER, UNIT, Files, checked, contents, found, headed, sealed, small_files
from tests.projections.conftest import CIRCULAR, EVIDENCE

STREAM = UUID("8eb57e40-2074-5d03-9f0d-b2a4980be5aa")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_files(tmp_path_factory.mktemp("ledger"))


def _head(version: int, stream: UUID = STREAM) -> dict[str, Any]:
    return {
        "originator_id": stream,
        "originator_version": version,
        "recorded_at": datetime(2021, 5, 1, tzinfo=UTC),
        "actor": "办公室",
        "nonce": uuid5(stream, str(version)).hex,
    }


def _forged(files: Files, *more: bytes | Event) -> tuple[int, str] | None:
    """Return the finding about the whole year with more entries behind its own, in a tree signed with the key."""
    bundle = contents(files.year)
    states = [b64decode(one["state"]) for one in bundle["events"]]
    headed(bundle, states + [one if isinstance(one, bytes) else MAPPER.to_stored_event(one).state for one in more])
    return found(sealed(bundle))


READING = {"unit": UNIT, "kind": "circular", "occurred_on": "2021-03-01", "attributes": CIRCULAR}
OBSERVED = ObservationObserved.model_validate(_head(1) | {"year": 2021, "evidence": EVIDENCE, "reading": READING})
VOIDED = ObservationVoided.model_validate(_head(2) | {"year": 2021, "evidence": EVIDENCE, "reason": "重复"})
RECTIFIED = ObservationRectified.model_validate(_head(2) | {"year": 2021, "on": "2021-04-01"})


def _state(event: Event = OBSERVED, **changes: Any) -> bytes:
    return canonical_bytes(json.loads(MAPPER.to_stored_event(event).state) | changes)


def _data(**changes: Any) -> bytes:
    data = json.loads(MAPPER.to_stored_event(OBSERVED).state)["data"]
    return _state(data=data | changes)


TOO_MANY = _data(reading=READING | {"count": 1}).replace(b'"count":1', b'"count":9007199254740993')


@pytest.mark.parametrize(
    "state",
    [
        b"", b"{}", b"[]", b"null", b"1", b'"x"', b"{", b"\xff", b"[" * 5000, b'{"a":1,"a":1}', b'{"type":NaN}',
        _state() + b"\n", _state().replace(b'"version":1', b'"version": 1'),
        _state(type="observation.observed/2"), _state(type=1), _state(type=None), _state(type=["x"]),
        _state(ledger="140821"), _state(ledger=360982), _state(stream=5), _state(stream="x"),
        _state(stream=str(STREAM).upper()), _state(version="1"), _state(version=None), _state(version={}),
        _state(recorded_at=1620000000), _state(recorded_at="2021-05-01T08:00:00.000000+08:00"),
        _state(recorded_at="0001-01-01T00:00:00+23:59"), _state(recorded_at="x"), _state(actor="\u202e甲"),
        _state(actor=None), _state(nonce="0"), _state(more=1), _state(data=[]), _state(data={}), _state(data="x"),
        _state(data={"originator_id": "x"}), _state(data={"actor": "x"}), _data(year=True), _data(year="2021"),
        _data(evidence=None), _data(evidence=[]), _data(evidence=[{}] * 3), _data(more=0),
        _data(reading=READING), _data(reading=READING | {"count": 0}), TOO_MANY,
        _data(reading=READING | {"count": 1, "occurred_on": 1}), _data(reading=READING | {"unit": "甲镇\n"}),
        _data(decision="x"), _data(decision=str(STREAM), note=""),
    ],
)  # fmt: skip
def test_bytes_that_no_ledger_writes_are_refused(files: Files, state: bytes) -> None:
    assert _forged(files, state) == (4, "entry-not-exact")


def _reading(**changes: Any) -> Event:
    return OBSERVED.model_copy(update={"reading": Reading.model_validate(READING | changes)})


@pytest.mark.parametrize(
    "event",
    [
        _reading(kind="unheard_of"),
        _reading(attributes={}),
        _reading(attributes={"level": "municipal", "days": 5}),
        _reading(kind="metric", attributes={"name": "x", "value": "1e9"}),
        _reading(kind="metric", attributes={"name": "x", "value": "not a number"}),
        _reading(kind="discretion", attributes={"section": "bonus", "points": "x", "authority": "y"}),
        _reading(kind="prior_grade", attributes={"year": 2020, "grade": "优秀"}),
        _reading(unit="无此镇"),
        UnitLeft.model_validate(_head(3) | {"year": 2021, "unit": "无此镇", "on": "2021-03-01", "reason": "撤并"}),
    ],
)
def test_facts_that_cannot_be_made_out_or_change_the_answer_are_a_finding(files: Files, event: Event) -> None:
    finding = _forged(files, event)
    assert finding is not None
    assert finding[0] >= 6


def test_streams_with_gaps_or_that_do_not_follow_are_refused(files: Files) -> None:
    amended = ObservationAmended.model_validate(
        _head(2) | {"year": 2021, "changes": {"count": 2}, "reason": "x", "reading": READING | {"count": 3}}
    )
    assert _forged(files, OBSERVED.model_copy(update={"originator_version": 2})) == (6, "stream-version")
    assert _forged(files, OBSERVED, OBSERVED) == (6, "stream-version")
    assert _forged(files, VOIDED.model_copy(update={"originator_version": 1})) == (6, "stream-order")
    assert _forged(files, OBSERVED, amended) == (6, "amendment-not-following")
    after = RECTIFIED.model_copy(update={"originator_version": 3, "nonce": "03" * 16})
    assert _forged(files, OBSERVED, VOIDED, after) == (6, "entry-after-void")
    earlier = {"recorded_at": datetime(2020, 5, 1, tzinfo=UTC)}
    assert _forged(files, OBSERVED.model_copy(update=earlier)) == (6, "time-backwards")


@settings(max_examples=60)
@given(at=st.integers(0, 10**6), written=st.binary(min_size=1, max_size=3), entry=st.integers(0, 6))
def test_entries_with_random_bytes_in_a_tree_that_fits_never_raise(
    files: Files, at: int, written: bytes, entry: int
) -> None:
    bundle = contents(files.year)
    states = [b64decode(one["state"]) for one in bundle["events"]]
    place = at % len(states[entry])
    states[entry] = states[entry][:place] + written + states[entry][place + len(written) :]
    headed(bundle, states)
    checked(sealed(bundle))
