"""What rows ask to be recorded: worked examples of the shipped schemes, and that nothing that can count is left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from projections.scheme_files import load, vocabulary
from schemes.asking import AskedKind, asked_kinds
from schemes.fact import Fact
from schemes.figures import Figures
from schemes.rules import Judged
from schemes.scheme import Indicator, Scheme
from schemes.scoring import Circumstances, judgements, touching
from schemes.vocabulary import CodeAttribute, ItemAttribute, Vocabulary
from tests.schemes.strategies import SCHEMES


def _words(scheme: Scheme) -> Vocabulary:
    return vocabulary().extended(scheme.items)


def _row(scheme: str, group: str, row: str) -> dict[str, AskedKind]:
    found = load(scheme)
    indicator = next(one for one in found.groups if one.id == group).indicator(row)
    assert indicator is not None
    return {one.kind: one for one in asked_kinds(indicator, _words(found))}


def _codes(asked: AskedKind, name: str) -> list[str] | None:
    field = asked.field(name)
    assert field is not None
    return None if field.values is None else list(field.values)


def test_a_row_asks_only_for_the_kinds_and_codes_that_its_rules_look_at() -> None:
    asked = _row("zhangshu-2021", "township", "2.2")

    assert list(asked) == ["circular"]
    assert _codes(asked["circular"], "subject") == ["new_media"]
    assert _codes(asked["circular"], "level") == ["national", "provincial", "municipal", "county"]
    assert _codes(asked["circular"], "issue") is None
    assert asked["circular"].rules == ("每有1次“被通报”（通报对象为政务新媒体）扣1分",)


def test_a_checklist_asks_for_its_own_items() -> None:
    asked = _row("zhangshu-2021", "township", "3.2")["omission"]

    assert len(_codes(asked, "item") or ()) == 6
    assert asked.label == "应做未做、应公开未公开"


def test_a_judged_row_asks_for_its_own_judgement_first_and_then_for_what_it_lists_beside_it() -> None:
    asked = _row("zhangshu-2021", "township", "5.1")

    assert next(iter(asked)) == "judgement"
    assert _codes(asked["judgement"], "indicator") == ["5.1"]
    assert _codes(asked["meeting"], "role") == ["principal"]


def test_a_row_of_late_replies_asks_for_the_requests_they_are_derived_from() -> None:
    asked = _row("zhangshu-2021", "township", "1.11")

    assert list(asked) == ["late_reply", "request_received", "request_extended", "request_answered"]
    assert asked["request_received"].rules == asked["late_reply"].rules


def test_rankings_are_asked_by_the_names_that_the_rules_look_at() -> None:
    assert len(_codes(_row("zhangshu-2021", "department", "b2")["ranking"], "name") or ()) == 4


def test_discretion_is_asked_of_the_section_of_its_row() -> None:
    assert _codes(_row("zhangshu-2021", "township", "b2")["discretion"], "section") == ["bonus"]


def test_a_row_that_looks_at_subtotals_only_asks_for_nothing() -> None:
    assert _row("yanjiang-2021", "township", "b1") == {}


def test_a_veto_asks_for_facts_that_no_row_has() -> None:
    scheme = load("changshu-2020")
    circulars, fraud = (asked_kinds(veto, _words(scheme)) for veto in scheme.vetoes)

    assert [one.kind for one in fraud] == ["fraud"]
    assert _codes(circulars[0], "level") == ["national", "provincial", "municipal"]
    assert "弄虚作假" in fraud[0].rules[0]


@pytest.mark.parametrize(
    ("scheme", "row", "kind", "name", "needed"),
    [
        ("changshu-2020", "b3", "publication", "forms", True),
        ("changshu-2020", "b5", "media_report", "topic", True),
        ("changshu-2020", "b5", "media_report", "outlet", False),
        ("zhangshu-2021", "2.2", "circular", "level", True),
        ("zhangshu-2021", "2.2", "circular", "issue", False),
    ],
)
def test_a_field_is_needed_where_no_fact_without_it_would_count(
    scheme: str, row: str, kind: str, name: str, needed: bool
) -> None:
    field = _row(scheme, "township", row)[kind].field(name)

    assert field is not None
    assert field.needed is needed


@pytest.mark.parametrize(("row", "bound"), [("2.1", 180), ("3.1", 14)])
def test_the_bound_that_all_rules_of_a_row_agree_on_is_told(row: str, bound: int) -> None:
    field = _row("changshu-2020", "township", row)["stale"].field("days")

    assert field is not None
    assert field.at_least == bound


@pytest.mark.parametrize("name", sorted(SCHEMES))
def test_no_code_is_left_out_with_which_a_fact_of_one_code_would_count(name: str) -> None:
    scheme = load(name)
    words = _words(scheme)
    for group in scheme.groups:
        for row in group.indicators:
            asked = {one.kind: one for one in asked_kinds(row, words)}
            for kind in row.kinds:
                _hold_single_codes(row, kind, asked[kind], words, scheme.year)


def _hold_single_codes(row: Indicator, kind: str, asked: AskedKind, words: Vocabulary, year: int) -> None:
    said = Fact("", 0, "甲", kind, date(year, 1, 1), 1, {})
    attributes = words.kinds[kind].attributes
    for name, attribute in attributes.items():
        known = {**attribute.values} if isinstance(attribute, CodeAttribute) else words.items
        if len(attributes) == 1 and isinstance(attribute, CodeAttribute | ItemAttribute):
            facts = {code: replace(said, attributes={name: code}) for code in known}
            assert {code for code, fact in facts.items() if _counts(row, fact, year)} <= set(_codes(asked, name) or ())


def _counts(row: Indicator, fact: Fact, year: int) -> bool:
    alone = {fact.kind: [fact]}
    around = Circumstances("甲", year, Figures({"甲": alone}, {}))
    return any(
        judgements(row, alone) if isinstance(rule, Judged) else touching(rule, alone, around) for rule in row.rules
    )
