"""From events to the rows of the `facts` table: one row for each entry of an observation, never changed.

A row is derived from one event's bytes and its position alone, so that the table can be dropped and rebuilt, and
the two compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Notification

from ledger.appends import microseconds

ENTRIES: Final = {
    "observation.observed/1": "observe",
    "observation.amended/1": "amend",
    "observation.voided/1": "void",
    "observation.rectified/1": "rectify",
}
"""The entry that an event of each type is; events of other types are none."""
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def fact_rows(notifications: Iterable[Notification]) -> list[Mapping[str, Any]]:
    """Return the rows, without the ledger's code, of those events that are entries of an observation."""
    return [
        fact_row(notification.id, json.loads(notification.state.decode()))
        for notification in notifications
        if notification.topic in ENTRIES
    ]


def fact_row(position: int, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row, without the ledger's code, of the event at the position: its bytes as JSON, a type of ENTRIES."""
    data = event["data"]
    row = {
        "position": position,
        "year": data["year"],
        "observation": UUID(event["stream"]).bytes,
        "entry": ENTRIES[event["type"]],
        "evidence": _json(data.get("evidence")),
        "note": data.get("note"),
        "rectified_on": data.get("on"),
        "reason": data.get("reason"),
        "recorded_at": recorded_microseconds(event["recorded_at"]),
        "actor": event["actor"],
    }
    reading = data.get("reading")
    if reading is not None:
        row |= {name: reading[name] for name in ("unit", "kind", "occurred_on", "count")}
        row["attributes"] = _json(reading["attributes"])
    return row


@lru_cache(maxsize=1)
def recorded_microseconds(text: str) -> int:
    """Return the moment that an event states, in whole microseconds since 1970 UTC."""
    # Events of one batch were recorded at one moment.
    return microseconds(datetime.fromisoformat(text))


def _json(value: object) -> str | None:
    return None if value is None else _ENCODE(value)
