"""Recording observations: the unit, the scheme's row, what the row asks for; and what it will do, before it is saved.

The form is one form. Where there are no scripts its buttons 继续 and 预览 show it again, with what was typed and with
what depends on it; with scripts the same parts come by themselves. The key that the form was shown with decides what
is one recording: a second click on the button records nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from api.edge import YearNumber
from api.pages.evidence_fields import command_sent, evidence_sent
from api.pages.forms import Form, FormSent
from api.pages.observation_forms import (
    LONGEST_NOTE,
    Asked,
    Options,
    day_within,
    row_named,
    rows_of,
    units_of,
    whole_number,
)
from api.pages.page import REFUSED, YEAR_PAGE, Page, PageAsked, PageRoute, UploadRoute, tell
from api.problems import failure_of
from ledger.commands import Observe
from ledger.decisions import Unit, local_day
from ledger.rejection import Refusal, Rejection
from projections.answer_models import ReceiptAnswer
from projections.questions.previews import PreviewAnswer, preview
from projections.years import YearView
from schemes.exact import plain
from schemes.fact import REQUEST_KINDS
from schemes.scheme import Indicator

router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)
RECORD: Final = f"{YEAR_PAGE}/record"
BATCH: Final = f"{RECORD}/batch"
_PLACEHOLDER: Final = ({"title": "—", "document": "—"},)
_KEPT: Final = {"unit": ("unit",), "row": ("row", "kind"), "both": ("unit", "row", "kind")}
Asking = Annotated[str, Query(max_length=500)]
Positions = Annotated[str, Query(pattern=r"^([0-9]{1,15}(-[0-9]{1,15})?)?$")]


@dataclass(frozen=True)
class RecordForm:
    """The form with what was typed into it so far; `many` is the one for several units at once."""

    page: Page
    year: int
    form: Form
    many: bool

    @cached_property
    def view(self) -> YearView:
        """The year as it stands now."""
        return self.page.given.items(self.page.code, self.year)

    @cached_property
    def units(self) -> list[Unit]:
        """The units named, as far as the year has them."""
        names = self.form.texts("unit") if self.many else [self.form.text("unit")]
        found = (self.view.state.unit(name) for name in names)
        return [unit for unit in found if unit is not None and self.view.shows(unit.key)]

    @cached_property
    def asked(self) -> Asked:
        """What the chosen row asks for; in the form for several units its group is named with the row."""
        typed = self.form.text("row")
        scheme = self.view.situation.scheme
        if self.many:
            group, _, name = typed.partition("/")
            return Asked(self.form, self.view, row_named(scheme, group, None, name), group, None)
        if not self.units:
            return Asked(self.form, self.view, None, None, None)
        unit = self.units[0]
        return Asked(self.form, self.view, row_named(scheme, unit.group, unit.key, typed), unit.group, unit.key)

    @cached_property
    def rows(self) -> list[Options]:
        """The rows that can be chosen."""
        scheme, words = self.view.situation.scheme, self.asked.words
        if self.many:
            return [
                Options(f"{group.title} · {one.title}", one.options)
                for group in scheme.groups
                for one in rows_of(scheme, group.id, None, words, f"{group.id}/")
            ]
        return rows_of(scheme, self.units[0].group, self.units[0].key, words) if self.units else []

    @property
    def day(self) -> str:
        """The day typed, or today within the period."""
        return self.form.text("occurred_on") or day_within(self.view, local_day(self.page.given.clock())).isoformat()

    def missing(self, evidence: Sequence[object]) -> list[str]:
        """Return what has to be filled in yet, by label."""
        found = [] if self.units else ["单位"]
        if self.asked.row is None:
            found.append("指标")
        return [*found, *self.asked.missing(), *([] if evidence else ["依据（文号、网址或附件）"])]

    def observations(self, evidence: Sequence[Any]) -> list[Observe]:
        """Return the observations that the form says, one for each unit; refuses with every field that is wrong."""
        kind = self.asked.kind
        sent = {
            "kind": "" if kind is None else kind.kind,
            "occurred_on": self.day,
            "count": whole_number(self.form.text("count") or "1"),
            "attributes": self.asked.attributes,
            "evidence": list(evidence),
            "note": self.form.text("note") or None,
        }
        return [command_sent(Observe, {"unit": unit.name_on(self.view.as_of), **sent}) for unit in self.units]

    def shown(self, **context: Any) -> dict[str, Any]:
        """Return what the templates of the form work with."""
        return {
            "form": self.form,
            "record": self,
            "units": units_of(self.view),
            "evidence": evidence_sent(self.page, Form(self.form.fields)),
            "longest_note": LONGEST_NOTE,
            "path": f"{self.page.path}/record{'/batch' if self.many else ''}",
            "told": None,
            "wrong": [],
            "beside": False,
            "gone": [],
            "just": None,
            "closed": self.view.state.closed_at is not None,
            **context,
        }

    @property
    def template(self) -> str:
        """The page that shows the form."""
        return "recording/batch.html" if self.many else "recording/record.html"


@router.get(RECORD)
def show_record(
    page: PageAsked,
    year: YearNumber,
    unit: Asking = "",
    row: Asking = "",
    kind: Asking = "",
    on: Asking = "",
    recorded: Positions = "",
) -> Response:
    """Show the form, filled in as far as the address says; `recorded` is the position of what was just recorded."""
    typed = [("unit", unit), ("row", row), ("kind", kind), ("occurred_on", on)]
    return _show(RecordForm(page, year, Form([one for one in typed if one[1]]), many=False), recorded)


@router.get(BATCH)
def show_batch(
    page: PageAsked,
    year: YearNumber,
    row: Asking = "",
    kind: Asking = "",
    on: Asking = "",
    recorded: Positions = "",
) -> Response:
    """Show the form for one finding of several units."""
    typed = [("row", row), ("kind", kind), ("occurred_on", on)]
    return _show(RecordForm(page, year, Form([one for one in typed if one[1]]), many=True), recorded)


@uploads.post(f"{RECORD}/choose")
def choose(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """Show the form again with what the chosen unit, row and kind ask for."""
    return _again(RecordForm(page, year, form, many=False), previewing=False)


@uploads.post(f"{BATCH}/choose")
def choose_for_many(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """Show the form for several units again with what the chosen row and kind ask for."""
    return _again(RecordForm(page, year, form, many=True), previewing=False)


@uploads.post(f"{RECORD}/preview")
def preview_record(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """Show what saving the form would do."""
    return _again(RecordForm(page, year, form, many=False), previewing=True)


@uploads.post(f"{BATCH}/preview")
def preview_batch(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """Show what saving the form for several units would do."""
    return _again(RecordForm(page, year, form, many=True), previewing=True)


@uploads.post(RECORD)
def record(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """Record what the form says, and show what became of it, or the next form."""
    return _save(RecordForm(page, year, form, many=False))


@uploads.post(BATCH)
def record_batch(page: PageAsked, year: YearNumber, form: FormSent) -> Response:
    """Record the finding of all units named, or of none."""
    return _save(RecordForm(page, year, form, many=True))


def _show(record: RecordForm, recorded: str) -> Response:
    just = _just_recorded(record.view, recorded)
    return record.page.render(record.template, menu="record", **record.shown(just=just))


def _again(record: RecordForm, *, previewing: bool) -> Response:
    """Show the form again, or the parts that are asked for; files that came with it are stored and named."""
    page = record.page
    if page.is_fragment:
        if not previewing:
            return page.fragment("recording/asked.html", **record.shown())
        return page.fragment("recording/preview.html", **record.shown(**_told(record)))
    try:
        evidence = evidence_sent(page, record.form)
    except REFUSED as refused:
        return page.refuse(record.template, refused, menu="record", **record.shown())
    told = _told(record) if previewing else {}
    return page.render(record.template, menu="record", **record.shown(evidence=evidence, **told))


def _told(record: RecordForm) -> dict[str, Any]:
    """Return what is told before saving: what is missing, else what it would do, else why it would be refused."""
    typed = [name for name, value in record.form.fields if name.startswith("evidence.") and value]
    gone = record.missing(typed)
    if record.missing(_PLACEHOLDER):
        return {"gone": gone}
    try:
        told = preview(record.view, record.observations(_PLACEHOLDER))
    except REFUSED as refused:
        return {"gone": gone, "wrong": tell(failure_of(record.page.request, refused))}
    return {"gone": gone, "told": told, "beside": _is_beside(record, told)}


def _is_beside(record: RecordForm, told: PreviewAnswer) -> bool:
    """Whether what is said is nothing that the chosen row looks at."""
    row, kind = record.asked.row, record.asked.kind
    if not isinstance(row, Indicator) or (kind is not None and kind.kind in REQUEST_KINDS):
        # What a request does depends on its other dates: the row asks for it for the late reply that may come of it.
        return False
    met = {met.indicator for one in told.observations for met in one.met}
    return row.id not in met | {moved.indicator for unit in told.units for moved in unit.rows}


def _save(record: RecordForm) -> Response:
    page, form = record.page, record.form
    evidence: Sequence[Any] | None = None
    try:
        evidence = evidence_sent(page, form)
        gone = record.missing(evidence)
        if gone:
            message = "expected every field that the row asks for"
            raise Rejection(*(Refusal("field-missing", label, message) for label in gone))
        observations = record.observations(evidence)
        ledger = page.given.jurisdictions.known_ledger(page.code)
        receipts = page.given.record(
            ledger, form.key, lambda on, attempt: on.observe(attempt, record.year, observations)
        )
    except REFUSED as refused:
        stored = {} if evidence is None else {"evidence": evidence}
        return page.refuse(record.template, refused, menu="record", **record.shown(**stored))
    return _recorded(record, receipts)


def _recorded(record: RecordForm, receipts: Sequence[ReceiptAnswer]) -> Response:
    page, form = record.page, record.form
    first, last = receipts[0].position, receipts[-1].position
    if form.text("then") != "next" and not record.many and receipts[0].observation is not None:
        view = page.given.jurisdictions.view(page.code, record.year)
        scores = [f"{just.unit}现得分{just.total}。" for just in _just_recorded(view, str(first)) or () if just.total]
        said = f"已登记，台账第{first}号。{''.join(scores)}"
        return page.redirect(f"{page.path}/observations/{receipts[0].observation}", said)
    kept = _KEPT.get(form.text("keep"), ()) if form.text("then") == "next" else ()
    names = [name for name in kept if not (record.many and name == "unit")]
    query = {name: form.text(name) for name in names if form.text(name)}
    if query:
        query["on"] = record.day
    query["recorded"] = str(first) if first == last else f"{first}-{last}"
    return page.redirect(f"{page.path}/record{'/batch' if record.many else ''}?{urlencode(query)}")


@dataclass(frozen=True, slots=True)
class JustRecorded:
    """What was recorded just now: of which unit and where, its score now; without a score it waits for approval."""

    position: int
    unit: str
    total: str | None
    observation: str | None


def _just_recorded(view: YearView, positions: str) -> list[JustRecorded] | None:
    """Return what stands at these positions of the ledger; what is no observation of the year was proposed."""
    if not positions:
        return None
    first, _, last = positions.partition("-")
    span = range(int(first), min(int(last or first), int(first) + 500, view.position) + 1)
    entries = {entry.position: entry for entry in view.entries if entry.position in span}
    sheets, found = view.sheets(), []
    for position in span:
        entry = entries.get(position)
        unit = None if entry is None or entry.said.fact is None else view.state.unit(entry.said.fact.unit)
        if entry is None or unit is None or not view.shows(unit.key):
            found.append(JustRecorded(position, "", None, None))
            continue
        sheet = sheets.get(unit.key)
        total = None if sheet is None else plain(sheet.total)
        found.append(JustRecorded(position, unit.name_on(view.as_of), total, entry.observation))
    return found
