"""Appeals and claims: listed, followed step by step, and decided; `api.pages.proceeding_filing` files them.

A unit's account sees its own, as the API gives them; what a decision would change, the office alone is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.access.permissions import Permission
from api.edge import Command
from api.pages.decision_forms import DecisionForm, decision_form, orders_read, orders_sent
from api.pages.evidence_fields import command_sent, evidence_named, evidence_sent, visible_files
from api.pages.forms import Form, FormSent
from api.pages.page import REFUSED, YEAR_PAGE, Page, PageAsked, PageRoute, UploadRoute, tell
from api.pages.proceeding_words import words_of
from api.problems import failure_of
from api.proceeding_labels import KINDS, ORDERS, RESULTS, STATUSES, STEPS
from ledger.commands import Accept, Complete, DecideAppeal, DecideClaim, Return, Review, Step, Withdraw
from ledger.decisions import local_day
from ledger.proceedings import Action, Kind
from ledger.rejection import rejected
from projections.proceedings import deciding
from projections.proceedings.models import ProceedingAnswer
from projections.proceedings.proceedings import (
    Proceeding,
    ProceedingsWanted,
    proceeding_answer,
    proceeding_of,
    proceedings_answer,
)
from projections.proceedings.prospects import (
    ProspectAnswer,
    decided_change,
    granted_change,
    released_change,
    supposed_change,
    supposed_orders,
)
from projections.questions.models import Suppositions
from projections.sentences import reading_phrase
from schemes.working_days import DAY, is_working_day

router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)

PROCEEDING_PAGE: Final = f"{YEAR_PAGE}/{{kinds}}/{{proceeding}}"
Kinds = Annotated[Literal["appeals", "claims"], Path()]
Identifier = Annotated[UUID, Path()]
_NEEDS: Final[Mapping[Action, Permission]] = {
    "return": "appeals.handle",
    "complete": "appeals.file",
    "accept": "appeals.handle",
    "review": "appeals.handle",
    "decide": "appeals.decide",
    "withdraw": "appeals.file",
}
_TEMPLATE: Final = "proceedings/proceeding.html"


def _kinds_listed(request: Request) -> str:
    """Return of which kind a page is whose address names one in so many words."""
    return "claims" if request.scope["route"].path.startswith(f"{YEAR_PAGE}/claims") else "appeals"


KindsListed = Annotated[str, Depends(_kinds_listed)]


@router.get(f"{YEAR_PAGE}/appeals")
@router.get(f"{YEAR_PAGE}/claims")
def list_proceedings(
    page: PageAsked,
    kinds: KindsListed,
    unit: Annotated[str, Query(max_length=500)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """List the year's appeals, or its claims."""
    year, today = _year(page), local_day(page.given.clock())
    view = page.given.items(page.code, year)
    known = view.unit_of_year(unit) if unit else None
    wanted = ProceedingsWanted(_kind(kinds), unit=known)
    answer = proceedings_answer(view, wanted, today)
    pending = page.given.pending(page.code)
    own = page.given.own_units(page.code)
    words = words_of(page.scheme)
    return page.render(
        "proceedings/list.html",
        menu=kinds,
        kinds=kinds,
        title=KINDS[_kind(kinds)],
        unit=unit,
        wanted=status,
        units=[one.name_on(view.as_of) for one in view.state.units.values() if own is None or view.shows(one.key)],
        statuses=STATUSES,
        outcomes=RESULTS,
        listed=[
            (one.model_copy(update={"pending": pending.get(one.id, [])}), days_left(one.due, today))
            for one in reversed(answer.proceedings)
            if _is_listed(one, status)
        ],
        phrase=lambda reading: reading_phrase(reading, words),
    )


@router.get(f"{YEAR_PAGE}/appeals/{{proceeding}}")
@router.get(f"{YEAR_PAGE}/claims/{{proceeding}}")
def show_proceeding(page: PageAsked, kinds: KindsListed, proceeding: Identifier) -> Response:
    """Show an appeal or a claim: its course, what it changes, and what can be done next."""
    return page.render(_TEMPLATE, menu=kinds, **_context(page, kinds, proceeding, Form(), []))


@router.post(f"{PROCEEDING_PAGE}/return")
def return_it(page: PageAsked, kinds: Kinds, proceeding: Identifier, form: FormSent) -> Response:
    """Return it to the unit, which has to complete it."""
    return _step(page, kinds, proceeding, form, "已退回补正。", Return, {"reason": form.text("reason")})


