"""Commands about proposals: approve, decline; and the erasure of evidence, which is always one of two persons.

An approved proposal is decided again, on the ledger as it is then, and recorded directly behind its approval, in the
name of whoever proposed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from ledger.appending import Append, Build
from ledger.canonical import LARGEST_INTEGER
from ledger.commands import PROPOSED, Attempt, EraseEvidence, Receipt
from ledger.events import (
    Event,
    EvidenceErased,
    ProposalApproved,
    ProposalDeclined,
    ProposalMade,
    ProposedAction,
)
from ledger.merkle import leaf_hash
from ledger.observation_commands import ObservationCommands
from ledger.proceeding_commands import ProceedingCommands
from ledger.proceedings import Kind, refuse_own
from ledger.proposals import ProposalState, decide_approval, decide_declining, fold_proposal, refuse_outdated
from ledger.rejection import rejected


class ProposalCommands(ObservationCommands, ProceedingCommands):
    """What can be recorded about proposals."""

    def proposal(self, identifier: UUID) -> ProposalState:
        """Return the proposal; refuses an id that the ledger does not have (`unknown-proposal`)."""
        state: ProposalState | None = None
        for stored in self.ledger_recorder.select_events(identifier):
            event = cast("Event", self.mapper.to_domain_event(stored))
            if state is None and not isinstance(event, ProposalMade):
                break
            state = fold_proposal(state, event, leaf_hash(stored.state).hex())
        if state is None:
            raise rejected("unknown-proposal", "proposal", f"no proposal {identifier} in ledger {self.code}")
        return state

    def approve(self, attempt: Attempt, identifier: UUID, proposed: str) -> list[Receipt]:
        """Approve the proposal whose bytes hash to `proposed` (hexadecimal) and record what it wishes for.

        The approval's receipt comes first.
        """

        def build(moment: datetime) -> Append:
            state = self.proposal(identifier)
            person = decide_approval(state, attempt.person, proposed)
            if state.action in ("decide_appeal", "decide_claim"):
                kind: Kind = "appeal" if state.action == "decide_appeal" else "claim"
                refuse_own(self.proceeding(cast("int", state.year), kind, cast("UUID", state.about)), person)
            recorded = self._carrying_out(state, attempt)(moment)
            refuse_outdated(state, recorded.expects)
            event = ProposalApproved(
                **self._head(identifier, state.version + 1, moment, attempt),
                person=person,
                leaf_hash=proposed,
                recorded=len(recorded.events),
            )
            return Append([event, *recorded.events], {**recorded.expects, identifier: state.version})

        return self._append(attempt, ("approve", identifier, proposed), build)

    def decline(self, attempt: Attempt, identifier: UUID, reason: str, *, own_only: bool = False) -> list[Receipt]:
        """Decline the proposal, or withdraw it where it is one's own; `own_only` refuses that of another person."""

        def build(moment: datetime) -> Append:
            state = self.proposal(identifier)
            person = decide_declining(state, attempt.person, own_only=own_only)
            head = self._head(identifier, state.version + 1, moment, attempt)
            return Append([ProposalDeclined(**head, person=person, reason=reason)], {identifier: state.version})

        return self._append(attempt, ("decline", identifier, reason), build, {"reason": reason})

    def erase_evidence(self, attempt: Attempt, wish: EraseEvidence) -> list[Receipt]:
        """Propose that a stored file is destroyed by law; the caller destroys it once that is approved."""
        if attempt.person is None:
            message = "erasing evidence takes two signed-in persons; sign in, or give a token"
            raise rejected("approval-needs-person", "evidence", message)
        propose = self._proposing(attempt, "erase_evidence", wish, self._erasing(attempt, wish))

        def build(moment: datetime) -> Append:
            self._refuse_proposed(wish.commitment)
            return propose(moment)

        return self._append(attempt, ("erase", wish), build)

    def _refuse_proposed(self, commitment: str) -> None:
        topics = [ProposalMade.wire]
        for stored in self.ledger_recorder.select_notifications(None, LARGEST_INTEGER, topics=topics):
            made = cast("ProposalMade", self.mapper.to_domain_event(stored))
            if made.action != "erase_evidence" or made.content["commitment"] != commitment:
                continue
            if self.proposal(made.originator_id).status == "open":
                message = f"its erasure waits for a second person: approve or decline the proposal {made.originator_id}"
                raise rejected("erasure-proposed", "file", message)

    def _erasing(self, attempt: Attempt, wish: EraseEvidence) -> Build:
        stream = self.stream("evidence", wish.commitment)

        def build(moment: datetime) -> Append:
            self._refuse_unstored([bytes.fromhex(wish.commitment)])
            event = EvidenceErased(
                **self._head(stream, 1, moment, attempt), commitment=wish.commitment, ground=wish.ground
            )
            return Append([event], {stream: 0})

        return build

    def _carrying_out(self, state: ProposalState, attempt: Attempt) -> Build:
        """Return what records the proposal's wish in the name of whoever proposed it."""
        acting = Attempt(state.actor, attempt.now, attempt.key)
        wish: Any = PROPOSED[state.action].model_validate(state.content)
        year, about = cast("int", state.year), cast("UUID", state.about)
        builders: Mapping[ProposedAction, Callable[[], Build]] = {
            "observe": lambda: self._observing(acting, year, [wish]),
            "amend": lambda: self._amending(acting, about, wish),
            "void": lambda: self._voiding(acting, about, wish),
            "rectify": lambda: self._rectifying(acting, about, wish),
            "decide_appeal": lambda: self._deciding_appeal(acting, year, about, wish),
            "decide_claim": lambda: self._deciding_claim(acting, year, about, wish),
            "erase_evidence": lambda: self._erasing(acting, wish),
        }
        return builders[state.action]()
