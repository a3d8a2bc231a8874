"""Every route against every role; and what one unit's account sees of another's matters: nothing, in no way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.permissions import ROUTES
from api.access.principals import Grant, Role
from tests.api.access_table import WHO
from tests.api.accounts import bearer, token_of
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, Clock, County, observation

LETTERS: dict[str, Role] = {
    "R": "recorder",
    "V": "reviewer",
    "L": "leader",
    "U": "unit",
    "A": "auditor",
    "X": "administrator",
}
FILLED = {
    "jurisdiction": "360982",
    "year": "2021",
    "unit": UNIT,
    "scheme": "zhangshu-2021",
    "scheme_id": "zhangshu-2021",
    "version": "1",
    "group": "township",
    "indicator": "1.2",
    "kinds": "appeals",
    "number": "1",
    "name": "无此人",
    "prefix": "abcdefghijkl",
    "file": "5f" * 32,
    "position": "1",
    "observation": "00000000-0000-4000-8000-000000000000",
    "proceeding": "00000000-0000-4000-8000-000000000000",
    "job": "0" * 32,
    "written": "docx",
    "proposal": "00000000-0000-4000-8000-000000000000",
}


def routes_of(routes: Any) -> Iterator[APIRoute]:
    for one in routes:
        if isinstance(one, APIRoute):
            yield one
        elif hasattr(one, "original_router"):
            yield from routes_of(one.original_router.routes)


def test_every_route_is_in_both_tables_and_no_other_is(application: FastAPI) -> None:
    found = {(method, one.path) for one in routes_of(application.routes) for method in one.methods or ()}

    assert found == set(ROUTES)
    assert found == set(WHO)


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)(:path)?\}", lambda name: FILLED[name[1]], path)


def is_refused(client: TestClient, method: str, path: str, code: str) -> bool:
    """Whether the answer is this refusal; no answer is a failure of the server's."""
    response = client.request(method, filled(path), headers={"Idempotency-Key": "k"})
    said = said_by(response)
    assert response.status_code < 500 or said == "document-fonts-missing", (path, response.text)
    return said == code


def said_by(response: Response) -> str:
    """The code of a refusal, as problem details, as a page, or as the way to where one signs in."""
    media_type = response.headers.get("content-type", "")
    if media_type.startswith("application/problem+json"):
        return str(response.json()["code"])
    if response.headers.get("location", "").startswith("/sign-in?next="):
        return "sign-in-needed"
    if response.status_code == 401 and media_type.startswith("text/html") and 'name="continue"' in response.text:
        return "sign-in-needed"
    found = re.search(r'data-code="([a-z-]+)"', response.text) if media_type.startswith("text/html") else None
    return found[1] if found else ""


@pytest.mark.usefixtures("county")
@pytest.mark.parametrize("letter", [*LETTERS, "none", "elsewhere"])
def test_a_route_lets_pass_whom_the_table_names(
    application: FastAPI, engine: Engine, clock: Clock, letter: str
) -> None:
    role = LETTERS.get(letter)
    if letter == "elsewhere":
        grants = [Grant(one, "320581") for one in ("recorder", "reviewer", "leader", "auditor")]
    elif role is None:
        grants = []
    else:
        grants = [Grant(role, None if letter == "X" else "360982", UNIT if letter == "U" else None)]
    token = token_of(engine, clock, "某人", grants)
    refused: dict[tuple[str, str], bool] = {}
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        for method, path in WHO:
            refused[method, path] = is_refused(client, method, path, "not-allowed")

    def expected(path: str, who: str) -> bool:
        if who in ("*", "+"):
            return False
        if letter == "elsewhere":
            return "{jurisdiction}" in path or who == "X"
        return letter not in who

    for key, who in WHO.items():
        assert refused[key] == expected(key[1], who), key


@pytest.mark.usefixtures("county")
def test_nobody_passes_without_signing_in(visitor: TestClient) -> None:
    for (method, path), who in WHO.items():
        assert is_refused(visitor, method, path, "sign-in-needed") == (who != "*"), (method, path)


