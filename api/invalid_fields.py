"""What is wrong with the fields of a request: which field, what came, what is allowed."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from schemes.problem import Problem
from schemes.reading import dotted

_PATTERNS: Final = {
    r"https?://[^/": "an address like https://mingzhang.example.gov.cn, without a path",
    "[a-z0-9][a-z0-9./-]*": "small letters, digits, '.', '/' and '-', the first of them a letter or digit",
    "https?://": "an address that begins with http:// or https:// and has no spaces",
    "[0-9a-f]{64}": "a SHA-256: 64 hexadecimal digits in lower case",
}
"""What a text must be, by what its pattern holds."""
_LONGEST_SHOWN: Final = 80
Path = tuple[str | int, ...]


def model_problems(errors: Iterable[Mapping[str, Any]], value: Any, model: Any) -> list[Problem]:
    """Return one problem for each field of the value that the model, or list of models, refuses."""
    found: dict[Path, list[Mapping[str, Any]]] = {}
    for one in errors:
        if one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]:
            continue  # only its wrong members, which have errors of their own, were not counted
        found.setdefault(_without_tags(one["loc"], one["type"], value), []).append(one)
    return [_problem("body", path, alike, model) for path, alike in found.items()]


def parameter_problems(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Return one problem for each parameter or header of a request that is missing or not what it should be."""
    return [_problem(one["loc"][0], tuple(one["loc"][1:]), [one], None) for one in errors]


def settings_problems(errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Return one problem for each variable of the environment (or the option that states it) that no setting can be."""
    return [_problem("setting", (f"MINGZHANG_{str(one['loc'][0]).upper()}",), [one], None) for one in errors]


def _problem(source: str, path: Path, errors: Sequence[Mapping[str, Any]], body_type: Any) -> Problem:
    kind = errors[0]["type"]
    where = dotted(path) or source
    if kind == "missing":
        return Problem("field-missing", where, f"the {'field' if source == 'body' else source} is missing")
    if kind == "extra_forbidden":
        allowed = list(_fields_at(body_type, path[:-1]))
        near = get_close_matches(str(path[-1]), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return Problem("field-unknown", where, f"expected one of {', '.join(allowed)}{hint}")
    expected = " or ".join(dict.fromkeys(_expected(one["type"], one["msg"]) for one in errors))
    return Problem("field-invalid", where, f"found {_shown(errors[0]['input'])}, expected {expected}")


def _expected(kind: str, message: str) -> str:
    if kind.startswith("date_"):
        return "a day like 2023-03-28"
    if kind.startswith(("datetime_", "timezone_")):
        return "a moment with a zone like 2023-07-01T00:00:00+08:00 (in an address, + is written %2B)"
    if kind.startswith("uuid_"):
        return "an id like 6f0d1c52-4b86-5a7e-9c43-0d6a6f2b1e90"
    if kind == "string_pattern_mismatch":
        # The patterns of fields are few, and a pattern tells an office worker nothing.
        return next((said for sign, said in _PATTERNS.items() if sign in message), message)
    if kind.startswith("uuid_"):
        return "an id like 6f0d1c52-4b86-5a7e-9c43-0d6a6f2b1e90"
    if kind == "string_pattern_mismatch":
        return next((said for sign, said in _PATTERNS.items() if sign in message), message)
    size = re.search(r"at (least|most) (\d+) item", message)
    if size:
        return f"at {size[1]} {size[2]} of them"
    for opening in ("Value error, ", "Input should be "):
        message = message.removeprefix(opening)
    return message


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _without_tags(location: Sequence[str | int], kind: str, body: Any) -> Path:
    """Pydantic's location without the names of union members, which are no fields of the body."""
    path: list[str | int] = []
    inside: Any = body
    for at, part in enumerate(location):
        if _holds(inside, part):
            inside = inside[part]
        elif not (kind == "missing" and at == len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _fields_at(body_type: Any, path: Path) -> Iterator[str]:
    """Yield the fields that the body's type has at the path."""
    models = list(_models(body_type))
    for part in path:
        if isinstance(part, str):
            annotations = [model.model_fields[part].annotation for model in models if part in model.model_fields]
            models = [inner for annotation in annotations for inner in _models(annotation)]
    for model in models:
        yield from model.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models inside an annotation: of a union, a list, a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, Annotated, list, tuple):
        for inner in get_args(annotation):
            yield from _models(inner)
