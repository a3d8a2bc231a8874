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
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ledger.canonical import LARGEST_INTEGER

MOST_EVIDENCE = 50
MOST_NAMED = 100
"""Most observations, and most indicators, that one appeal names."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Default_Ignorable_Code_Point of Unicode beyond these categories: joiners, fillers, variation selectors.
_IGNORED = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def _single_line(text: str) -> str:
    """Take a name only as people see it: two names that look alike are then the same name."""
    # Most names are printable, and that is known without a look at each character.
    hidden = not text.isprintable() and any(unicodedata.category(character) in _INVISIBLE for character in text)
    if not text or text != text.strip() or hidden or _IGNORED.search(text):
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
Days = Annotated[int, Field(ge=1, le=365, strict=True)]
Outcome = Literal["upheld", "partly_upheld", "dismissed"]
DocumentType = Literal["text/plain", "application/pdf"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Position = Annotated[int, Field(ge=0, le=LARGEST_INTEGER, strict=True)]
PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
ProposedAction = Literal["observe", "amend", "void", "rectify", "decide_appeal", "decide_claim", "erase_evidence"]
Attributes = dict[str, str | Annotated[int, Field(strict=True)] | list[str]]


class Value(BaseModel):
    """Base of everything inside an event: immutable, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Evidence(Value):
    """What an entry rests on: a stored file, a URL, or an official document number.

    `file` is the salted commitment to the file's SHA-256 (`ledger.evidence.commitments`): it tells nothing of a file
    once its salt is destroyed, and proves which one it was as long as it is kept.
    """

    title: Text
    file: Digest | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2000), AfterValidator(_single_line)] | None = None
    document: Text | None = None
    locator: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Evidence:
        if [self.file, self.url, self.document].count(None) != 2:
            raise ValueError("exactly one of file, url, document")
        return self


SomeEvidence = Annotated[tuple[Evidence, ...], Field(max_length=MOST_EVIDENCE)]


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
    digest: Digest


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


class OfYear(Event):
    """An event about one year."""

    year: Year


class _Founded(OfYear):
    """An entry with evidence of its own, unless a `decision` ordered it: then the id of that appeal's stream."""

    evidence: SomeEvidence
    decision: UUID | None = None

    @model_validator(mode="after")
    def _founded(self) -> Self:
        if not self.evidence and self.decision is None:
            raise ValueError("evidence of its own, or the decision that ordered it")
        return self


class ObservationObserved(_Founded):
    """An observation was recorded; it counts from now on."""

    wire = "observation.observed/1"
    reading: Reading
    note: LongText | None = None


class ObservationAmended(OfYear):
    """From now on the observation reads as `reading`."""

    wire = "observation.amended/1"
    changes: Changes
    reading: Reading
    reason: LongText
    evidence: SomeEvidence = ()
    decision: UUID | None = None


class ObservationVoided(_Founded):
    """From now on the observation does not count. A void is final."""

    wire = "observation.voided/1"
    reason: LongText


class ObservationRectified(OfYear):
    """The unit has put the matter right on a day."""

    wire = "observation.rectified/1"
    on: Day
    note: LongText | None = None
    evidence: SomeEvidence = ()


class YearOpened(OfYear):
    """A year begins: under a scheme version, with these groups and units."""

    wire = "year.opened/1"
    period: Period
    scheme: SchemeReference
    groups: tuple[GroupOfUnits, ...]


class SchemeAdopted(OfYear):
    """This version of the scheme is in force for the year from this moment."""

    wire = "year.scheme_adopted/1"
    period: Period
    scheme: SchemeReference
    reason: LongText


class UnitJoined(OfYear):
    """A unit is assessed from this day on."""

    wire = "year.unit_joined/1"
    unit: Text
    group: Text
    on: Day
    reason: LongText


class UnitLeft(OfYear):
    """A unit is no longer assessed from this day on."""

    wire = "year.unit_left/1"
    unit: Text
    on: Day
    reason: LongText


class UnitRenamed(OfYear):
    """The same unit has another name from this day on; facts under either name are its own."""

    wire = "year.unit_renamed/1"
    unit: Text
    name: Text
    on: Day
    reason: LongText


class YearClosed(OfYear):
    """All sheets are frozen as they were at the ledger's `position`, the last one before this event.

    `sheets` is the SHA-256 of the document that holds them, which the ledger keeps.
    """

    wire = "year.closed/1"
    reason: LongText
    position: Position
    scheme: SchemeReference
    sheets: Digest


class YearReopened(OfYear):
    """Entries may be recorded again; what was frozen stays frozen."""

    wire = "year.reopened/1"
    reason: LongText


class YearTermsSet(OfYear):
    """How many working days there are, from now on, to file an appeal and to decide one."""

    wire = "year.terms_set/1"
    days_to_file: Days
    days_to_decide: Days
    reason: LongText


