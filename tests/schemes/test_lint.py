"""The lint: what it finds in the shipped schemes and in small ones made for it; acceptances in a file's own text."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.scheme_files import load, shipped, source, vocabulary
from schemes.conditions import Where
from schemes.linting.accepting import with_acceptance
from schemes.linting.finding import Finding
from schemes.linting.lint import lint
from schemes.linting.reach import Reach
from schemes.linting.satisfying import contradictory, satisfying
from schemes.problem import InvalidInput
from schemes.reading import dotted, read_scheme
from schemes.rules import Selection
from schemes.scheme import Accepted, Scheme
from schemes.sheets import Situation, default_roster, sheets
from tests.schemes.strategies import SCHEMES, facts

GOLDEN = Path(__file__).with_name("golden") / "lint.json"
any_scheme = pytest.mark.parametrize("name", SCHEMES)

HEAD = """\
id: sample
version: "1"
document: {title: 示例, number: null, issuer: 示例市, issued_on: 2021-01-01}
jurisdiction: {code: "360982", name: 示例市}
year: 2021
period: {first: 2021-01-01, last: 2021-12-31}
full: 10
not_applicable: drop
"""
GROUP = """\
groups:
  - id: township
    title: 乡镇
    units: [甲镇, 乙镇]
"""
PLAIN_ROW = """\
      - id: "1"
        titles: [通报]
        clause: 第1行
        points: 10
        start: full
        rules:
          - {effect: deduct, kinds: [circular], each: 1, max: 10}
