"""What takes effect only with a second person: listed, read, approved, declined; the release of scores to units."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import Field
from starlette.status import HTTP_201_CREATED

from api.access.permissions import may
from api.edge import JURISDICTION, READ, WRITTEN, YEAR, Given, JurisdictionCode, Key, YearNumber
from api.replies import content_reply
from api.strict_bodies import StrictRoute
from ledger.commands import EraseEvidence
from ledger.events import Day, Digest, LongText, Position, ProposedAction, Value
from ledger.proposals import Status
from projections.answer_models import ReceiptAnswer
from projections.proposals import (
    ProposalAnswer,
    ProposalsAnswer,
    ProposalsWanted,
    approve,
    proposal_answer,
    proposals_answer,
)

router = APIRouter(route_class=StrictRoute, tags=["proposals"])
PROPOSAL = f"{JURISDICTION}/proposals/{{proposal}}"
Identifier = Annotated[UUID, Path(description="The proposal's id, as its receipt gave it.")]


class Approve(Value):
    """The hash, as a leaf, of the exact bytes that are approved: the proposal's `leaf_hash`."""

    leaf_hash: Digest


class Decline(Value):
    """Why it shall not take effect; whoever proposed it withdraws it so."""

    reason: LongText


class Erase(Value):
    """The law, and its article, that a file has to be destroyed by."""

    ground: LongText


class Release(Value):
    """What units may see of their own scores from now on.

    Facts up to the day `as_of`, as they stand at the ledger's `position`; left out, at its present end.
    """

    as_of: Day
    position: Annotated[Position, Field(ge=1)] | None = None
    reason: LongText


_APPROVE: Final[dict[str, Any]] = {
    "approved": {
        "summary": "核对无误，予以批准",
        "value": {"leaf_hash": "4c" * 32},
    }
}
_DECLINE: Final[dict[str, Any]] = {"declined": {"summary": "不予批准", "value": {"reason": "附件不全"}}}
_ERASE: Final[dict[str, Any]] = {
    "personal": {"summary": "依法删除个人信息", "value": {"ground": "《个人信息保护法》第四十七条第一款第三项"}}
}
_RELEASE: Final[dict[str, Any]] = {
    "half": {"summary": "公布上半年结果", "value": {"as_of": "2021-06-30", "reason": "上半年结果经市政府审定"}}
}


@router.get(f"{JURISDICTION}/proposals", response_model=ProposalsAnswer, responses=READ)
def list_proposals(
    request: Request,
    given: Given,
    jurisdiction: JurisdictionCode,
    status: Annotated[Status | None, Query(description="Only those that stand so.", examples=["open"])] = None,
    action: Annotated[ProposedAction | None, Query(description="Only those for this.", examples=["void"])] = None,
) -> Response:
    """List what was proposed, in the order of proposing: what is open scores nothing yet."""
    answer = proposals_answer(given.jurisdictions, jurisdiction, ProposalsWanted(status, action))
    return content_reply(request, answer.model_dump_json().encode())


@router.get(PROPOSAL, response_model=ProposalAnswer, responses=READ)
def read_proposal(request: Request, given: Given, jurisdiction: JurisdictionCode, proposal: Identifier) -> Response:
    """Return a proposal: exactly what is asked for, by whom, and what became of it."""
    answer = proposal_answer(given.jurisdictions, jurisdiction, proposal)
    return content_reply(request, answer.model_dump_json().encode())


@router.post(f"{PROPOSAL}/approve", status_code=HTTP_201_CREATED, response_model=list[ReceiptAnswer], responses=WRITTEN)
def approve_proposal(
    given: Given,
    jurisdiction: JurisdictionCode,
    proposal: Identifier,
    key: Key,
    body: Annotated[Approve, Body(openapi_examples=_APPROVE)],
) -> list[ReceiptAnswer]:
    """Approve what another person proposed, and record it: the approval's receipt, then those of what it records."""
    ledgers = given.jurisdictions
    receipts = given.record(
        ledgers.known_ledger(jurisdiction),
        key,
        lambda _, attempt: approve(ledgers, jurisdiction, attempt, proposal, body.leaf_hash),
    )
    if any(one.event == "evidence.erased/1" for one in receipts):
        given.custody.delete_erased(jurisdiction)
    return receipts


@router.post(f"{PROPOSAL}/decline", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def decline_proposal(
    given: Given,
    jurisdiction: JurisdictionCode,
    proposal: Identifier,
    key: Key,
    body: Annotated[Decline, Body(openapi_examples=_DECLINE)],
) -> ReceiptAnswer:
    """Decline what another person proposed, if one may approve it, or withdraw what one proposed oneself."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    own_only = not may(given.asking, "proposals.approve", jurisdiction)
    [receipt] = given.record(
        ledger, key, lambda on, attempt: on.decline(attempt, proposal, body.reason, own_only=own_only)
    )
    return receipt


@router.post(
    f"{JURISDICTION}/evidence/{{file}}/erase",
    status_code=HTTP_201_CREATED,
    response_model=ReceiptAnswer,
    responses=WRITTEN,
)
def erase_evidence(
    given: Given,
    jurisdiction: JurisdictionCode,
    file: Annotated[Digest, Path(description="The commitment to the file.", examples=["5f" * 32])],
    key: Key,
    body: Annotated[Erase, Body(openapi_examples=_ERASE)],
) -> ReceiptAnswer:
    """Propose that a file is destroyed by law; once another person approves, it is gone with its key and salt."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    wish = EraseEvidence(commitment=file, ground=body.ground)
    [receipt] = given.record(ledger, key, lambda on, attempt: on.erase_evidence(attempt, wish))
    return receipt


@router.post(f"{YEAR}/release", status_code=HTTP_201_CREATED, response_model=ReceiptAnswer, responses=WRITTEN)
def release(
    given: Given,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    key: Key,
    body: Annotated[Release, Body(openapi_examples=_RELEASE)],
) -> ReceiptAnswer:
    """Let units see their own scores, as of a day and as they stand now; later entries wait for the next release."""
    ledger = given.jurisdictions.known_ledger(jurisdiction)
    [receipt] = given.record(
        ledger, key, lambda on, attempt: on.release(attempt, year, body.as_of, body.position, body.reason)
    )
    return receipt
