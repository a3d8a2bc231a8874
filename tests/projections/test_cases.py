"""The example cases beside the schemes, and what a case may not say."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from projections.cases import differences, read_case, replay
from projections.scheme_files import load, shipped, vocabulary
from schemes.problem import InvalidInput
from schemes.revision import Edit, revised
from schemes.scheme import Scheme

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
RECTIFY = {"entry": "rectify", "observation": "o1", "recorded_at": "2021-03-20T09:00:00+08:00", "on": "2021-03-15"}
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
        ([OBSERVE, VOID, RECTIFY], {}, [("observation-void", "entries[2].observation")]),
        (
            [OBSERVE | {"kind": "request_received", "occurred_on": "1999-01-04", "attributes": {"request": "R1"}}],
            {},
            [("calendar-unknown-year", "entries[0].occurred_on")],
        ),
        (
            [OBSERVE | {"recorded_at": 1614646800}],
            {},
            [("case-value-error", "case.json entries.0.observe.recorded_at")],
        ),
        (
            [OBSERVE | {"recorded_at": "1614646800"}],
            {},
            [("case-value-error", "case.json entries.0.observe.recorded_at")],
        ),
        ([OBSERVE], {"known_at": 1614646800}, [("case-value-error", "case.json queries.0.known_at")]),
        (
            [OBSERVE],
            {"expect": {"福城街道": {"indicators": None}}},
            [("case-dict-type", "case.json queries.0.expect.福城街道.indicators")],
        ),
        (
            [OBSERVE],
            {"expect": {"福城街道": {"indicators": ["2.2"]}}},
            [("case-dict-type", "case.json queries.0.expect.福城街道.indicators")],
        ),
        (
            [OBSERVE],
            {"expect": {"福城街道": {"totals": "94"}}},
            [("case-extra-forbidden", "case.json queries.0.expect.福城街道.totals")],
        ),
        (
            [OBSERVE],
            {"expect": {"福城街道": {"rank": True}}},
            [("case-int-type", "case.json queries.0.expect.福城街道.rank")],
        ),
        (
            [OBSERVE],
            {"revise": [{"set": {"cap": True}}]},
            [("case-value-error", "case.json queries.0.revise.0.set.cap")],
        ),
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


def _revised(scheme: str, edit: dict[str, Any]) -> Scheme:
    return revised(load(scheme), [Edit.model_validate(edit)])


@pytest.mark.parametrize(
    ("scheme", "edit", "where"),
    [
        ("zhangshu-2021", {"indicator": "2.2", "effect": "deduct", "set": {"each": "-2"}}, "each"),
        ("zhangshu-2021", {"indicator": "2.2", "effect": "deduct", "set": {"max": "-1"}}, "max"),
        ("zhangshu-2021", {"indicator": "2.2", "set": {"points": "-1"}}, "points"),
        ("zhangshu-2021", {"indicator": "1.2", "effect": "judged", "set": {"min": "6"}}, ""),
        ("zhangshu-2021", {"indicator": "1.2", "effect": "judged", "set": {"max": None}}, "max"),
        ("zhangshu-2021", {"indicator": "1.2", "effect": "judged", "set": {"min": None}}, "min"),
        ("zhangshu-2021", {"set": {"full": "-1"}}, "full"),
        ("zhangshu-2021", {"set": {"full": None}}, "full"),
    ],
)
def test_a_revision_cannot_set_what_a_scheme_file_could_not_state(
    scheme: str, edit: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        _revised(scheme, edit)
    [problem] = refused.value.problems
    assert (problem.code, problem.where) == ("revision-value", f"revise[0].set.{where}".rstrip("."))


def test_a_step_or_a_number_of_times_is_set_only_to_what_it_can_be() -> None:
    found = {}
    for name in shipped():
        for group in load(name).groups:
            for row in group.indicators:
                for rule in row.rules:
                    values = {"shortfall": {"step": "0"}, "milestone": {"at_least": "0.5"}}.get(rule.effect)
                    if values is not None:
                        with pytest.raises(InvalidInput) as refused:
                            _revised(name, {"indicator": row.id, "effect": rule.effect, "set": values})
                        found[rule.effect] = {(problem.code, problem.where) for problem in refused.value.problems}
    assert found == {
        "shortfall": {("revision-value", "revise[0].set.step")},
        "milestone": {("revision-value", "revise[0].set.at_least")},
    }


@pytest.mark.parametrize(
    "edit",
    [
        {"indicator": "1.2", "effect": "judged", "set": {"max": "2"}},
        {"indicator": "1.2", "effect": "judged", "set": {"default": "9"}},
        {"indicator": "1.2", "effect": "judged", "set": {"min": "-3", "max": "0"}},
        {"indicator": "2.2", "effect": "deduct", "set": {"max": None}},
        {"indicator": "2.2", "effect": "deduct", "set": {"each": "0"}},
        {"indicator": "2.2", "set": {"floor": None, "ceiling": None}},
        {"indicator": "2.2", "set": {"points": "0"}},
        {"set": {"cap": None, "floor": None, "bonus_cap": None, "penalty_cap": None}},
    ],
)
def test_ranges_defaults_and_bounds_need_not_follow_each_other(edit: dict[str, Any]) -> None:
    answer = _replay([OBSERVE], {"revise": [edit]})
    assert len(answer["results"][0]) == 54


def test_a_judgement_outside_a_revised_range_is_clamped_to_it() -> None:
    judgement = OBSERVE | {"kind": "judgement", "attributes": {"indicator": "1.2", "value": "4"}}
    edit = {"indicator": "1.2", "effect": "judged", "set": {"max": "2"}}
    answer = _replay([judgement], {}, {"revise": [edit]})
    assert [result["福城街道"]["indicators"]["1.2"] for result in answer["results"]] == ["4", "2"]


@pytest.mark.parametrize("left_out", ["entries", "queries"])
def test_entries_and_queries_must_be_stated_and_other_fields_may_be(left_out: str) -> None:
    told = {"name": "n", "scheme": "zhangshu-2021", "entries": [], "queries": [], "drawn_by": "x"}
    assert read_case(json.dumps(told).encode(), "case.json").entries == ()
    del told[left_out]
    with pytest.raises(InvalidInput) as refused:
        read_case(json.dumps(told | {left_out[:-1]: []}).encode(), "case.json")
    assert [(problem.code, problem.where) for problem in refused.value.problems] == [
        ("case-missing", f"case.json {left_out}")
    ]


@pytest.mark.parametrize(
    "later",
    [
        {"entry": "amend", "observation": "o1", "changes": {"count": 2}},
        {"entry": "rectify", "observation": "o1", "on": "2021-03-15"},
    ],
)
def test_nothing_is_visible_before_it_was_recorded(later: dict[str, Any]) -> None:
    """A later entry with an earlier moment says nothing of an observation not yet known then."""
    early = later | {"recorded_at": "2021-03-01T12:00:00+08:00"}
    asked = [{"known_at": f"2021-03-{day}T12:00:00+08:00"} for day in ("01", "02")]
    answer = _replay([OBSERVE, early], *asked)
    nothing = _replay([], {})
    assert answer["results"][0] == nothing["results"][0]
    assert answer["results"][1] == _replay([OBSERVE, early], {})["results"][0] != nothing["results"][0]
