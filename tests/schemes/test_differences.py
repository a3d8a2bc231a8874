"""Differences between versions: found exactly, whatever the order; each change can be made alone, all give the new."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.scheme_files import load, source, vocabulary
from schemes.comparing.changes import Change
from schemes.comparing.differences import changes, with_changes
from schemes.comparing.sentences import change_sentence
from schemes.consistency import inconsistencies
from schemes.reading import read_scheme
from schemes.revision import Edit, revised
from schemes.scheme import Scheme
from schemes.sheets import Situation, default_roster, sheets
from tests.schemes.strategies import SCHEMES, facts

any_scheme = pytest.mark.parametrize("name", SCHEMES)
Document = dict[str, Any]


def _document(name: str = "zhangshu-2021") -> Document:
    # Aliases stand for copies: an edit of one row must not edit its twin.
    document: Document = _copied(yaml.safe_load(source(name)))
    return document


def _copied(value: Any) -> Any:
    match value:
        case dict():
            return {name: _copied(one) for name, one in value.items()}
        case list():
            return [_copied(one) for one in value]
        case float():
            return Decimal(str(value))
        case _:
            return value


def _scheme(document: Document) -> Scheme:
    return Scheme.model_validate(document)


def _found(document: Document, name: str = "zhangshu-2021") -> list[tuple[str, str, bool]]:
    return [(one.id, one.kind, one.scoring) for one in changes(load(name), _scheme(document))]


def _row(document: Document, group: int, identifier: str) -> Document:
    row: Document = next(row for row in document["groups"][group]["indicators"] if row["id"] == identifier)
    return row


def _scores(scheme: Scheme, given_facts: list[Any]) -> dict[str, tuple[Decimal, int, str | None]]:
    asked = Situation(scheme, default_roster(scheme), given_facts, scheme.period.last)
    return {unit: (sheet.total, sheet.rank, sheet.grade) for unit, sheet in sheets(asked).items()}


@any_scheme
def test_a_scheme_differs_in_nothing_from_itself(name: str) -> None:
    scheme = load(name)
    assert changes(scheme, scheme) == ()
    assert with_changes(scheme, scheme, ()) == scheme


def _shuffled(value: Any, chance: Random, key: str = "") -> Any:
    match value:
        case dict():
            names = list(value)
            chance.shuffle(names)
            return {name: _shuffled(value[name], chance, name) for name in names}
        case list():
            listed = [_shuffled(one, chance) for one in value]
            if key not in ("titles", "bands", "vetoes", "steps", "places"):
                chance.shuffle(listed)
            return listed
        case _:
            return value


@any_scheme
@settings(max_examples=5)
@given(chance=st.randoms(use_true_random=False))
def test_order_is_no_difference(name: str, chance: Random) -> None:
    old = load(name)
    shuffled = _scheme(_shuffled(_document(name), chance))
    assert changes(old, shuffled) == ()
    assert changes(shuffled, old) == ()


def _with_rule(document: Document) -> None:
    _row(document, 0, "2.2")["rules"].append({"effect": "deduct", "kinds": ["stale"], "each": 1})


def _without_rule(document: Document) -> None:
    del _row(document, 0, "1.8")["rules"][1]


def _other_each(document: Document) -> None:
    _row(document, 0, "2.2")["rules"][0]["each"] = 2


def _other_predicate(document: Document) -> None:
    _row(document, 0, "2.2")["rules"][0]["where"]["subject"] = ["new_media", "website"]


def _other_checklist(document: Document) -> None:
    _row(document, 0, "3.2")["rules"][0]["items"]["zone_equipment"] = 5


def _without_row(document: Document) -> None:
    document["groups"][1]["indicators"].remove(_row(document, 1, "b2"))


def _with_row(document: Document) -> None:
    row = {"id": "9", "titles": ["新增"], "clause": "第9行", "points": 3, "start": "full"}
    document["groups"][0]["indicators"].insert(2, row)


def _renumbered(document: Document) -> None:
    _row(document, 0, "1.11")["id"] = "1.12"


def _points_with_ceiling(document: Document) -> None:
    _row(document, 0, "2.2")["points"] = 6


def _crossing_bounds(document: Document) -> None:
    _row(document, 0, "2.2").update(points=20, ceiling=20, floor=10)


def _other_section(document: Document) -> None:
    row = _row(document, 0, "p2")
    row.update(section="bonus", start="zero", rules=[{"effect": "award", "kinds": ["merit"], "each": 1}])


def _another_value_rule(document: Document) -> None:
    _row(document, 0, "4.1")["rules"][0] = {
        "effect": "by_value",
        "metric": "x",
        "steps": [{"at_least": 1, "points": 2}],
    }


def _moved_unit(document: Document) -> None:
    document["groups"][0]["units"].remove("福城街道")
    document["groups"][1]["units"].append("福城街道")


def _other_texts(document: Document) -> None:
    document["document"]["title"] = "修订方案"
    row = _row(document, 0, "2.2")
    row.update(titles=["政务新媒体", "管理"], clause="第十三行", note=None)


def _other_caps(document: Document) -> None:
    document.update(cap=None, bonus_cap=12, not_applicable="drop")


def _another_label(document: Document) -> None:
    document["groups"][0]["labels"][0]["points"] = 50


def _other_inform(document: Document) -> None:
    _row(document, 0, "1.2")["rules"][1]["kinds"] = ["publication"]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (_with_rule, [("township/2.2/rules/deduct[stale]/1", "added", True)]),
        (_without_rule, [("township/1.8/rules/forfeit[defect]/1", "removed", True)]),
        (_other_each, [("township/2.2/rules/deduct[circular]/1", "changed", True)]),
        (_other_predicate, [("township/2.2/rules/deduct[circular]/1", "changed", True)]),
        (_other_checklist, [("township/3.2/rules/checklist[omission]/1", "changed", True)]),
        (_without_row, [("department/b2", "removed", True)]),
        (_with_row, [("township/9", "added", True)]),
        (_renumbered, [("township/1.11/id", "changed", True)]),
        (_points_with_ceiling, [("township/2.2/points", "changed", True)]),
        (_crossing_bounds, [("township/2.2/points", "changed", True)]),
        (_other_section, [("township/p2", "changed", True)]),
        (_another_value_rule, [("township/4.1/rules/judged[judgement]/1", "changed", True)]),
        (_moved_unit, [("township/units/福城街道", "changed", True)]),
        (
            _other_texts,
            [
                ("document/title", "changed", False),
                ("township/2.2/titles", "changed", False),
                ("township/2.2/clause", "changed", False),
                ("township/2.2/note", "changed", False),
            ],
        ),
        (
            _other_caps,
            [("cap", "changed", True), ("bonus_cap", "changed", True), ("not_applicable", "changed", True)],
        ),
        (_another_label, [("township/labels/政府信息公开", "changed", False)]),
        (_other_inform, [("township/1.2/rules/inform[defect+merit+omission+publication]/1", "changed", False)]),
    ],
)
def test_an_edit_is_found_exactly_and_can_be_made_alone(edit: Any, expected: list[tuple[str, str, bool]]) -> None:
    document = _document()
    edit(document)
    old, new = load("zhangshu-2021"), _scheme(document)
    assert _found(document) == expected
    backwards = [(one.id, one.kind) for one in changes(new, old)]
    assert len(backwards) == len(expected)
    for change in changes(old, new):
        alone = with_changes(old, new, [change])
        assert [one.id for one in changes(old, alone)] == [change.id]
    assert changes(with_changes(old, new, changes(old, new)), new) == ()


def _other_bands(document: Document) -> None:
    document["bands"][1]["at_least"] = 85


def _quotas_for_bands(document: Document) -> None:
    document["bands"] = []
    for group in document["groups"]:
        ends = [{"grade": grade, "share": Decimal("0.2")} for grade in ("优秀", "不合格")]
        group["quotas"] = {"top": ends[0], "middle": "合格", "bottom": ends[1]}


def _vetoes_turned(document: Document) -> None:
    document["vetoes"][1]["grade"] = "合格"
    document["vetoes"].reverse()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (_other_bands, [("bands/良好", "changed", True)]),
        (_quotas_for_bands, [("grading", "changed", True)]),
        (_vetoes_turned, [("vetoes/v2/grade", "changed", True), ("vetoes/order", "changed", True)]),
    ],
)
def test_what_decides_grades_is_found_and_bands_go_with_quotas(
    edit: Any, expected: list[tuple[str, str, bool]]
) -> None:
    document = _document("changshu-2020")
    edit(document)
    assert _found(document, "changshu-2020") == expected
    old, new = load("changshu-2020"), _scheme(document)
    for change in changes(old, new):
        assert inconsistencies(with_changes(old, new, [change]), vocabulary()) == []
    assert changes(with_changes(old, new, changes(old, new)), new) == ()


def test_a_stage_put_for_another_brings_its_rows_along_and_weights_move_together() -> None:
    document = _document("langxi-2019")
    reweighed = _document("langxi-2019")
    reweighed["stages"][0]["weight"], reweighed["stages"][2]["weight"] = Decimal("0.5"), Decimal("0.2")
    assert _found(reweighed, "langxi-2019") == [("stages/weight", "changed", True)]
    [weighed] = changes(load("langxi-2019"), _scheme(reweighed))
    assert change_sentence(weighed, vocabulary()) == (
        "阶段“专业机构测评”的权重由0.4改为0.5，阶段“双向互评”的权重由0.3改为0.2。"
    )
    document["stages"][2]["id"] = "peers"
    for group in document["groups"]:
        group["indicators"][-1]["stage"] = "peers"
    old, new = load("langxi-2019"), _scheme(document)
    [change] = changes(old, new)
    assert (change.id, change.kind) == ("stages", "changed")
    assert [one.name for one in change.parameters] == ["stages", "township/6.1/stage", "department/6.1/stage"]
    assert inconsistencies(with_changes(old, new, [change]), vocabulary()) == []


def test_the_rules_of_a_pool_whose_common_maximum_moves_are_one_change() -> None:
    document = _document("linyi-2023")
    for rule in _row(document, 0, "4.1")["rules"][:2]:
        rule["max"] = 4
    [change] = changes(load("linyi-2023"), _scheme(document))
    assert change.id == "A/4.1/rules/pool[d]"
    assert change.parameters == (("max", Decimal(6), Decimal(4)),)


def test_groups_that_are_merged_are_one_change_with_their_units() -> None:
    document = _document()
    townships = document["groups"][0]["units"]
    document["groups"] = [document["groups"][1]]
    document["groups"][0]["units"] += townships
    old, new = load("zhangshu-2021"), _scheme(document)
    [change] = changes(old, new)
    assert (change.id, change.what) == ("groups", "group")
    assert inconsistencies(with_changes(old, new, [change]), vocabulary()) == []


def _edits(chance: Random, document: Document) -> set[str]:
    """Edit some rows, each once; return their paths."""
    touched: set[str] = set()
    rows = [(group, row) for group in document["groups"] for row in group["indicators"]]
    for group, row in chance.sample(rows, 6):
        path = f"{group['id']}/{row['id']}"
        rules = row.get("rules", [])
        match chance.randrange(4):
            case 0 if len(group["indicators"]) > 1:
                group["indicators"].remove(row)
            case 1:
                row["points"] = row["points"] + 7
            case 2 if rules:
                rules.remove(chance.choice(rules))
            case _:
                sign = "award" if row.get("section") == "bonus" else "deduct"
                rules.append({"effect": sign, "kinds": ["criticism"], "each": 3, "where": {"level": "county"}})
                row["rules"] = rules
        touched.add(path)
    chance.shuffle(document["groups"][0]["indicators"])
    return touched


@any_scheme
@settings(max_examples=10)
@given(data=st.data())
def test_a_revised_parameter_is_the_only_change(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    rows = [(group, row) for group in scheme.groups for row in group.indicators]
    group, row = data.draw(st.sampled_from(rows))
    points = Edit(group=group.id, indicator=row.id, set={"points": str(row.points + 5)})
    cap = Edit(set={"cap": data.draw(st.sampled_from([None, "90", "100"]))})
    new = revised(scheme, [points, cap])
    found = changes(scheme, new)
    expected = [f"{group.id}/{row.id}/points"] if scheme.cap == new.cap else ["cap", f"{group.id}/{row.id}/points"]
    assert [change.id for change in found] == expected
    assert with_changes(scheme, new, found) == new
    assert changes(scheme, revised(scheme, [])) == ()


def _row_path(change: Change) -> str:
    return f"{change.group}/{change.indicator}"


@any_scheme
@settings(max_examples=6)
@given(chance=st.randoms(use_true_random=False), data=st.data())
def test_random_edits_are_found_in_their_rows_and_all_changes_score_like_the_new_version(
    name: str, chance: Random, data: st.DataObject
) -> None:
    document = _document(name)
    touched = _edits(chance, document)
    old, new = load(name), _scheme(document)
    found = changes(old, new)
    assert len({change.id for change in found}) == len(found)
    assert {_row_path(change) for change in found} == touched
    assert with_changes(old, new, ()) == old
    everything = with_changes(old, new, found)
    assert changes(everything, new) == ()
    drawn = data.draw(facts(name, most=6))
    assert _scores(everything, drawn) == _scores(new, drawn)
    some = with_changes(old, new, chance.sample(found, len(found) // 2))
    rest = changes(some, new)
    assert _scores(with_changes(some, new, rest), drawn) == _scores(new, drawn)
    for change in found:
        assert _scores(with_changes(old, new, [change]), drawn).keys() == _scores(new, drawn).keys()


@any_scheme
@pytest.mark.parametrize("other", SCHEMES)
def test_any_scheme_becomes_any_other_and_every_change_has_a_sentence(name: str, other: str) -> None:
    old, new = load(name), load(other)
    found = changes(old, new)
    assert changes(with_changes(old, new, found), new) == ()
    words = vocabulary().extended({**old.items, **new.items})
    told = [change_sentence(change, words) for change in found]
    assert all(sentence.endswith("。") and "None" not in sentence and "=" not in sentence for sentence in told)


def test_changes_are_told_in_chinese_by_clause() -> None:
    document = _document()
    document["cap"] = None
    _other_each(document)
    _without_row(document)
    _moved_unit(document)
    old, new = load("zhangshu-2021"), _scheme(document)
    assert [change_sentence(change, vocabulary()) for change in changes(old, new)] == [
        "方案的总分封顶由100分改为不设。",
        "福城街道由“乡镇街道”改列“市直部门”。",
        (
            "指标2.2“政务新媒体 / 日常管理”（附件一 第13行）的规则由“每有1次‘被通报’（通报对象为政务新媒体）扣1分”"
            "改为“每有1次‘被通报’（通报对象为政务新媒体）扣2分”。"
        ),
        "删去指标b2“加分 / 第三方季度排名前三”（附件二 加分项2）：加分，分值0分，从0分起；"
        + "；".join(f"按外部给出的“第三方考核第{quarter}季度排名”名次，第1至3名加2分" for quarter in "一二三四")
        + "。",
    ]


def test_a_version_read_from_a_file_keeps_what_it_accepts_and_the_difference_says_so() -> None:
    text = source("zhangshu-2021")
    accepting = f"{text}\naccepted: [{{code: lint-label-sum, group: township, reason: 照文件}}]\n"
    old, new = (read_scheme(one, "x.yaml", vocabulary()) for one in (text, accepting))
    [change] = changes(old, new)
    assert (change.id, change.what, change.scoring) == ("accepted/lint-label-sum/township/*", "acceptance", False)
    assert change_sentence(change, vocabulary()) == "增加对检查结果lint-label-sum/township/*的说明：照文件。"
