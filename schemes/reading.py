"""From the text of a scheme file to a `Scheme`, or to every error in it at once.

1. The YAML is composed into nodes, so that every value keeps its line; numbers become exact decimals. Depth and
   number of values are bounded, so that no file can keep the reader busy. No text holds what cannot be seen: titles are
   read by people who believe their screens.
2. The values are held against the models: unknown fields, wrong types, missing parts.
3. What the models cannot see is checked by `schemes.consistency`: names that must exist, ids that must differ.

Each problem says file, line, path, what was found and what was expected.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from schemes.consistency import inconsistencies
from schemes.problem import InvalidInput, Problem, refuse
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)
_MERGE = "tag:yaml.org,2002:merge"
DEEPEST = 50
MOST_VALUES = 200_000
LONGEST_NUMBER = 40
_LONGEST_SHOWN = 80
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MANY_LINES = ("note", "reason")
"""The fields whose texts may have several lines."""
_DAY = "a day like 2024-01-31"
_TYPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_parsing": "a whole number like 3",
    "int_type": "a whole number like 3",
    "int_from_float": "a whole number like 3",
    "decimal_type": "a plain decimal like 2.5",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}
_PATTERNS = {
    "^[0-9]{6}$": "six digits",
    "^[a-z0-9][a-z0-9-]*$": "lower-case letters, digits and hyphens, like shili-2024",
}


def read_scheme(text: str, file: str, vocabulary: Vocabulary) -> Scheme:
    """Return the scheme written in the YAML text; `file` is only used to name the place.

    Raises `InvalidInput` with all problems that can be told together: those of the YAML alone where it cannot be
    read as values; fields that stand twice with what the models find in the last of them; and, once the models
    find nothing, fields that stand twice with every inconsistency.
    """
    document, scheme = _read(Scheme, text, file)
    found = [_placed(*one, file, document.lines) for one in inconsistencies(scheme, vocabulary)]
    # Of a name it is told already which character to delete.
    told = {problem.where for problem in found if problem.code == "scheme-name"}
    problems = [*(one for one in document.problems if one.where not in told), *found]
    if problems:
        raise InvalidInput(tuple(problems))
    return scheme


def read_vocabulary(text: str, file: str) -> Vocabulary:
    """Return the vocabulary written in the YAML text; raises `InvalidInput` with all problems."""
    document, vocabulary = _read(Vocabulary, text, file)
    if document.problems:
        raise InvalidInput(tuple(document.problems))
    return vocabulary


def _read(model: type[M], text: str, file: str) -> tuple[_Document, M]:
    document = _Document(file)
    data = document.read(text)
    try:
        return document, model.model_validate(data)
    except ValidationError as error:
        located = _all_located(error, data, file, document.lines)
        raise InvalidInput((*document.problems, *located)) from None


class _TooDeepError(yaml.MarkedYAMLError):
    """Raised by `_Loader` before Python's own stack ends."""