@router.post(f"{PROCEEDING_PAGE}/accept")
def accept_it(page: PageAsked, kinds: Kinds, proceeding: Identifier, form: FormSent) -> Response:
    """Accept it: it will be reviewed and decided."""
    return _step(page, kinds, proceeding, form, "已受理。", Accept, {"note": form.text("note") or None})


@router.post(f"{PROCEEDING_PAGE}/withdraw")
def withdraw_it(page: PageAsked, kinds: Kinds, proceeding: Identifier, form: FormSent) -> Response:
    """Withdraw it before it is decided."""
    return _step(page, kinds, proceeding, form, "已撤回。", Withdraw, {"reason": form.text("reason")})


@uploads.post(f"{PROCEEDING_PAGE}/complete")
def complete_it(page: PageAsked, kinds: Kinds, proceeding: Identifier, form: FormSent) -> Response:
    """Complete what was returned."""
    return _step(
        page, kinds, proceeding, form, "已补正，办理期限重新计算。", Complete, {"grounds": form.text("grounds")}
    )


@uploads.post(f"{PROCEEDING_PAGE}/review")
def review_it(page: PageAsked, kinds: Kinds, proceeding: Identifier, form: FormSent) -> Response:
    """Record what a review found."""
    said = {"finding": form.text("finding"), "recommendation": form.text("recommendation")}
    return _step(page, kinds, proceeding, form, "复核意见已记录。", Review, said)


@router.post(f"{YEAR_PAGE}/appeals/{{proceeding}}/prospect")
def show_prospect(page: PageAsked, proceeding: Identifier, form: FormSent) -> Response:
    """Show what the chosen orders would change, before they are decided."""
    answer = _answer(page, _found(page, "appeals", proceeding))
    try:
        # An amendment that was only begun changes nothing yet.
        begun = orders_sent(form, _decision_form(page, answer))
        orders = orders_read([one for one in begun if one.get("changes") != {}])
        change = supposed_change(page.given.jurisdictions, page.code, answer.year, answer.key, supposed_orders(orders))
    except REFUSED as refused:
        failure = failure_of(page.request, refused)
        return page.fragment("proceedings/prospect.html", change=None, problems=tell(failure))
    return page.fragment("proceedings/prospect.html", change=change, problems=())


@uploads.post(f"{YEAR_PAGE}/appeals/{{proceeding}}/decide")
def decide_appeal(page: PageAsked, proceeding: Identifier, form: FormSent) -> Response:
    """Propose the decision of an appeal: a second person has to approve it."""
    found = _found(page, "appeals", proceeding)
    answer, evidence = _answer(page, found), evidence_named(form)
    ledgers, year = page.given.jurisdictions, found.state.year
    try:
        evidence = evidence_sent(page, form)
        said = {
            "outcome": form.text("outcome"),
            "reasons": form.text("reasons"),
            "orders": orders_sent(form, _decision_form(page, answer)),
            "evidence": evidence,
        }
        wish = command_sent(DecideAppeal, said)
        return _decided(
            page,
            "appeals",
            proceeding,
            form,
            lambda _, attempt: deciding.decide_appeal(ledgers, page.code, year, attempt, proceeding, wish),
        )
    except REFUSED as refused:
        return page.refuse(_TEMPLATE, refused, menu="appeals", **_context(page, "appeals", proceeding, form, evidence))


@uploads.post(f"{YEAR_PAGE}/claims/{{proceeding}}/decide")
def decide_claim(page: PageAsked, proceeding: Identifier, form: FormSent) -> Response:
    """Propose the decision of a claim: a second person has to approve it."""
    year, evidence = _found(page, "claims", proceeding).state.year, evidence_named(form)
    granted = {"yes": True, "no": False}.get(form.text("granted"))
    try:
        evidence = evidence_sent(page, form)
        wish = command_sent(DecideClaim, {"granted": granted, "reasons": form.text("reasons"), "evidence": evidence})
        return _decided(
            page, "claims", proceeding, form, lambda on, attempt: on.decide_claim(attempt, year, proceeding, wish)
        )
    except REFUSED as refused:
        return page.refuse(_TEMPLATE, refused, menu="claims", **_context(page, "claims", proceeding, form, evidence))


def _decided(page: Page, kinds: str, proceeding: UUID, form: Form, command: Command) -> Response:
    receipts = page.given.record(page.given.jurisdictions.known_ledger(page.code), form.key, command)
    said = "决定已提出，须由第二人在“审批”中批准后生效。" if receipts[0].proposal else "决定已记录。"
    return page.redirect(f"{page.path}/{kinds}/{proceeding}", said)


