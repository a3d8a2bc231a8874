"""The example cases beside the schemes, and what a case may not say."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from projections.cases import differences, read_case, replay
from projections.scheme_files import load, shipped, vocabulary
from schemes.problem import InvalidInput

CASES = {entry.name: entry.read_bytes() for entry in files("schemes").joinpath("cases").iterdir()}
OBSERVE = {
    "entry": "observe",
    "id": "o1",
    "recorded_at": "2021-03-02T09:00:00+08:00",
    "unit": "福城街道",
    "kind": "circular",
    "occurred_on": "2021-03-01",
    "attributes": {"level": "municipal", "subject": "new_media", "period": "monthly"},
}
VOID = {"entry": "void", "observation": "o1", "recorded_at": "2021-04-01T09:00:00+08:00", "reason": "重复"}


def _replay(entries: list[dict[str, Any]], *queries: dict[str, Any]) -> dict[str, Any]:
    told = {"name": "told", "scheme": "zhangshu-2021", "entries": entries, "queries": list(queries)}
    case = read_case(json.dumps(told).encode(), "case.json")
    return replay(case, load(case.scheme), vocabulary())


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_example_case_comes_out_as_its_author_worked_it_out(name: str) -> None:
    case = read_case(CASES[name], name)
    assert any(query.expect for query in case.queries)
    assert differences(case, replay(case, load(case.scheme), vocabulary())["results"]) == []


def test_each_scheme_has_example_cases() -> None:
    assert {name.rsplit("-2", 1)[0] for name in shipped()} == {name.split("-2", 1)[0] for name in CASES}


def test_a_result_names_every_unit_and_every_field() -> None:
    answer = _replay([OBSERVE], {})
    assert list(answer) == ["name", "results"]
    [result] = answer["results"]
    assert len(result) == 54
    assert result["福城街道"] | {"indicators": {}, "pending": []} == {
        "indicators": {},
        "base": "99",
        "bonus": "0",
        "penalty": "5",
        "total": "94",
        "rank": 19,
        "grade": None,
        "pending": [],
        "lowest": "47",
        "highest": "94",
    }


def test_a_difference_is_told_field_by_field() -> None:
    expect = {
        "福城街道": {"indicators": {"2.2": "3", "9.9": "1"}, "total": "94.0", "rank": 1, "grade": "优秀"},
        "某镇": {},
    }
    case_text = {"name": "n", "scheme": "zhangshu-2021", "entries": [OBSERVE], "queries": [{"expect": expect}]}
    case = read_case(json.dumps(case_text).encode(), "case.json")
    assert differences(case, replay(case, load(case.scheme), vocabulary())["results"]) == [
        "queries[0] 福城街道 indicator 2.2: expected 3, found 4",
        "queries[0] 福城街道 indicator 9.9: expected 1, found no such row in the sheet",
        "queries[0] 福城街道 rank: expected 1, found 19",
        "queries[0] 福城街道 grade: expected 优秀, found None",
        "queries[0] 某镇: expected a sheet, but the scheme has no such unit",
    ]


@pytest.mark.parametrize(
    ("entries", "query", "problems"),
    [
        ([OBSERVE, VOID, VOID], {}, [("observation-void", "entries[2].observation")]),
        (
            [OBSERVE, VOID, VOID | {"entry": "amend", "changes": {"count": 2}}],
            {},
            [("observation-void", "entries[2].observation")],
        ),
        ([OBSERVE, OBSERVE], {}, [("observation-id-twice", "entries[1].id")]),
        ([VOID], {}, [("unknown-observation", "entries[0].observation")]),
        ([OBSERVE | {"unit": "福城"}], {}, [("unknown-unit", "entries[0].unit")]),
        ([OBSERVE | {"count": 0}], {}, [("case-greater-than-equal", "case.json entries.0.observe.count")]),
        (
            [OBSERVE | {"recorded_at": "2021-03-02T09:00:00"}],
            {},
            [("case-timezone-aware", "case.json entries.0.observe.recorded_at")],
        ),
        ([OBSERVE], {"without": ["o2"]}, [("unknown-observation", "queries[0].without")]),
        (
            [OBSERVE],
            {"revise": [{"indicator": "2.2", "set": {"each": "1"}}]},
            [("revision-unknown-parameter", "queries[0].revise[0].set.each")],
        ),
        (
            [OBSERVE],
            {"revise": [{"indicator": "9.9", "set": {"points": "1"}}]},
            [("revision-fits-nothing", "queries[0].revise[0]")],
        ),
        (
            [OBSERVE],
            {"revise": [{"indicator": "2.2", "kind": "circular", "set": {"points": "1"}}]},
            [("revision-without-effect", "queries[0].revise[0]")],
        ),
        (
            [OBSERVE],
            {"revise": [{"indicator": "2.2", "effect": "deduct", "nth": 2, "set": {"each": "1"}}]},
            [("revision-fits-nothing", "queries[0].revise[0]")],
        ),
        ([OBSERVE], {"revise": [{"set": {"cap": "NaN"}}]}, [("revision-value", "queries[0].revise[0].set.cap")]),
        (
            [OBSERVE],
            {"revise": [{"set": {"cap_after": "never"}}]},
            [("revision-value", "queries[0].revise[0].set.cap_after")],
        ),
        ([OBSERVE], {"as_off": "2021-03-01"}, [("case-extra-forbidden", "case.json queries.0.as_off")]),
    ],
)
def test_what_the_ledger_would_refuse_is_an_error(
    entries: list[dict[str, Any]], query: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        _replay(entries, query)
    assert [(problem.code, problem.where) for problem in refused.value.problems] == problems


def test_an_amended_observation_keeps_its_place_among_facts_of_its_day() -> None:
    """Two judgements of one day: the later entry counts, also after the earlier one was amended."""
    judgement = {"kind": "judgement", "attributes": {"indicator": "1.2", "value": "1"}}
    first = OBSERVE | judgement | {"id": "j1"}
    second = OBSERVE | judgement | {"id": "j2", "attributes": {"indicator": "1.2", "value": "2"}}
    amend = {
        "entry": "amend",
        "observation": "j1",
        "recorded_at": "2021-05-01T09:00:00+08:00",
        "changes": {"attributes": {"indicator": "1.2", "value": "3"}},
    }
    answer = _replay([first, second, amend], {}, {"without": ["j2"]})
    assert [result["福城街道"]["indicators"]["1.2"] for result in answer["results"]] == ["2", "3"]


def test_setting_points_moves_the_ceiling_that_followed_them() -> None:
    revisions: list[dict[str, Any]] = [
        {"indicator": "2.2", "set": {"points": "8"}},
        {"indicator": "2.2", "set": {"points": "8", "ceiling": "5"}},
    ]
    answer = _replay([], *({"revise": [revision]} for revision in revisions))
    assert [result["福城街道"]["indicators"]["2.2"] for result in answer["results"]] == ["8", "5"]
