"""What is wrong is refused with its place and what was expected, and nothing of it is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from projections.scheme_files import source
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County, observation

Wrong = tuple[dict[str, Any], str, str]

RECORDED = [
    f"{HERE}/years",
    f"{YEAR}/units",
    f"{YEAR}/units/{UNIT}/leave",
    f"{YEAR}/units/{UNIT}/rename",
    f"{YEAR}/schemes",
    f"{YEAR}/observations",
    f"{YEAR}/observations/batch",
    f"{HERE}/observations/{{observation}}/amend",
    f"{HERE}/observations/{{observation}}/void",
    f"{HERE}/observations/{{observation}}/rectify",
]

BODIES = {
    "NaN": (b'{"count": NaN}', 400, "json-not-a-number", "$.count"),
    "infinity": (b'{"count": -Infinity}', 400, "json-not-a-number", "$.count"),
    "duplicate key": (b'{"unit": "a", "unit": "b"}', 400, "json-duplicate-key", "$"),
    "NUL": (b'{"note": "a\\u0000b"}', 400, "json-nul", "$.note"),
    "surrogate": (b'{"note": "\\ud800"}', 400, "json-surrogate", "$.note"),
    "beyond 2^53": (b'{"count": 9007199254740993}', 400, "json-number-too-large", "$.count"),
    "fraction": (b'{"count": 0.5}', 400, "json-fraction", "$.count"),
    "not JSON": (b'{"count": 1', 400, "json-malformed", "line 1 column 12"),
    "not UTF-8": (b'{"unit": "\xff"}', 400, "json-malformed", "byte 10"),
    "too deep": (b"[" * 70 + b"]" * 70, 400, "json-too-deep", "$" + "[0]" * 64),
    "10 MB": (b'"' + b"x" * 10_000_000 + b'"', 413, "body-too-large", "body"),
    "a list": (b"[1]", 422, "field-invalid", "body"),
}

OBSERVATIONS: dict[str, Wrong] = {
    "unknown unit": ({"unit": "福成街道"}, "unknown-unit", "unit"),
    "unknown kind": ({"kind": "circulars"}, "unknown-kind", "kind"),
    "unknown attribute": (
        {"attributes": {"level": "municipal", "subject": "website", "period": "monthly", "rank": 1}},
        "unknown-attribute",
        "attributes.rank",
    ),
    "missing attribute": (
        {"attributes": {"level": "municipal", "subject": "website"}},
        "missing-attribute",
        "attributes.period",
    ),
    "unknown level": (
        {"attributes": {"level": "city", "subject": "website", "period": "monthly"}},
        "invalid-attribute",
        "attributes.level",
    ),
    "no value for an attribute": (
        {"attributes": {"level": None, "subject": "website", "period": "monthly"}},
        "field-invalid",
        "attributes.level",
    ),
    "before the year": ({"occurred_on": "2020-12-31"}, "date-outside-year", "occurred_on"),
    "after the year": ({"occurred_on": "2022-01-01"}, "date-outside-year", "occurred_on"),
    "no such day": ({"occurred_on": "2021-02-29"}, "field-invalid", "occurred_on"),
    "count of none": ({"count": 0}, "field-invalid", "count"),
    "count as text": ({"count": "2"}, "field-invalid", "count"),
    "no evidence": ({"evidence": []}, "field-invalid", "evidence"),
    "two sources": (
        {"evidence": [{"title": "通报", "document": "1号", "url": "https://www.example.gov.cn/"}]},
        "field-invalid",
        "evidence[0]",
    ),
    "an address that is none": (
        {"evidence": [{"title": "通报", "url": "javascript:alert(1)"}]},
        "field-invalid",
        "evidence[0].url",
    ),
    "unknown field": ({"ocurred_on": "2021-01-01"}, "field-unknown", "ocurred_on"),
    "unknown field inside": ({"evidence": [{"title": "通报", "doc": "1号"}]}, "field-unknown", "evidence[0].doc"),
    "judgement above its range": (
        {"kind": "judgement", "attributes": {"indicator": "1.2", "value": "5.5"}},
        "judgement-out-of-range",
        "attributes.value",
    ),
    "judgement below its range": (
        {"kind": "judgement", "attributes": {"indicator": "1.2", "value": "-0.5"}},
        "judgement-out-of-range",
        "attributes.value",
    ),
    "judgement of a row that is not judged": (
        {"kind": "judgement", "attributes": {"indicator": "2.2", "value": "1"}},
        "not-a-judged-indicator",
        "attributes.indicator",
    ),
    "decimal with an exponent": (
        {"kind": "judgement", "attributes": {"indicator": "1.2", "value": "1e999"}},
        "invalid-attribute",
        "attributes.value",
    ),
    "unknown rater": (
        {"kind": "rating", "attributes": {"value": "90", "rater": "福成街道"}},
        "unknown-unit",
        "attributes.rater",
    ),
}


Refusal = tuple[int, dict[str, str]]


def refusal(response: Any) -> Refusal:
    """The status, and each place with its code; fails when the response is no proper problem."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert all(error["message"] for error in problem["errors"])
    return response.status_code, {error["where"]: error["code"] for error in problem["errors"]}


