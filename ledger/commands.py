"""Commands: what can be asked of a ledger, as values. The same shapes are read from requests, files and forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic import Field

from ledger.events import (
    MOST_EVIDENCE,
    Attributes,
    Changes,
    Count,
    Day,
    Event,
    Evidence,
    LongText,
    Period,
    SchemeReference,
    Text,
    Value,
)


class Observe(Value):
    """A fact to record, with its evidence."""

    unit: Text
    kind: Text
    occurred_on: Day
    count: Count = 1
    attributes: Attributes = Field(default_factory=dict)
    evidence: tuple[Evidence, ...] = Field(min_length=1, max_length=MOST_EVIDENCE)
    note: LongText | None = None


class Amend(Value):
    """A correction of an observation: the named fields read otherwise from now on."""

    changes: Changes
    reason: LongText
    evidence: tuple[Evidence, ...] = Field(default=(), max_length=MOST_EVIDENCE)


class Void(Value):
    """An observation that shall not count, with the reason and evidence of its own."""

    reason: LongText
    evidence: tuple[Evidence, ...] = Field(min_length=1, max_length=MOST_EVIDENCE)


class Rectify(Value):
    """The day on which the unit has put the matter right."""

    on: Day
    note: LongText | None = None
    evidence: tuple[Evidence, ...] = Field(default=(), max_length=MOST_EVIDENCE)


@dataclass(frozen=True, slots=True)
class SchemeVersion:
    """A scheme to open a year under or to adopt: its document's bytes, and what the ledger needs to know of it."""

    id: str
    version: str
    period: Period
    groups: tuple[str, ...]
    document: bytes

    @property
    def reference(self) -> SchemeReference:
        """The reference that events carry; the ledger refuses an id or version that no event can carry."""
        return SchemeReference.model_construct(
            id=self.id, version=self.version, digest=sha256(self.document).hexdigest()
        )

    @property
    def texts(self) -> dict[str, str]:
        """The texts that nobody has checked yet, by the field to name in a refusal."""
        return {"scheme.id": self.id, "scheme.version": self.version}


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who records and when, and under which key: what every command brings along."""

    actor: str
    now: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """One recorded event: its position, the hash of its bytes as a leaf of the tree, and the event itself."""

    position: int
    leaf_hash: bytes
    event: Event
