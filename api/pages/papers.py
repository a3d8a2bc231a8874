"""Official papers: the result notice, a rectification notice, the answer to an appeal, to be saved as Word or PDF.

What the ledger does not know (number, addressee, office, day) is typed into a form that is sent by GET: a paper changes
nothing, and the same address gives the same paper again while the ledger stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NamedTuple, TypeVar, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ValidationError

from api.documents.dossier_files import MEDIA_TYPES
from api.documents.paper_layout import Paper
from api.documents.papers import (
    Letterhead,
    LetterheadWithDeadline,
    PaperFormat,
    answer_paper,
    paper_file,
    rectification_paper,
    result_paper,
)
from api.edge import JurisdictionCode, YearNumber
from api.invalid_fields import model_problems
from api.pages.page import YEAR_PAGE, Page, PageAsked, PageRoute, attachment
from api.settings import Settings
from ledger.decisions import local_day
from ledger.rejection import Rejection, rejected
from projections.papers import appeal_answer, rectification_notice, result_notice
from projections.proceedings.dossiers import dossier_of, dossier_words
from projections.proceedings.proceedings import proceeding_of, proceedings_of
from schemes.problem import InvalidInput

router = APIRouter(route_class=PageRoute, include_in_schema=False)
A = TypeVar("A", bound=BaseModel)
Text = Annotated[str, Query()]
_PAPERS: Final = f"{YEAR_PAGE}/papers"


class Typed(NamedTuple):
    """The fields that every paper's form has, as they were typed."""

    number: str
    addressee: str
    issuer: str
    day: str


def _typed(number: Text = "", addressee: Text = "", issuer: Text = "", day: Text = "") -> Typed:
    return Typed(number, addressee, issuer, day)


HeadTyped = Annotated[Typed, Depends(_typed)]


@router.get(_PAPERS)
def show_papers(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber) -> Response:
    """Show the forms of the three papers."""
    return page.render("papers/papers.html", menu="papers", **_context(page, jurisdiction, year))


@router.get(f"{_PAPERS}/result.{{written}}")
def save_result(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    written: PaperFormat,
    head: HeadTyped,
    deadline: Text = "",
) -> Response:
    """Save the result notice of the year."""

    def paper() -> Paper:
        said = _letterhead(LetterheadWithDeadline, head, deadline=deadline)
        return result_paper(result_notice(page.given.jurisdictions.view(jurisdiction, year)), said)

    typed = head._asdict() | {"deadline": deadline}
    return _saved(page, jurisdiction, year, written, f"{year}年度考核结果通报", "result", typed, paper)


@router.get(f"{_PAPERS}/rectification.{{written}}")
def save_rectification(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    written: PaperFormat,
    head: HeadTyped,
    unit: Text = "",
    deadline: Text = "",
) -> Response:
    """Save what a unit has to put right; the unit is the addressee, unless another is typed."""

    def paper() -> Paper:
        view = page.given.jurisdictions.view(jurisdiction, year)
        notice = rectification_notice(view, view.unit(unit))
        addressed = head._replace(addressee=head.addressee or notice.unit)
        return rectification_paper(notice, _letterhead(LetterheadWithDeadline, addressed, deadline=deadline))

    typed = head._asdict() | {"deadline": deadline, "unit": unit}
    return _saved(page, jurisdiction, year, written, f"{year}年度整改通知（{unit}）", "rectification", typed, paper)


@router.get(f"{_PAPERS}/answer.{{written}}")
def save_answer(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    written: PaperFormat,
    head: HeadTyped,
    appeal: Text = "",
) -> Response:
    """Save the answer to a decided appeal; its unit is the addressee, unless another is typed."""

    def paper() -> Paper:
        ledgers = page.given.jurisdictions
        view = ledgers.view(jurisdiction, year)
        found = proceeding_of(view, "appeal", _identifier(appeal))
        dossier = dossier_of(ledgers, view, found, local_day(page.given.clock()))
        told = appeal_answer(dossier, dossier_words(ledgers, dossier))
        return answer_paper(told, _letterhead(Letterhead, head._replace(addressee=head.addressee or told.unit)))

    typed = head._asdict() | {"appeal": appeal}
    return _saved(page, jurisdiction, year, written, f"{year}年度申诉答复（{appeal[:8]}）", "answer", typed, paper)


def _saved(
    page: Page,
    code: str,
    year: int,
    written: PaperFormat,
    name: str,
    form: str,
    typed: Mapping[str, str],
    paper: Callable[[], Paper],
) -> Response:
    """Return the file, or the page again with what was typed and why there is none."""
    settings = cast(Settings, page.request.app.state.settings)
    try:
        content = paper_file(paper(), written, settings.template_folder, settings.font_folder)
    except (InvalidInput, Rejection) as refused:
        context = _context(page, code, year)
        context["forms"] = context["forms"] | {form: context["forms"][form] | typed}
        return page.refuse("papers/papers.html", refused, menu="papers", **context)
    return attachment(content, MEDIA_TYPES[written], f"{name}.{written}")


def _letterhead(model: type[A], typed: Typed, **others: str) -> A:
    said = {name: text for name, text in (typed._asdict() | others).items() if text}
    try:
        return model.model_validate(said)
    except ValidationError as error:
        raise InvalidInput(tuple(model_problems(error.errors(), said, model))) from None


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise rejected("unknown-appeal", "appeal", f"found {text!r}, expected the id of an appeal") from None


def _context(page: Page, code: str, year: int) -> dict[str, Any]:
    """Return what the forms offer to choose from, and what stands in them to begin with."""
    ledgers = page.given.jurisdictions
    view = ledgers.view(code, year)
    appeals = [one for one in proceedings_of(view) if one.state.kind == "appeal" and one.state.status == "decided"]
    head = {
        "number": "",
        "addressee": "",
        "issuer": view.scheme.document.issuer,
        "day": local_day(page.given.clock()).isoformat(),
        "deadline": "",
    }
    return {
        "units": [unit.name_on(view.as_of) for unit in view.units],
        "appeals": [(str(one.state.id), f"{one.state.unit}（{str(one.state.id)[:8]}）") for one in appeals],
        "forms": {
            "result": head | {"addressee": "各被考核单位"},
            "rectification": head | {"unit": ""},
            "answer": head | {"appeal": ""},
        },
    }
