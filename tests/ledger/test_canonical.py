import json
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import DEEPEST, LARGEST_EVENT, LARGEST_INTEGER, JsonProblem, canonical_bytes, read_json

characters = st.characters(codec="utf-8", exclude_characters="\x00")
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.text(characters),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(characters), inner),
    max_leaves=20,
)


def test_canonical_bytes_of_a_worked_example() -> None:
    value = {"€": "福城街道", "\r": 1, "1": [True, None, {}], "é": "\u20ac$\x0f\nA'B\"\\", "b": 2, "a": -0}
    expected = '{"\\r":1,"1":[true,null,{}],"a":0,"b":2,"é":"€$\\u000f\\nA\'B\\"\\\\","€":"福城街道"}'
    assert canonical_bytes(value) == expected.encode()


def test_keys_are_sorted_by_utf16_code_units() -> None:
    # RFC 8785 section 3.2.3: U+1F600 is a surrogate pair, and sorts before U+FB33.
    assert canonical_bytes({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


any_text = st.text(characters)
ascii_keys = st.text(st.characters(codec="ascii", exclude_characters="\x00"))
any_values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.floats(-1e300, 1e300) | any_text,
    lambda inner: st.lists(inner) | st.dictionaries(ascii_keys, inner) | st.dictionaries(any_text, inner),
    max_leaves=20,
)


@given(any_values)
def test_the_fast_way_writes_what_the_library_writes(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@given(values)
def test_what_was_written_is_read_again(value: object) -> None:
    assert read_json(canonical_bytes(value)) == value


@given(values)
def test_whatever_the_spelling_the_canonical_bytes_are_the_same(value: object) -> None:
    spelled_otherwise = json.dumps(value, ensure_ascii=True, indent=2)
    assert canonical_bytes(read_json(spelled_otherwise, limit=10**6)) == canonical_bytes(value)


@pytest.mark.parametrize("value", ["\x00", "\\\x00", {"a": ["b\x00"]}, {"\x00": 1}, {"\x00": 0.5}])
def test_what_could_not_be_read_again_is_not_written(value: object) -> None:
    with pytest.raises(JsonProblem) as problem:
        canonical_bytes(value)
    assert problem.value.code == "json-nul"


@given(st.text(st.sampled_from("\\u0")))
def test_a_text_that_only_looks_like_a_written_nul_is_written(text: str) -> None:
    assert read_json(canonical_bytes(text)) == text
    assert read_json(canonical_bytes("\\u0000" + text)) == "\\u0000" + text


def test_an_event_has_a_largest_size() -> None:
    assert len(canonical_bytes("x" * (LARGEST_EVENT - 2))) == LARGEST_EVENT
    with pytest.raises(JsonProblem, match=r"65536 bytes; expected at most 65535") as problem:
        canonical_bytes("x" * (LARGEST_EVENT - 1))
    assert problem.value.code == "json-too-large"


@pytest.mark.parametrize(
    "value",
    [Decimal("0.5"), float("nan"), 2**53, {1: 2}, "\ud800", {"\ud800": 1}, b"x"],
    ids=["decimal", "not a number", "integer", "key", "surrogate", "surrogate in a key", "bytes"],
)
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(JsonProblem) as problem:
        canonical_bytes(value)
    assert problem.value.code == "json-not-canonical"


def test_a_value_nested_beyond_python_is_refused() -> None:
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(JsonProblem) as problem:
        canonical_bytes(value)
    assert problem.value.code == "json-too-deep"


@pytest.mark.parametrize(
    ("text", "code", "where", "message"),
    [
        ('{"a": {"b": 1, "b": 1}}', "json-duplicate-key", "$.a", 'the key "b" stands twice'),
        ('{"a": [1, NaN]}', "json-not-a-number", "$.a[1]", "NaN is no JSON number"),
        ("-Infinity", "json-not-a-number", "$", "-Infinity is no JSON number"),
        ("9007199254740992", "json-number-too-large", "$", "beyond ±9007199254740991"),
        ("-9007199254740992", "json-number-too-large", "$", "send it as a string"),
        ("1" * 5_000, "json-number-too-large", "$", "…"),
        ('{"points": 0.5}', "json-fraction", "$.points", "send decimals as strings"),
        ("[1e3]", "json-fraction", "$[0]", "the number 1e3 is no integer"),
        ("1e999", "json-fraction", "$", "1e999"),
        ('{"note": "a\\u0000b"}', "json-nul", "$.note", "U+0000 at character 2"),
        ('{"a\\u0000": 1}', "json-nul", "$", "U+0000 at character 2"),
        ('["\\ud800"]', "json-surrogate", "$[0]", "lone surrogate U+D800 at character 1"),
        ("['a']", "json-malformed", "line 1 column 2", "not JSON"),
        ('{"a": 1} x', "json-malformed", "line 1 column 10", "Extra data"),
        ("", "json-malformed", "line 1 column 1", "expected exactly one JSON value"),
        ('"a\tb"', "json-malformed", "line 1 column 3", "Invalid control character"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "json-too-deep", "$" + "[0]" * DEEPEST, "at most 64 levels"),
        ("[" * 30_000, "json-too-deep", "$", "nested too deep"),
        ("1" * (LARGEST_EVENT + 1), "json-too-large", "$", "65536 bytes; expected at most 65535"),
    ],
)
def test_json_with_more_than_one_meaning_is_refused(text: str, code: str, where: str, message: str) -> None:
    for data in (text, text.encode()):
        with pytest.raises(JsonProblem) as problem:
            read_json(data)
        assert (problem.value.code, problem.value.where) == (code, where)
        assert message in str(problem.value)


@pytest.mark.parametrize(
    "data", [b'"\xff"', b'\xef\xbb\xbf"a"', '"a"'.encode("utf-16")], ids=["byte", "mark", "utf-16"]
)
def test_only_plain_utf8_is_read(data: bytes) -> None:
    with pytest.raises(JsonProblem) as problem:
        read_json(data)
    assert problem.value.code == "json-malformed"


def test_the_largest_integers_and_depth_are_read() -> None:
    assert read_json(f"[{LARGEST_INTEGER}, {-LARGEST_INTEGER}]") == [LARGEST_INTEGER, -LARGEST_INTEGER]
    assert read_json("[" * DEEPEST + "]" * DEEPEST)


@given(st.binary())
def test_bytes_that_are_read_are_what_they_say(data: bytes) -> None:
    try:
        value = read_json(data)
    except JsonProblem:
        return
    assert value == json.loads(data.decode())
