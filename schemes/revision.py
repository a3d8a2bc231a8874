"""Edits of a scheme's scalar parameters: what would another figure have done (the case format's `revise`)?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from schemes.exact import parse_decimal
from schemes.problem import InvalidInput, Problem, refuse
from schemes.rules import Milestone, Model, Rule, Threshold, kinds_of
from schemes.scheme import Group, Indicator, Scheme

SCHEME_PARAMETERS = ("full", "cap", "cap_after", "floor", "bonus_cap", "penalty_cap", "not_applicable")
INDICATOR_PARAMETERS = ("points", "floor", "ceiling")
RULE_PARAMETERS = ("each", "max", "min", "default", "points", "step", "at_least")
_WORDS = {"cap_after": ("bonus", "all"), "not_applicable": ("drop", "rescale", "full_credit")}
_NULLABLE = {"cap", "floor", "bonus_cap", "penalty_cap", "ceiling", "max"}

_M = TypeVar("_M", bound=Model)


def _not_a_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"found {value}, expected a decimal, a word or null")  # noqa: TRY004  # pydantic reports only a ValueError
    return value


class Edit(Model):
    """One edit: of the scheme, of an indicator, or of the rules of an effect (and kind) in an indicator."""

    group: str | None = None
    indicator: str | None = None
    effect: str | None = None
    kind: str | None = None
    nth: Annotated[int, Field(strict=True)] | None = None
    set: dict[str, Annotated[str | int | None, BeforeValidator(_not_a_truth_value)]]


def revised(scheme: Scheme, edits: Sequence[Edit]) -> Scheme:
    """Return the scheme with the edits made, one after the other.

    Raises `InvalidInput` when an edit fits nothing, sets what cannot be set, or sets a value that a scheme file
    may not state there. Values of different rules and rows need not follow each other: a judged range may be
    set past its default, a `max` past the points.
    """
    for at, edit in enumerate(edits):
        scheme = _edited(scheme, edit, f"revise[{at}]")
    return scheme


def _edited(scheme: Scheme, edit: Edit, where: str) -> Scheme:
    if edit.effect is None and (edit.kind is not None or edit.nth is not None):
        raise refuse("revision-without-effect", where, "kind and nth pick among rules; expected effect beside them")
    if edit.indicator is None:
        if edit.effect is not None or edit.group is not None:
            raise refuse("revision-without-indicator", where, "expected indicator beside group or effect")
        return _with(scheme, _values(edit.set, SCHEME_PARAMETERS, where), where)
    if edit.group is not None and scheme.group(edit.group) is None:
        ids = ", ".join(group.id for group in scheme.groups)
        raise refuse("revision-unknown-group", where, f"found group {edit.group!r}, expected one of {ids}")
    groups = []
    hits = 0
    for group in scheme.groups:
        edited, made = _edited_group(group, edit, where) if edit.group in (None, group.id) else (group, 0)
        hits += made
        groups.append(edited)
    if not hits:
        raise refuse("revision-fits-nothing", where, f"no rule or indicator fits {edit.model_dump(exclude_none=True)}")
    return scheme.model_copy(update={"groups": tuple(groups)})


def _edited_group(group: Group, edit: Edit, where: str) -> tuple[Group, int]:
    def change(row: Indicator) -> Indicator | None:
        return _edited_row(row, edit, where) if edit.effect is None else _edited_rules(row, edit, where)

    rows, made = _replaced(group.indicators, lambda row: change(row) if row.id == edit.indicator else None)
    return group.model_copy(update={"indicators": rows}), made


def _edited_row(row: Indicator, edit: Edit, where: str) -> Indicator:
    values = _values(edit.set, INDICATOR_PARAMETERS, where)
    if "points" in values and "ceiling" not in values and row.ceiling == row.points:
        values["ceiling"] = values["points"]
    return _with(row, values, where)


def _edited_rules(row: Indicator, edit: Edit, where: str) -> Indicator | None:
    fitting = [
        at
        for at, rule in enumerate(row.rules)
        if rule.effect == edit.effect and (edit.kind is None or edit.kind in kinds_of(rule))
    ]
    if edit.nth is not None:
        fitting = fitting[edit.nth - 1 : edit.nth] if edit.nth >= 1 else []
    if not fitting:
        return None
    rules = tuple(_edited_rule(rule, edit, where) if at in fitting else rule for at, rule in enumerate(row.rules))
    return row.model_copy(update={"rules": rules})


def _edited_rule(rule: Rule, edit: Edit, where: str) -> Rule:
    values = _values(edit.set, RULE_PARAMETERS, where)
    if isinstance(rule, Milestone) and "at_least" in values:
        at_least = values.pop("at_least")
        conditions, made = _replaced(rule.conditions, lambda one: _threshold(one, edit.kind, at_least, where))
        if not made:
            raise refuse("revision-fits-nothing", where, "no condition of the milestone has at_least")
        rule = rule.model_copy(update={"conditions": conditions})
    unknown = [name for name in values if name not in type(rule).model_fields]
    if unknown:
        raise refuse("revision-unknown-parameter", where, f"{rule.effect} has no {', '.join(unknown)}")
    return _with(rule, values, where)


def _threshold(condition: Threshold, kind: str | None, at_least: Decimal, where: str) -> Threshold | None:
    if condition.at_least is None or (kind is not None and kind not in condition.kinds):
        return None
    return _with(condition, {"at_least": at_least}, where)


def _with(model: _M, values: Mapping[str, Any], where: str) -> _M:
    """Return the model with the values set; refuses what a scheme file may not state there."""
    stated = {name: getattr(model, name) for name in type(model).model_fields}
    try:
        return type(model).model_validate({**stated, **values})
    except ValidationError as error:
        problems = (_problem(one["loc"], one["msg"], values, where) for one in error.errors())
        raise InvalidInput(tuple(problems)) from None


def _problem(location: tuple[int | str, ...], message: str, values: Mapping[str, Any], where: str) -> Problem:
    name = str(location[0]) if location else ""
    if name not in values:
        return Problem("revision-value", f"{where}.set", message.removeprefix("Value error, "))
    expected = message.removeprefix("Input should be ")
    return Problem("revision-value", f"{where}.set.{name}", f"found {values[name]}, expected {expected}")


def _replaced(values: tuple[_M, ...], change: Callable[[_M], _M | None]) -> tuple[tuple[_M, ...], int]:
    """Return the values with each changed one in its place, and how many there were."""
    changed = [change(value) for value in values]
    kept = tuple(old if new is None else new for old, new in zip(values, changed, strict=True))
    return kept, sum(new is not None for new in changed)


def _values(raw: Mapping[str, str | int | None], allowed: Sequence[str], where: str) -> dict[str, Any]:
    if not raw:
        raise refuse("revision-empty", where, f"set is empty; expected some of {', '.join(allowed)}")
    return {name: _value(name, value, allowed, f"{where}.set.{name}") for name, value in raw.items()}


def _value(name: str, value: str | int | None, allowed: Sequence[str], where: str) -> Decimal | str | None:
    if name not in allowed:
        raise refuse("revision-unknown-parameter", where, f"found {name!r}, expected one of {', '.join(allowed)}")
    if name in _WORDS:
        if value not in _WORDS[name]:
            raise refuse("revision-value", where, f"found {value!r}, expected one of {', '.join(_WORDS[name])}")
        return str(value)
    if value is None:
        if name not in _NULLABLE:
            raise refuse("revision-value", where, "found null, expected a decimal")
        return None
    number = parse_decimal(str(value))
    if number is None:
        raise refuse("revision-value", where, f'found {value!r}, expected a decimal like "2.5", or null')
    return number
