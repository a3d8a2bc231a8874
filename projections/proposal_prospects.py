"""What approving a proposal would change: the wish as suppositions about the year as it stands now."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from ledger.commands import PROPOSED, Amend, DecideAppeal, DecideClaim, Observe, Void
from projections.jurisdictions import Jurisdictions
from projections.proceedings.prospects import ProspectAnswer, granted_change, supposed_change, supposed_orders
from projections.proposals import ProposalAnswer
from projections.questions.models import SupposedAmendment, SupposedObservation, Suppositions
from projections.questions.previews import preview


def proposal_year(jurisdictions: Jurisdictions, code: str, proposal: ProposalAnswer) -> int | None:
    """Return the year that a proposal is about, which what is said of an observation does not name itself."""
    if proposal.year is None and proposal.about is not None:
        return jurisdictions.known_ledger(code).observation(proposal.about).year
    return proposal.year


def proposal_change(jurisdictions: Jurisdictions, code: str, proposal: ProposalAnswer) -> ProspectAnswer | None:
    """Return what approving an open proposal would change; None where that touches no score.

    Refuses, as the approval would, what cannot be carried out any more.
    """
    year, about = proposal_year(jurisdictions, code, proposal), proposal.about
    if year is None:
        return None
    wish = PROPOSED[proposal.action].model_validate(proposal.content)
    match wish:
        case Observe():
            said = SupposedObservation(
                kind=wish.kind, occurred_on=wish.occurred_on, count=wish.count, attributes=wish.attributes
            )
            [told] = preview(jurisdictions.view(code, year), [wish]).observations
            change = supposed_change(jurisdictions, code, year, wish.unit, Suppositions(added=(said,)))
            return change.model_copy(update={"reasons": [reason.sentence for reason in told.why_not]})
        case Void():
            unit = _unit_of(jurisdictions, code, about)
            return supposed_change(jurisdictions, code, year, unit, Suppositions(without=(str(about),)))
        case Amend():
            unit = _unit_of(jurisdictions, code, about)
            amended = SupposedAmendment(observation=str(about), changes=wish.changes)
            return supposed_change(jurisdictions, code, year, unit, Suppositions(amended=(amended,)))
        case DecideAppeal():
            unit = jurisdictions.known_ledger(code).proceeding(year, "appeal", cast("UUID", about)).unit
            return supposed_change(jurisdictions, code, year, unit, supposed_orders(wish.orders))
        case DecideClaim():
            claim = jurisdictions.known_ledger(code).proceeding(year, "claim", cast("UUID", about))
            if not wish.granted:
                return None
            return granted_change(jurisdictions, code, year, claim.unit, claim.indicators[0])
        case _:
            return None


def _unit_of(jurisdictions: Jurisdictions, code: str, observation: UUID | None) -> str:
    return jurisdictions.known_ledger(code).observation(cast("UUID", observation)).reading.unit