class SchemeRegistered(Event):
    """A version of a scheme was put into the ledger, its document kept by its digest."""

    wire = "scheme.registered/1"
    scheme: SchemeReference


class SchemeDocumentRegistered(Event):
    """The official document that a scheme version encodes was registered as evidence, kept by its digest."""

    wire = "scheme.document_registered/1"
    scheme: SchemeReference
    title: Text
    media_type: DocumentType
    digest: Digest
    size: Count


class AppealFiled(OfYear):
    """A unit disputes observations said of it, or what rows of its sheet say; `unit` is its key."""

    wire = "appeal.filed/1"
    unit: Text
    observations: Annotated[tuple[UUID, ...], Field(max_length=MOST_NAMED)] = ()
    indicators: Annotated[tuple[Text, ...], Field(max_length=MOST_NAMED)] = ()
    grounds: LongText
    evidence: SomeEvidence = ()
    person: PersonId | None = None


class Ordered(Value):
    """What a decision ordered: the observation that is void, reads otherwise, or is the new judgement.

    The entries themselves stand beside the decision in the ledger and name it.
    """

    order: Literal["void", "amend", "judge"]
    observation: UUID


class AppealDecided(OfYear):
    """An appeal was decided; what it ordered was recorded with it."""

    wire = "appeal.decided/1"
    outcome: Outcome
    reasons: LongText
    orders: Annotated[tuple[Ordered, ...], Field(max_length=MOST_NAMED)] = ()
    evidence: SomeEvidence = ()


class ClaimFiled(OfYear):
    """A unit says that an indicator does not concern it this year; `unit` is its key."""

    wire = "claim.filed/1"
    unit: Text
    indicator: Text
    grounds: LongText
    evidence: SomeEvidence = ()
    person: PersonId | None = None


class ClaimDecided(OfYear):
    """A claim was decided; if granted, the indicator is not applicable to the unit from now on, whatever the day."""

    wire = "claim.decided/1"
    granted: bool
    unit: Text
    indicator: Text
    reasons: LongText
    evidence: SomeEvidence = ()


class ProceedingReturned(OfYear):
    """It cannot be accepted as filed; `reason` says what must be completed."""

    wire = "proceeding.returned/1"
    reason: LongText


class ProceedingCompleted(OfYear):
    """The unit has completed what was returned."""

    wire = "proceeding.completed/1"
    grounds: LongText
    evidence: SomeEvidence = ()


class ProceedingAccepted(OfYear):
    """It will be reviewed and decided."""

    wire = "proceeding.accepted/1"
    note: LongText | None = None


class ProceedingReviewed(OfYear):
    """What a review found, and what it recommends."""

    wire = "proceeding.reviewed/1"
    finding: LongText
    recommendation: LongText
    evidence: SomeEvidence = ()


class ProceedingWithdrawn(OfYear):
    """The unit does not pursue it."""

    wire = "proceeding.withdrawn/1"
    reason: LongText


class SheetsReleased(OfYear):
    """Units see their own scores as of that day, as they stood at the ledger's `position`; a later one replaces it."""

    wire = "year.sheets_released/1"
    as_of: Day
    position: Position
    reason: LongText


class ProposalMade(Event):
    """Somebody wants recorded what takes effect only with a second person's approval.

    `content` is what is wished for, as `ledger.commands` reads it. `person` is a pseudonym of the human who proposes:
    two accounts of one human have the same. `depends` are the streams that the wish was decided on, with their
    versions: once one of them has moved, what would be recorded is not what was proposed.
    """

    wire = "proposal.made/1"
    person: PersonId
    action: ProposedAction
    year: Year | None = None
    about: UUID | None = None
    depends: dict[UUID, Count] = Field(default_factory=dict)
    content: dict[str, Any]


class ProposalApproved(Event):
    """Another person approved the proposal whose event's bytes hash, as a leaf, to `leaf_hash`.

    What it recorded stands directly behind this event in the ledger.
    """

    wire = "proposal.approved/1"
    person: PersonId
    leaf_hash: Digest
    recorded: Count


class ProposalDeclined(Event):
    """The proposal will not take effect: another person declined it, or whoever made it withdrew it."""

    wire = "proposal.declined/1"
    person: PersonId
    reason: LongText


class EvidenceErased(Event):
    """A stored file was destroyed by law, with its key and salt; the commitment to it stays in the entries."""

    wire = "evidence.erased/1"
    commitment: Digest
    ground: LongText


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
        YearClosed,
        YearReopened,
        YearTermsSet,
        SchemeRegistered,
        SchemeDocumentRegistered,
        AppealFiled,
        AppealDecided,
        ClaimFiled,
        ClaimDecided,
        ProceedingReturned,
        ProceedingCompleted,
        ProceedingAccepted,
        ProceedingReviewed,
        ProceedingWithdrawn,
        SheetsReleased,
        ProposalMade,
        ProposalApproved,
        ProposalDeclined,
        EvidenceErased,
    )
}
