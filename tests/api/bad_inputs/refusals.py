"""How bad inputs are sent and what is expected of the answer."""

from __future__ import annotations

from itertools import count

from httpx2 import Response

from tests.api.county import YEAR, County

JSON = "application/json"
_keys = count(1)
Refusal = tuple[int, str, str]
"""The status, the code and where."""


def refusal(response: Response) -> Refusal:
    """The one refusal of an answer; fails where the answer is no problem, names several, or tells of the inside."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    told = response.json()
    assert not {"Traceback", "sqlite", "psycopg", ".py", "site-packages"} & set(response.text.split())
    [error] = told["errors"]
    assert told["status"] == response.status_code
    assert error["message"]
    return response.status_code, error["code"], error["where"]


def sent(county: County, body: bytes, path: str = f"{YEAR}/observations", **headers: str) -> Response:
    """Send the bytes as JSON, under a key of their own."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return county.client.post(
        path, content=body, headers={"Idempotency-Key": f"bad-{next(_keys)}", "Content-Type": JSON} | named
    )
