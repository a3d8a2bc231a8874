"""The OpenAPI document is whole, and the server accepts every example in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.openapi.models import OpenAPI
from starlette.testclient import TestClient

from tests.api.county import HERE, YEAR, County


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


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    assert [path for _, path, operation in operations(document) if not operation.get("description")] == []


def test_everything_that_records_needs_a_key_and_has_an_example(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if method == "post" and "201" in operation["responses"]:
            headers = [one for one in operation["parameters"] if one["in"] == "header"]
            assert [(one["name"], one["required"]) for one in headers] == [("Idempotency-Key", True)], path
            assert all(content["examples"] for content in operation["requestBody"]["content"].values()), path


def test_the_server_accepts_the_example_of_a_scheme_of_ones_own(new_county: County, document: dict[str, Any]) -> None:
    opened = "/api/v1/jurisdictions/{jurisdiction}/years"
    examples = [
        (path, name, media_type, example["value"])
        for method, path, operation in operations(document)
        if method == "post"
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
        if method != "post" or path.endswith(("{year}/schemes", "{jurisdiction}/years")):
            continue
        for media_type, content in operation["requestBody"]["content"].items():
            for name, example in content["examples"].items():
                address = filled_in(path, prepared(county, path), operation)
                if media_type == "application/json":
                    response = county.post(address, example["value"])
                else:
                    headers = {"Content-Type": media_type, "Idempotency-Key": f"{path} {name}".replace(" ", "/")}
                    body = example["value"].encode()
                    response = county.client.post(address, params=asked(operation), content=body, headers=headers)
                assert response.status_code in (200, 201), (path, name, response.text)
                accepted += 1
    assert accepted >= 26


def test_the_server_accepts_the_examples_of_parameters(new_county: County, document: dict[str, Any]) -> None:
    new_county.clock.set("2021-01-04T09:00:00+08:00")
    new_county.open()
    known = {"observation": new_county.record()} | {"proceeding": filed(new_county, "appeals")}
    claim = filed(new_county, "claims")
    headers = {"Content-Type": "text/plain", "Idempotency-Key": "document"}
    document_path = f"{HERE}/schemes/zhangshu-2021/versions/1/document"
    new_county.client.post(
        document_path, params={"title": "方案"}, content="附件一\n日常管理的要求。\n".encode(), headers=headers
    )
    new_county.post(f"{YEAR}/close", {"reason": "审定"})
    for method, path, operation in operations(document):
        if method == "get" and path.startswith("/api"):
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
    if "{proceeding}" not in path:
        return {}
    kinds = "claims" if "/claims/" in path else "appeals"
    found = filed(county, kinds)
    before = {"complete": ("return", {"reason": "补正"}), "review": ("accept", {}), "decide": ("accept", {})}
    step, body = before.get(path.rpartition("/")[2], ("", None))
    if body is not None:
        county.post(f"{YEAR}/{kinds}/{found}/{step}", body)
    return {"proceeding": found}


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
    assert client.get("/").headers["location"] == "/docs"