def test_a_body_that_is_not_strict_json_is_refused(county: County) -> None:
    identifier = county.record()
    header = {"Idempotency-Key": "k", "Content-Type": "application/json"}

    for path in RECORDED:
        address = path.format(observation=identifier)
        found = {
            name: refusal(county.client.post(address, content=data, headers=header))
            for name, (data, _, _, _) in BODIES.items()
        }
        assert found == {name: (status, {where: code}) for name, (_, status, code, where) in BODIES.items()}, path
    assert county.size() == 3


def test_a_body_of_another_media_type_is_refused(county: County) -> None:
    identifier = county.record()
    header = {"Idempotency-Key": "k", "Content-Type": "text/plain"}

    for path in RECORDED:
        refused = county.client.post(path.format(observation=identifier), content=b"{}", headers=header)
        assert refusal(refused) == (415, {"Content-Type": "media-type"}), path
    assert county.size() == 3


def test_a_missing_key_is_refused(county: County) -> None:
    identifier = county.record()

    for path in RECORDED:
        status, found = refusal(county.client.post(path.format(observation=identifier), json={}))
        assert (status, found["Idempotency-Key"]) == (422, "field-missing"), path
    assert county.size() == 3


@pytest.mark.parametrize(
    "key", [b"", b"two words", b"k" * 201, "键".encode()], ids=["empty", "space", "long", "Chinese"]
)
def test_a_key_that_is_no_key_is_refused(county: County, key: bytes) -> None:
    refused = county.client.post(f"{YEAR}/observations", json=observation(), headers={b"Idempotency-Key": key})

    assert refusal(refused) == (422, {"Idempotency-Key": "idempotency-key-invalid"})
    assert county.size() == 2


def test_a_wrong_observation_is_refused(county: County) -> None:
    found = {
        name: refusal(county.post(f"{YEAR}/observations", observation(**changes)))
        for name, (changes, _, _) in OBSERVATIONS.items()
    }

    assert found == {name: (422, {where: code}) for name, (_, code, where) in OBSERVATIONS.items()}
    assert county.size() == 2


def test_a_refusal_says_what_came_and_what_is_allowed(county: County) -> None:
    attributes = {"level": "city", "subject": "website", "period": "monthly"}
    refused = county.post(f"{YEAR}/observations", observation(attributes=attributes, unit=UNIT)).json()
    unknown = county.post(f"{YEAR}/observations", observation(ocurred_on="2021-01-01")).json()

    assert refused["detail"] == (
        "attributes.level: found 'city', expected one of national, provincial, municipal, county"
    )
    assert unknown["errors"][0]["message"] == (
        "expected one of unit, kind, occurred_on, count, attributes, evidence, note; did you mean 'occurred_on'?"
    )


def test_an_observation_too_large_for_one_event_is_refused(county: County) -> None:
    evidence = [{"title": "通" * 500, "document": "宜府办字〔2021〕20号"}] * 50
    refused = county.post(f"{YEAR}/observations", observation(evidence=evidence))

    assert refusal(refused) == (413, {"$": "json-too-large"})
    assert county.size() == 2


def test_all_wrong_fields_are_named_at_once(county: County) -> None:
    refused = county.post(
        f"{YEAR}/observations", {"unit": " ", "kind": 1, "occurred_on": "yesterday", "count": -1, "extra": 1}
    )

    assert refusal(refused)[1] == {
        "unit": "field-invalid",
        "kind": "field-invalid",
        "occurred_on": "field-invalid",
        "count": "field-invalid",
        "evidence": "field-missing",
        "extra": "field-unknown",
    }


@pytest.mark.parametrize("wish", ["amend", "void", "rectify"])
def test_nothing_can_be_said_of_a_void_observation(county: County, wish: str) -> None:
    this = f"{HERE}/observations/{county.record()}"
    bodies = {
        "amend": {"changes": {"count": 2}, "reason": "复核"},
        "void": {"reason": "撤销", "evidence": EVIDENCE},
        "rectify": {"on": "2021-04-08"},
    }
    county.post(f"{this}/void", bodies["void"])
    before = county.size()

    refused = county.post(f"{this}/{wish}", bodies[wish])

    assert refusal(refused) == (409, {"observation": "observation-void"})
    assert county.size() == before


