"""Proposals: what takes effect only once a second person has approved it. Pure.

Rules kept here:

1. proposed → approved or declined; nothing follows either.
2. Who approves is another human than the one who proposed, whatever accounts they use.
3. What a wish was decided on has not moved since: an approval is of what comes about, not of words alone.
4. Who approves names the hash of the proposal's exact bytes as a leaf of the tree: what is approved is what was seen.
5. A proposal is declined by another person, or withdrawn by whoever made it; both need a reason.

Which wishes have to be proposed is asked of the year's scheme (`Admission.weighs`) or follows from what they are: a
void, a decision, an erasure. What an approved proposal records is decided anew when it is approved; see
`ledger.proposal_commands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ledger.events import Event, ProposalApproved, ProposalDeclined, ProposalMade, ProposedAction
from ledger.rejection import rejected

Status = Literal["open", "approved", "declined"]


@dataclass(frozen=True, slots=True)
class ProposalState:
    """A proposal as its events have made it; `about` is the observation, appeal or claim that it is about, if any."""

    id: UUID
    action: ProposedAction
    year: int | None
    about: UUID | None
    depends: Mapping[UUID, int]
    content: dict[str, Any]
    actor: str
    person: str
    leaf_hash: str
    made_at: datetime
    version: int = 1
    status: Status = "open"


def fold_proposal(state: ProposalState | None, event: Event, leaf_hash: str) -> ProposalState:
    """Return the proposal after the event, whose bytes have that hash as a leaf (hexadecimal)."""
    if isinstance(event, ProposalMade):
        return ProposalState(
            id=event.originator_id,
            action=event.action,
            year=event.year,
            about=event.about,
            depends=event.depends,
            content=event.content,
            actor=event.actor,
            person=event.person,
            leaf_hash=leaf_hash,
            made_at=event.recorded_at,
        )
    if state is None:
        raise ValueError(f"expected a proposal before {event.wire}")
    match event:
        case ProposalApproved():
            return replace(state, version=event.originator_version, status="approved")
        case ProposalDeclined():
            return replace(state, version=event.originator_version, status="declined")
        case _:
            pass
    raise TypeError(f"expected an event of a proposal, got {event.wire}")


def decide_approval(state: ProposalState, person: str | None, leaf_hash: str) -> str:
    """Return the person who approves; refuses who proposed it, bytes that are not the proposal's, and a second end."""
    _refuse_ended(state)
    approving = _somebody(person)
    if approving == state.person:
        message = "whoever proposed it cannot approve it, from no account; a second person has to"
        raise rejected("approval-own", "proposal", message)
    if leaf_hash != state.leaf_hash:
        message = f"found {leaf_hash}, expected {state.leaf_hash}, the hash of what was proposed; read it again"
        raise rejected("approval-other-bytes", "leaf_hash", message)
    return approving


def refuse_outdated(state: ProposalState, decided_on: Mapping[UUID, int]) -> None:
    """Refuse what would be decided on another state than it was proposed on."""
    moved = sorted(str(stream) for stream, version in state.depends.items() if decided_on.get(stream) != version)
    if moved:
        message = f"what it is about has changed since it was proposed ({', '.join(moved)}); decline it, propose again"
        raise rejected("proposal-outdated", "proposal", message)


def decide_declining(state: ProposalState, person: str | None, *, own_only: bool) -> str:
    """Return the person who declines or withdraws; refuses what has ended, and with `own_only` what others proposed."""
    _refuse_ended(state)
    declining = _somebody(person)
    if own_only and declining != state.person:
        message = "your account may withdraw what you proposed yourself; those who may approve it may decline it"
        raise rejected("decline-own-only", "proposal", message)
    return declining


def _somebody(person: str | None) -> str:
    if person is None:
        message = "only a signed-in person can approve or decline; sign in, or give a token"
        raise rejected("approval-needs-person", "proposal", message)
    return person


def _refuse_ended(state: ProposalState) -> None:
    if state.status != "open":
        raise rejected(f"proposal-{state.status}", "proposal", f"the proposal is {state.status}: nothing can follow")