"""


def _shown(found: list[Finding]) -> list[dict[str, Any]]:
    return [
        {
            "code": one.code,
            "group": one.group,
            "indicator": one.indicator,
            "path": dotted(one.path),
            "message": one.message,
            "sentence": one.sentence,
            "accepted": one.accepted,
        }
        for one in found
    ]


def _read(text: str) -> Scheme:
    return read_scheme(text, "sample.yaml", vocabulary())


def _codes(scheme: Scheme) -> list[tuple[str, str | None]]:
    """What is found, but for the kinds that so small a scheme does not use."""
    found = lint(scheme, vocabulary())
    return [(one.code, one.indicator) for one in found if one.code != "lint-kinds-unused"]


@any_scheme
def test_the_findings_of_a_shipped_scheme_are_those_on_record(name: str) -> None:
    assert _shown(lint(load(name), vocabulary())) == json.loads(GOLDEN.read_text("utf-8"))[name]


def test_the_sums_that_the_documents_print_are_on_record() -> None:
    told = {name: [one["message"] for one in found] for name, found in json.loads(GOLDEN.read_text("utf-8")).items()}
    assert list(told) == list(shipped())
    for name, words in {
        "zhangshu-2021": ("55 points, its 11 rows add up to 50", "15 points, its 2 rows add up to 20"),
        "langxi-2019": ("36 points, its 5 rows add up to 33",),
        "changshu-2020": ("add up to 150 points, full is 100; the total is capped at 100",),
        "yanjiang-2021": ("department 6: the row applies to no unit",),
        "linyi-2023": ("up to 13 points above", "up to 18 points above", "50% of 12, which is 6"),
    }.items():
        for wanted in words:
            assert any(wanted in message for message in told[name]), (name, wanted)


def _row(*rules: str, points: int = 10, **fields: object) -> str:
    stated: dict[str, object] = {"start": "full", **fields}
    lines = ['      - id: "2"', "        titles: [示例行]", "        clause: 第2行", f"        points: {points}"]
    lines += [f"        {name}: {value}" for name, value in stated.items()]
    lines += ["        rules:", *(f"          - {{{rule}}}" for rule in rules)] if rules else []
    return "\n".join(lines) + "\n"


DEDUCT = "effect: deduct, kinds: [stale], each: 2"
AWARD = "effect: award, kinds: [merit], each: 2"
MEAN_SCORE = "metric: website_support_score, among: all"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (_row(f"{DEDUCT}, max: 10"), None),
        (_row(f"{DEDUCT}, max: 12"), "lint-cap-never-binds"),
        (_row(f"{DEDUCT}, max: 12", f"{AWARD}, max: 4", ceiling=14), None),
        (
            _row(f"{DEDUCT}, max: 12, pool: d", "effect: deduct, kinds: [fraud], each: 1, pool: d"),
            "lint-cap-never-binds",
        ),
        (_row(f"{AWARD}, max: 12", start="zero"), "lint-cap-never-binds"),
        (_row(f"{AWARD}, max: 8", start="zero"), "lint-ceiling-out-of-reach"),
        (_row(f"{DEDUCT}, max: 8"), "lint-floor-out-of-reach"),
        (_row(f"{DEDUCT}, max: 8", "effect: forfeit, kinds: [fraud]"), None),
        (_row(), "lint-floor-out-of-reach"),
        (_row("effect: tiers, kinds: [stale], direction: deduct, steps: [{times: 1, points: 10}]"), None),
        (
            _row(
                "effect: tiers, kinds: [stale], direction: deduct, "
                "steps: [{times: 1, points: 10}, {times: 2, points: 12}]"
            ),
            "lint-step-without-effect",
        ),
        (
            _row(
                "effect: tiers, kinds: [stale], direction: deduct, "
                "steps: [{times: 1, points: 10}, {times: 2, points: 5}]"
            ),
            "lint-step-without-effect",
        ),
        (
            _row(
                DEDUCT,
                "effect: by_rank, direction: deduct, source: {ranking: third_party_q1}, among: group, "
                "places: [{rank: 2, points: 1}, {rank: 3, points: 2}]",
            ),
            "lint-step-without-effect",
        ),
        (_row(AWARD, DEDUCT, start="zero"), None),
        (_row("effect: forfeit, kinds: [fraud]", start="zero", ceiling=0), "lint-deduction-out-of-reach"),
        (_row(DEDUCT, start="zero", ceiling=0), "lint-deduction-out-of-reach"),
        (_row("effect: forfeit, kinds: [fraud]", AWARD), "lint-award-out-of-reach"),
        (_row("effect: forfeit, kinds: [fraud]", AWARD, start="zero"), None),
        (_row("effect: inform, kinds: [fraud]", AWARD, floor=10), "lint-award-out-of-reach"),
        (_row(DEDUCT, "effect: forfeit, kinds: [omission], where: {item: new_media_rule}"), None),
        (_row("effect: deduct, kinds: [stale], each: 2, where: {days: {at_least: 9, at_most: 8}}"), "never-matches"),
        (_row("effect: deduct, kinds: [stale, fraud], each: 2, where: {days: {at_least: 9}}"), "never-matches"),
        (
            _row("effect: deduct, kinds: [stale], each: 2, where: {days: 9, not: {days: {at_least: 9}}}"),
            "never-matches",
        ),
        (
            _row(
                "effect: checklist, kinds: [omission], mode: lose, where: {not: {item: open_day}}, "
                "items: {open_day: 5, open_day_rule: 5}"
            ),
            "never-matches",
        ),
        (
            _row(
                "effect: milestone, points: 10, conditions: [{kinds: [stale], at_least: 3, at_most: 2}]",
                start="zero",
            ),
            "never-matches",
        ),
        (_row("effect: judged, min: 0, max: 10, default: 5", start="zero"), None),
        (_row("effect: judged, min: 10, max: 10, default: 10", start="zero"), "lint-judged-without-range"),
        (_row("effect: judged, min: 0, max: 10, default: 11", start="zero"), "lint-default-outside-range"),
        (_row("effect: judged, min: 0, max: 12, default: 5", start="zero"), "lint-range-outside-points"),
        (_row("effect: judged, min: -2, max: 10, default: 5", start="zero"), "lint-range-outside-points"),
        (
            _row("effect: by_value, metric: website_support_score, steps: [{at_least: 9, points: 12}]", start="zero"),
            "lint-range-outside-points",
        ),
        (
            _row(
                "effect: tiers, kinds: [activity], direction: award, "
                "steps: [{times: 1, points: 7}, {times: 2, points: 12}]",
                start="zero",
            ),
            "lint-range-outside-points",
        ),
        (
            _row(
                "effect: checklist, kinds: [provision], mode: earn, items: {support_agency: 6, support_funding: 6}",
                start="zero",
            ),
            "lint-range-outside-points",
        ),
        (
            _row(
                "effect: by_rank, direction: award, source: {ranking: third_party_q1}, among: group, "
                "places: [{rank: 1, points: 11}]",
                start="zero",
            ),
            "lint-range-outside-points",
        ),
        (
            _row(
                "effect: tiers, kinds: [activity], direction: award, steps: [{times: 1, points: 12}]",
                f"{DEDUCT}, max: 2",
                start="zero",
            ),
            None,
        ),
        (_row(f"effect: shortfall, {MEAN_SCORE}, step: 0.9, each: 2"), None),
        (_row(f"effect: shortfall, {MEAN_SCORE}, step: 1, each: 2"), "lint-shortfall-step"),
        (_row(f"effect: shortfall, {MEAN_SCORE}, step: 20, each: 2"), "lint-shortfall-step"),
        (_row("effect: deduct, kinds: [circular], each: 2, where: {level: county}"), "lint-fact-hits-two-rows"),
        (_row(DEDUCT, applies_to="{only: [甲镇]}"), None),
        (_row("effect: deduct, kinds: [circular], each: 2", applies_to="{only: []}"), "lint-row-without-unit"),
        (
            _row("effect: if_total, basis: base, at_least: 21, points: 1", start="zero", section="bonus", points=1),
            "lint-threshold-out-of-reach",
        ),
        (
            _row("effect: if_total, basis: base, at_least: 11, points: 2", start="zero", points=2),
            "lint-threshold-out-of-reach",
        ),
        (_row("effect: if_total, basis: base, at_least: 10, points: 2", start="zero", points=2), None),
        (_row(DEDUCT, "effect: deduct, kinds: [fraud], each: 0"), "lint-deduction-out-of-reach"),
        (_row(DEDUCT, "effect: deduct, kinds: [fraud], each: 1, max: 0"), "lint-deduction-out-of-reach"),
        (_row(DEDUCT, "effect: award, kinds: [merit], each: 0"), "lint-award-out-of-reach"),
        (
            _row(
                DEDUCT,
                "effect: by_rank, direction: deduct, among: group, places: [{rank: 1, points: 1}], source: "
                "{order: highest_first, count: {kinds: [fraud], where: {rectified: true, not: {rectified: true}}}}",
            ),
            "never-matches",
        ),
    ],
)
def test_a_row_gives_the_finding_it_was_made_for(row: str, code: str | None) -> None:
    head = HEAD.replace("full: 10", "full: 20")
    found = _codes(_read(f"{head}{GROUP}    indicators:\n{PLAIN_ROW}{row}"))
    of_row = {one.removeprefix("lint-rule-") for one, indicator in found if indicator == "2"}
    assert of_row == ({code} if code else set())


BANDS = "bands: [{grade: 合格, at_least: 6}, {grade: 不合格, at_least: null}]\n"
VETO = "vetoes: [{id: v, title: 弄虚作假, clause: 第3行, when: {kinds: [fraud]}"
FAIL_LINE = "vetoes: [{id: v, title: 底线, clause: 第3行, when: "


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("cap: 10\n", None),
        ("cap: 11\n", "lint-cap-never-binds"),
        ("bonus_cap: 3\n", "lint-cap-never-binds"),
        ("penalty_cap: 3\n", "lint-cap-never-binds"),
        ("bonus_gate: {basis: base, at_least: 10}\n", None),
        ("bonus_gate: {basis: base, at_least: 11}\n", "lint-threshold-out-of-reach"),
        ("bands: [{grade: 优秀, at_least: 11}, {grade: 合格, at_least: null}]\n", "lint-threshold-out-of-reach"),
        (
            "vetoes: [{id: v, title: 不合格, clause: 第3行, when: {basis: total, below: 0}, grade: 不合格}]\n",
            "lint-threshold-out-of-reach",
        ),
        (f"{FAIL_LINE}{{basis: base, below: 0}}, total: 0}}]\n", "lint-threshold-out-of-reach"),
        (f"{FAIL_LINE}{{basis: base, below: 1}}, total: 0}}]\n", None),
        (f"{FAIL_LINE}{{basis: base+bonus-penalty, below: 0}}, total: 0}}]\n", "lint-threshold-out-of-reach"),
        (
            f"{FAIL_LINE}{{kinds: [fraud], where: {{rectified: true, not: {{rectified: true}}}}}}, total: 0}}]\n",
            "lint-rule-never-matches",
        ),
        (f"{BANDS}{VETO}, grade: 不合格}}]\n", None),
        (f"{BANDS}{VETO}, grade: 不及格}}]\n", "lint-unknown-grade"),
        (f"{VETO}, grade: 不及格}}]\n", None),
        ("items: {village_affairs: 村务公开}\n", "lint-item-unused"),
        ("accepted: [{code: lint-full-sum, reason: 原文如此}]\n", "lint-accepted-nothing"),
    ],
)
def test_a_sheet_gives_the_finding_it_was_made_for(head: str, code: str | None) -> None:
    found = _codes(_read(f"{HEAD}{head}{GROUP}    indicators:\n{PLAIN_ROW}"))
    assert [one for one, _ in found] == ([code] if code else [])


@pytest.mark.parametrize(
    ("grade", "codes"), [("优秀", []), ("不合格", []), ("一票否决", []), ("优良", ["lint-unknown-grade"])]
)
def test_the_grade_of_the_year_before_is_one_that_the_scheme_knows(grade: str, codes: list[str]) -> None:
    group = GROUP + (
        "    quotas: {top: {grade: 优秀, share: 0.5}, middle: 良好, bottom: {grade: 不合格, share: 0.1}}\n"
    )
    row = _row(f"effect: prior_grade, grade: {grade}, points: 2", start="zero", section="bonus", points=2)
    again = VETO.partition("[")[2].replace("id: v", "id: w")
    veto = f"{VETO}, grade: 一票否决}}, {again}, grade: 一票否决}}]\n"
    found = _codes(_read(f"{HEAD}{veto}{group}    indicators:\n{PLAIN_ROW}{row}"))
    assert [code for code, _ in found if code == "lint-unknown-grade"] == codes


@pytest.mark.parametrize(("weights", "codes"), [((1, "0.1"), []), ((1, "0.2"), ["lint-weights-sum"])])
def test_the_stages_weighed_add_up_to_the_full_points(weights: tuple[object, object], codes: list[str]) -> None:
    stages = (
        f"stages: [{{id: daily, title: 日常, weight: {weights[0]}, full: 9}}, "
        f"{{id: mutual, title: 互评, weight: {weights[1]}, full: 10}}]\n"
    )
    first = PLAIN_ROW.replace("points: 10\n", "points: 9\n        stage: daily\n").replace("max: 10", "max: 9")
    second = _row("effect: deduct, kinds: [fraud], each: 1", stage="mutual")
    found = _codes(_read(f"{HEAD}{stages}{GROUP}    indicators:\n{first}{second}"))
    assert [code for code, _ in found] == codes


@pytest.mark.parametrize("rule", ["effect: mean_rating", "effect: prior_grade, grade: 优秀, points: 10"])
def test_one_rating_or_grade_of_the_year_before_hits_two_rows(rule: str) -> None:
    second = _row(rule, start="zero")
    first = second.replace('"2"', '"1"')
    found = _codes(_read(f"{HEAD}{GROUP}    indicators:\n{first}{second}"))
    assert [one for one in found if one[0] == "lint-fact-hits-two-rows"] == [("lint-fact-hits-two-rows", "2")]


@pytest.mark.parametrize(("other", "found"), [("甲镇", True), ("乙镇", False)])
def test_rows_of_different_units_never_add_up(other: str, found: bool) -> None:
    """Each row gives 5 above its points, or 5 of a bonus: within 8 where no unit has both."""
    group = GROUP + "    labels: [{titles: [示例行], points: 20, bonus_share: 0.4}]\n"
    award = "effect: award, kinds: [merit], each: 1, max: 5"
    rows = [
        _row(award, ceiling=15, applies_to="{only: [甲镇]}"),
        _row(award, ceiling=15, applies_to=f"{{only: [{other}]}}"),
    ]
    bonus = [row.replace("start: full", "start: zero").replace("ceiling: 15", "section: bonus") for row in rows]
    listed = "".join(row.replace('"2"', f'"{at}"') for at, row in enumerate([*rows, *bonus], start=1))
    codes = {code for code, _ in _codes(_read(f"{HEAD}bonus_cap: 8\n{group}    indicators:\n{listed}"))}
    assert ("lint-bonus-share" in codes, "lint-cap-never-binds" in codes) == (found, not found)


def test_a_finding_that_names_one_row_more_is_accepted_there_too() -> None:
    row = _row("effect: deduct, kinds: [circular], each: 2", applies_to="{only: [甲镇]}")
    text = f"{HEAD.replace('full: 10', 'full: 20')}{GROUP}    indicators:\n{PLAIN_ROW}{row}"
    for code, indicator in (("lint-fact-hits-two-rows", "1"), ("lint-rows-for-some-units", "2")):
        acceptance = Accepted(code=code, indicator=indicator, reason="文件如此")
        accepting = lint(_read(with_acceptance(text, "sample.yaml", acceptance, vocabulary())), vocabulary())
        assert [one.accepted for one in accepting if one.code == code] == ["文件如此"]
        assert "lint-accepted-nothing" not in {one.code for one in accepting}


def test_a_fact_that_hits_two_rows_is_shown_by_an_example() -> None:
    row = _row("effect: deduct, kinds: [circular], each: 2, where: {level: county, not: {subject: website}}")
    [found] = [
        one
        for one in lint(_read(f"{HEAD}{GROUP}    indicators:\n{PLAIN_ROW}{row}"), vocabulary())
        if one.code == "lint-fact-hits-two-rows"
    ]
    assert found.message == (
        "township 2: one fact can count here and in row 1: circular level=county, subject=new_media"
    )
    assert found.sentence == (
        "乡镇，指标2“示例行”：同一事实会同时计入指标1“通报”，例如“被通报”（层级县（市、区），通报对象政务新媒体）。"
    )


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_a_fact_is_satisfying_when_there_is_one(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    words = vocabulary().extended(scheme.items)
    rules = [rule for group in scheme.groups for row in group.indicators for rule in row.rules]
    selections = [rule for rule in rules if isinstance(rule, Selection)]
    for fact in data.draw(facts(name)):
        matching = [one.where for one in selections if fact.kind in one.kinds and one.where.matches(fact)]
        found = satisfying(fact.kind, matching, words)
        assert found is not None
        assert all(where.matches(found) for where in matching)


@pytest.mark.parametrize(
    ("kind", "predicates"),
    [
        ("circular", [{"level": "county"}, {"level": ["municipal", "provincial"]}]),
        ("circular", [{"level": "county"}, {"not": {"level": "county"}}]),
        ("circular", [{"any": [{"level": "county"}, {"level": "national"}]}, {"level": "municipal"}]),
        ("circular", [{"not": {"level": ["national", "provincial", "municipal", "county"]}}]),
        ("stale", [{"days": {"at_least": 14}}, {"days": {"at_most": 13}}]),
        ("stale", [{"days": {"at_most": -1}}]),
        ("publication", [{"forms": {"size_at_least": 9}}]),
        ("publication", [{"forms": {"size_at_most": 1}}, {"forms": "chart"}, {"forms": "audio"}]),
        ("metric", [{"value": {"at_least": 90}}, {"value": {"at_most": Decimal("89.5")}}]),
        ("rating", [{"value": {"at_least": 101}}]),
        ("fraud", [{"rectified": True}, {"rectified": False}]),
    ],
)
def test_no_fact_is_satisfying_where_predicates_exclude_each_other(kind: str, predicates: list[Any]) -> None:
    together = [Where.model_validate(one) for one in predicates]
    assert satisfying(kind, together, vocabulary()) is None
    assert contradictory(kind, together, vocabulary())


def test_predicates_too_many_to_try_are_not_called_contradictory() -> None:
    days = {"not": {"any": [{"days": {"at_least": day}} for day in range(0, 1000, 2)]}}
    columns = {"not": {"any": [{"column": f"第{column}栏"} for column in range(500)]}}
    together = [Where.model_validate(one) for one in (days, columns)]
    assert satisfying("stale", together, vocabulary()) is None
    assert not contradictory("stale", together, vocabulary())


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_no_facts_put_a_row_out_of_its_reach(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    asked = Situation(scheme, default_roster(scheme), data.draw(facts(name)), scheme.period.last)
    for sheet in sheets(asked).values():
        for row in sheet.score.rows:
            reach = Reach(row.indicator)
            assert reach.lowest is None or reach.lowest <= row.value
            assert reach.highest is None or row.value <= reach.highest


SAMPLE = f"{HEAD.replace('full: 10', 'full: 12  # 满分')}{GROUP}    indicators:\n{PLAIN_ROW}"
SUM = Accepted(code="lint-full-sum", group="township", reason='文件如此："12分" # 照印')


@pytest.mark.parametrize(
    "text",
    [
        SAMPLE,
        SAMPLE.rstrip("\n"),
        SAMPLE.replace("\n", "\r\n"),
        SAMPLE.replace("groups:", "accepted:\n  - {code: lint-kinds-unused, reason: 小}  # 一\n\n# 二\ngroups:"),
        SAMPLE.replace("groups:", "accepted:\n- code: lint-kinds-unused\n  reason: 小 # 一\ngroups:"),
        SAMPLE + "accepted:\n  - code: lint-kinds-unused\n    reason: 小",
        SAMPLE.replace("groups:", "accepted: []\ngroups:"),
        SAMPLE.replace("groups:", "accepted:   []  # 一\ngroups:"),
        SAMPLE + "accepted: [ ]",
    ],
)
def test_an_acceptance_is_added_and_nothing_else_of_the_text_moves(text: str) -> None:
    added = with_acceptance(text, "sample.yaml", SUM, vocabulary())
    old, new = _read(text), _read(added)
    assert new == old.model_copy(update={"accepted": (*old.accepted, SUM)})
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = added.split(ending)
    kept = [line for line in lines if line and SUM.code not in line and line != "accepted:"]
    assert [line for line in text.split(ending) if line and not line.startswith("accepted:")] == kept
    [found] = [one for one in lint(new, vocabulary()) if one.code == SUM.code]
    assert found.accepted == SUM.reason


@pytest.mark.parametrize(
    ("acceptance", "text", "code"),
    [
        (Accepted(code="lint-label-sum", reason="无"), SAMPLE, "lint-no-such-finding"),
        (Accepted(code="lint-full-sum", group="department", reason="无"), SAMPLE, "lint-no-such-finding"),
        (Accepted(code="lint-full-sum", indicator="1", reason="无"), SAMPLE, "lint-no-such-finding"),
        (SUM, SAMPLE + "accepted: [{code: lint-full-sum, reason: 原文}]\n", "lint-no-such-finding"),
        (SUM, SAMPLE + "accepted: [{code: lint-kinds-unused, reason: 小}]\n", "lint-accept-form"),
        (SUM, SAMPLE.replace("points: 10", "points: -1"), "scheme-greater-than-equal"),
    ],
)
def test_an_acceptance_without_a_finding_or_a_place_for_it_is_refused(
    acceptance: Accepted, text: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        with_acceptance(text, "sample.yaml", acceptance, vocabulary())
    assert [problem.code for problem in refused.value.problems] == [code]


def test_an_acceptance_changes_no_score_and_is_of_its_group_only() -> None:
    text = source("langxi-2019")
    sums = Accepted(code="lint-label-sum", group="department", reason="照文件所印")
    scheme = _read(with_acceptance(text, "langxi-2019.yaml", sums, vocabulary()))
    found = [(one.group, one.accepted) for one in lint(scheme, vocabulary()) if one.code == "lint-label-sum"]
    assert found == [("township", None), ("department", "照文件所印")]
    before, after = (
        sheets(Situation(one, default_roster(one), [], one.period.last)) for one in (load("langxi-2019"), scheme)
    )
    assert {unit: sheet.total for unit, sheet in before.items()} == {unit: sheet.total for unit, sheet in after.items()}
