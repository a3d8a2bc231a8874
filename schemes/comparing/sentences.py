"""A change between two versions of a scheme as a sentence in Chinese, made from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from schemes.comparing.changes import Change, Parameter
from schemes.exact import plain
from schemes.rules import Model
from schemes.scheme import (
    Accepted,
    AppliesTo,
    Band,
    Gate,
    Group,
    Indicator,
    Jurisdiction,
    Label,
    Output,
    Period,
    Quotas,
    Stage,
    Veto,
    VetoFacts,
    VetoSubtotal,
)
from schemes.vocabulary import Vocabulary
from schemes.wording import (
    basis_phrase,
    choice_label,
    day_phrase,
    measure_word,
    parameter_label,
    points_phrase,
    rule_sentence,
    selection_phrase,
)

_DONE = {"added": "增加", "removed": "删去", "changed": "修改"}
_CHOICES = frozenset({"cap_after", "not_applicable", "section", "start"})
_FIGURES = frozenset({"weight", "factor", "year"})
_SHARES = frozenset({"share", "bonus_share"})
_NOTHING = {"applies_to": "全部单位", "window": "整个考核期间", "when": "无", "stage": "不分阶段", "note": "无"}
_OF_PARTS = frozenset({"weight", "quotas", "stage"})
_TERMS = {
    "number": "文号",
    "issuer": "印发机关",
    "issued_on": "印发日期",
    "bonus_share": "加分比例上限",
    "reason": "理由",
}


_DEEPER: Final = str.maketrans("“”‘’", "‘’“”")
"""Quotation marks one level deeper: double and single ones take turns (GB/T 15834-2011, 4.8.3.3)."""


def change_sentence(change: Change, words: Vocabulary) -> str:
    """Return what the change changes, from what to what; `words` also knows the items of both versions."""
    return f"{_sentence(change, words)}。"


def _sentence(change: Change, words: Vocabulary) -> str:
    match change.what:
        case "rule":
            return f"{_row(change)}{_rules(change, words)}"
        case "row":
            moved = f"的{_moves(change.parameters, words)}"
            return f"{_row(change)}{moved}" if change.kind == "changed" else _whole(change, _row(change), words)
        case "document":
            return f"文件的{_moves(change.parameters, words)}" if "/" in change.id else _moves(change.parameters, words)
        case "parameter":
            return f"方案的{_moves(change.parameters, words)}"
        case "unit":
            return _unit(change)
        case "item":
            [item] = change.parameters
            moved = f"{_DONE[change.kind]}自设事项{item.name}（{item.old or item.new}）"
            return moved if change.kind != "changed" else f"自设事项{item.name}的名称{_from_to(item, words)}"
        case "group" if change.id == "groups":
            return f"分组{_from_to(change.parameters[0], words)}，{_reassigned(change)}"
        case "veto" if change.id == "vetoes/order":
            return f"否决情形的先后{_from_to(change.parameters[0], words)}"
        case "stage" if change.id == "stages/weight":
            return _reweighed(change, words)
        case _:
            named = _named(change)
            moved = f"的{_moves(change.parameters, words)}"
            return f"{named}{moved}" if change.kind == "changed" else _whole(change, named, words)


def _reweighed(change: Change, words: Vocabulary) -> str:
    titles = {stage.id: stage.title for stage in change.new if isinstance(stage, Stage)}
    return "，".join(
        f"阶段“{titles[one.name.rpartition('/')[0]]}”的{parameter_label('weight')}{_from_to(one, words)}"
        for one in change.parameters
    )


def _row(change: Change) -> str:
    return f"指标{change.indicator}“{' / '.join(change.titles)}”（{change.clause}）"


def _named(change: Change) -> str:
    """The part concerned by its title, or by what its path says of it."""
    last = change.id.rpartition("/")[2]
    match change.what:
        case "veto":
            return f"否决情形“{' / '.join(change.titles)}”（{change.clause}）"
        case "group":
            return f"分组“{' / '.join(change.titles)}”"
        case "stage":
            return f"阶段“{' / '.join(change.titles)}”" if change.titles else "阶段"
        case "grading":
            if change.group is not None:
                return f"分组“{' / '.join(change.titles)}”"
            return f"等次“{last}”" if change.id.startswith("bands/") else "等次"
        case "label":
            return f"文件所印“{' / '.join(change.titles)}”的分值"
        case "output":
            return f"附报数值“{' / '.join(change.titles)}”"
        case _:
            return f"对检查结果{change.id.partition('/')[2]}的说明"


def _whole(change: Change, named: str, words: Vocabulary) -> str:
    parts = change.new or change.old
    details = "；".join(filter(None, (_part(part, words) for part in parts)))
    return f"{_DONE[change.kind]}{named}{'：' if details else ''}{details}"


def _rules(change: Change, words: Vocabulary) -> str:
    old, new = _quoted(change.old, words), _quoted(change.new, words)
    match change.kind:
        case "added":
            return f"增加规则{new}"
        case "removed":
            return f"删去规则{old}"
        case "changed" if old == new:
            return f"的规则{old}：{_moves(change.parameters, words, _effect(change))}"
        case "changed":
            return f"的规则由{old}改为{new}"


def _effect(change: Change) -> str | None:
    return next((str(getattr(rule, "effect", "")) for rule in change.old), None)


def _quoted(rules: Sequence[Model], words: Vocabulary) -> str:
    told = (rule_sentence(rule, words) for rule in rules)  # type: ignore[arg-type]  # rules are Models
    return "、".join(f"“{sentence.translate(_DEEPER)}”" for sentence in told)


def _moves(parameters: Sequence[Parameter], words: Vocabulary, effect: str | None = None) -> str:
    return "，".join(f"{_label(one.name, effect)}{_from_to(one, words)}" for one in parameters)


def _label(name: str, effect: str | None) -> str:
    path, _, field = name.rpartition("/")
    if field in _TERMS:
        return _TERMS[field]
    if not path:
        return parameter_label(field, effect)
    return f"{path}的{parameter_label(field)}" if field in _OF_PARTS else f"指标{name}"


def _from_to(parameter: Parameter, words: Vocabulary) -> str:
    name = parameter.name.rpartition("/")[2]
    return f"由{_value(name, parameter.old, words)}改为{_value(name, parameter.new, words)}"


def _value(name: str, value: object, words: Vocabulary) -> str:
    match value:
        case None | ():
            return _NOTHING.get(name, "不设")
        case bool():
            return "是" if value else "否"
        case str() if name in _CHOICES:
            return choice_label(name, value)
        case str():
            return f"“{value}”"
        case date():
            return day_phrase(value)
        case Decimal() | int():
            return _number(name, Decimal(value))
        case Model():
            return _part(value, words)
        case tuple() if name == "rules":
            return "“" + "；".join(rule_sentence(rule, words) for rule in value) + "”"
        case tuple():
            return "、".join(str(one) if isinstance(one, str) else _value(name, one, words) for one in value)
        case _:
            pass
    return str(value)


def _number(name: str, value: Decimal) -> str:
    if name in _FIGURES:
        return plain(value)
    return f"{plain(value * 100)}%" if name in _SHARES else points_phrase(value)


def _part(part: Model, words: Vocabulary) -> str:
    """Return what a whole part says."""
    match part:
        case Indicator():
            rules = "；".join(rule_sentence(rule, words) for rule in part.rules)
            head = f"{choice_label('section', part.section)}，分值{points_phrase(part.points)}"
            return f"{head}，{choice_label('start', part.start)}" + (f"；{rules}" if rules else "")
        case Veto():
            forced = [] if part.grade is None else [f"等次定为“{part.grade}”"]
            fixed = [] if part.total is None else [f"总分定为{points_phrase(part.total)}"]
            return f"{_part(part.when, words)}的，{'，'.join(forced + fixed)}"
        case VetoFacts():
            return f"{selection_phrase(part, words)}达到{part.min_count}{measure_word(part.kinds)}"
        case VetoSubtotal():
            return f"{basis_phrase(part.basis)}低于{points_phrase(part.below)}"
        case Gate():
            return f"{basis_phrase(part.basis)}达到{points_phrase(part.at_least)}才计加分"
        case Group():
            return f"{len(part.units)}个单位，{len(part.indicators)}项指标"
        case _:
            return _small_part(part)


def _small_part(part: Model) -> str:
    match part:
        case Period():
            return f"{day_phrase(part.first)}至{day_phrase(part.last)}"
        case AppliesTo():
            return f"仅{'、'.join(part.only)}" if part.only is not None else f"除{'、'.join(part.all_but or ())}外"
        case Band():
            return f"{part.grade}{'（其余）' if part.at_least is None else f'{points_phrase(part.at_least)}起'}"
        case Quotas():
            top, bottom = (f"{end.grade}{plain(end.share * 100)}%" for end in (part.top, part.bottom))
            return f"{top}、{bottom}、其余{part.middle}"
        case Stage():
            return f"{part.title}（权重{plain(part.weight)}，满分{points_phrase(part.full)}）"
        case Label():
            return points_phrase(part.points)
        case Output():
            return f"系数{plain(part.factor)}"
        case Accepted():
            return part.reason
        case Jurisdiction():
            return f"{part.name}（{part.code}）"
        case _:
            # What the sentences of two rules do not tell apart (a step, a source) is shown as the file has it.
            return part.model_dump_json(exclude_defaults=True)


def _unit(change: Change) -> str:
    [unit] = change.parameters
    groups = "”改列“".join(change.titles)
    match change.kind:
        case "added":
            return f"{unit.name}列入“{groups}”"
        case "removed":
            return f"{unit.name}不再列入“{groups}”"
        case "changed":
            return f"{unit.name}由“{groups}”"


def _reassigned(change: Change) -> str:
    return "，".join(f"{one.name}由{one.old or '未列入'}改为{one.new or '不列入'}" for one in change.parameters[1:])