@pytest.fixture
def unit_account(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    token = token_of(engine, county.clock, "福城街道联络员", [Grant("unit", "360982", UNIT)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def told(client: TestClient, path: str, **parameters: str) -> tuple[int, Any, str | None]:
    response = client.get(path, params=parameters)
    return response.status_code, response.json(), response.headers.get("etag")


def as_if_absent(client: TestClient, there: str, absent: str) -> None:
    """The answers differ in the name that was asked for, and in nothing else."""
    first, second = client.get(there), client.get(absent)
    names = (there.rpartition("/")[2], absent.rpartition("/")[2])

    def plain(response: Any, name: str) -> tuple[int, str, dict[str, str]]:
        headers = {k: v for k, v in response.headers.items() if k not in ("x-request-id", "content-length")}
        return response.status_code, response.text.replace(name, "…"), headers

    assert plain(first, names[0]) == plain(second, names[1])
    assert first.status_code == 404


def test_a_unit_sees_its_own_observations_at_once_and_no_others(county: County, unit_account: TestClient) -> None:
    own, others = county.record(), county.record(unit=OTHER)
    status, listed, tag = told(unit_account, f"{YEAR}/observations")

    assert status == 200
    assert [one["observation"] for one in listed["observations"]] == [own]
    assert unit_account.get(f"{HERE}/observations/{own}").status_code == 200
    as_if_absent(
        unit_account, f"{HERE}/observations/{others}", f"{HERE}/observations/00000000-0000-4000-8000-000000000000"
    )
    county.record(unit=OTHER)
    assert told(unit_account, f"{YEAR}/observations") == (200, listed, tag)


def test_asking_for_another_unit_is_asking_for_none(county: County, unit_account: TestClient) -> None:
    county.record(unit=OTHER)
    asked = [unit_account.get(f"{YEAR}/observations", params={"unit": name}) for name in (OTHER, "无此单位")]
    assert [one.status_code for one in asked] == [422, 422]
    assert asked[0].text.replace(OTHER, "…") == asked[1].text.replace("无此单位", "…")

    county.post(f"{YEAR}/release", {"as_of": "2021-12-31", "reason": "反馈结果"})
    for kind in ("sheets", "history", "derivations", "what-if"):
        as_if_absent(unit_account, f"{YEAR}/{kind}/{OTHER}", f"{YEAR}/{kind}/无此单位")


def test_a_unit_sees_its_scores_once_they_are_released_and_as_they_were_then(
    county: County, unit_account: TestClient
) -> None:
    county.record(occurred_on="2021-03-29")
    for kind in ("sheets", "history", "derivations", "what-if"):
        status, answer, _ = told(unit_account, f"{YEAR}/{kind}/{UNIT}")
        assert (status, answer["code"]) == (403, "scores-not-released")

    county.post(f"{YEAR}/release", {"as_of": "2021-06-30", "reason": "反馈上半年结果"})
    _, released, tag = told(unit_account, f"{YEAR}/sheets/{UNIT}")
    county.record(occurred_on="2021-03-30")
    county.record(occurred_on="2021-09-01")

    assert told(unit_account, f"{YEAR}/sheets/{UNIT}") == (200, released, tag)
    assert told(unit_account, f"{YEAR}/sheets/{UNIT}", as_of="2021-12-31")[1]["total"] == released["total"]
    assert county.get(f"{YEAR}/sheets/{UNIT}")["total"] != released["total"]
    county.post(f"{YEAR}/release", {"as_of": "2021-12-31", "reason": "反馈全年结果"})
    assert told(unit_account, f"{YEAR}/sheets/{UNIT}")[1]["total"] == county.get(f"{YEAR}/sheets/{UNIT}")["total"]


def test_a_unit_appeals_for_itself_only(county: County, unit_account: TestClient) -> None:
    own, others = county.record(), county.record(unit=OTHER)
    appeal = {"unit": UNIT, "observations": [own], "grounds": "未被通报"}

    def file(body: dict[str, Any], key: str) -> Any:
        return unit_account.post(f"{YEAR}/appeals", json=body, headers={"Idempotency-Key": key})

    for_other = file(appeal | {"unit": OTHER}, "1")
    about_other, about_none = (
        file(appeal | {"observations": [one]}, "2") for one in (others, "00000000-0000-4000-8000-000000000000")
    )
    assert (for_other.status_code, for_other.json()["code"]) == (422, "unknown-unit")
    assert about_other.json()["code"] == about_none.json()["code"] == "unknown-observation"
    assert about_other.status_code == about_none.status_code
    assert file(appeal, "3").status_code == 201


def test_appeals_of_others_are_not_there(county: County, unit_account: TestClient) -> None:
    filed = county.post(f"{YEAR}/appeals", {"unit": OTHER, "indicators": ["1.2"], "grounds": "应为5分"}).json()
    other = filed["proceeding"]["id"]
    nobody = "00000000-0000-4000-8000-000000000000"

    assert told(unit_account, f"{YEAR}/appeals")[1]["proceedings"] == []
    as_if_absent(unit_account, f"{YEAR}/appeals/{other}", f"{YEAR}/appeals/{nobody}")
    for one in (other, nobody):
        refused = unit_account.post(
            f"{YEAR}/appeals/{one}/withdraw", json={"reason": "撤回"}, headers={"Idempotency-Key": one}
        )
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown-appeal")


def test_evidence_of_others_is_not_there(county: County, unit_account: TestClient) -> None:
    def stored(client: TestClient, content: bytes) -> str:
        answer = client.post(f"{HERE}/evidence", content=content, headers={"Content-Type": "text/plain"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["file"])

    office, named, mine = (
        stored(one, text)
        for one, text in (
            (county.client, b"office"),
            (county.client, b"named"),
            (unit_account, b"mine"),
        )
    )
    county.record(evidence=[{"title": "通报", "file": named}])

    for file in (named, mine):
        assert unit_account.get(f"{HERE}/evidence/{file}").status_code == 200
        assert unit_account.get(f"{HERE}/evidence/{file}/content").status_code == 200
    as_if_absent(unit_account, f"{HERE}/evidence/{office}", f"{HERE}/evidence/{'5f' * 32}")


def test_proofs_of_others_entries_are_not_there(county: County, unit_account: TestClient) -> None:
    own = county.client.get(f"{HERE}/observations/{county.record()}").json()
    other = county.client.get(f"{HERE}/observations/{county.record(unit=OTHER)}").json()
    mine, theirs = (one["entries"][0]["position"] for one in (own, other))

    assert unit_account.get(f"{HERE}/proof/inclusion", params={"position": mine}).status_code == 200
    refused = [unit_account.get(f"{HERE}/proof/inclusion", params={"position": one}) for one in (theirs, 9_999)]
    assert [one.status_code for one in refused] == [422, 422]
    assert refused[0].text.replace(f"found {theirs},", "…") == refused[1].text.replace("found 9999,", "…")


def test_who_records_is_who_signed_in(county: County) -> None:
    this = county.record()
    sent = county.client.post(
        f"{YEAR}/observations", json=observation(actor="别人"), headers={"Idempotency-Key": "forged"}
    )

    assert county.get(f"{HERE}/observations/{this}")["entries"][0]["actor"] == "考核办"
    assert (sent.status_code, sent.json()["code"]) == (422, "field-unknown")


def test_the_same_key_of_two_accounts_is_two_keys(county: County, colleague: TestClient) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = (
        client.post(f"{YEAR}/observations", json=observation(), headers=headers)
        for client in (county.client, colleague)
    )

    assert first.json()["position"] != second.json()["position"]


def test_a_void_waits_for_another_person(county: County, colleague: TestClient) -> None:
    this = county.record()
    proposed = county.client.post(
        f"{HERE}/observations/{this}/void",
        json={"reason": "通报撤销", "evidence": EVIDENCE},
        headers={"Idempotency-Key": "void"},
    ).json()
    approve = f"{HERE}/proposals/{proposed['proposal']}/approve"
    body = {"leaf_hash": proposed["leaf_hash"]}

    assert county.get(f"{HERE}/observations/{this}")["pending"] == [proposed["proposal"]]
    own = county.client.post(approve, json=body, headers={"Idempotency-Key": "a"})
    assert (own.status_code, own.json()["code"]) == (403, "approval-own")
    assert county.get(f"{HERE}/observations/{this}")["status"] == "counts"
    other = colleague.post(approve, json={"leaf_hash": "0" * 64}, headers={"Idempotency-Key": "b"})
    assert (other.status_code, other.json()["code"]) == (422, "approval-other-bytes")
    assert colleague.post(approve, json=body, headers={"Idempotency-Key": "c"}).status_code == 201
    settled = county.get(f"{HERE}/observations/{this}")
    assert (settled["status"], settled["pending"]) == ("void", [])


def test_two_accounts_of_one_human_are_one_person(
    county: County, application: FastAPI, engine: Engine, clock: Clock
) -> None:
    token = token_of(engine, clock, "考核办副号", [Grant("leader", "360982")], same_person_as="考核办")
    this = county.record()
    proposed = county.client.post(
        f"{HERE}/observations/{this}/void",
        json={"reason": "撤销", "evidence": EVIDENCE},
        headers={"Idempotency-Key": "void"},
    ).json()
    with TestClient(application, headers=bearer(token)) as client:
        refused = client.post(
            f"{HERE}/proposals/{proposed['proposal']}/approve",
            json={"leaf_hash": proposed["leaf_hash"]},
            headers={"Idempotency-Key": "a"},
        )

    assert (refused.status_code, refused.json()["code"]) == (403, "approval-own")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://testserver"},
    ],
)
def test_a_page_of_another_site_can_send_nothing(visitor: TestClient, headers: dict[str, str]) -> None:
    refused = visitor.post("/api/v1/session", json={"name": "a", "password": "b"}, headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (403, "other-site")


def test_a_wrong_token_is_refused_even_where_nobody_has_to_sign_in(visitor: TestClient) -> None:
    for header in ("Bearer x", "Bearer", "Basic YTpi", "Bearer mz_" + "a" * 12 + "_" + "b" * 43):
        refused = visitor.get("/health/live", headers={"Authorization": header})
        assert (refused.status_code, refused.json()["code"]) == (401, "token-not-valid"), header


def test_every_answer_tells_browsers_what_they_may_not_do(county: County, visitor: TestClient) -> None:
    for response in (visitor.get("/docs"), visitor.get("/nix"), county.client.get(f"{YEAR}/sheets"), visitor.get(YEAR)):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["referrer-policy"] == "no-referrer"


def test_all_entries_of_the_ledger_are_for_auditors_in_a_bundle_too(
    county: County, application: FastAPI, engine: Engine
) -> None:
    found = {}
    for role in ("recorder", "leader", "auditor"):
        token = token_of(engine, county.clock, f"account-{role}", [Grant(role, "360982")])
        with TestClient(application, headers=bearer(token)) as client:
            path = f"{YEAR}/bundles/{UNIT}"
            found[role] = [client.get(path, params={"mode": mode}).status_code for mode in ("unit", "year")]

    assert found == {"recorder": [200, 403], "leader": [200, 403], "auditor": [200, 200]}


def test_a_release_sent_again_has_its_first_answer(county: County) -> None:
    body = {"as_of": "2021-12-31", "reason": "反馈结果"}
    first, again = (county.post(f"{YEAR}/release", body, key="release") for _ in range(2))

    assert (first.status_code, again.json()) == (201, first.json())
