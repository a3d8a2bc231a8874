"""Addresses and headers: parameters nobody knows, forged cursors, moments far away, paths that climb, line ends."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode

import pytest

from tests.api.access_table import WHO
from tests.api.bad_inputs.refusals import JSON, refusal
from tests.api.county import HERE, UNIT, YEAR, County
from tests.api.page_table import PAGES
from tests.api.test_access import filled

INVALID = "field-invalid"


def cursor(inside: bytes) -> str:
    return urlsafe_b64encode(inside).decode().rstrip("=")


FORGED = {
    "empty": "",
    "NUL": "%00",
    "a number": "3",
    "Chinese": "页",
    "another word": cursor(b"before:1"),
    "a negative position": cursor(b"after:-1"),
    "a huge position": cursor(b"after:" + b"9" * 20),
    "SQL": cursor(b"after:1 OR 1=1"),
    "digits of another script": cursor("after:１".encode()),
    "no digits": cursor(b"after:"),
    "a line end": cursor(b"after:1\n"),
    "long": "A" * 20_000,
    "cut": cursor(b"after:1")[:-1],
    "padded": cursor(b"after:1") + "==",
    "unused bits": cursor(b"after:1")[:-1] + "R",
    "noise before": "!!!!" + cursor(b"after:1"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_cursor_that_no_page_gave_is_refused(shared: County, name: str) -> None:
    refused = shared.client.get(f"{YEAR}/observations?cursor={FORGED[name]}")

    assert refusal(refused) == (422, "cursor-invalid", "cursor")


PARAMETERS: dict[str, tuple[str, str]] = {
    "sheets?debug=1": ("parameter-unknown", "debug"),
    "sheets?As_Of=2021-06-30": ("parameter-unknown", "As_Of"),
    "sheets?as_of%00=2021-06-30": ("parameter-unknown", "as_of\0"),
    "sheets?as_of[]=2021-06-30": ("parameter-unknown", "as_of[]"),
    "sheets?%20as_of=2021-06-30": ("parameter-unknown", " as_of"),
    "sheets?unit=x": ("parameter-unknown", "unit"),
    "sheets?as_of=2021-06-30&as_of=2021-07-01": ("parameter-twice", "as_of"),
    "observations?limit=1&limit=2": ("parameter-twice", "limit"),
    "sheets?as_of=": (INVALID, "as_of"),
    "sheets?as_of=NaN": (INVALID, "as_of"),
    "sheets?as_of=0000-00-00": (INVALID, "as_of"),
    "sheets?as_of=2021-02-30": (INVALID, "as_of"),
    "sheets?as_of=10000-01-01": (INVALID, "as_of"),
    "sheets?as_of=2021-06-30;drop": (INVALID, "as_of"),
    "sheets?as_of=2021-06-30%00": (INVALID, "as_of"),
    "sheets?as_of=2021-06-30%0A": (INVALID, "as_of"),
    "sheets?known_at=": (INVALID, "known_at"),
    "sheets?known_at=now": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01T00:00:00": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01T00:00:00 08:00": (INVALID, "known_at"),
    "sheets?known_at=2021-02-30T00:00:00Z": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01T25:00:00Z": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01T00:00:60Z": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01T00:00:00%2B99:00": (INVALID, "known_at"),
    "sheets?known_at=2021-07-01T00:00:00Z%00": (INVALID, "known_at"),
    "sheets?known_at=0000-01-01T00:00:00Z": (INVALID, "known_at"),
    "sheets?known_at=10000-01-01T00:00:00Z": (INVALID, "known_at"),
    "sheets?known_at=0001-01-01T00:00:00Z": ("year-not-open", "known_at"),
    "sheets?known_at=0001-01-01T00:00:00%2B14:00": ("year-not-open", "known_at"),
    "observations?limit=-1": (INVALID, "limit"),
    "observations?limit=1e3": (INVALID, "limit"),
    "observations?limit=９": (INVALID, "limit"),
    "observations?limit=9223372036854775808": (INVALID, "limit"),
    f"observations?limit={'9' * 5000}": (INVALID, "limit"),
    "observations?unit=%00": ("unknown-unit", "unit"),
    "observations?unit=' OR '1'='1": ("unknown-unit", "unit"),
    f"observations?unit={UNIT}%25": ("unknown-unit", "unit"),
    f"observations?unit={UNIT}%E2%80%8B": ("unknown-unit", "unit"),
    "observations?kind=*": ("unknown-kind", "kind"),
    f"derivations/{UNIT}?format=xml": (INVALID, "format"),
    f"derivations/{UNIT}?format=HTML": (INVALID, "format"),
    f"derivations/{UNIT}?scheme_id=zhangshu-2021": ("scheme-version-incomplete", "scheme_version"),
    f"derivations/{UNIT}?scheme_id=..%2F..%2Fetc&scheme_version=1": ("unknown-scheme", "scheme"),
    f"derivations/{UNIT}?scheme_id=%00&scheme_version=%00": ("unknown-scheme", "scheme"),
}


@pytest.mark.parametrize("asked", PARAMETERS, ids=lambda asked: asked[:60])
def test_a_parameter_that_is_wrong_is_refused(shared: County, asked: str) -> None:
    code, where = PARAMETERS[asked]

    assert refusal(shared.client.get(f"{YEAR}/{asked}")) == (422, code, where)


FAR = {
    "the last moment there is": ("known_at=9999-12-31T23:59:59.999999Z", "2021-12-31"),
    "the last moment of the last zone": ("known_at=9999-12-31T23:59:59-14:00", "2021-12-31"),
    "the last day there is": ("as_of=9999-12-31", "2021-12-31"),
    "the first day there is": ("as_of=0001-01-01", "0001-01-01"),
}


@pytest.mark.parametrize("name", FAR)
def test_days_and_moments_far_away_have_an_answer(shared: County, name: str) -> None:
    asked, as_of = FAR[name]
    answer = shared.client.get(f"{YEAR}/sheets?{asked}")

    assert (answer.status_code, answer.json()["as_of"]) == (200, as_of)


SEGMENTS = {
    "climbing": "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "climbing by backslashes": "%5c..%5c..",
    "climbing, encoded twice": "%252e%252e%252fetc",
    "a file": "file:%2f%2f%2fetc%2fpasswd",
    "NUL": "%00",
    "NUL behind": "1%00",
    "line ends": "%0d%0aSet-Cookie:%20a=b",
    "no UTF-8": "%ff%fe",
    "overlong UTF-8": "%c0%ae%c0%ae%c0%af",
    "a surrogate": "%ed%a0%80",
    "a bidi control": "%e2%80%ae",
    "a zero-width space": "%e2%80%8b",
    "a noncharacter": "%ef%bf%bf",
    "SQL": "%27%3B%20DROP%20TABLE%20events%3B--",
    "a template": "%7B%7B7*7%7D%7D",
    "script": "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "a star": "*",
    "a percent sign": "%25",
    "a negative number": "-1",
    "a huge number": "9" * 400,
    "digits of another script": "２０２１",
    "long": "A" * 4000,
}


def parameters_of_paths() -> list[tuple[str, str, str]]:
    """Each parameter of a path once for every method that takes it."""
    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    for method, path in WHO:
        for name in re.findall(r"\{(\w+)(?::path)?\}", path):
            found.setdefault((method, name), (method, path, name))
    return list(found.values())


@pytest.mark.parametrize("name", SEGMENTS)
def test_no_parameter_of_any_path_takes_it_for_more_than_a_name(shared: County, name: str) -> None:
    before = shared.size()
    for method, path, parameter in parameters_of_paths():
        address = filled(re.sub(rf"\{{{parameter}(:path)?\}}", SEGMENTS[name], path))
        answer = shared.client.request(method, address, headers={"Idempotency-Key": "bad"})
        assert answer.status_code in {403, 404, 415, 422}, (method, path, parameter, answer.text)
        # What no longer is a page's address is nobody's, and answered as to a program.
        told = {"application/problem+json"} | ({"text/html; charset=utf-8"} if (method, path) in PAGES else set())
        assert answer.headers["content-type"] in told, (method, path, parameter)
        assert "set-cookie" not in answer.headers
    assert shared.size() == before


CLIMBS = ("/static/../api/settings.py", "/static/%2e%2e/settings.py", "/static/..%2f..%2fpyproject.toml")


@pytest.mark.parametrize("path", [*CLIMBS, "/static/%00", "/static//etc/passwd", "/static/%2fetc%2fpasswd"])
def test_what_is_not_static_is_not_served(shared: County, path: str) -> None:
    assert refusal(shared.client.get(path))[:2] == (404, "not-found")


KEYS = {
    "a line end and a header": b"a\r\nSet-Cookie: a=b",
    "a newline": b"a\nb",
    "NUL": b"a\0b",
    "a tab": b"a\tb",
    "DEL": b"a\x7f",
    "a space": b"a b",
    "nothing": b"",
    "Latin-1": b"\xe9",
    "a bidi control": "a\u202eb".encode(),
    "long": b"a" * 201,
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(shared: County, name: str) -> None:
    before = shared.size()
    headers = {b"Idempotency-Key": KEYS[name], b"Content-Type": JSON.encode()}
    body = b'{"unit":"\xe5\xa4\xa7\xe6\xa1\xa5\xe8\xa1\x97\xe9\x81\x93","group":"x","on":"2021-07-01","reason":"x"}'
    answer = shared.client.post(f"{YEAR}/units", content=body, headers=headers)

    assert refusal(answer) == (422, "idempotency-key-invalid", "Idempotency-Key")
    assert "set-cookie" not in answer.headers
    assert shared.size() == before


@pytest.mark.parametrize("name", [one for one in KEYS if one != "nothing"])
def test_a_request_id_that_is_not_plain_is_not_repeated(shared: County, name: str) -> None:
    answer = shared.client.get(HERE, headers={b"X-Request-ID": KEYS[name]})

    assert answer.status_code == 200
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
    assert "set-cookie" not in answer.headers


TAGS = {
    "no tag": b"x",
    "an open quote": b'"',
    "an empty tag": b'""',
    "a weak tag of another": b'W/"x"',
    "Latin-1": b'"\xff"',
    "NUL": b'"\0"',
    "a line end": b'"a"\r\nX: "b"',
    "long": b'"' + b"a" * 20_000 + b'"',
    "many": b'"a", ' * 2_000,
    "a star among others": b'"a*"',
}


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_that_no_answer_had_gets_the_whole_answer(shared: County, name: str) -> None:
    answer = shared.client.get(f"{YEAR}/sheets", headers={b"If-None-Match": TAGS[name]})

    assert (answer.status_code, answer.json()["year"]) == (200, 2021)