AMENDMENTS: dict[str, Wrong] = {
    "nothing": ({}, "field-invalid", "changes"),
    "unknown unit": ({"unit": "福成街道"}, "unknown-unit", "unit"),
    "unknown kind": ({"kind": "circulars"}, "unknown-kind", "kind"),
    "a day outside the year": ({"occurred_on": "2022-01-01"}, "date-outside-year", "occurred_on"),
    "unknown field": ({"evidence": EVIDENCE}, "field-unknown", "changes.evidence"),
}


def test_a_wrong_amendment_is_refused(county: County) -> None:
    this = f"{HERE}/observations/{county.record()}/amend"

    found = {
        name: refusal(county.post(this, {"changes": changes, "reason": "复核"}))
        for name, (changes, _, _) in AMENDMENTS.items()
    }

    assert found == {name: (422, {where: code}) for name, (_, code, where) in AMENDMENTS.items()}
    assert county.size() == 3


def test_a_void_needs_evidence_and_a_reason(county: County) -> None:
    refused = county.post(f"{HERE}/observations/{county.record()}/void", {})

    assert refusal(refused) == (422, {"reason": "field-missing", "evidence": "field-missing"})
    assert county.size() == 3


def test_a_rectification_before_the_fact_is_refused(county: County) -> None:
    refused = county.post(f"{HERE}/observations/{county.record()}/rectify", {"on": "2021-03-28"})

    assert refusal(refused) == (422, {"on": "rectified-before-fact"})
    assert county.size() == 3


UNITS: dict[str, tuple[str, dict[str, Any], int, str, str]] = {
    "unknown group": ("", {"unit": "新区", "group": "town", "on": "2021-07-01"}, 422, "group", "unknown-group"),
    "name taken": ("", {"unit": UNIT, "group": "township", "on": "2021-07-01"}, 409, "unit", "unit-name-taken"),
    "day outside": ("", {"unit": "新区", "group": "township", "on": "2022-07-01"}, 422, "on", "date-outside-year"),
    "leaves unknown": ("/福成街道/leave", {"on": "2021-07-01"}, 404, "unit", "unknown-unit"),
    "leaves outside": (f"/{UNIT}/leave", {"on": "2020-07-01"}, 422, "on", "date-outside-year"),
    "renames unknown": ("/福成街道/rename", {"name": "新区", "on": "2021-07-01"}, 404, "unit", "unknown-unit"),
    "takes a name": (f"/{UNIT}/rename", {"name": OTHER, "on": "2021-07-01"}, 409, "name", "unit-name-taken"),
}


def test_a_wrong_change_of_units_is_refused(county: County) -> None:
    found = {
        name: refusal(county.post(f"{YEAR}/units{path}", body | {"reason": "批复"}))
        for name, (path, body, _, _, _) in UNITS.items()
    }

    assert found == {name: (status, {where: code}) for name, (_, _, status, where, code) in UNITS.items()}
    assert county.size() == 2


ABSENT = {
    "/api/v1/jurisdictions/360983": ("jurisdiction", "unknown-jurisdiction"),
    "/api/v1/jurisdictions/360983/years/2021/sheets": ("jurisdiction", "unknown-jurisdiction"),
    f"{HERE}/years/2022": ("year", "year-not-open"),
    f"{HERE}/years/2022/ranking": ("year", "year-not-open"),
    f"{HERE}/years/2022/observations": ("year", "year-not-open"),
    f"{YEAR}/sheets/福成街道": ("unit", "unknown-unit"),
    f"{YEAR}/history/福成街道": ("unit", "unknown-unit"),
    f"{HERE}/observations/00000000-0000-4000-8000-000000000000": ("observation", "unknown-observation"),
    "/api/v1/schemes/zhangshu-2022": ("scheme", "unknown-scheme"),
    "/api/v1/nothing": ("/api/v1/nothing", "not-found"),
}


def test_what_is_not_there_is_not_found(county: County) -> None:
    found = {path: refusal(county.client.get(path)) for path in ABSENT}

    assert found == {path: (404, {where: code}) for path, (where, code) in ABSENT.items()}


def test_nothing_is_recorded_for_a_county_without_a_ledger(new_county: County) -> None:
    refused = new_county.post(f"{YEAR}/observations", observation())

    assert refusal(refused) == (404, {"jurisdiction": "unknown-jurisdiction"})
    assert new_county.get("/api/v1/jurisdictions") == []


def test_another_method_is_not_allowed(county: County) -> None:
    refused = county.client.delete(f"{YEAR}/observations")

    assert refusal(refused) == (405, {f"{YEAR}/observations": "method-not-allowed"})
    assert refused.headers["allow"]


