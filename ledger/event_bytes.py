"""Between events and their bytes. An event is serialised once, as canonical JSON, and never again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from ledger.canonical import canonical_bytes, read_json
from ledger.events import EVENTS, Event

_ENVELOPE = {"originator_id", "originator_version", "recorded_at", "actor", "nonce"}
Envelope = Literal["type", "ledger", "stream", "version", "recorded_at", "actor", "nonce", "data"]


def written_moment(value: datetime) -> str:
    """Return a moment as it is written in events: UTC, six digits of fraction, `Z`."""
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


class EventMapper:
    """Between events and stored bytes, for one ledger: the `Mapper` that the eventsourcing application uses."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger

    def to_stored_event(self, event: Event) -> StoredEvent:
        """Return the event as canonical bytes; raises `JsonProblem` when they are more than an event may have."""
        content: dict[Envelope, Any] = {
            "type": event.wire,
            "ledger": self._ledger,
            "stream": str(event.originator_id),
            "version": event.originator_version,
            "recorded_at": written_moment(event.recorded_at),
            "actor": event.actor,
            "nonce": event.nonce,
            "data": event.model_dump(mode="json", exclude=_ENVELOPE, exclude_none=True),
        }
        return StoredEvent(event.originator_id, event.originator_version, event.wire, canonical_bytes(content))

    def to_domain_event(self, stored: StoredEvent) -> Event:
        """Return the event of the stored bytes; raises `ValueError` when they are not one of this ledger."""
        content = cast(dict[Envelope, Any], read_json(stored.state))
        event_type = EVENTS.get(content["type"])
        if event_type is None:
            raise ValueError(f"expected a known event type, got {content['type']!r}; upgrade this program")
        if content["ledger"] != self._ledger:
            raise ValueError(f"expected an event of ledger {self._ledger}, got one of {content['ledger']}")
        return event_type(
            originator_id=UUID(content["stream"]),
            originator_version=content["version"],
            recorded_at=content["recorded_at"],
            actor=content["actor"],
            nonce=content["nonce"],
            **content["data"],
        )