def _step(
    page: Page, kinds: str, proceeding: UUID, form: Form, said: str, model: type[Step], fields: Mapping[str, Any]
) -> Response:
    """Record a step that the form describes; a unit's account takes those of its own appeals and claims only."""
    found = _found(page, kinds, proceeding)
    evidence = evidence_named(form)
    try:
        if "evidence" in model.model_fields:
            evidence = evidence_sent(page, form)
            fields = {**fields, "evidence": evidence}
        step = command_sent(model, fields)
        if page.given.own_units(page.code) is not None:
            page.given.refuse_unseen_files(page.code, form.key, step.evidence if isinstance(step, Complete) else ())
        page.given.record(
            page.given.jurisdictions.known_ledger(page.code),
            form.key,
            lambda on, attempt: on.step(attempt, found.state.year, found.state.kind, proceeding, step),
        )
    except REFUSED as refused:
        return page.refuse(_TEMPLATE, refused, menu=kinds, **_context(page, kinds, proceeding, form, evidence))
    return page.redirect(f"{page.path}/{kinds}/{proceeding}", said)


def _is_listed(one: ProceedingAnswer, status: str) -> bool:
    if status == "open":
        return bool(one.possible)
    return status in ("", one.status)


def _context(
    page: Page, kinds: str, proceeding: UUID, form: Form, evidence: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Return what the page of an appeal or a claim is made of, as it stands now."""
    found = _found(page, kinds, proceeding)
    answer = _answer(page, found)
    own = found.state.person is not None and found.state.person == page.given.asking.person
    possible = [one for one in answer.possible if page.may(_NEEDS[one]) and not (own and one == "decide")]
    files = [one.file for step in answer.steps for one in step.evidence if one.file is not None]
    words = words_of(page.scheme)
    today = local_day(page.given.clock())
    return {
        "kinds": kinds,
        "title": KINDS[_kind(kinds)],
        "one": answer,
        "left": days_left(answer.due, today),
        "own_filing": own and "decide" in answer.possible and page.may("appeals.decide"),
        "possible": possible,
        "change": _change(page, answer),
        "decision": _decision_form(page, answer) if "decide" in possible and kinds == "appeals" else None,
        "visible": visible_files(page, files),
        "phrase": lambda reading: reading_phrase(reading, words),
        "statuses": STATUSES,
        "outcomes": RESULTS,
        "step_titles": STEPS,
        "order_titles": ORDERS,
        "form": form,
        "evidence": evidence,
    }


def _change(page: Page, answer: ProceedingAnswer) -> ProspectAnswer | None:
    """Return what the decision changed or, to the office, what it would change; None where there is nothing to show."""
    ledgers = page.given.jurisdictions
    if answer.decided_position is not None:
        if page.may("scores.read"):
            return decided_change(ledgers, answer)
        return released_change(ledgers, answer)
    if not answer.possible or not page.may("scores.read"):
        return None
    if answer.kind == "claim":
        return granted_change(ledgers, page.code, answer.year, answer.key, answer.indicators[0].indicator)
    view = ledgers.view(page.code, answer.year)
    counting = {one.observation for one in view.observed if not one.void}
    without = tuple(one.observation for one in answer.observations if one.observation in counting)
    if not without:
        return None
    return supposed_change(ledgers, page.code, answer.year, answer.key, Suppositions(without=without))


def _decision_form(page: Page, answer: ProceedingAnswer) -> DecisionForm:
    view = page.given.jurisdictions.view(page.code, answer.year)
    return decision_form(view, answer, words_of(page.scheme), local_day(page.given.clock()))


def _found(page: Page, kinds: str, proceeding: UUID) -> Proceeding:
    """Return the appeal or claim; a unit's account finds its own only."""
    return proceeding_of(page.given.items(page.code, _year(page)), _kind(kinds), proceeding)


def _answer(page: Page, found: Proceeding) -> ProceedingAnswer:
    view = page.given.items(page.code, found.state.year)
    answer = proceeding_answer(view, found, local_day(page.given.clock()))
    return answer.model_copy(update={"pending": page.given.pending(page.code).get(answer.id, [])})


def _kind(kinds: str) -> Kind:
    return "appeal" if kinds == "appeals" else "claim"


def _year(page: Page) -> int:
    if page.year is None:
        raise rejected("year-not-open", "year", "expected a year in the address, like 2021")
    return page.year


def days_left(due: date | None, today: date) -> int | None:
    """Return the working days after today up to the day that something is due; None where there is no such day."""
    if due is None:
        return None
    return sum(is_working_day(today + at * DAY) for at in range(1, (due - today).days + 1))
