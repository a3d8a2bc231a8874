"""Commands: what can be asked of a ledger, as values. The same shapes are read from requests, files and forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import Discriminator, Field, Tag, model_validator

from ledger.events import (
    MOST_EVIDENCE,
    MOST_NAMED,
    Attributes,
    Changes,
    Count,
    Day,
    Days,
    Digest,
    DocumentType,
    Event,
    Evidence,
    LongText,
    Outcome,
    Period,
    ProposedAction,
    SchemeReference,
    SomeEvidence,
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
    evidence: SomeEvidence = ()


class Void(Value):
    """An observation that shall not count, with the reason and evidence of its own."""

    reason: LongText
    evidence: tuple[Evidence, ...] = Field(min_length=1, max_length=MOST_EVIDENCE)


class Rectify(Value):
    """The day on which the unit has put the matter right."""

    on: Day
    note: LongText | None = None
    evidence: SomeEvidence = ()


class FileAppeal(Value):
    """What a unit disputes: observations said of it, or rows of its sheet; and on what grounds."""

    unit: Text
    observations: tuple[UUID, ...] = Field(default=(), max_length=MOST_NAMED)
    indicators: tuple[Text, ...] = Field(default=(), max_length=MOST_NAMED)
    grounds: LongText
    evidence: SomeEvidence = ()

    @model_validator(mode="after")
    def _something_once(self) -> Self:
        if not self.observations and not self.indicators:
            raise ValueError("at least one of observations, indicators")
        if len({*self.observations}) + len({*self.indicators}) < len(self.observations) + len(self.indicators):
            raise ValueError("each observation and each indicator once")
        return self


class FileClaim(Value):
    """An indicator that does not concern the unit this year, and on what grounds."""

    unit: Text
    indicator: Text
    grounds: LongText
    evidence: SomeEvidence = ()


class Return(Value):
    """What must be completed before it can be accepted."""

    reason: LongText


class Complete(Value):
    """What the unit adds to what was returned to it."""

    grounds: LongText
    evidence: SomeEvidence = ()


class Accept(Value):
    """It will be reviewed and decided."""

    note: LongText | None = None


class Review(Value):
    """What a review found, and what it recommends."""

    finding: LongText
    recommendation: LongText
    evidence: SomeEvidence = ()


class Withdraw(Value):
    """Why the unit does not pursue it."""

    reason: LongText


Step = Return | Complete | Accept | Review | Withdraw
"""A step of an appeal or of a claim between its filing and its decision."""


class OrderVoid(Value):
    """The observation shall not count."""

    void: UUID


class OrderAmend(Value):
    """The observation shall read otherwise."""

    amend: UUID
    changes: Changes


class OrderJudge(Value):
    """The judged row has this value, as of that day."""

    judge: Text
    value: Text
    occurred_on: Day


def _kind_of_order(value: object) -> str | None:
    """Tell which order is meant by the field that only it has: what is wrong with it is then told of it alone."""
    if isinstance(value, dict):
        return next((tag for name, tag in _ORDER_TAGS.items() if name in value), None)
    return next((tag for name, tag in _ORDER_TAGS.items() if hasattr(value, name)), None)


_ORDER_TAGS: Final = {"void": "order-void", "amend": "order-amend", "judge": "order-judge"}
Order = Annotated[
    Annotated[OrderVoid, Tag("order-void")]
    | Annotated[OrderAmend, Tag("order-amend")]
    | Annotated[OrderJudge, Tag("order-judge")],
    Discriminator(_kind_of_order, "order_kind", "an order with one of void, amend, judge"),
]


class DecideAppeal(Value):
    """The decision on an appeal, and what it orders: nothing when dismissed, else at least one thing, each once."""

    outcome: Outcome
    reasons: LongText
    orders: tuple[Order, ...] = Field(default=(), max_length=MOST_NAMED)
    evidence: SomeEvidence = ()

    @model_validator(mode="after")
    def _orders_fit(self) -> Self:
        if self.outcome == "dismissed" and self.orders:
            raise ValueError("no orders when the appeal is dismissed")
        if self.outcome != "dismissed" and not self.orders:
            raise ValueError("at least one order when the appeal is upheld or partly upheld")
        about = [_ordered(order) for order in self.orders]
        if len({*about}) < len(about):
            raise ValueError("at most one order for each observation and for each judged row")
        return self


def _ordered(order: Order) -> UUID | str:
    match order:
        case OrderVoid():
            return order.void
        case OrderAmend():
            return order.amend
        case OrderJudge():
            return order.judge


class DecideClaim(Value):
    """The decision on a claim; granted, the indicator is not applicable to the unit from then on."""

    granted: bool = Field(strict=True)
    reasons: LongText
    evidence: SomeEvidence = ()


class EraseEvidence(Value):
    """A stored file to destroy by law, and on which legal ground."""

    commitment: Digest
    ground: LongText


PROPOSED: Final[Mapping[ProposedAction, type[Value]]] = {
    "observe": Observe,
    "amend": Amend,
    "void": Void,
    "rectify": Rectify,
    "decide_appeal": DecideAppeal,
    "decide_claim": DecideClaim,
    "erase_evidence": EraseEvidence,
}
"""What the content of a proposal is, by what is proposed."""


class SetTerms(Value):
    """How many working days there are to file an appeal and to decide one, and why."""

    days_to_file: Days
    days_to_decide: Days
    reason: LongText


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
class Frozen:
    """What a close freezes: the bytes of the document that holds all sheets, as of the ledger's `position`."""

    position: int
    sheets: bytes


@dataclass(frozen=True, slots=True)
class OfficialDocument:
    """The official document that a scheme version encodes: its title and bytes."""

    title: str
    media_type: DocumentType
    content: bytes


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who records and when, and under which key: what every command brings along.

    `person` is a pseudonym of the human behind a signed-in account: what takes effect only with a second person's
    approval is then proposed. None is whoever runs the program on its machine before there are accounts.
    """

    actor: str
    now: datetime
    key: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One recorded event: its position, the hash of its bytes as a leaf of the tree, and the event itself."""

    position: int
    leaf_hash: bytes
    event: Event
