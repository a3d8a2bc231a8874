"""Approvals: what waits for a second person, what it would change, and what became of the rest.

Proposals are those of the whole ledger; those of the page's year come first. Who proposed something, or filed what it
decides, is told why another person has to approve it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.pages.evidence_fields import command_sent, visible_files
from api.pages.forms import Form, FormSent
from api.pages.page import REFUSED, YEAR_PAGE, Page, PageAsked, PageRoute, tell
from api.pages.proceeding_words import changed_reading, words_of
from api.problems import failure_of
from api.proceeding_labels import ACTIONS, PROPOSAL_STATUSES, RESULTS
from api.routes.proposals import Approve, Decline
from ledger.commands import (
    PROPOSED,
    Amend,
    DecideAppeal,
    DecideClaim,
    EraseEvidence,
    Observe,
    OrderAmend,
    OrderJudge,
    OrderVoid,
    Rectify,
    Void,
)
from ledger.events import Evidence
from ledger.proceedings import Kind
from ledger.rejection import Rejection
from projections.answer_models import ReadingAnswer
from projections.answers import observation_answer
from projections.proposal_prospects import proposal_change, proposal_year
from projections.proposals import (
    ProposalAnswer,
    ProposalsWanted,
    approve,
    proposal_answer,
    proposals_answer,
)
from projections.sentences import reading_phrase
from schemes.vocabulary import Vocabulary

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PROPOSAL_PAGE: Final = f"{YEAR_PAGE}/approvals/{{proposal}}"
Identifier = Annotated[UUID, Path()]
ENDED_SHOWN: Final = 30
_TEMPLATE: Final = "approvals/proposal.html"


@dataclass(frozen=True, slots=True)
class Described:
    """A proposal as people read it: what is asked, line by line, and why whoever asks cannot approve it, if so."""

    one: ProposalAnswer
    year: int | None
    action: str
    status: str
    lines: Sequence[str]
    reason: str | None
    evidence: Sequence[Evidence]
    address: str | None
    own: bool
    barred: str | None


@router.get(f"{YEAR_PAGE}/approvals")
def list_approvals(page: PageAsked, ended: Annotated[int, Query(ge=1, le=10_000, alias="page")] = 1) -> Response:
    """List what waits for a second person, this year's first; below it what has ended, the latest first."""
    found = proposals_answer(page.given.jurisdictions, page.code, ProposalsWanted()).proposals
    waiting = [_described(page, one) for one in found if one.status == "open"]
    waiting.sort(key=lambda described: described.year != page.year)
    done = [one for one in reversed(found) if one.status != "open"]
    first = (ended - 1) * ENDED_SHOWN
    return page.render(
        "approvals/list.html",
        menu="approvals",
        waiting=waiting,
        done=[_described(page, one) for one in done[first : first + ENDED_SHOWN]],
        ended=ended,
        pages=-(-len(done) // ENDED_SHOWN),
        visible=frozenset[str](),
    )


@router.get(PROPOSAL_PAGE)
def show_proposal(page: PageAsked, proposal: Identifier) -> Response:
    """Show a proposal with what approving it would change; that alone where a part of a page is asked for."""
    one = proposal_answer(page.given.jurisdictions, page.code, proposal)
    if page.is_fragment:
        return page.fragment("approvals/effect.html", **_effect(page, one))
    return page.render(_TEMPLATE, menu="approvals", **_context(page, one, Form()))


@router.post(f"{PROPOSAL_PAGE}/approve")
def approve_proposal(page: PageAsked, proposal: Identifier, form: FormSent) -> Response:
    """Approve exactly what was shown, and record it."""
    ledgers, code = page.given.jurisdictions, page.code
    try:
        wish = command_sent(Approve, {"leaf_hash": form.text("leaf_hash")})
        receipts = page.given.record(
            ledgers.known_ledger(code),
            form.key,
            lambda _, attempt: approve(ledgers, code, attempt, proposal, wish.leaf_hash),
        )
    except REFUSED as refused:
        return _refused(page, proposal, form, refused)
    if any(one.event == "evidence.erased/1" for one in receipts):
        page.given.custody.delete_erased(code)
    return page.redirect(f"{page.path}/approvals", "已批准，并已记入台账。")


@router.post(f"{PROPOSAL_PAGE}/decline")
def decline_proposal(page: PageAsked, proposal: Identifier, form: FormSent) -> Response:
    """Decline what another person proposed, or withdraw one's own."""
    own_only = not page.may("proposals.approve")
    try:
        wish = command_sent(Decline, {"reason": form.text("reason")})
        page.given.record(
            page.given.jurisdictions.known_ledger(page.code),
            form.key,
            lambda on, attempt: on.decline(attempt, proposal, wish.reason, own_only=own_only),
        )
    except REFUSED as refused:
        return _refused(page, proposal, form, refused)
    return page.redirect(f"{page.path}/approvals", "已记录，该事项不再生效。")


def _refused(page: Page, proposal: UUID, form: Form, refused: Exception) -> Response:
    """Return the proposal as it stands by now, with what was refused."""
    one = proposal_answer(page.given.jurisdictions, page.code, proposal)
    return page.refuse(_TEMPLATE, refused, menu="approvals", **_context(page, one, form))


def _context(page: Page, one: ProposalAnswer, form: Form) -> dict[str, Any]:
    described = _described(page, one)
    files = [evidence.file for evidence in described.evidence if evidence.file is not None]
    return {"described": described, "form": form, "visible": visible_files(page, files), **_effect(page, one)}


def _effect(page: Page, one: ProposalAnswer) -> dict[str, Any]:
    """Return what approving it would change, or why it cannot be carried out any more."""
    change, outdated = None, None
    if one.status == "open":
        try:
            change = proposal_change(page.given.jurisdictions, page.code, one)
        except Rejection as refused:
            outdated = tell(failure_of(page.request, refused))
    return {"change": change, "outdated": outdated, "open": one.status == "open"}


def _described(page: Page, one: ProposalAnswer) -> Described:
    state = page.given.jurisdictions.known_ledger(page.code).proposal(one.id)
    wish: Any = PROPOSED[one.action].model_validate(one.content)
    year = proposal_year(page.given.jurisdictions, page.code, one)
    words = words_of(None if year is None else page.given.jurisdictions.opened_year(page.code, year)[1])
    own = state.person == page.given.asking.person
    return Described(
        one=one,
        year=year,
        action=ACTIONS[one.action],
        status=PROPOSAL_STATUSES[one.status],
        lines=_lines(page, one, wish, words),
        reason=next(
            (getattr(wish, name) for name in ("reason", "reasons", "note", "ground") if _has(wish, name)), None
        ),
        evidence=getattr(wish, "evidence", ()),
        address=_address(page, one),
        own=own,
        barred=_barred(page, one, own),
    )


def _has(wish: object, name: str) -> bool:
    return getattr(wish, name, None) is not None


def _barred(page: Page, one: ProposalAnswer, own: bool) -> str | None:
    """Return why whoever asks may not approve the open proposal; None where they may."""
    if own:
        return "由您提出，须由另一人批准。"
    if not page.may("proposals.approve"):
        return "您的账户没有批准的权限。"
    if one.action in ("decide_appeal", "decide_claim") and one.year is not None and one.about is not None:
        kind: Kind = "appeal" if one.action == "decide_appeal" else "claim"
        ledger = page.given.jurisdictions.known_ledger(page.code)
        filed_by = ledger.proceeding(one.year, kind, one.about).person
        if filed_by is not None and filed_by == page.given.asking.person:
            return "所决定的事项由您提出，须由他人批准。"
    return None


def _address(page: Page, one: ProposalAnswer) -> str | None:
    """Return the address of the appeal or claim that it decides."""
    kinds = {"decide_appeal": "appeals", "decide_claim": "claims"}.get(one.action)
    return None if kinds is None else f"/jurisdictions/{page.code}/years/{one.year}/{kinds}/{one.about}"


def _lines(page: Page, one: ProposalAnswer, wish: Any, words: Vocabulary) -> list[str]:
    """Return what is asked for in plain Chinese, a line each."""
    match wish:
        case Observe():
            reading = ReadingAnswer(
                unit=wish.unit,
                kind=wish.kind,
                label=words.kinds[wish.kind].label,
                occurred_on=wish.occurred_on,
                count=wish.count,
                attributes=wish.attributes,
            )
            return [_phrase(reading, words)]
        case Void():
            return [f"作废：{_phrase(_reading(page, one, one.about), words)}"]
        case Amend():
            before = _reading(page, one, one.about)
            return [
                f"原为：{_phrase(before, words)}",
                f"改为：{_phrase(changed_reading(before, wish.changes, words), words)}",
            ]
        case Rectify():
            return [f"{_phrase(_reading(page, one, one.about), words)}，已于{wish.on}整改"]
        case DecideAppeal():
            return [f"申诉{RESULTS[wish.outcome]}", *(_order(page, one, order, words) for order in wish.orders)]
        case DecideClaim():
            return [_claimed(page, one, granted=wish.granted)]
        case EraseEvidence():
            return [f"销毁文件 {wish.commitment}，不可恢复"]
        case _:
            raise TypeError(f"expected a wish that can be proposed, got {wish!r}")


def _order(page: Page, one: ProposalAnswer, order: OrderVoid | OrderAmend | OrderJudge, words: Vocabulary) -> str:
    match order:
        case OrderVoid():
            return f"作废：{_phrase(_reading(page, one, order.void), words)}"
        case OrderAmend():
            before = _reading(page, one, order.amend)
            after = changed_reading(before, order.changes, words)
            return f"更正：{_phrase(before, words)} → {_phrase(after, words)}"
        case OrderJudge():
            return f"重新评定 {order.judge}：{order.value}分（{order.occurred_on}）"


def _claimed(page: Page, one: ProposalAnswer, *, granted: bool) -> str:
    if one.year is None or one.about is None:
        raise LookupError("expected a proposal about a claim of a year")
    claim = page.given.jurisdictions.known_ledger(page.code).proceeding(one.year, "claim", one.about)
    outcome = RESULTS["granted" if granted else "refused"]
    return f"{claim.unit}不涉及指标 {claim.indicators[0]}：{outcome}"


def _reading(page: Page, one: ProposalAnswer, observation: UUID | None) -> ReadingAnswer:
    """Return how an observation read when it was proposed to change it."""
    year = proposal_year(page.given.jurisdictions, page.code, one)
    if year is None:
        raise LookupError("expected a proposal about an observation of a year")
    view = page.given.jurisdictions.view(page.code, year)
    entries = observation_answer(view, str(observation)).entries
    return [entry.reading for entry in entries if entry.reading and entry.position < one.made.position][-1]


def _phrase(reading: ReadingAnswer, words: Vocabulary) -> str:
    return f"{reading.unit} {reading_phrase(reading, words)}"