class _Loader(yaml.SafeLoader):
    """Composes nodes nested no deeper than `DEEPEST`."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if parent is not None and self._depth > DEEPEST:
            raise _TooDeepError(problem_mark=parent.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Document:
    """The values of one YAML text, the line of each, and the fields that stand twice."""

    def __init__(self, file: str) -> None:
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._open: list[yaml.Node] = []
        self._count = 0

    def read(self, text: str) -> Any:
        """Return the values; raises `InvalidInput` when there are none, or more than a scheme can need."""
        try:
            root = yaml.compose(text, Loader=_Loader)
        except _TooDeepError as error:
            raise self._too_deep(error.problem_mark.line + 1 if error.problem_mark else 1, ()) from None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{self._file}:{mark.line + 1}" if mark else self._file
            said = ", ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None))))
            look = "; look at this line and the one above it" if mark else ""
            raise refuse("scheme-not-yaml", where, f"not readable as YAML: {said or error}{look}") from None
        if root is None:
            raise refuse("scheme-not-yaml", self._file, "the file is empty; expected a scheme")
        return self._value(root, ())

    def _value(self, node: yaml.Node, path: Path) -> Any:
        # An alias stands for the node it names: what it holds counts wherever it is used.
        line = node.start_mark.line + 1
        self.lines[path] = line
        self._count += 1
        if self._count > MOST_VALUES:
            message = f"expected at most {MOST_VALUES} values, each alias counted with all it holds"
            raise refuse("scheme-too-many-values", self._place(line, path), message)
        if isinstance(node, yaml.ScalarNode):
            self._check_visible(str(node.value), line, path)
            return _scalar(node)
        if any(node is one for one in self._open):
            message = "an alias stands inside the value that it names; expected it after or outside that value"
            raise refuse("scheme-alias-cycle", self._place(line, path), message)
        if len(self._open) >= DEEPEST:
            raise self._too_deep(line, path)
        self._open.append(node)
        value = self._fields(node, path) if isinstance(node, yaml.MappingNode) else self._list(node, path)
        self._open.pop()
        return value

    def _check_visible(self, text: str, line: int, path: Path) -> None:
        """Tell a text that people cannot see as it is: with line breaks, control or format characters."""
        if text.isprintable() or (path and path[-1] in _MANY_LINES and text.replace("\n", "").isprintable()):
            return
        if any(unicodedata.category(one) in _HIDDEN for one in text):
            message = f"found {_shown(text)}, expected a text on one line without control or invisible characters"
            self.problems.append(Problem("scheme-hidden-character", self._place(line, path), message))

    def _list(self, node: yaml.Node, path: Path) -> list[Any]:
        return [self._value(child, (*path, at)) for at, child in enumerate(node.value)]

    def _fields(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise refuse("scheme-field-name", self._place(line, path), "expected a plain name before the colon")
            key = str(key_node.value)
            self._check_visible(key, line, path)
            place = self._place(line, (*path, key))
            message = f"the field {key!r} stands twice or is a merge; state each field once"
            if key_node.tag == _MERGE:
                # What a merge would have brought is missing now: the models' findings would mislead.
                raise refuse("scheme-duplicate-field", place, message)
            if key in result:
                self.problems.append(Problem("scheme-duplicate-field", place, message))
            result[key] = self._value(child, (*path, key))
        return result

    def _too_deep(self, line: int, path: Path) -> InvalidInput:
        message = f"expected values nested at most {DEEPEST} deep"
        return refuse("scheme-too-deep", self._place(line, path), message)

    def _place(self, line: int, path: Path) -> str:
        return f"{self._file}:{line} {dotted(path)}".rstrip()


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() in ("true", "yes", "on")
        case "int" | "float":
            return _number(text)
        case "timestamp":
            try:
                return date.fromisoformat(text)
            except ValueError:
                return text
        case _:
            return text


def _number(text: str) -> Any:
    """Exact value of a number as written; anything but a plain decimal stays text, for the models to refuse."""
    digits = text.removeprefix("-").replace(".", "", 1)
    if not (digits.isdigit() and digits.isascii()) or len(text) > LONGEST_NUMBER:
        return text
    return Decimal(text) if "." in text else int(text)


def dotted(path: Sequence[str | int]) -> str:
    """Return a path the way people write it: `groups[0].indicators[3].each`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _placed(code: str, path: Path, message: str, file: str, lines: Mapping[Path, int]) -> Problem:
    known = path
    while known not in lines:
        known = known[:-1]
    return Problem(code, f"{file}:{lines[known]} {dotted(path)}".rstrip(), message)


def _all_located(error: ValidationError, data: Any, file: str, lines: Mapping[Path, int]) -> Iterator[Problem]:
    """Yield the errors at what the file states or leaves out, without those that only follow from others."""
    found = [(_path_in(data, one["loc"]), one) for one in error.errors()]
    above = {path[:at] for (path, _), _ in found for at in range(len(path))}
    for (path, owner), one in found:
        if (path in lines and path not in above) or one["type"] in ("missing", "union_tag_not_found"):
            yield _located(one, path, owner, file, lines)


