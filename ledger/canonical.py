"""Canonical bytes out, strict JSON in. Pure: values in, values out.

Rules kept here: bytes are RFC 8785 (JSON Canonicalization Scheme) and never longer than an event may be; JSON that is
read has exactly one meaning for every reader (RFC 7493, I-JSON): UTF-8, no duplicate keys, no NaN or Infinity, no
integer that a double cannot hold, no U+0000 and no lone surrogate. Fractions and exponents are refused too, because
decimals travel as strings. What the values mean is left to others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final, cast

import rfc8785

LARGEST_EVENT: Final = 65_535
"""Most bytes of one event's canonical form."""
LARGEST_INTEGER: Final = 2**53 - 1
"""Largest magnitude of an integer that every JSON reader holds exactly (RFC 7493 section 2.2)."""
DEEPEST: Final = 64
"""Most arrays and objects inside one another."""

_DIGITS_OF_LARGEST_INTEGER: Final = len(str(LARGEST_INTEGER))
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_WRITTEN_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_SHOWN: Final = 40
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


class JsonProblem(ValueError):
    """JSON, or a value to become JSON, that is refused: a stable `code`, `where` it stands and a message for people.

    `where` is a path such as `$.attributes.level`, or a line and column where the text is no JSON at all.
    """

    def __init__(self, code: str, message: str, where: str = "$") -> None:
        super().__init__(f"{where}: {message}")
        self.code = code
        self.message = message
        self.where = where


def canonical_bytes(value: object, limit: int = LARGEST_EVENT) -> bytes:
    """Return the RFC 8785 form of a value made of dict, list, str, int, float, bool and None.

    Raises JsonProblem: `json-not-canonical`, `json-nul`, `json-too-deep`, or `json-too-large` beyond `limit` bytes.
    """
    try:
        # The library refuses other values itself.
        data = _ENCODER.encode(value).encode() if _is_plain(value) else rfc8785.dumps(value)  # type: ignore[arg-type]
    except RecursionError as error:
        raise _too_deep("$") from error
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise JsonProblem("json-not-canonical", f"no canonical form: {error}") from error
    if len(data) > limit:
        raise _too_large(len(data), limit)
    if b"\\u0000" in data and _WRITTEN_NUL.search(data):
        raise JsonProblem("json-nul", "U+0000 in a string, which could not be read again; leave it out")
    return data


def read_json(data: bytes | str, limit: int = LARGEST_EVENT) -> object:
    """Return the value of one strict JSON text of at most `limit` bytes.

    Raises JsonProblem: `json-malformed`, `json-too-large`, `json-too-deep`, `json-duplicate-key`, `json-not-a-number`,
    `json-number-too-large`, `json-fraction`, `json-nul` or `json-surrogate`.
    """
    text = _decoded(data, limit)
    try:
        parsed = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_integer, parse_float=_fraction, parse_constant=_not_a_number
        )
    except RecursionError as error:
        raise _too_deep("$") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        message = f"not JSON: {error.msg}; expected exactly one JSON value (RFC 8259)"
        raise JsonProblem("json-malformed", message, where) from error
    return _checked(parsed, "$", 0)


def _is_plain(value: object) -> bool:
    """Whether Python's own encoder, six times as fast, writes the value as RFC 8785 has it.

    It does for all but floats, large integers, and keys whose order by code point may not be that of UTF-16.
    """
    kind = type(value)
    if kind is str:
        return True
    if kind is dict:
        for key, member in cast("dict[object, object]", value).items():
            if type(key) is not str or not key.isascii() or not _is_plain(member):
                return False
        return True
    if kind is list or kind is tuple:
        return all(map(_is_plain, cast("Sequence[object]", value)))
    if kind is int:
        return -LARGEST_INTEGER <= cast("int", value) <= LARGEST_INTEGER
    return value is None or kind is bool


class _Pairs(list[tuple[str, object]]):
    """An object's members in their order, before duplicate keys are looked for."""


class _Refused:
    """A number literal that is refused: the parser knows the literal, `_checked` knows where it stands."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message


def _decoded(data: bytes | str, limit: int) -> str:
    if isinstance(data, str):
        # A lone surrogate in the text has no UTF-8 form; it counts as three bytes and is refused where it stands.
        size = len(data.encode("utf-8", "surrogatepass"))
        text = data
    else:
        size = len(data)
        text = ""
    if size > limit:
        raise _too_large(size, limit)
    if isinstance(data, str):
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        found = (
            f"byte 0x{data[error.start]:02x} is not UTF-8 ({error.reason}); expected UTF-8 without a byte order mark"
        )
        raise JsonProblem("json-malformed", found, f"byte {error.start}") from error


def _integer(literal: str) -> int | _Refused:
    if len(literal.lstrip("-")) <= _DIGITS_OF_LARGEST_INTEGER and abs(int(literal)) <= LARGEST_INTEGER:
        return int(literal)
    message = f"the integer {_short(literal)} is beyond ±{LARGEST_INTEGER}; send it as a string"
    return _Refused("json-number-too-large", message)


def _fraction(literal: str) -> _Refused:
    return _Refused("json-fraction", f'the number {_short(literal)} is no integer; send decimals as strings: "0.5"')


def _not_a_number(literal: str) -> _Refused:
    return _Refused("json-not-a-number", f"{literal} is no JSON number; expected an integer, or a decimal as a string")


def _checked(value: object, where: str, depth: int) -> object:
    if isinstance(value, str):
        return _storable(value, where)
    if isinstance(value, _Refused):
        raise JsonProblem(value.code, value.message, where)
    if not isinstance(value, list):
        return value
    if depth == DEEPEST:
        raise _too_deep(where)
    if isinstance(value, _Pairs):
        return _members(value, where, depth + 1)
    return [_checked(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]


def _members(pairs: _Pairs, where: str, depth: int) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        _storable(key, where)
        if key in members:
            raise JsonProblem("json-duplicate-key", f'the key "{_short(key)}" stands twice; give it once', where)
        members[key] = _checked(value, f"{where}.{key}", depth)
    return members


def _storable(text: str, where: str) -> str:
    found = _UNSTORABLE.search(text)
    if found is None:
        return text
    if found[0] == "\x00":
        raise JsonProblem("json-nul", f"U+0000 at character {found.start() + 1} of a string; leave it out", where)
    message = (
        f"lone surrogate U+{ord(found[0]):04X} at character {found.start() + 1} of a string; expected whole characters"
    )
    raise JsonProblem("json-surrogate", message, where)


def _too_large(size: int, limit: int) -> JsonProblem:
    return JsonProblem("json-too-large", f"{size} bytes; expected at most {limit}; split or shorten it")


def _too_deep(where: str) -> JsonProblem:
    return JsonProblem("json-too-deep", f"nested too deep; expected at most {DEEPEST} levels", where)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
