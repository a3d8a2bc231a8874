"""What waits for a second person, and what became of it; approving and declining."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer

from ledger.application import LedgerApplication
from ledger.canonical import LARGEST_INTEGER
from ledger.commands import PROPOSED, Attempt, DecideAppeal, Receipt
from ledger.event_bytes import written_moment
from ledger.events import Event, ProposalApproved, ProposalDeclined, ProposalMade, ProposedAction
from ledger.merkle import leaf_hash
from ledger.proposals import Status
from projections.jurisdictions import Jurisdictions
from projections.proceedings.deciding import refuse_without_effect

TOPICS = [event.wire for event in (ProposalMade, ProposalApproved, ProposalDeclined)]
WrittenMoment = Annotated[datetime, PlainSerializer(written_moment, return_type=str, when_used="json")]
"""A moment that is written in answers as it is in events."""


class ProposalStep(BaseModel):
    """What became of a proposal: by whom, when, where in the ledger, and why it was declined."""

    model_config = ConfigDict(frozen=True)

    actor: str
    recorded_at: WrittenMoment
    position: int
    reason: str | None = None


class ProposalAnswer(BaseModel):
    """A proposal: exactly what was asked for, and `leaf_hash`, which an approval names.

    What an approval recorded stands at the positions in `recorded`.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    action: ProposedAction
    status: Status
    year: int | None
    about: UUID | None
    content: dict[str, Any]
    leaf_hash: str
    made: ProposalStep
    ended: ProposalStep | None
    recorded: list[int]


class ProposalsAnswer(BaseModel):
    """The proposals of a ledger in the order in which they were made."""

    model_config = ConfigDict(frozen=True)

    proposals: list[ProposalAnswer]


@dataclass(frozen=True, slots=True)
class ProposalsWanted:
    """Which proposals: of one status, for one action; null is any."""

    status: Status | None = None
    action: ProposedAction | None = None


def proposals_of(ledger: LedgerApplication) -> dict[UUID, ProposalAnswer]:
    """Return all proposals of a ledger by their ids, in the order in which they were made."""
    found: dict[UUID, ProposalAnswer] = {}
    for one in ledger.ledger_recorder.select_notifications(None, LARGEST_INTEGER, topics=TOPICS):
        event = cast("Event", ledger.mapper.to_domain_event(one))
        step = ProposalStep(actor=event.actor, recorded_at=event.recorded_at, position=one.id)
        identifier = event.originator_id
        match event:
            case ProposalMade():
                found[identifier] = ProposalAnswer(
                    id=identifier,
                    action=event.action,
                    status="open",
                    year=event.year,
                    about=event.about,
                    content=event.content,
                    leaf_hash=leaf_hash(one.state).hex(),
                    made=step,
                    ended=None,
                    recorded=[],
                )
            case ProposalApproved():
                behind = [*range(one.id + 1, one.id + 1 + event.recorded)]
                approved = {"status": "approved", "ended": step, "recorded": behind}
                found[identifier] = found[identifier].model_copy(update=approved)
            case ProposalDeclined():
                ended = step.model_copy(update={"reason": event.reason})
                found[identifier] = found[identifier].model_copy(update={"status": "declined", "ended": ended})
            case _:
                raise TypeError(f"expected an event of a proposal, got {event.wire}")
    return found


def proposals_answer(jurisdictions: Jurisdictions, code: str, wanted: ProposalsWanted) -> ProposalsAnswer:
    """Return the proposals that are wanted."""
    return ProposalsAnswer(proposals=list(_wanted(proposals_of(jurisdictions.known_ledger(code)), wanted)))


def proposal_answer(jurisdictions: Jurisdictions, code: str, identifier: UUID) -> ProposalAnswer:
    """Return one proposal; refuses an id that the ledger does not have (`unknown-proposal`)."""
    ledger = jurisdictions.known_ledger(code)
    ledger.proposal(identifier)
    return proposals_of(ledger)[identifier]


def approve(
    jurisdictions: Jurisdictions, code: str, attempt: Attempt, identifier: UUID, proposed: str
) -> list[Receipt]:
    """Approve a proposal and record what it wishes for; the approval's receipt comes first.

    Refuses what the ledger refuses, and a decision that would be without effect by now.
    """
    ledger = jurisdictions.known_ledger(code)
    state = ledger.proposal(identifier)
    if state.action == "decide_appeal" and state.status == "open" and state.year is not None and state.about:
        wish = cast("DecideAppeal", PROPOSED[state.action].model_validate(state.content))
        refuse_without_effect(jurisdictions, code, state.year, attempt, state.about, wish)
    return ledger.approve(attempt, identifier, proposed)


def pending_about(ledger: LedgerApplication) -> dict[str, list[str]]:
    """Return the open proposals, by the observation, appeal or claim that they are about."""
    found: dict[str, list[str]] = {}
    for one in proposals_of(ledger).values():
        if one.status == "open" and one.about is not None:
            found.setdefault(str(one.about), []).append(str(one.id))
    return found


def _wanted(found: Mapping[UUID, ProposalAnswer], wanted: ProposalsWanted) -> Iterator[ProposalAnswer]:
    for one in found.values():
        if wanted.status in (None, one.status) and wanted.action in (None, one.action):
            yield one