def _located(error: Any, path: Path, owner: Any, file: str, lines: Mapping[Path, int]) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        message = f"{path[-1]!r} is missing"
    elif kind == "extra_forbidden":
        message = f"unknown field {path[-1]!r}{_meant(str(path[-1]), owner)}"
    elif kind == "union_tag_invalid":
        message = f"found {context['tag']!r}, expected one of {context['expected_tags']}"
    elif kind == "union_tag_not_found":
        message = f"the field {context['discriminator']} is missing"
    elif kind == "too_short":
        message = f"expected at least {context['min_length']} of them, found {context['actual_length']}"
    elif kind == "value_error":
        message = str(context["error"])
    else:
        message = f"found {_shown(error['input'])}, expected {_expected(error, path)}"
    return _placed(f"scheme-{kind.replace('_', '-')}", path, message, file, lines)


def _expected(error: Any, path: Path) -> str:
    """What a value of the wrong type should have been, in the words of someone who writes the file."""
    kind, given = error["type"], error["input"]
    if kind == "string_type" and path and not isinstance(given, list | dict | None):
        return f'text; put it in quotes: {path[-1]}: "{given}"'
    if kind == "tuple_type":
        return f"a list: [{given}]" if isinstance(given, str) and len(given) <= _LONGEST_SHOWN else "a list"
    if kind == "string_pattern_mismatch":
        pattern = error["ctx"]["pattern"]
        return _PATTERNS.get(pattern, f"text that matches {pattern}")
    if kind in ("model_type", "dict_type"):
        fields = _required_fields(error.get("ctx", {}).get("class_name"))
        return f"fields: {{{', '.join(f'{name}: …' for name in fields)}}}" if fields else "fields with their values"
    return _TYPES.get(kind, str(error["msg"]).removeprefix("Input should be "))


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Decimal):
        return str(value)
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _path_in(data: Any, location: Sequence[str | int]) -> tuple[Path, Any]:
    """Return pydantic's location without the names of union members, and the value that holds the last part."""
    path: list[str | int] = []
    owner = data
    for at, part in enumerate(location):
        is_last = at == len(location) - 1
        inside = isinstance(owner, dict) and part in owner
        inside = inside or (isinstance(owner, list) and isinstance(part, int) and part < len(owner))
        if is_last:
            if inside or not _is_tag(part, owner):
                path.append(part)
        elif inside:
            path.append(part)
            owner = owner[part]
    return tuple(path), owner


def _is_tag(part: str | int, owner: Any) -> bool:
    return not isinstance(owner, dict) or part in (owner.get("effect"), "comparison", "list", "value")


@cache
def _schemas() -> tuple[dict[str, Any], ...]:
    definitions = Scheme.model_json_schema()
    return (definitions, *definitions.get("$defs", {}).values())


def _properties(of: dict[str, Any]) -> set[str]:
    return set(of.get("properties", {}))


def _required_fields(title: str | None) -> list[str]:
    return next((list(one.get("required", ())) for one in _schemas() if one.get("title") == title), [])


def _meant(name: str, owner: Any) -> str:
    """Return what may have been meant by a field that is unknown where it stands, as the end of a sentence."""
    effect = owner.get("effect") if isinstance(owner, dict) else None
    rules = [one for one in _schemas() if "effect" in _properties(one)]
    own = [one for one in rules if one["properties"]["effect"].get("const") == effect]
    if name in ("basis", "below") and isinstance(owner, dict) and "kinds" in owner:
        return "; a veto is either on facts (kinds) or on a subtotal (basis and below)"
    of_rules = any(name in _properties(one) for one in rules)
    of_row = name in next(_properties(one) for one in _schemas() if one.get("title") == "Indicator")
    if of_rules != of_row and of_row == bool(own):
        return "; it belongs in the row, not in its rule" if own else "; it belongs in a rule"
    known = sorted({field for one in own or _schemas() for field in _properties(one)} - {name})
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
