"""The events of a ledger and their bytes.

Each event has an explicit wire name with a version, which never changes once used: `tests/ledger/golden` holds
one example of each, and those files are never edited. An event is serialised once, as canonical JSON; these
bytes are the leaf of the tree and are never serialised again.

Events are self-contained: an amendment carries the whole new reading, so that facts can be derived from one
event alone. No personal data belongs in an event.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, cast
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ledger.canonical import LARGEST_INTEGER, canonical_bytes, read_json

MOST_EVIDENCE = 50
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _single_line(text: str) -> str:
    """Take a name only as people see it: two names that look alike are then the same name."""
    # Most names are printable, and that is known without a look at each character.
    hidden = not text.isprintable() and any(unicodedata.category(character) in _INVISIBLE for character in text)
    if not text or text != text.strip() or hidden:
        raise ValueError("a text on one line that is not blank, without outer spaces, control or invisible characters")
    return text


def _clean(text: str) -> str:
    if not text.strip() or re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text):
        raise ValueError("a text that is not blank and holds no control characters")
    return text


def _written_day(value: object) -> object:
    """Take a day only as `YYYY-MM-DD`: a number of seconds or a moment is no day."""
    written = isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    if written or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise ValueError("a day as YYYY-MM-DD")


Day = Annotated[date, BeforeValidator(_written_day)]
Text = Annotated[str, Field(max_length=500), AfterValidator(_single_line)]
LongText = Annotated[str, Field(max_length=4000), AfterValidator(_clean)]
Count = Annotated[int, Field(ge=1, le=LARGEST_INTEGER, strict=True)]
Year = Annotated[int, Field(ge=1990, le=2200, strict=True)]
Attributes = dict[str, str | Annotated[int, Field(strict=True)] | list[str]]


class Value(BaseModel):
    """Base of everything inside an event: immutable, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(Value):
    """What an entry rests on: a stored file by its SHA-256, a URL, or an official document number."""

    title: Text
    file: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2000)] | None = None
    document: Text | None = None
    locator: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Evidence:
        if [self.file, self.url, self.document].count(None) != 2:
            raise ValueError("exactly one of file, url, document")
        return self


class Reading(Value):
    """What an observation says: one fact about one unit on one day. It carries no points."""

    unit: Text
    kind: Text
    occurred_on: Day
    count: Count = 1
    attributes: Attributes = {}


class Changes(Value):
    """The fields an amendment replaces; `attributes` as a whole."""

    unit: Text | None = None
    kind: Text | None = None
    occurred_on: Day | None = None
    count: Count | None = None
    attributes: Attributes | None = None

    @model_validator(mode="after")
    def _some(self) -> Changes:
        if not self.model_dump(exclude_none=True):
            raise ValueError("at least one of unit, kind, occurred_on, count, attributes")
        return self

    def applied_to(self, reading: Reading) -> Reading:
        """Return the reading with the named fields replaced."""
        return reading.model_copy(update={name: value for name, value in self if value is not None})


class Period(Value):
    """The days of a year, both included."""

    first: Day
    last: Day


class SchemeReference(Value):
    """A scheme version by id, version and the SHA-256 of its document, which the ledger keeps."""

    id: Text
    version: Text
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class GroupOfUnits(Value):
    """The units of one group of the scheme, in the order of its list."""

    id: Text
    units: tuple[Text, ...]


class Event(Value):
    """What every event says: its place in a stream, when it was recorded, by whom, and a random nonce."""

    wire: ClassVar[str]
    originator_id: UUID
    originator_version: int
    recorded_at: AwareDatetime
    actor: Text
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ObservationObserved(Event):
    """An observation was recorded; it counts from now on."""

    wire = "observation.observed/1"
    year: Year
    reading: Reading
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1, max_length=MOST_EVIDENCE)]
    note: LongText | None = None


class _Later(Event):
    """An entry that refers to an earlier observation; the old entry stays as it is."""

    year: Year


class ObservationAmended(_Later):
    """From now on the observation reads as `reading`."""

    wire = "observation.amended/1"
    changes: Changes
    reading: Reading
    reason: LongText
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=MOST_EVIDENCE)] = ()


class ObservationVoided(_Later):
    """From now on the observation does not count. A void is final."""

    wire = "observation.voided/1"
    reason: LongText
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1, max_length=MOST_EVIDENCE)]


class ObservationRectified(_Later):
    """The unit has put the matter right on a day."""

    wire = "observation.rectified/1"
    on: Day
    note: LongText | None = None
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=MOST_EVIDENCE)] = ()


class YearOpened(Event):
    """A year begins: under a scheme version, with these groups and units."""

    wire = "year.opened/1"
    year: Year
    period: Period
    scheme: SchemeReference
    groups: tuple[GroupOfUnits, ...]


class SchemeAdopted(Event):
    """This version of the scheme is in force for the year from this moment."""

    wire = "year.scheme_adopted/1"
    year: Year
    period: Period
    scheme: SchemeReference
    reason: LongText


class UnitJoined(Event):
    """A unit is assessed from this day on."""

    wire = "year.unit_joined/1"
    year: Year
    unit: Text
    group: Text
    on: Day
    reason: LongText


class UnitLeft(Event):
    """A unit is no longer assessed from this day on."""

    wire = "year.unit_left/1"
    year: Year
    unit: Text
    on: Day
    reason: LongText


class UnitRenamed(Event):
    """The same unit has another name from this day on; facts under either name are its own."""

    wire = "year.unit_renamed/1"
    year: Year
    unit: Text
    name: Text
    on: Day
    reason: LongText


class SchemeRegistered(Event):
    """A version of a scheme was put into the ledger, its document kept by its digest."""

    wire = "scheme.registered/1"
    scheme: SchemeReference


EVENTS: dict[str, type[Event]] = {
    event.wire: event
    for event in (
        ObservationObserved,
        ObservationAmended,
        ObservationVoided,
        ObservationRectified,
        YearOpened,
        SchemeAdopted,
        UnitJoined,
        UnitLeft,
        UnitRenamed,
        SchemeRegistered,
    )
}
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
