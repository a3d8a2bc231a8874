"""A county under test: its addresses, and observations that its scheme knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

HERE = "/api/v1/jurisdictions/360982"
YEAR = f"{HERE}/years/2021"
UNIT = "福城街道"
OTHER = "大桥街道"
EVIDENCE = [{"title": "检查情况通报", "document": "宜府办字〔2021〕20号"}]


def observation(**changes: Any) -> dict[str, Any]:
    circular = {
        "unit": UNIT,
        "kind": "circular",
        "occurred_on": "2021-03-29",
        "attributes": {"level": "municipal", "subject": "new_media", "period": "quarterly"},
        "evidence": EVIDENCE,
    }
    return circular | changes


class Clock:
    """Says the moment it was set to."""

    def __init__(self, moment: str = "2021-12-31T18:00:00+08:00") -> None:
        self.set(moment)

    def set(self, moment: str) -> None:
        self._moment = datetime.fromisoformat(moment)

    def __call__(self) -> datetime:
        return self._moment


@dataclass
class County:
    """A jurisdiction behind the real application; what it sends has a key of its own unless one is given.

    What takes two persons, a colleague approves at once: `post` then answers as if it had been recorded by one. A third
    person files appeals and claims, because whoever filed one has no part in its decision.
    """

    client: TestClient
    clock: Clock
    colleague: TestClient
    clerk: TestClient
    _keys: count[int] = field(default_factory=lambda: count(1))

    def post(self, path: str, body: object, key: str | None = None) -> Response:
        header = {"Idempotency-Key": key or f"test-{next(self._keys)}"}
        client = self.clerk if path.endswith(("/appeals", "/claims")) else self.client
        response = client.post(path, json=body, headers=header)
        if response.status_code != 201:
            return response
        answer = response.json()
        if "receipts" in answer:
            receipts = self._settled(answer["receipts"])
            if receipts != answer["receipts"]:
                proceeding = self.get(path.rpartition("/")[0])
                return Response(201, json={"receipts": receipts, "proceeding": proceeding}, request=response.request)
            return response
        receipts = answer if isinstance(answer, list) else [answer]
        settled = self._settled(receipts)
        if settled == receipts:
            return response
        return Response(201, json=settled if isinstance(answer, list) else settled[0], request=response.request)

    def _settled(self, receipts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for receipt in receipts:
            if receipt.get("event") != "proposal.made/1":
                found.append(receipt)
                continue
            approval = self.colleague.post(
                f"{HERE}/proposals/{receipt['proposal']}/approve",
                json={"leaf_hash": receipt["leaf_hash"]},
                headers={"Idempotency-Key": f"approve-{receipt['proposal']}"},
            )
            assert approval.status_code == 201, approval.text
            found += approval.json()[1:]
        return found

    def get(self, path: str, **parameters: str | int) -> Any:
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def open(self, scheme: str = "zhangshu-2021") -> None:
        response = self.post(f"{HERE}/years", {"scheme": scheme})
        assert response.status_code == 201, response.text

    def record(self, **changes: Any) -> str:
        """Record a circular, or what the changes make of it, and return the observation's id."""
        response = self.post(f"{YEAR}/observations", observation(**changes))
        assert response.status_code == 201, response.text
        return str(response.json()["observation"])

    def size(self) -> int:
        """How many events the ledger holds."""
        found: int = self.get(HERE)["position"]
        return found
