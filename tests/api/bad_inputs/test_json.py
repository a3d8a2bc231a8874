"""Bodies that are no strict JSON, or say what only the server says: refused by name, and nothing is recorded."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest

from tests.api.bad_inputs.refusals import JSON, refusal, sent
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County, observation

GOOD = json.dumps(observation(), ensure_ascii=False)
DAY = "2021-03-29"
MALFORMED = "json-malformed"
FRACTION = "json-fraction"
LARGE = "json-number-too-large"
INVALID = "field-invalid"


def more(text: str) -> bytes:
    """The good observation, and one more member."""
    return f"{GOOD[:-1]},{text}}}".encode()


def count(literal: str) -> bytes:
    return more(f'"count":{literal}')


def instead(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new).encode("utf-8", "surrogatepass")


def day(text: str) -> bytes:
    return instead(DAY, text)


BODIES: dict[str, tuple[bytes, int, str, str | None]] = {
    "nothing": (b"", 422, "field-missing", "body"),
    "white space": (b" \n", 400, MALFORMED, None),
    "null": (b"null", 422, INVALID, "body"),
    "a truth": (b"true", 422, INVALID, "body"),
    "a text": (b'"x"', 422, INVALID, "body"),
    "a number": (b"1", 422, INVALID, "body"),
    "a list": (b"[]", 422, INVALID, "body"),
    "NaN": (count("NaN"), 400, "json-not-a-number", "$.count"),
    "Infinity": (count("Infinity"), 400, "json-not-a-number", "$.count"),
    "-Infinity": (count("-Infinity"), 400, "json-not-a-number", "$.count"),
    "nan": (count("nan"), 400, MALFORMED, None),
    "1e999": (count("1e999"), 400, FRACTION, "$.count"),
    "-1e999": (count("-1e999"), 400, FRACTION, "$.count"),
    "1e2": (count("1e2"), 400, FRACTION, "$.count"),
    "1.0": (count("1.0"), 400, FRACTION, "$.count"),
    "a fraction": (count("0.5"), 400, FRACTION, "$.count"),
    "-0": (count("-0"), 422, INVALID, "count"),
    "-1": (count("-1"), 422, INVALID, "count"),
    "a leading zero": (count("01"), 400, MALFORMED, None),
    "a plus": (count("+1"), 400, MALFORMED, None),
    "hexadecimal": (count("0x10"), 400, MALFORMED, None),
    "no digit before the point": (count(".5"), 400, MALFORMED, None),
    "full-width digits": (count("１"), 400, MALFORMED, None),
    "2**53": (count(str(2**53)), 400, LARGE, "$.count"),
    "2**63": (count(str(2**63)), 400, LARGE, "$.count"),
    "-2**63": (count(str(-(2**63))), 400, LARGE, "$.count"),
    "2**64": (count(str(2**64)), 400, LARGE, "$.count"),
    "a number of 100 000 digits": (count("9" * 100_000), 400, LARGE, "$.count"),
    "a number as text": (count('"2"'), 422, INVALID, "count"),
    "a truth for a number": (count("true"), 422, INVALID, "count"),
    "null for a number": (count("null"), 422, INVALID, "count"),
    "a list for a number": (count("[1]"), 422, INVALID, "count"),
    "an object for a number": (count("{}"), 422, INVALID, "count"),
    "a key twice": (more(f'"unit":"{OTHER}"'), 400, "json-duplicate-key", "$"),
    "a key twice, once written otherwise": (more(f'"\\u0075nit":"{OTHER}"'), 400, "json-duplicate-key", "$"),
    "a key twice with the same value": (more(f'"unit":"{UNIT}"'), 400, "json-duplicate-key", "$"),
    "a key twice inside": (
        instead('"level": "municipal"', '"level": "municipal", "level": "county"'),
        400,
        "json-duplicate-key",
        "$.attributes",
    ),
    "NUL, written": (instead(UNIT, f"{UNIT}\\u0000"), 400, "json-nul", "$.unit"),
    "NUL, raw": (instead(UNIT, f"{UNIT}\0"), 400, MALFORMED, None),
    "NUL in a key": (more('"a\\u0000":1'), 400, "json-nul", "$"),
    "a high surrogate": (instead(UNIT, "\\ud800"), 400, "json-surrogate", "$.unit"),
    "a low surrogate": (instead(UNIT, "\\udc00"), 400, "json-surrogate", "$.unit"),
    "surrogates the wrong way round": (instead(UNIT, "\\udc00\\ud800"), 400, "json-surrogate", "$.unit"),
    "a surrogate in a key": (more('"\\ud800":1'), 400, "json-surrogate", "$"),
    "a surrogate in UTF-8": (instead(UNIT, "\ud800"), 400, MALFORMED, None),
    "CESU-8": (instead(UNIT, "\ud83d\ude00"), 400, MALFORMED, None),
    "overlong UTF-8": (b'{"unit":"\xc0\xaf"}', 400, MALFORMED, "byte 9"),
    "UTF-8 cut off": (b'{"unit":"\xe7\xa6"}', 400, MALFORMED, "byte 9"),
    "Latin-1": (b'{"unit":"\xe9"}', 400, MALFORMED, "byte 9"),
    "GB 18030": (GOOD.encode("gb18030"), 400, MALFORMED, None),
    "a byte order mark": (codecs.BOM_UTF8 + GOOD.encode(), 400, MALFORMED, "line 1 column 1"),
    "UTF-16": (GOOD.encode("utf-16"), 400, MALFORMED, "byte 0"),
    "UTF-16 without its mark": (GOOD.encode("utf-16-le"), 400, MALFORMED, None),
    "UTF-32": (GOOD.encode("utf-32"), 400, MALFORMED, "byte 0"),
    "two values": (GOOD.encode() + b"{}", 400, MALFORMED, None),
    "two lines": (GOOD.encode() + b"\n" + GOOD.encode(), 400, MALFORMED, "line 2 column 1"),
    "a letter behind": (GOOD.encode() + b"x", 400, MALFORMED, None),
    "NUL behind": (GOOD.encode() + b"\0", 400, MALFORMED, None),
    "cut off": (GOOD.encode()[:-1], 400, MALFORMED, None),
    "a comma too many": (more(""), 400, MALFORMED, None),
    "a comment": (b"/* */" + GOOD.encode(), 400, MALFORMED, None),
    "single quotes": (GOOD.replace('"', "'").encode(), 400, MALFORMED, None),
    "names without quotes": (b"{unit: 1}", 400, MALFORMED, None),
    "a line end in a text": (instead(UNIT, f"{UNIT}\n"), 400, MALFORMED, None),
    "an escape that is none": (instead(UNIT, "\\x41"), 400, MALFORMED, None),
    "an escape without its digits": (instead(UNIT, "\\u00g0"), 400, MALFORMED, None),
    "65 levels": (instead('"municipal"', "[" * 63 + "]" * 63), 400, "json-too-deep", None),
    "100 000 lists": (b"[" * 100_000, 400, "json-too-deep", "$"),
    "100 000 objects": (b'{"a":' * 100_000, 400, "json-too-deep", "$"),
    "more than a body may be": (b'"' + b"x" * 2**20 + b'"', 413, "body-too-large", "body"),
    "a note that is too long": (more(f'"note":"{"字" * 4001}"'), 422, INVALID, "note"),
    "a note of nothing": (more('"note":" "'), 422, INVALID, "note"),
    "a note with a bell": (more('"note":"a\\u0007"'), 422, INVALID, "note"),
    "__proto__": (more('"__proto__":{"approved":true}'), 422, "field-unknown", "__proto__"),
    "a field in capitals": (more('"Unit":"x"'), 422, "field-unknown", "Unit"),
    "30 February": (day("2021-02-30"), 422, INVALID, "occurred_on"),
    "29 February of another year": (day("2021-02-29"), 422, INVALID, "occurred_on"),
    "month 13": (day("2021-13-01"), 422, INVALID, "occurred_on"),
    "day 0": (day("2021-03-00"), 422, INVALID, "occurred_on"),
    "the year 0": (day("0000-03-29"), 422, INVALID, "occurred_on"),
    "the year 1": (day("0001-03-29"), 422, "date-outside-year", "occurred_on"),
    "the year 9999": (day("9999-03-29"), 422, "date-outside-year", "occurred_on"),
    "the year 10000": (day("10000-03-29"), 422, INVALID, "occurred_on"),
    "a day before Christ": (day("-2021-03-29"), 422, INVALID, "occurred_on"),
    "a day with a time": (day("2021-03-29T00:00:00Z"), 422, INVALID, "occurred_on"),
    "a day with midnight": (day("2021-03-29 00:00"), 422, INVALID, "occurred_on"),
    "a day without zeros": (day("2021-3-29"), 422, INVALID, "occurred_on"),
    "a day without hyphens": (day("20210329"), 422, INVALID, "occurred_on"),
    "a day with slashes": (day("2021/03/29"), 422, INVALID, "occurred_on"),
    "a day in Chinese": (day("2021年3月29日"), 422, INVALID, "occurred_on"),
    "a day of a week": (day("2021-W13-1"), 422, INVALID, "occurred_on"),
    "a day in full-width digits": (day("２０２１-03-29"), 422, INVALID, "occurred_on"),
    "a day in Arabic digits": (day("٢٠٢١-03-29"), 422, INVALID, "occurred_on"),
    "a day with a space": (day(" 2021-03-29"), 422, INVALID, "occurred_on"),
    "a day with a line end": (day("2021-03-29\\n"), 422, INVALID, "occurred_on"),
    "a day as seconds": (instead(f'"{DAY}"', "1616976000"), 422, INVALID, "occurred_on"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_wrong_is_refused_and_nothing_is_recorded(shared: County, name: str) -> None:
    body, status, code, where = BODIES[name]
    before = shared.size()

    found = refusal(sent(shared, body))

    assert found == (status, code, found[2] if where is None else where)
    assert shared.size() == before


SERVER_FIELDS: dict[str, Any] = {
    "recorded_at": "2020-01-01T00:00:00Z",
    "position": 1,
    "actor": "别人",
    "approved": True,
    "approved_by": "考核办乙",
    "person": "0" * 32,
    "leaf_hash": "0" * 64,
    "id": "00000000-0000-4000-8000-000000000000",
    "observation": "00000000-0000-4000-8000-000000000000",
    "nonce": "0" * 32,
    "stream": "00000000-0000-4000-8000-000000000000",
    "originator_id": "00000000-0000-4000-8000-000000000000",
    "originator_version": 1,
    "version": 1,
    "ledger": "360982",
    "jurisdiction": "360983",
    "year": 2020,
    "type": "proposal.approved/1",
    "event": "proposal.approved/1",
    "proposal": "00000000-0000-4000-8000-000000000000",
    "status": "void",
    "points": "5",
    "total": "100",
    "key": "another",
}


@pytest.mark.parametrize("field", SERVER_FIELDS)
def test_what_only_the_server_says_cannot_be_sent(shared: County, field: str) -> None:
    before = shared.size()

    found = refusal(sent(shared, json.dumps(observation(**{field: SERVER_FIELDS[field]})).encode()))

    assert found == (422, "field-unknown", field)
    assert shared.size() == before


FORGED = ("recorded_at", "position", "actor", "approved")
UNKNOWN = "00000000-0000-4000-8000-000000000000"
ELSEWHERE: dict[str, tuple[str, dict[str, Any]]] = {
    "units": (f"{YEAR}/units", {"unit": "新区", "group": "township", "on": "2021-07-01", "reason": "批复"}),
    "leave": (f"{YEAR}/units/{UNIT}/leave", {"on": "2021-07-01", "reason": "并入"}),
    "rename": (f"{YEAR}/units/{UNIT}/rename", {"name": "新区", "on": "2021-07-01", "reason": "批复"}),
    "schemes": (f"{YEAR}/schemes", {"scheme": "zhangshu-2021", "reason": "修订"}),
    "terms": (f"{YEAR}/terms", {"days_to_file": 5, "days_to_decide": 5, "reason": "规定"}),
    "close": (f"{YEAR}/close", {"reason": "定稿"}),
    "appeals": (f"{YEAR}/appeals", {"unit": UNIT, "indicators": ["1.2"], "grounds": "应为5分"}),
    "claims": (f"{YEAR}/claims", {"unit": UNIT, "indicator": "1.2", "grounds": "不适用"}),
    "void": (f"{HERE}/observations/{UNKNOWN}/void", {"reason": "撤销", "evidence": EVIDENCE}),
    "rectify": (f"{HERE}/observations/{UNKNOWN}/rectify", {"on": "2021-04-08"}),
    "amend": (f"{HERE}/observations/{UNKNOWN}/amend", {"changes": {"count": 2}, "reason": "复核"}),
    "approve": (f"{HERE}/proposals/{UNKNOWN}/approve", {"leaf_hash": "0" * 64}),
    "erase": (f"{HERE}/evidence/{'5f' * 32}/erase", {"ground": "依法"}),
    "account": ("/api/v1/session", {"name": "考核办", "password": "x"}),
}


@pytest.mark.parametrize("place", ELSEWHERE)
def test_no_other_body_takes_what_only_the_server_says(shared: County, place: str) -> None:
    path, body = ELSEWHERE[place]
    before = shared.size()

    for field in FORGED:
        forged = json.dumps(body | {field: SERVER_FIELDS[field]}).encode()
        assert refusal(sent(shared, forged, path)) == (422, "field-unknown", field)
    assert shared.size() == before


INSIDE: dict[str, tuple[dict[str, Any], str]] = {
    "evidence": (observation(evidence=[EVIDENCE[0] | {"stored_by": "别人"}]), "evidence[0].stored_by"),
    "evidence erased": (observation(evidence=[EVIDENCE[0] | {"erased_at": None}]), "evidence[0].erased_at"),
    "an attribute of the server's": (
        observation(attributes=observation()["attributes"] | {"approved": "true"}),
        "attributes.approved",
    ),
}


@pytest.mark.parametrize("name", INSIDE)
def test_nothing_inside_takes_it_either(shared: County, name: str) -> None:
    body, where = INSIDE[name]
    before = shared.size()

    status, code, found = refusal(sent(shared, json.dumps(body).encode()))

    assert (status, found) == (422, where)
    assert code in ("field-unknown", "unknown-attribute")
    assert shared.size() == before


def test_a_body_of_nothing_but_errors_is_answered_in_bounds(shared: County) -> None:
    unknown = b"{" + b",".join(b'"k%05d":1' % number for number in range(20_000)) + b"}"
    empty = b'{"observations":[' + b"{}," * 20_000 + b"{}]}"
    before = shared.size()

    for path, body in ((f"{YEAR}/observations", unknown), (f"{YEAR}/observations/batch", empty)):
        refused = sent(shared, body, path)
        assert refused.status_code == 422
        assert len(refused.json()["errors"]) <= 1001
        assert len(refused.content) < 1_000_000
    values = b'{"observations":[' + b"{}," * 200_000 + b"{}]}"
    assert refusal(sent(shared, values, f"{YEAR}/observations/batch")) == (413, "body-too-many-values", "body")
    assert shared.size() == before


MEDIA_TYPES = {
    "empty": "",
    "text": "text/plain",
    "JSON as text": "text/json",
    "a form": "application/x-www-form-urlencoded",
    "a form of parts": "multipart/form-data; boundary=x",
    "UTF-16": "application/json; charset=utf-16",
    "GBK": "application/json; charset=gbk",
    "JSON-LD": "application/ld+json",
    "JSON sequence": "application/json-seq",
    "JSON and more": "application/jsonx",
    "two types": "application/json, text/plain",
    "anything": "*/*",
    "no type": "json",
}


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_a_good_body_of_another_media_type_is_refused(shared: County, name: str) -> None:
    before = shared.size()

    assert refusal(sent(shared, GOOD.encode(), Content_Type=MEDIA_TYPES[name])) == (415, "media-type", "Content-Type")
    assert shared.size() == before


def test_a_good_body_without_a_media_type_is_refused(shared: County) -> None:
    before = shared.size()
    refused = shared.client.post(f"{YEAR}/observations", content=GOOD.encode(), headers={"Idempotency-Key": "bad"})

    assert refusal(refused) == (415, "media-type", "Content-Type")
    assert shared.size() == before


ENCODINGS = ("gzip", "GZIP", "deflate", "br", "zstd", "compress", "x-none", "identity, gzip")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_in_another_coding_is_refused_whatever_it_holds(shared: County, encoding: str) -> None:
    before = shared.size()

    for path, media_type in (
        (f"{YEAR}/observations", JSON),
        (f"{HERE}/evidence", "text/plain"),
        (f"{HERE}/schemes/zhangshu-2021/versions/1/document?title=方案", "text/plain"),
    ):
        refused = sent(shared, GOOD.encode(), path, Content_Type=media_type, Content_Encoding=encoding)
        assert refusal(refused) == (415, "content-encoding", "Content-Encoding"), path
    assert shared.size() == before
