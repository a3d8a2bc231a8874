"""Derivations from a ledger: entries and evidence below the facts, and why a reading does not count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from ledger.commands import Amend, Rectify, Void
from ledger.events import Changes
from ledger.rejection import Rejection
from projections.jurisdictions import scheme_version
from projections.questions.derivation_models import DerivationAnswer, NodeAnswer
from projections.questions.derivations import derivation_of, kept_version, only_row
from projections.scheme_files import source
from schemes.derivations.recomputing import disagreements
from schemes.exact import plain
from tests.projections.conftest import CODE, EVIDENCE, County

UNIT = "福城街道"


def _derived(county: County, unit: str = UNIT, under: str | None = None, **asked: Any) -> DerivationAnswer:
    view = county.jurisdictions.view(CODE, 2021, **asked)
    version = kept_version(county.jurisdictions, CODE, under and "zhangshu-2021", under)
    answer = derivation_of(view, view.unit(unit), version)
    assert disagreements(answer.tree.model_dump(mode="json")) == []
    ids = [node.id for node in _nodes(answer.tree)]
    assert len(ids) == len(set(ids))
    return answer


def _nodes(node: NodeAnswer) -> Iterator[NodeAnswer]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _raw(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node["children"]:
        yield from _raw(child)


def _of(answer: DerivationAnswer, observation: object, *operators: str) -> list[NodeAnswer]:
    return [one for one in _nodes(answer.tree) if one.fact == str(observation) and one.operator in operators]


def _amend(county: County, observation: Any, reason: str, **changes: Any) -> None:
    wish = Amend(changes=Changes.model_validate(changes), reason=reason)
    county.ledger.amend(county.attempt(), observation, wish)


def test_entries_and_evidence_stand_below_a_fact(county: County) -> None:
    observed = county.observe(note="季度通报")
    county.ledger.rectify(county.attempt(), observed, Rectify(on=date(2021, 3, 9)))
    answer = _derived(county)
    assert (answer.total, answer.rank, answer.unit, answer.group_title) == ("94", 19, UNIT, "乡镇街道")
    first, second = _of(answer, observed, "times")
    assert (first.indicator, first.clause, first.value) == ("2.2", "附件一 第13行", "-1")
    assert (second.indicator, second.value) == ("p1", "-5")
    told, rectified = first.children
    assert (told.operator, told.value, told.inputs["entry"], told.inputs["note"]) == (
        "entry",
        3,
        "observe",
        "季度通报",
    )
    assert told.sentence == "2021年1月4日09:02由经济信息中心登记，账本第3号，说明：季度通报。"
    assert rectified.sentence == "2021年1月4日09:03由经济信息中心整改，账本第4号，2021年3月9日已整改。"
    [evidence] = told.children
    assert evidence.sentence == "证据《通报》（文号：樟府办字〔2021〕8号）。"
    assert evidence.clause == first.clause
    assert first.id == f"total/base/2.2/rule1/{observed}"
    assert told.id == f"{first.id}/entry3"


def test_a_void_takes_the_points_and_stays_in_the_tree(county: County) -> None:
    observed = county.observe()
    before = county.now
    county.ledger.void(county.attempt(), observed, Void(reason="重复登记", evidence=EVIDENCE))
    answer = _derived(county)
    assert answer.total == "100"
    voided = _of(answer, observed, "absent")
    assert [(one.indicator, one.value, one.fired) for one in voided] == [("2.2", "0", False), ("p1", "0", False)]
    assert "已作废" in voided[0].sentence
    assert voided[0].children[-1].sentence.endswith("作废，账本第4号，理由：重复登记。")
    assert _derived(county, known_at=before).total == "94"


def test_what_was_not_yet_recorded_is_told_as_such(county: County) -> None:
    before = county.now
    observed = county.observe()
    [gone, _] = _of(_derived(county, known_at=before), observed, "absent")
    assert gone.inputs["reason"] == "not_yet_known"
    assert [child.operator for child in gone.children] == ["entry"]


def test_an_amendment_shows_where_the_reading_went(county: County) -> None:
    observed = county.observe(count=3)
    _amend(county, observed, "重新清点", count=1)
    counted, _ = _of(_derived(county), observed, "times")
    assert counted.value == "-1"
    assert counted.children[1].inputs["reading"] == f"{UNIT}2021年3月1日 被通报（设区市级，政务新媒体，月度）1次"
    assert not _of(_derived(county), observed, "absent")
    _amend(county, observed, "应为大桥街道", unit="大桥街道")
    moved = _of(_derived(county), observed, "absent")
    assert {one.inputs["reason"] for one in moved} == {"amended_away"}
    assert {one.inputs["count"] for one in moved} == {1, 3}
    assert _of(_derived(county, "大桥街道"), observed, "times")


def test_a_renamed_unit_is_told_under_its_name_on_the_day(county: County) -> None:
    county.observe()
    county.ledger.rename_unit(county.attempt(), 2021, UNIT, "福城新区", date(2021, 6, 1), "更名")
    answer = _derived(county, "福城新区")
    assert (answer.unit, answer.key, answer.total) == ("福城新区", UNIT, "94")
    assert "福城新区" in answer.tree.children[1].inputs["totals"]
    assert UNIT in _derived(county, as_of=date(2021, 5, 31)).tree.sentence


def test_a_derivation_under_another_version_that_the_ledger_keeps(county: County) -> None:
    county.observe()
    _, second = scheme_version(
        source("zhangshu-2021").replace('version: "1"', 'version: "2"').replace("each: 5, max: 10", "each: 7, max: 14"),
        "second.yaml",
    )
    county.ledger.adopt_scheme(county.attempt(), 2021, second, "修订")
    assert (_derived(county).total, _derived(county).scheme.version) == ("92", "2")
    old = _derived(county, under="1")
    assert (old.total, old.scheme.version) == ("94", "1")


@pytest.mark.parametrize(
    ("identifier", "version", "code"),
    [
        ("zhangshu-2021", None, "scheme-version-incomplete"),
        (None, "1", "scheme-version-incomplete"),
        ("zhangshu-2021", "9", "unknown-scheme"),
        ("another", "1", "unknown-scheme"),
    ],
)
def test_a_version_must_be_named_whole_and_be_kept(
    county: County, identifier: str | None, version: str | None, code: str
) -> None:
    with pytest.raises(Rejection) as refused:
        kept_version(county.jurisdictions, CODE, identifier, version)
    assert [one.code for one in refused.value.refusals] == [code]


def test_every_unit_of_a_year_has_the_total_of_its_sheet(county: County) -> None:
    county.observe("大桥街道", kind="request_received", day=date(2021, 4, 6), attributes={"request": "12号"})
    county.observe(kind="judgement", attributes={"indicator": "1.2", "value": "3"})
    view = county.jurisdictions.view(CODE, 2021)
    for key, sheet in view.sheets().items():
        answer = _derived(county, key)
        assert (answer.total, answer.rank, answer.grade) == (plain(sheet.total), sheet.rank, sheet.grade)


def test_a_falsified_entry_or_evidence_is_found(county: County) -> None:
    county.observe()
    tree = _derived(county).tree.model_dump(mode="json")
    leaves = [node for node in _raw(tree) if node["operator"] in ("entry", "evidence")]
    assert {node["operator"] for node in leaves} == {"entry", "evidence"}
    for node in leaves:
        kept = node["value"]
        node["value"] = kept * 2
        assert len(disagreements(tree)) == 1
        node["value"] = kept


def test_one_row_can_be_shown_alone(county: County) -> None:
    answer = _derived(county)
    assert only_row(answer, "2.2").tree.id == "total/base/2.2"
    with pytest.raises(Rejection, match="unknown-indicator"):
        only_row(answer, "9.9")
