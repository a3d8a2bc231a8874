"""From the text of a scheme file to a `Scheme`, or to every error in it at once.

1. The YAML is composed into nodes, so that every value keeps its line; numbers become exact decimals.
2. The values are held against the models: unknown fields, wrong types, missing parts.
3. What the models cannot see is checked by `schemes.consistency`: names that must exist, ids that must differ.

Each problem says file, line, path, what was found and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from schemes.consistency import inconsistencies
from schemes.problem import InvalidInput, Problem
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)
_MERGE = "tag:yaml.org,2002:merge"


def read_scheme(text: str, file: str, vocabulary: Vocabulary) -> Scheme:
    """Return the scheme written in the YAML text.

    Raises `InvalidInput` with all problems of the stage that fails; `file` is only used to name the place.
    """
    scheme, lines = _read(Scheme, text, file)
    problems = inconsistencies(scheme, vocabulary.extended(scheme.items))
    if problems:
        raise InvalidInput(tuple(_placed(code, path, text_, file, lines) for code, path, text_ in problems))
    return scheme


def read_vocabulary(text: str, file: str) -> Vocabulary:
    """Return the vocabulary written in the YAML text; raises `InvalidInput` with all problems."""
    return _read(Vocabulary, text, file)[0]


def _read(model: type[M], text: str, file: str) -> tuple[M, dict[Path, int]]:
    data, lines = _values_and_lines(text, file)
    try:
        return model.model_validate(data), lines
    except ValidationError as error:
        raise InvalidInput(tuple(_all_located(error, data, file, lines))) from None


def _values_and_lines(text: str, file: str) -> tuple[Any, dict[Path, int]]:
    lines: dict[Path, int] = {}
    problems: list[Problem] = []
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        said = ", ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None))))
        raise InvalidInput((Problem("scheme-not-yaml", where, f"not readable as YAML: {said or error}"),)) from None
    if root is None:
        raise InvalidInput((Problem("scheme-not-yaml", file, "the file is empty; expected a scheme"),))
    value = _value(root, (), lines, problems, file)
    if problems:
        raise InvalidInput(tuple(problems))
    return value, lines


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[Problem], file: str) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, at), lines, problems, file) for at, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value)
            if key in result or key_node.tag == _MERGE:
                problems.append(
                    Problem(
                        "scheme-duplicate-field",
                        f"{file}:{key_node.start_mark.line + 1} {dotted((*path, key))}",
                        f"the field {key!r} stands twice or is a merge; state each field once",
                    )
                )
            result[key] = _value(child, (*path, key), lines, problems, file)
        return result
    return _scalar(node)


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
    if not (digits.isdigit() and digits.isascii()):
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
    for (path, owner), one in found:
        follows = any(other != path and other[: len(path)] == path for (other, _), _ in found)
        if (path in lines and not follows) or one["type"] in ("missing", "union_tag_not_found"):
            yield _located(one, path, owner, file, lines)


def _located(error: Any, path: Path, owner: Any, file: str, lines: Mapping[Path, int]) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        message = f"{path[-1]!r} is missing"
    elif kind == "extra_forbidden":
        known = get_close_matches(str(path[-1]), _known_fields(owner), n=1)
        hint = f"; did you mean {known[0]!r}?" if known else ""
        message = f"unknown field {path[-1]!r}{hint}"
    elif kind == "union_tag_invalid":
        message = f"found {context['tag']!r}, expected one of {context['expected_tags']}"
    elif kind == "union_tag_not_found":
        message = f"the field {context['discriminator']} is missing"
    elif kind == "too_short":
        message = f"expected at least {context['min_length']} of them, found {context['actual_length']}"
    elif kind == "value_error":
        message = str(context["error"])
    else:
        expected = error["msg"].removeprefix("Input should be ")
        message = f"found {error['input']!r}, expected {expected}"
    return _placed(f"scheme-{kind.replace('_', '-')}", path, message, file, lines)


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


def _known_fields(owner: Any) -> list[str]:
    definitions = Scheme.model_json_schema()
    models = [definitions, *definitions.get("$defs", {}).values()]
    wanted = owner.get("effect") if isinstance(owner, dict) else None
    names: set[str] = set()
    for model in models:
        properties = model.get("properties", {})
        if wanted is None or properties.get("effect", {}).get("const") == wanted:
            names.update(properties)
    return sorted(names)
