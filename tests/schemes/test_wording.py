"""Plain Chinese made from rules, predicates and facts: worked examples, and no word of the code in any of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from projections.scheme_files import load, vocabulary
from schemes import rules as rule_models
from schemes import scheme as scheme_models
from schemes.conditions import Where
from schemes.fact import AttributeValue, Fact
from schemes.rules import Rule
from schemes.scheme import VetoFacts
from schemes.wording import (
    change_phrase,
    choice_label,
    fact_phrase,
    parameter_label,
    points_phrase,
    rule_sentence,
    selection_phrase,
    where_phrase,
)
from tests.schemes.strategies import SCHEMES

WORDS = vocabulary().extended({"completion": "完成率"})
RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
CODE = re.compile(r"[a-z]+_?[a-z]+")

RULES: list[tuple[dict[str, Any], str]] = [
    (
        {
            "effect": "deduct",
            "kinds": ["circular"],
            "where": {"level": "municipal", "subject": "new_media"},
            "each": 1,
            "max": 5,
        },
        "每有1次“被通报”（层级为设区市级，通报对象为政务新媒体）扣1分，最多扣5分",
    ),
    (
        {
            "effect": "award",
            "kinds": ["merit"],
            "where": {"nature": ["selected", "praised"]},
            "each": "0.5",
            "pool": "a",
            "max": 3,
        },
        "每有1件“优质办理”（情形为入选或获好评）加0.5分，与同一合并封顶的各条合计最多加3分",
    ),
    ({"effect": "deduct", "kinds": ["late_reply"], "each": 2, "pool": "a"}, "每有1件“超期答复”扣2分"),
    (
        {"effect": "forfeit", "kinds": ["omission", "defect"], "where": {"item": "annual_report"}},
        "有“应做未做、应公开未公开”或“内容或办理有误”（事项为“年度报告”）的，本项计0分",
    ),
    (
        {
            "effect": "tiers",
            "kinds": ["activity"],
            "where": {"item": "open_day"},
            "direction": "award",
            "steps": [{"times": 1, "points": 7}, {"times": 2, "points": 10}],
        },
        "“开展活动”（事项为“政务开放日”）累计达到1次加7分，达到2次加10分，按达到的最高一档计",
    ),
    (
        {
            "effect": "checklist",
            "kinds": ["provision"],
            "mode": "earn",
            "items": {"support_agency": 1, "support_funding": "1.5"},
        },
        "按事项看“机构、人员、经费、制度到位”，有的加分：“工作机构”1分、“经费保障”1.5分；同一事项只计一次",
    ),
    (
        {"effect": "checklist", "kinds": ["omission"], "mode": "lose", "items": {"support_agency": 1}},
        "按事项看“应做未做、应公开未公开”，出现的扣分：“工作机构”1分；同一事项只计一次",
    ),
    ({"effect": "judged", "min": 0, "max": 5, "default": 4}, "由考评组在0分至5分之间评定，评定前暂计4分"),
    (
        {
            "effect": "by_rank",
            "direction": "deduct",
            "source": {"ranking": "third_party_q1"},
            "among": "group",
            "from_bottom": True,
            "places": [{"rank": 1, "points": 2}, {"rank": 3, "points": 1}],
        },
        "按外部给出的“第三方考核第一季度排名”名次，倒数第1名扣2分，倒数第2至3名扣1分",
    ),
    (
        {
            "effect": "by_rank",
            "direction": "award",
            "source": {"metric": "completion", "order": "highest_first"},
            "among": "all",
            "places": [{"rank": 3, "points": 2}],
        },
        "按“完成率”在全部单位由高到低的名次，第1至3名加2分",
    ),
    (
        {
            "effect": "by_rank",
            "direction": "award",
            "source": {"count": {"kinds": ["adoption"]}, "order": "highest_first"},
            "among": "group",
            "places": [{"rank": 1, "points": 2}],
        },
        "按“信息被采用”的次数在本组由多到少的名次，第1名加2分",
    ),
    (
        {"effect": "shortfall", "metric": "completion", "step": "0.2", "each": 5, "among": "all"},
        "“完成率”低于全部单位平均值的，每低满平均值的20%扣5分",
    ),
    ({"effect": "mean_rating"}, "取其他组单位互评打分的平均值，四舍五入保留两位小数；没有打分的计0分"),
    (
        {
            "effect": "milestone",
            "points": 10,
            "conditions": [
                {"kinds": ["request_answered"], "at_least": 10},
                {"kinds": ["review_outcome"], "where": {"outcome": "lost"}, "at_most": 0},
                {"kinds": ["meeting"], "at_least": 2, "at_most": 4},
            ],
        },
        "“答复公开申请”不少于10件，且“复议、诉讼结果”（结果为败诉）没有发生，且“研究部署”不少于2次且不超过4次的，加10分",
    ),
    ({"effect": "if_total", "basis": "base-penalty", "at_least": 90, "points": 3}, "基础分减扣分之差达到90分的，加3分"),
    ({"effect": "prior_grade", "grade": "优秀", "points": 2}, "上年度等次为“优秀”的，加2分"),
    ({"effect": "discretion", "section": "bonus"}, "按酌情加分的决定加分，分值以决定为准"),
    ({"effect": "discretion", "section": "penalty"}, "按酌情扣分的决定扣分，分值以决定为准"),
    ({"effect": "inform", "kinds": ["adoption"]}, "“信息被采用”列作评定参考，不直接计分"),
    (
        {"effect": "proportional", "metric": "completion", "target": 80},
        "本项分值乘以“完成率”与目标值80之比，四舍五入保留两位小数，不低于0分、不高于本项分值；没有数值前暂计0分",
    ),
    (
        {
            "effect": "by_value",
            "metric": "completion",
            "steps": [{"at_least": 90, "points": 3}, {"at_least": 95, "points": 5}],
        },
        "“完成率”达到95计5分，达到90计3分，都达不到计0分；没有数值前暂计0分",
    ),
]

PREDICATES: list[tuple[str, dict[str, Any], str]] = [
    ("circular", {}, ""),
    ("circular", {"level": "municipal"}, "层级为设区市级"),
    (
        "circular",
        {"level": ["municipal", "provincial", "national"], "period": "monthly"},
        "层级为设区市级、省级或国家级，周期为月度",
    ),
    ("stale", {"days": {"at_least": 14}}, "未更新天数不少于14"),
    ("stale", {"days": {"at_least": 14, "at_most": 30}}, "未更新天数不少于14且不超过30"),
    ("publication", {"forms": "chart"}, "形式含图表图解"),
    ("publication", {"forms": {"size_at_least": 3}}, "形式不少于3种"),
    ("publication", {"forms": {"size_at_most": 3}}, "形式不超过3种"),
    ("stale", {"rectified": False}, "未整改"),
    ("stale", {"rectified": True}, "已整改"),
    (
        "circular",
        {"any": [{"level": "national"}, {"period": "annual", "subject": "website"}]},
        "（层级为国家级）或（周期为年度，通报对象为政府网站）",
    ),
    ("circular", {"all": [{"level": "national"}, {"period": "annual"}]}, "层级为国家级，周期为年度"),
    ("circular", {"not": {"level": "county"}}, "不属于（层级为县（市、区）级）"),
    (
        "defect",
        {"item": "budget", "not": {"any": [{"channel": "website"}, {"nature": "typo"}]}},
        "事项为“财政预算”，不属于（（渠道为政府网站）或（问题性质为错别字））",
    ),
    ("metric", {"value": {"at_least": "89.5"}}, "数值不少于89.5"),
    ("circular", {"issue": "7号"}, "问题标识为7号"),
    ("stale", {"days": [7, 9]}, "未更新天数为7或9"),
]

FACTS: list[tuple[str, int, dict[str, AttributeValue], str]] = [
    (
        "circular",
        2,
        {"level": "municipal", "subject": "new_media", "period": "quarterly"},
        "2021年3月29日 被通报（设区市级，政务新媒体，季度）2次",
    ),
    (
        "stale",
        1,
        {"channel": "website", "days": 9, "account": "政务号"},
        "2021年3月29日 更新不及时（政府网站，未更新天数：9，账号：政务号）1次",
    ),
    (
        "publication",
        1,
        {"item": "interpretation", "forms": ("chart", "video")},
        "2021年3月29日 已公开、已发布（“政策解读”，图表图解、视频）1件",
    ),
    (
        "metric",
        3,
        {"name": "completion", "value": Decimal("95.50")},
        "2021年3月29日 外部测得的数值（“完成率”，数值：95.5）",
    ),
    ("circular", 1, {"period": "monthly", "issue": "空白栏目"}, "2021年3月29日 被通报（月度，问题标识：空白栏目）1次"),
    ("prior_grade", 1, {"year": 2020, "grade": "优秀"}, "2021年3月29日 上年度等次（年度：2020，等次：优秀）"),
]


@pytest.mark.parametrize(("rule", "sentence"), RULES)
def test_a_rule_says_what_it_does(rule: dict[str, Any], sentence: str) -> None:
    assert rule_sentence(RULE.validate_python(rule), WORDS) == sentence


def test_every_kind_of_rule_is_told() -> None:
    kinds = {model for model in _models(rule_models) if "effect" in model.model_fields}
    assert len(kinds) == 16
    assert {type(RULE.validate_python(rule)) for rule, _ in RULES} == kinds


@pytest.mark.parametrize(("kind", "where", "phrase"), PREDICATES)
def test_a_predicate_says_what_it_asks(kind: str, where: dict[str, Any], phrase: str) -> None:
    assert where_phrase(Where.model_validate(where), [kind], WORDS) == phrase


@pytest.mark.parametrize(("kind", "count", "attributes", "phrase"), FACTS)
def test_a_fact_is_told_with_its_labels(
    kind: str, count: int, attributes: dict[str, AttributeValue], phrase: str
) -> None:
    assert fact_phrase(Fact("o1", 1, "甲", kind, date(2021, 3, 29), count, attributes), WORDS) == phrase


def test_points_are_told_as_what_is_done() -> None:
    assert points_phrase(Decimal("2.50")) == "2.5分"
    assert [change_phrase(Decimal(one)) for one in ("-2.5", "3", "0")] == ["扣2.5分", "加3分", "不加不扣"]


def test_every_parameter_of_a_scheme_has_a_name() -> None:
    names = {
        name for module in (scheme_models, rule_models) for model in _models(module) for name in model.model_fields
    }
    assert not [name for name in sorted(names) if CODE.search(parameter_label(name))]
    assert parameter_label("max") != parameter_label("max", "judged")
    assert choice_label("start", "full") == "从满分起"


@pytest.mark.parametrize("name", SCHEMES)
def test_no_code_stands_in_the_sentences_of_a_shipped_scheme(name: str) -> None:
    scheme = load(name)
    words = vocabulary().extended(scheme.items)
    told = [rule_sentence(rule, words) for group in scheme.groups for row in group.indicators for rule in row.rules]
    told += [selection_phrase(veto.when, words) for veto in scheme.vetoes if isinstance(veto.when, VetoFacts)]
    assert told
    assert not [sentence for sentence in told if CODE.search(sentence)]


def _models(module: Any) -> Iterator[type[BaseModel]]:
    for one in vars(module).values():
        if isinstance(one, type) and issubclass(one, BaseModel) and one.__module__ == module.__name__:
            yield one
