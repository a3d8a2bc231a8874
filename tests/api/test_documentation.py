"""The OpenAPI document is whole, and the server accepts every example in it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.openapi.models import OpenAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.access import Access
from api.access.permissions import ROUTES
from api.access.principals import Grant
from tests.api.accounts import CHEAP, bearer, token_of
from tests.api.county import EVIDENCE, HERE, YEAR, Clock, County

STORED = "/api/v1/jurisdictions/{jurisdiction}/evidence"
"""A file that is stored twice is two files: there is no key to it."""


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_the_document_is_openapi_and_refers_to_nothing_it_lacks(document: dict[str, Any]) -> None:
    OpenAPI.model_validate(document)
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))

    assert references <= set(document["components"]["schemas"])
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_every_refusal_is_documented_as_problem_details(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if status.startswith("4") or (status == "503" and path.startswith("/api")):
                assert list(response["content"]) == ["application/problem+json"], (path, status)


def test_every_operation_says_what_it_needs(document: dict[str, Any]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    for method, path, operation in operations(document):
        needed = next(
            one for key, one in ROUTES.items() if (key[0].lower(), key[1].replace(":path", "")) == (method, path)
        )
        named = {scope for one in operation["security"] for scopes in one.values() for scope in scopes}
        assert bool(operation["security"]) == (needed != "open"), path
        assert named == {needed} - {"open", "signed-in"}, path


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    assert [path for _, path, operation in operations(document) if not operation.get("description")] == []


def test_everything_that_records_needs_a_key_and_has_an_example(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if method == "post" and "201" in operation["responses"] and path != STORED:
            headers = [one for one in operation["parameters"] if one["in"] == "header"]
            assert [(one["name"], one["required"]) for one in headers] == [("Idempotency-Key", True)], path
            assert all(content["examples"] for content in operation["requestBody"]["content"].values()), path


def test_the_server_accepts_the_example_of_a_scheme_of_ones_own(new_county: County, document: dict[str, Any]) -> None:
    opened = "/api/v1/jurisdictions/{jurisdiction}/years"
    examples = [
        (path, name, media_type, example["value"])
        for method, path, operation in operations(document)
        if method == "post" and "access" not in operation["tags"]
        for media_type, content in operation["requestBody"]["content"].items()
        for name, example in content["examples"].items()
    ]
    by_document = next(value for path, name, _, value in examples if (path, name) == (opened, "document"))
    assert new_county.post(f"{HERE}/years", by_document).status_code == 201
    adopted = next(value for path, _, _, value in examples if path.endswith("{year}/schemes"))
    assert new_county.post(f"{YEAR}/schemes", adopted).status_code == 201


def test_the_server_accepts_every_other_example(county: County, document: dict[str, Any]) -> None:
    accepted = 0
    # Questions first: what is recorded later closes the year and lets units leave.
    for method, path, operation in sorted(operations(document), key=lambda one: "201" in one[2]["responses"]):
        if (
            method != "post"
            or path.endswith(("{year}/schemes", "{jurisdiction}/years"))
            or "access" in operation["tags"]
        ):
            continue
        for media_type, content in operation["requestBody"]["content"].items():
            for name, example in content["examples"].items():
                known = prepared(county, path)
                address = filled_in(path, known, operation)
                if path.endswith("/approve"):
                    headers = {"Idempotency-Key": "approve"}
                    response = county.colleague.post(address, json={"leaf_hash": known["leaf_hash"]}, headers=headers)
                elif media_type == "application/json":
                    response = county.post(address, example["value"])
                else:
                    headers = {"Content-Type": media_type, "Idempotency-Key": f"{path}/{name}"}
                    body = example["value"].encode()
                    response = county.client.post(address, params=asked(operation), content=body, headers=headers)
                assert response.status_code in (200, 201), (path, name, response.text)
                accepted += 1
    assert accepted >= 32


def test_the_server_accepts_the_examples_about_accounts(
    application: FastAPI, engine: Engine, clock: Clock, visitor: TestClient, document: dict[str, Any]
) -> None:
    examples = {
        path.removeprefix("/api/v1"): [one["value"] for one in content["examples"].values()]
        for method, path, operation in operations(document)
        if method == "post" and "access" in operation["tags"] and "requestBody" in operation
        for content in operation["requestBody"]["content"].values()
    }
    access = Access(engine, clock, secrets.token_bytes, session_hours=12, hasher=CHEAP)
    [signing_in], [changing] = examples.pop("/session"), examples.pop("/session/password")
    once = access.create_account(None, signing_in["name"], [Grant("recorder", "360982")], None, with_password=True)
    assert once.one_time_password is not None
    first = {"name": signing_in["name"], "password": once.one_time_password}
    assert visitor.post("/api/v1/session", json=first).status_code == 200
    changed = visitor.post("/api/v1/session/password", json=changing | {"old": once.one_time_password})
    assert changed.status_code == 200, changed.text
    assert visitor.post("/api/v1/session", json=signing_in).status_code == 200
    [token] = examples.pop("/tokens")
    assert visitor.post("/api/v1/tokens", json=token).status_code == 200

    access.create_account(None, "登记员二", [Grant("recorder", "360982")], None, with_password=False)
    administrator = token_of(engine, clock, "管理员", [Grant("administrator")])
    with TestClient(application, headers=bearer(administrator)) as client:
        access.disable(None, "登记员二")
        for step in ("enable", "reset-password", "disable"):
            assert client.post(f"/api/v1/accounts/登记员二/{step}").status_code == 200, step
        for path, values in examples.items():
            for value in values:
                made = client.post(f"/api/v1{path.replace('{name}', '登记员')}", json=unknown_name(value))
                assert made.status_code == 200, (path, made.text)
    assert set(examples) == {"/accounts", "/accounts/{name}/grants", "/accounts/{name}/revoke"}


def unknown_name(value: dict[str, Any]) -> dict[str, Any]:
    """The example of an account, under a name that nobody has yet."""
    return value | {"name": f"{value['name']}-新"} if "name" in value else value


def test_the_server_accepts_the_examples_of_parameters(new_county: County, document: dict[str, Any]) -> None:
    new_county.clock.set("2021-01-04T09:00:00+08:00")
    new_county.open()
    known = {"observation": new_county.record(), "proceeding": filed(new_county, "appeals")}
    known |= stored(new_county) | proposed(new_county)
    claim = filed(new_county, "claims")
    headers = {"Content-Type": "text/plain", "Idempotency-Key": "document"}
    document_path = f"{HERE}/schemes/zhangshu-2021/versions/1/document"
    new_county.client.post(
        document_path, params={"title": "方案"}, content="附件一\n日常管理的要求。\n".encode(), headers=headers
    )
    new_county.post(f"{YEAR}/close", {"reason": "审定"})
    for method, path, operation in operations(document):
        if method == "get" and path.startswith("/api") and "access" not in operation["tags"]:
            found = known | {"proceeding": claim} if "/claims/" in path else known
            address = filled_in(path, found, operation)
            response = new_county.client.get(address, params=asked(operation))
            assert response.status_code == (303 if path.endswith("/open") else 200), (path, response.text)


def asked(operation: dict[str, Any]) -> dict[str, Any]:
    """The examples of the operation's query parameters."""
    parameters = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    return {one["name"]: example(one) for one in parameters if example(one) is not None}


