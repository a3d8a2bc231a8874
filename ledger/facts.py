"""From events to the rows of the `facts` table: one row for each entry of an observation, never changed.

A row is derived from one event and its position alone, so that the table can be dropped and rebuilt, and the two
compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from eventsourcing.persistence import Notification

from ledger.appends import microseconds
from ledger.events import (
    EventMapper,
    ObservationAmended,
    ObservationEvent,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    Reading,
)

FactRow = Mapping[str, Any]


def fact_rows(mapper: EventMapper, ledger: str, notifications: Iterable[Notification]) -> list[FactRow]:
    """Return the rows of those events that are entries of an observation."""
    rows = []
    for notification in notifications:
        event = mapper.to_domain_event(notification)
        if isinstance(event, ObservationEvent):
            rows.append(_row(ledger, notification.id, event))
    return rows


def _row(ledger: str, position: int, event: ObservationEvent) -> FactRow:
    row: dict[str, Any] = {
        "ledger": ledger,
        "position": position,
        "year": event.year,
        "observation": event.originator_id.bytes,
        "observed_position": position,
        "unit": None,
        "kind": None,
        "occurred_on": None,
        "count": None,
        "attributes": None,
        "evidence": _json([one.model_dump(exclude_none=True) for one in event.evidence]) if event.evidence else None,
        "note": None,
        "rectified_on": None,
        "reason": None,
        "recorded_at": microseconds(event.recorded_at),
        "actor": event.actor,
    }
    match event:
        case ObservationObserved():
            row |= {"entry": "observe", "note": event.note, **_reading(event.reading)}
            return row
        case ObservationAmended():
            row |= {"entry": "amend", "reason": event.reason, **_reading(event.reading)}
        case ObservationVoided():
            row |= {"entry": "void", "reason": event.reason}
        case ObservationRectified():
            row |= {"entry": "rectify", "note": event.note, "rectified_on": event.on.isoformat()}
    row["observed_position"] = event.observed_position
    return row


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "unit": reading.unit,
        "kind": reading.kind,
        "occurred_on": reading.occurred_on.isoformat(),
        "count": reading.count,
        "attributes": _json(reading.attributes),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