PARAMETERS = {
    "ranking?as_of=2021-13-01": ("as_of", "field-invalid"),
    "ranking?known_at=2021-07-01T00:00:00": ("known_at", "field-invalid"),
    f"sheets/{UNIT}?as_of=soon": ("as_of", "field-invalid"),
    "ranking?as_of=1609459200": ("as_of", "field-invalid"),
    "ranking?as_of=2021-06-30T00:00:00": ("as_of", "field-invalid"),
    "ranking?known_at=1609459200": ("known_at", "field-invalid"),
    "ranking?asof=2021-06-30": ("asof", "parameter-unknown"),
    "../99999999999999999999/ranking": ("year", "field-invalid"),
    "observations?limit=0": ("limit", "field-invalid"),
    "observations?limit=501": ("limit", "field-invalid"),
    "observations?from=x": ("from", "field-invalid"),
    "observations?status=gone": ("status", "field-invalid"),
    "observations?unit=福成街道": ("unit", "unknown-unit"),
    "observations?kind=circulars": ("kind", "unknown-kind"),
    "observations?cursor=3": ("cursor", "cursor-invalid"),
    "observations?cursor=页": ("cursor", "cursor-invalid"),
}


def test_a_wrong_parameter_is_refused(county: County) -> None:
    found = {asked: refusal(county.client.get(f"{YEAR}/{asked}")) for asked in PARAMETERS}

    assert found == {asked: (422, {where: code}) for asked, (where, code) in PARAMETERS.items()}


def with_a_typo(text: str) -> str:
    return text.replace("cap_after:", "cap_afer:", 1)


def of_another_county(text: str) -> str:
    return text.replace('"360982"', '"360983"', 1)


def of_the_next_year(text: str) -> str:
    return (
        text.replace("year: 2021", "year: 2022", 1)
        .replace("2021-01-01", "2022-01-01")
        .replace("2021-12-31", "2022-12-31")
    )


@pytest.mark.parametrize(
    ("edit", "code"),
    [(with_a_typo, "scheme-extra-forbidden"), (of_another_county, "scheme-jurisdiction"), (str, "year-already-open")],
)
def test_a_scheme_that_does_not_fit_opens_no_year(county: County, edit: Callable[[str], str], code: str) -> None:
    refused = county.post(f"{HERE}/years", {"document": edit(source("zhangshu-2021"))})

    assert refused.status_code == (409 if code == "year-already-open" else 422)
    assert refused.json()["code"] == code
    assert county.size() == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"scheme": "zhangshu-2022"}, 422, "unknown-scheme"),
        ({"scheme": "linyi-2023"}, 422, "scheme-jurisdiction"),
        ({"scheme": "zhangshu-2021"}, 409, "scheme-in-force"),
        ({"document": with_a_typo(source("zhangshu-2021"))}, 422, "scheme-extra-forbidden"),
        ({"document": source("zhangshu-2021") + "\n# 修订\n"}, 409, "scheme-version-taken"),
        ({"document": of_the_next_year(source("zhangshu-2021"))}, 422, "scheme-year"),
        ({}, 422, "field-invalid"),
    ],
)
def test_a_scheme_that_does_not_fit_is_not_adopted(county: County, body: Any, status: int, code: str) -> None:
    refused = county.post(f"{YEAR}/schemes", body | {"reason": "修订"})

    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert county.size() == 2


@pytest.mark.parametrize(
    ("groups", "code"),
    [
        ([{"id": "township", "units": [UNIT]}], "year-groups"),
        ([{"id": "township", "units": [UNIT, UNIT]}, {"id": "department", "units": ["市发改委"]}], "year-unit-twice"),
        ([{"id": "township", "units": [UNIT]}, {"id": "department", "units": []}], "year-group-empty"),
    ],
)
def test_units_that_do_not_fit_open_no_year(new_county: County, groups: Any, code: str) -> None:
    refused = new_county.post(f"{HERE}/years", {"scheme": "zhangshu-2021", "groups": groups})

    assert refusal(refused) == (422, {"groups": code})
    assert new_county.get("/api/v1/jurisdictions") == []


def test_all_errors_of_a_scheme_are_named_with_their_lines(county: County) -> None:
    text = with_a_typo(source("zhangshu-2021")).replace("full: 100", "full: much", 1)
    refused = county.client.post(
        "/api/v1/schemes/validate", content=text.encode(), headers={"Content-Type": "application/yaml"}
    )

    status, found = refusal(refused)
    assert status == 422
    assert {where.split(" ")[1] for where in found} == {"cap_afer", "full"}
    assert all(where.startswith("document:") for where in found)