def prepared(county: County, path: str) -> dict[str, Any]:
    """What the path names, recorded anew, and as far on as it has to be."""
    if "{observation}" in path:
        return {"observation": county.record()}
    if "{proposal}" in path:
        return proposed(county)
    if "{file}" in path:
        return stored(county)
    if "{proceeding}" not in path:
        return {}
    kinds = "claims" if "/claims/" in path else "appeals"
    found = filed(county, kinds)
    before = {"complete": ("return", {"reason": "补正"}), "review": ("accept", {}), "decide": ("accept", {})}
    step, body = before.get(path.rpartition("/")[2], ("", None))
    if body is not None:
        county.post(f"{YEAR}/{kinds}/{found}/{step}", body)
    return {"proceeding": found}


def stored(county: County) -> dict[str, Any]:
    """Store a file that an observation rests on."""
    answer = county.client.post(f"{HERE}/evidence", content=b"a", headers={"Content-Type": "text/plain"}).json()
    county.record(evidence=[{"title": "检查记录", "file": answer["file"]}])
    return {"file": answer["file"]}


def proposed(county: County) -> dict[str, Any]:
    """Propose to void an observation, and return the proposal with its leaf hash."""
    address = f"{HERE}/observations/{county.record()}/void"
    headers = {"Idempotency-Key": f"propose-{county.size()}"}
    answer = county.client.post(address, json={"reason": "撤销", "evidence": EVIDENCE}, headers=headers).json()
    return {"proposal": answer["proposal"], "leaf_hash": answer["leaf_hash"]}


def filed(county: County, kinds: str) -> str:
    """File an appeal or a claim: each claim for a unit of its own, since one row takes one claim."""
    number = len(county.get(f"{YEAR}/{kinds}")["proceedings"])
    unit = county.get(f"{YEAR}/units")[number + 1]["name"]
    about = {"indicator": "1.11"} if kinds == "claims" else {"indicators": ["1.2"]}
    response = county.post(f"{YEAR}/{kinds}", {"unit": unit, "grounds": "有异议"} | about)
    return str(response.json()["proceeding"]["id"])


def filled_in(path: str, known: dict[str, Any], operation: dict[str, Any]) -> str:
    for one in operation.get("parameters", []):
        if one["in"] == "path":
            value = known.get(one["name"], example(one))
            path = path.replace(f"{{{one['name']}}}", quote(str(value)))
    return path


def example(parameter: dict[str, Any]) -> Any:
    shown = [one["value"] for one in parameter.get("examples", {}).values()]
    shown += parameter["schema"].get("examples", [])
    return shown[0] if shown else None


def test_the_documentation_page_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    own = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    assert all(address.startswith("/static/") for address in own)
    assert {address: client.get(address).status_code for address in own} == dict.fromkeys(own, 200)
