"""Plain Chinese for rules, predicates, facts and parameters, made from rule kinds and the vocabulary's labels.

A sentence says what a rule does; none is written for a county, and none is taken from a document. What the
vocabulary names (kinds, attributes, codes, items) is shown under its label; this module adds only the terms of the
contract itself (sections, subtotals, choices, parameters) and the measure words that go with a kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from schemes.conditions import RECTIFIED, Comparison, Scalar, Test, Where
from schemes.exact import plain
from schemes.fact import AttributeValue, Fact
from schemes.rules import (
    Among,
    Award,
    ByCount,
    ByMetric,
    ByRank,
    ByRankingFact,
    ByValue,
    Checklist,
    Deduct,
    Direction,
    Discretion,
    Forfeit,
    IfTotal,
    Inform,
    Judged,
    MeanRating,
    Milestone,
    Order,
    PriorGrade,
    Proportional,
    RankSource,
    Rule,
    Selection,
    Shortfall,
    Threshold,
    Tiers,
)
from schemes.vocabulary import Attribute, CodeAttribute, CodesAttribute, ItemAttribute, Vocabulary

_SECTIONS = {"base": "基础分", "bonus": "加分", "penalty": "扣分"}
_BASES = {
    "base": "基础分",
    "base+bonus": "基础分加加分之和",
    "base-penalty": "基础分减扣分之差",
    "base+bonus-penalty": "基础分加加分减扣分的结果",
    "total": "总分",
}
_CHOICES = {
    "cap_after": {"bonus": "先封顶再扣分", "all": "加减之后封顶"},
    "not_applicable": {"drop": "不计入满分", "rescale": "按适用指标折算", "full_credit": "按满分计"},
    "section": _SECTIONS,
    "start": {"full": "从满分起", "zero": "从0分起"},
    "direction": {"award": "加分", "deduct": "扣分"},
    "mode": {"earn": "有一项计一项", "lose": "缺一项扣一项"},
    "among": {"group": "本组", "all": "全部单位"},
    "order": {"highest_first": "由高到低", "lowest_first": "由低到高"},
    "basis": _BASES,
    "effect": {
        "deduct": "按次扣分",
        "award": "按次加分",
        "forfeit": "一票归零",
        "tiers": "按次数分档",
        "checklist": "按事项计分",
        "judged": "考评组评定",
        "by_rank": "按名次计分",
        "shortfall": "低于平均值扣分",
        "mean_rating": "互评平均分",
        "milestone": "达标计分",
        "if_total": "小计达线计分",
        "prior_grade": "上年度等次计分",
        "discretion": "酌情加减分",
        "inform": "评定参考",
        "proportional": "按完成率计分",
        "by_value": "按数值分档",
    },
}
_PARAMETERS = {
    # of a scheme
    "id": "编号",
    "version": "版本",
    "document": "文件",
    "jurisdiction": "地区",
    "year": "年度",
    "period": "考核期间",
    "full": "满分",
    "cap": "总分封顶",
    "cap_after": "总分封顶的时点",
    "floor": "下限",
    "bonus_cap": "加分封顶",
    "bonus_gate": "加分门槛",
    "bonus_share": "加分比例上限",
    "penalty_cap": "扣分限额",
    "not_applicable": "不适用指标的处理",
    "stages": "阶段",
    "bands": "等次分数线",
    "vetoes": "否决情形",
    "outputs": "附报数值",
    "items": "事项",
    "groups": "分组",
    "accepted": "已接受的检查提示",
    "code": "代码",
    "group": "分组",
    "indicator": "指标",
    "reason": "理由",
    "number": "文号",
    "issuer": "印发单位",
    "issued_on": "印发日期",
    "name": "名称",
    "first": "起始日",
    "last": "截止日",
    # of a group, a stage, a band, a veto, an output
    "title": "名称",
    "units": "单位名单",
    "example_units": "单位仅为示例",
    "indicators": "指标",
    "labels": "文件所印分值",
    "quotas": "等次比例",
    "weight": "权重",
    "window": "计分期间",
    "share": "比例",
    "top": "前列等次",
    "middle": "中间等次",
    "bottom": "末位等次",
    "when": "触发条件",
    "total": "总分定为",
    "below": "低于",
    "min_count": "触发次数",
    "same": "按同一内容累计",
    "factor": "系数",
    # of a row
    "titles": "标题",
    "clause": "依据",
    "points": "分值",
    "section": "加减类别",
    "stage": "所属阶段",
    "start": "起算",
    "ceiling": "上限",
    "per_account": "按账号分别计分",
    "applies_to": "适用单位",
    "only": "仅适用于",
    "all_but": "不适用于",
    "rules": "计分规则",
    "note": "说明",
    # of a rule
    "effect": "计分方式",
    "kinds": "事实种类",
    "where": "限定条件",
    "each": "每次分值",
    "max": "封顶",
    "pool": "合并封顶",
    "direction": "加减方向",
    "steps": "分档",
    "mode": "计法",
    "min": "评定下限",
    "default": "评定前暂计",
    "source": "名次来源",
    "ranking": "排名名称",
    "count": "计数的事实",
    "order": "排序",
    "among": "比较范围",
    "from_bottom": "从末位数起",
    "places": "名次分档",
    "rank": "名次",
    "metric": "数值名称",
    "step": "每档差距",
    "times": "次数",
    "conditions": "条件",
    "basis": "比较的小计",
    "at_least": "至少",
    "at_most": "至多",
    "grade": "等次",
    "target": "目标值",
}
_MEASURES = {
    "defect": "处",
    "publication": "件",
    "merit": "件",
    "request_received": "件",
    "request_extended": "件",
    "request_answered": "件",
    "late_reply": "件",
    "review_outcome": "件",
    "account_irregularity": "个",
    "media_report": "篇",
    "adoption": "条",
    "adverse_event": "起",
    "fraud": "起",
    "provision": "项",
    "omission": "项",
}
_COUNTLESS = frozenset({"judgement", "metric", "ranking", "prior_grade", "rating", "discretion"})
_LABELS_BY_EFFECT = {("max", "judged"): "评定上限"}


def parameter_label(name: str, effect: str | None = None) -> str:
    """Return the Chinese name of a parameter of a scheme, group, row or rule; `effect` is the rule's, for one.

    Raises `KeyError` for a name that no model of a scheme has.
    """
    return _LABELS_BY_EFFECT.get((name, effect or ""), _PARAMETERS[name])


def choice_label(name: str, value: str) -> str:
    """Return the Chinese word for a value of a parameter with fixed values ("start", "full": 从满分起)."""
    return _CHOICES[name][value]


def points_phrase(points: Decimal) -> str:
    """Return a number of points with its unit: 5分, -2.5分."""
    return f"{plain(points)}分"


def change_phrase(points: Decimal) -> str:
    """Return signed points as what is done: 加5分, 扣2.5分, 不加不扣 for none."""
    if not points:
        return "不加不扣"
    return f"{'加' if points > 0 else '扣'}{points_phrase(abs(points))}"


def day_phrase(day: date) -> str:
    """Return a day as it is written in official documents: 2021年3月29日."""
    return f"{day.year}年{day.month}月{day.day}日"


def basis_phrase(basis: str) -> str:
    """Return the Chinese name of a subtotal that gates, vetoes and thresholds look at."""
    return _BASES[basis]


def measure_word(kinds: Iterable[str]) -> str:
    """Return what facts of these kinds are counted in: 次, or the word they share (处, 件, 条)."""
    words = {_MEASURES.get(kind, "次") for kind in kinds}
    return words.pop() if len(words) == 1 else "次"


def item_label(code: str, words: Vocabulary) -> str:
    """Return the label of an item code, quoted; the code itself where a version of the vocabulary lacks it."""
    label = words.items.get(code, code)
    # Quotation marks within quotation marks are single ones (GB/T 15834-2011, 4.8.3.3).
    return f"“{label.replace('“', '‘').replace('”', '’')}”" if code else ""


def fact_phrase(fact: Fact, words: Vocabulary) -> str:
    """Return one fact as a phrase: 2021年3月29日 被通报（设区市级，政务新媒体，季度）2次."""
    kind = words.kinds[fact.kind]
    told = [
        _told(name, attribute, fact.attributes[name], words)
        for name, attribute in kind.attributes.items()
        if name in fact.attributes
    ]
    details = f"（{'，'.join(told)}）" if told else ""
    times = "" if fact.kind in _COUNTLESS else f"{fact.count}{measure_word([fact.kind])}"
    return f"{day_phrase(fact.occurred_on)} {kind.label}{details}{times}"


def selection_phrase(selection: Selection, words: Vocabulary) -> str:
    """Return which facts a selection means: “被通报”（层级为设区市级，通报对象为政务新媒体）."""
    kinds = "或".join(f"“{words.kinds[kind].label}”" for kind in selection.kinds)
    where = where_phrase(selection.where, selection.kinds, words)
    return f"{kinds}（{where}）" if where else kinds


def where_phrase(where: Where, kinds: Sequence[str], words: Vocabulary) -> str:
    """Return a predicate in words, its parts joined by commas; empty when it asks nothing."""
    parts = [_test_phrase(name, test, kinds, words) for name, test in where.tests.items()]
    parts += [where_phrase(part, kinds, words) for part in where.all_of]
    if where.any_of:
        options = [where_phrase(part, kinds, words) for part in where.any_of]
        parts.append("或".join(f"（{option}）" for option in options if option))
    if where.none_of is not None:
        parts.append(f"不属于（{where_phrase(where.none_of, kinds, words)}）")
    return "，".join(part for part in parts if part)


def source_phrase(source: RankSource, among: Among, words: Vocabulary) -> str:
    """Return where a rank comes from: given from outside, or worked out from a metric or a count."""
    units = _CHOICES["among"][among]
    match source:
        case ByRankingFact():
            return f"外部给出的{item_label(source.ranking, words)}名次"
        case ByMetric():
            return f"{item_label(source.metric, words)}在{units}{_CHOICES['order'][source.order]}的名次"
        case ByCount():
            return f"{selection_phrase(source.count, words)}的次数在{units}{_counted(source.order)}的名次"


def _counted(order: Order) -> str:
    return "由多到少" if order == "highest_first" else "由少到多"


def threshold_phrase(condition: Threshold, words: Vocabulary) -> str:
    """Return a condition on how many times facts occurred."""
    measure = measure_word(condition.kinds)
    bounds = []
    if condition.at_least is not None:
        bounds.append(f"不少于{condition.at_least}{measure}")
    if condition.at_most is not None:
        bounds.append(f"不超过{condition.at_most}{measure}" if condition.at_most else "没有发生")
    return f"{selection_phrase(condition, words)}{'且'.join(bounds)}"


def rank_range_phrase(first: int, last: int, from_bottom: bool) -> str:
    """Return a span of ranks: 第1名, 第2至5名, 倒数第1名."""
    count = "倒数第" if from_bottom else "第"
    return f"{count}{last}名" if first == last else f"{count}{first}至{last}名"


def rule_sentence(rule: Rule, words: Vocabulary) -> str:
    """Return what the rule does, in one clause without a full stop."""
    match rule:
        case Selection():
            return _selecting_sentence(rule, words)
        case Judged():
            span = f"{points_phrase(rule.min)}至{points_phrase(rule.max)}"
            return f"由考评组在{span}之间评定，评定前暂计{points_phrase(rule.default)}"
        case ByRank() | Shortfall() | Proportional() | ByValue():
            return _measuring_sentence(rule, words)
        case MeanRating():
            return "取其他组单位互评打分的平均值，四舍五入保留两位小数；没有打分的计0分"
        case Milestone():
            conditions = "，且".join(threshold_phrase(condition, words) for condition in rule.conditions)
            return f"{conditions}的，加{points_phrase(rule.points)}"
        case IfTotal():
            return f"{basis_phrase(rule.basis)}达到{points_phrase(rule.at_least)}的，加{points_phrase(rule.points)}"
        case PriorGrade():
            return f"上年度等次为“{rule.grade}”的，加{points_phrase(rule.points)}"
        case Discretion():
            act = "加" if rule.section == "bonus" else "扣"
            return f"按酌情{act}分的决定{act}分，分值以决定为准"


def _selecting_sentence(rule: Deduct | Award | Forfeit | Tiers | Checklist | Inform, words: Vocabulary) -> str:
    selected, measure = selection_phrase(rule, words), measure_word(rule.kinds)
    match rule:
        case Deduct() | Award():
            act = _act("deduct" if isinstance(rule, Deduct) else "award")
            sentence = f"每有1{measure}{selected}{act}{points_phrase(rule.each)}"
            if rule.max is None:
                return sentence
            shared = "与同一合并封顶的各条合计" if rule.pool else ""
            return f"{sentence}，{shared}最多{act}{points_phrase(rule.max)}"
        case Forfeit():
            return f"有{selected}的，本项计0分"
        case Tiers():
            act = _act(rule.direction)
            steps = "，".join(f"达到{step.times}{measure}{act}{points_phrase(step.points)}" for step in rule.steps)
            return f"{selected}累计{steps}，按达到的最高一档计"
        case Checklist():
            items = "、".join(f"{item_label(item, words)}{points_phrase(each)}" for item, each in rule.items.items())
            act = "有的加分" if rule.mode == "earn" else "出现的扣分"
            return f"按事项看{selected}，{act}：{items}；同一事项只计一次"
        case Inform():
            return f"{selected}列作评定参考，不直接计分"


def _measuring_sentence(rule: ByRank | Shortfall | Proportional | ByValue, words: Vocabulary) -> str:
    match rule:
        case ByRank():
            act, spans, first = _act(rule.direction), [], 1
            for place in rule.places:
                span = rank_range_phrase(first, place.rank, rule.from_bottom)
                spans.append(f"{span}{act}{points_phrase(place.points)}")
                first = place.rank + 1
            return f"按{source_phrase(rule.source, rule.among, words)}，{'，'.join(spans)}"
        case Shortfall():
            mean, share = f"{_CHOICES['among'][rule.among]}平均值", f"{plain(rule.step * 100)}%"
            return f"{item_label(rule.metric, words)}低于{mean}的，每低满平均值的{share}扣{points_phrase(rule.each)}"
        case Proportional():
            return (
                f"本项分值乘以{item_label(rule.metric, words)}与目标值{plain(rule.target)}之比，"
                "四舍五入保留两位小数，不低于0分、不高于本项分值；没有数值前暂计0分"
            )
        case ByValue():
            steps = sorted(rule.steps, key=lambda step: step.at_least, reverse=True)
            told = "，".join(f"达到{plain(step.at_least)}计{points_phrase(step.points)}" for step in steps)
            return f"{item_label(rule.metric, words)}{told}，都达不到计0分；没有数值前暂计0分"


def _act(direction: Direction) -> str:
    return "加" if direction == "award" else "扣"


def _test_phrase(name: str, test: Test, kinds: Sequence[str], words: Vocabulary) -> str:
    if name == RECTIFIED:
        return "已整改" if test is True else "未整改"
    attribute = _attribute(name, kinds, words)
    label = attribute.label if attribute else name
    if isinstance(test, Comparison):
        return f"{label}{_comparison_phrase(test)}"
    values = test if isinstance(test, tuple) else (test,)
    verb = "含" if isinstance(attribute, CodesAttribute) else "为"
    *most, last = [_value_label(name, attribute, value, words) for value in values] or ["（无）"]
    return f"{label}{verb}{'或'.join(['、'.join(most), last] if most else [last])}"


def _comparison_phrase(test: Comparison) -> str:
    bounds = []
    if test.at_least is not None:
        bounds.append(f"不少于{plain(test.at_least)}")
    if test.at_most is not None:
        bounds.append(f"不超过{plain(test.at_most)}")
    if test.size_at_least is not None:
        bounds.append(f"不少于{test.size_at_least}种")
    if test.size_at_most is not None:
        bounds.append(f"不超过{test.size_at_most}种")
    return "且".join(bounds)


def _attribute(name: str, kinds: Sequence[str], words: Vocabulary) -> Attribute | None:
    found = (words.kinds[kind].attributes.get(name) for kind in kinds)
    return next((attribute for attribute in found if attribute is not None), None)


def _value_label(name: str, attribute: Attribute | None, value: Scalar, words: Vocabulary) -> str:
    match attribute:
        case CodeAttribute() | CodesAttribute():
            label = attribute.values.get(str(value), str(value))
            return f"{label}级" if name == "level" else label
        case ItemAttribute():
            return item_label(str(value), words)
        case _:
            return plain(value) if isinstance(value, Decimal) else str(value)


def _told(name: str, attribute: Attribute, value: AttributeValue, words: Vocabulary) -> str:
    """Return one attribute of a fact; a code or an item speaks for itself, anything else is told with its name."""
    if isinstance(value, tuple):
        return "、".join(_value_label(name, attribute, one, words) for one in value)
    label = _value_label(name, attribute, value, words)
    if isinstance(attribute, CodeAttribute | ItemAttribute):
        return label
    return f"{attribute.label}：{label}"
