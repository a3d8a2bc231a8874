"""Filing appeals and claims: a unit for itself, or whoever records for a unit that hands in a paper.

What a unit is shown of points is what was released to it, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.edge import YearNumber
from api.pages.evidence_fields import command_sent, evidence_named, evidence_sent
from api.pages.forms import Form, FormSent
from api.pages.page import REFUSED, YEAR_PAGE, Page, PageAsked, PageRoute, UploadRoute
from api.pages.proceeding_words import words_of
from ledger.commands import FileAppeal, FileClaim
from ledger.decisions import local_day
from ledger.rejection import Rejection
from projections.answer_models import ReceiptAnswer
from projections.proceedings import deciding
from projections.proceedings.disputable import disputable_answer
from projections.proceedings.proceedings import recorded_answer
from projections.sentences import reading_phrase
from projections.years import YearView

router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)
UnitChosen = Annotated[str, Query(max_length=500)]
_APPEAL: Final = "proceedings/file_appeal.html"
_CLAIM: Final = "proceedings/file_claim.html"


@router.get(f"{YEAR_PAGE}/appeals/file")
def show_appeal_form(
    page: PageAsked,
    year: YearNumber,
    unit: UnitChosen = "",
    observation: Annotated[str, Query(max_length=500)] = "",
    indicator: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Show what the unit may dispute, with the form to do so."""
    chosen = Form([("observation", observation), ("indicator", indicator)])
    return page.render(_APPEAL, menu="appeals", **_appeal_context(page, year, unit, observation, chosen, []))


@uploads.post(f"{YEAR_PAGE}/appeals/file")
def file_appeal(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """File an appeal of a unit."""
    given, code, unit = page.given, page.code, form.text("unit")
    view = given.items(code, year)
    evidence = evidence_named(form)
    try:
        evidence = evidence_sent(page, form)
        said = {
            "unit": unit,
            "observations": form.texts("observation"),
            "indicators": form.texts("indicator"),
            "grounds": form.text("grounds"),
            "evidence": evidence,
        }
        wish = command_sent(FileAppeal, said)
        given.refuse_foreign(code, year, wish.unit, wish.observations)
        given.refuse_unseen_files(code, form.key, wish.evidence)
        ledgers, own = given.jurisdictions, given.own_units(code)
        receipts = given.record(
            ledgers.known_ledger(code),
            form.key,
            lambda _, attempt: deciding.file_appeal(ledgers, code, year, attempt, wish, own),
        )
    except REFUSED as refused:
        shown = _known_name(view, unit)
        return page.refuse(_APPEAL, refused, menu="appeals", **_appeal_context(page, year, shown, "", form, evidence))
    return _filed(page, year, "appeals", receipts)


@router.get(f"{YEAR_PAGE}/claims/file")
def show_claim_form(
    page: PageAsked, year: YearNumber, unit: UnitChosen = "", indicator: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """Show the unit's rows, with the form to claim that one does not concern it."""
    chosen = Form([("indicator", indicator)])
    return page.render(_CLAIM, menu="claims", **_context(page, year, unit, None, chosen, []))


@uploads.post(f"{YEAR_PAGE}/claims/file")
def file_claim(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """File a unit's claim that a row of its sheet does not concern it this year."""
    given, code, unit = page.given, page.code, form.text("unit")
    view = given.items(code, year)
    evidence = evidence_named(form)
    try:
        evidence = evidence_sent(page, form)
        said = {
            "unit": unit,
            "indicator": form.text("indicator"),
            "grounds": form.text("grounds"),
            "evidence": evidence,
        }
        wish = command_sent(FileClaim, said)
        given.refuse_foreign(code, year, wish.unit)
        given.refuse_unseen_files(code, form.key, wish.evidence)
        ledger = given.jurisdictions.known_ledger(code)
        receipts = given.record(ledger, form.key, lambda on, attempt: on.file_claim(attempt, year, wish))
    except REFUSED as refused:
        shown = _known_name(view, unit)
        return page.refuse(_CLAIM, refused, menu="claims", **_context(page, year, shown, None, form, evidence))
    return _filed(page, year, "claims", receipts)


def _filed(page: Page, year: int, kinds: str, receipts: Sequence[ReceiptAnswer]) -> Response:
    view = page.given.items(page.code, year)
    recorded = recorded_answer(view, receipts, local_day(page.given.clock()))
    said = "申诉已提交。" if kinds == "appeals" else "不涉及认定申请已提交。"
    return page.redirect(f"{page.path}/{kinds}/{recorded.proceeding.id}", said)


def _appeal_context(
    page: Page, year: int, unit: str, observation: str, form: Form, evidence: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Return what the form of an appeal is made of; with points, where they were released to whoever asks."""
    try:
        scores: YearView | None = page.given.scores(page.code, year, None, None)
    except Rejection as refused:
        if refused.refusals[0].code != "scores-not-released":
            raise
        scores = None
    chosen = unit or _unit_of(page.given.items(page.code, year), observation)
    return _context(page, year, chosen, scores, form, evidence)


def _context(
    page: Page, year: int, unit: str, scores: YearView | None, form: Form, evidence: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Return what the form is made of: the units to choose among, and what the chosen one may dispute."""
    view = page.given.items(page.code, year)
    units = [one.name_on(view.as_of) for one in view.state.units.values() if view.shows(one.key)]
    chosen = unit or (units[0] if len(units) == 1 else "")
    words, today = words_of(page.scheme), local_day(page.given.clock())
    return {
        "units": units,
        "unit": chosen,
        "disputable": disputable_answer(view, scores, view.unit_of_year(chosen), today) if chosen else None,
        "phrase": lambda reading: reading_phrase(reading, words),
        "form": form,
        "evidence": evidence,
        "terms": view.state.last_terms,
    }


def _unit_of(view: YearView, observation: str) -> str:
    """Return the unit that an observation is said of; nothing where it is not shown."""
    found = [one.fact.unit for one in view.observed if one.observation == observation]
    unit = view.state.unit(found[0]) if found else None
    return "" if unit is None else unit.name_on(view.as_of)


def _known_name(view: YearView, unit: str) -> str:
    """Return the name if it is that of a unit that the view shows; else nothing, so that one is chosen anew."""
    found = view.state.unit(unit)
    return unit if found is not None and view.shows(found.key) else ""
