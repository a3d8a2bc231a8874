"""Conditions on facts as a cell says them: `层级=省,设区市; 未更新天数>=14; 形式个数>=3; 已整改=否`.

All parts must hold. `属性 不含 值` holds where the attribute has none of the values, or is missing. Nested predicates
(`any`, `all` and `not` of several tests) are beyond a cell: they are written in the YAML file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from projections.workbooks.files import Value as CellValue
from projections.workbooks.values import (
    Context,
    Number,
    Value,
    WrongValueError,
    between,
    folded,
    item_code,
    label_of,
    parts_of,
    unified,
    word,
)
from schemes.conditions import RECTIFIED
from schemes.exact import plain
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    DecimalAttribute,
    IntegerAttribute,
    ItemAttribute,
)

RECTIFIED_LABEL: Final = "已整改"
SIZE: Final = "个数"
_NOT: Final = "不含"
_TEST = re.compile(r"(.+?)\s*(>=|<=|=|不含)\s*(.*)", re.DOTALL)
_BOUNDS = {">=": "at_least", "<=": "at_most"}


class Conditions(Value):
    """A predicate on the attributes of the row's kinds."""

    expected = "conditions like 层级=省,设区市; 未更新天数>=14"
    lines = True

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the predicate as the format states it."""
        where: dict[str, Any] = {}
        excluded: list[dict[str, Any]] = []
        for part in parts_of(unified(self.text(cell)), ";"):
            name, operator, rest = self._split(part)
            if operator == _NOT:
                attribute = _attribute(name, context)
                excluded.append({"not": {attribute: _values(attribute, rest, context)}})
                continue
            attribute, test = _test(name, operator, rest, context)
            if isinstance(where.get(attribute), dict) and isinstance(test, dict) and not where[attribute].keys() & test:
                where[attribute] |= test
            elif attribute in where:
                raise WrongValueError("condition", f"found two tests of {name}, expected one; list values with commas")
            else:
                where[attribute] = test
        if len(excluded) == 1:
            return where | excluded[0]
        return where | {"all": excluded} if excluded else where

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the conditions; a nested predicate gives a text that does not read back as it was."""
        parts = [_written(name, test, context) for name, test in value.items() if name not in ("all", "any", "not")]
        excluded = [value["not"]] if "not" in value else [one.get("not", {}) for one in value.get("all", ())]
        parts += [
            f"{_label(name, context)} {_NOT} {_joined(name, test, context)}"
            for tests in excluded
            for name, test in tests.items()
            if not isinstance(test, dict) and name not in ("all", "any", "not")
        ]
        return "; ".join(parts)

    def _split(self, part: str) -> tuple[str, str, str]:
        match = _TEST.fullmatch(part)
        if match is None or not match[3]:
            raise WrongValueError("condition", f"found {part!r}, expected {self.expected}")
        return match[1], match[2], match[3]


class AttributeName(Value):
    """One attribute of the row's kinds."""

    expected = "an attribute like 问题标识"

    def read(self, cell: CellValue, context: Context) -> Any:
        """Return the attribute's name in the format."""
        return _attribute(self.text(cell), context)

    def write(self, value: Any, context: Context) -> str | Decimal | date:
        """Return the attribute's label."""
        return _label(value, context)


def _known(context: Context) -> list[tuple[str, str]]:
    """The labels and names of the attributes of the kinds, each pair once."""
    kinds = [context.vocabulary.kinds[kind] for kind in context.kinds]
    pairs = [(one.label, name) for kind in kinds for name, one in kind.attributes.items()]
    return list(dict.fromkeys([*pairs, (RECTIFIED_LABEL, RECTIFIED)]))


def _attribute(text: str, context: Context) -> str:
    return str(word(text, _known(context)))


def _is_attribute(text: str, context: Context) -> bool:
    return any(folded(text.removesuffix(SIZE)) in (folded(label), folded(name)) for label, name in _known(context))


def _label(name: str, context: Context) -> str:
    return label_of(name, _known(context))


def _forms(name: str, context: Context) -> list[Attribute]:
    kinds = [context.vocabulary.kinds[kind] for kind in context.kinds]
    return [kind.attributes[name] for kind in kinds if name in kind.attributes]


def _test(name: str, operator: str, rest: str, context: Context) -> tuple[str, Any]:
    if operator == "=":
        attribute = _attribute(name, context)
        return attribute, _values(attribute, rest, context)
    sized = name.removesuffix(SIZE)
    attribute = _attribute(sized, context)
    bound = _BOUNDS[operator]
    number = Number().read(rest, context)
    return attribute, {f"size_{bound}" if sized != name else bound: _whole(number)}


def _values(name: str, text: str, context: Context) -> Any:
    parts = parts_of(text, ",")
    for part in parts[1:]:
        if (test := _TEST.fullmatch(part)) and _is_attribute(test[1], context):
            raise between(f"{parts[0]},{part}", "conditions", ";")
    values = [_value(name, part, context) for part in parts]
    if not values:
        raise WrongValueError("condition", f"found no value after {name}, expected one or more")
    # A comma at the end is a list of one, so that a scheme's own lists come back as lists.
    return values if len(values) > 1 or text.rstrip().endswith(",") else values[0]


def _value(name: str, text: str, context: Context) -> Any:
    if name == RECTIFIED:
        return word(text, [("是", True), ("否", False)])
    forms = _forms(name, context)
    codes = [
        (label, code)
        for one in forms
        if isinstance(one, CodeAttribute | CodesAttribute)
        for code, label in one.values.items()
    ]
    if codes:
        return word(text, codes)
    if any(isinstance(one, ItemAttribute) for one in forms):
        return item_code(text, context)
    if any(isinstance(one, IntegerAttribute | DecimalAttribute) for one in forms):
        return _whole(Number().read(text, context))
    return text


def _whole(number: Decimal) -> Decimal | int:
    return int(number) if number == int(number) else number


def _written(name: str, test: Any, context: Context) -> str:
    label = RECTIFIED_LABEL if name == RECTIFIED else _label(name, context)
    if not isinstance(test, Mapping):
        return f"{label}={_joined(name, test, context)}"
    signs = {"at_least": ">=", "at_most": "<=", "size_at_least": f"{SIZE}>=", "size_at_most": f"{SIZE}<="}
    return "; ".join(f"{label}{signs[bound]}{plain(Decimal(value))}" for bound, value in test.items())


def _joined(name: str, test: Any, context: Context) -> str:
    listed = test if isinstance(test, list | tuple) else (test,)
    return ",".join(_shown(name, value, context) for value in listed) + (
        "," if test is listed and len(test) == 1 else ""
    )


def _shown(name: str, value: Any, context: Context) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal | int):
        return plain(Decimal(value))
    codes = [
        (label, code)
        for one in _forms(name, context)
        if isinstance(one, CodeAttribute | CodesAttribute)
        for code, label in one.values.items()
    ]
    if codes:
        return label_of(value, dict.fromkeys(codes))
    if any(isinstance(one, ItemAttribute) for one in _forms(name, context)):
        return label_of(value, ((label, code) for code, label in context.vocabulary.items.items()))
    return str(value)
