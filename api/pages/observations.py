"""One observation: how it reads now, all that was said of it, and the forms to correct, void or rectify it.

Each form carries the version of the observation that it was shown with. Where the observation has moved since, the form
is shown again beside the newer reading, with what was typed: whoever sends it again has seen both. What was recorded
under the form's key already is the ledger's to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from starlette.status import HTTP_409_CONFLICT

from api.edge import Command, YearNumber
from api.pages.evidence_fields import command_sent, evidence_sent, visible_files
from api.pages.forms import Form, FormSent
from api.pages.observation_forms import (
    ATTRIBUTE,
    LONGEST_NOTE,
    all_fields,
    attributes_sent,
    known_values,
    units_of,
    whole_number,
)
from api.pages.page import REFUSED, YEAR_PAGE, Page, PageAsked, PageRoute, UploadRoute
from api.problems import RefusedRequest
from ledger.commands import Amend, Rectify, Void
from ledger.decisions import unknown_observation
from ledger.rejection import rejected
from projections.answer_models import EntryAnswer, ObservationAnswer, ReadingAnswer
from projections.answers import observation_answer
from projections.sentences import scheme_words
from projections.years import YearView
from schemes.problem import Problem
from schemes.vocabulary import Vocabulary

router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)
OBSERVATION_PAGE: Final = f"{YEAR_PAGE}/observations/{{observation}}"
Identifier = Annotated[UUID, Path()]
_TITLES: Final = {"observe": "登记", "amend": "更正", "void": "作废", "rectify": "整改"}


@dataclass(frozen=True)
class ObservationShown:
    """An observation as the page shows it to whoever asks."""

    page: Page
    view: YearView
    answer: ObservationAnswer

    @cached_property
    def words(self) -> Vocabulary:
        """The vocabulary with the scheme's own items."""
        return scheme_words(self.view.scheme)

    @property
    def path(self) -> str:
        """The page's address."""
        return f"{self.page.path}/observations/{self.answer.observation}"

    def reading_of(self, version: str) -> ReadingAnswer:
        """Return how it read in that version; as it reads now where it has none of that number."""
        entries = self.answer.entries[: int(version)] if version.isdecimal() and len(version) < 6 else ()
        return next((one.reading for one in reversed(entries) if one.reading is not None), self.answer.reading)

    def told(self, reading: ReadingAnswer) -> list[tuple[str, str]]:
        """Return the fields of a reading in Chinese, with their labels."""
        found = [("单位", self.unit_name(reading.unit)), ("情形", reading.label)]
        for name, attribute in self.words.kinds[reading.kind].attributes.items():
            if name in reading.attributes:
                value, known = reading.attributes[name], known_values(attribute, self.words) or {}
                texts = value if isinstance(value, list) else [str(value)]
                found.append((attribute.label, "、".join(known.get(one, one) for one in texts)))
        return [*found, ("发生日期", reading.occurred_on.isoformat()), ("数量", str(reading.count))]

    def unit_name(self, name: str) -> str:
        """Return the name of the unit on the last day."""
        unit = self.view.state.unit(name)
        return name if unit is None else unit.name_on(self.view.as_of)

    @property
    def entries(self) -> list[tuple[str, EntryAnswer, list[tuple[str, str, str]]]]:
        """All that was said of it, newest first: what it was, the entry, and what it made read otherwise."""
        found = []
        before: ReadingAnswer | None = None
        for entry in self.answer.entries:
            changed = [] if before is None or entry.reading is None else self._changed(before, entry.reading)
            before = entry.reading or before
            found.append((_TITLES[entry.entry], entry, changed))
        return found[::-1]

    def _changed(self, before: ReadingAnswer, after: ReadingAnswer) -> list[tuple[str, str, str]]:
        old, new = dict(self.told(before)), dict(self.told(after))
        return [
            (label, old.get(label, "—"), new.get(label, "—"))
            for label in {**old, **new}
            if old.get(label) != new.get(label)
        ]

    @property
    def visible(self) -> frozenset[str]:
        """The stored files that whoever asks may open."""
        named = [one.file for entry in self.answer.entries for one in entry.evidence if one.file is not None]
        return visible_files(self.page, named)


@router.get(OBSERVATION_PAGE)
def show_observation(
    page: PageAsked,
    year: YearNumber,
    observation: Identifier,
    kind: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show the observation; `kind` opens the form to correct it with the fields of that kind of facts."""
    found = _found(page, year, observation)
    form = _form_of(found, kind if kind in found.words.kinds else "")
    return page.render("observations/observation.html", menu="ledger", **_shown(found, "amend" if kind else "", form))


@uploads.post(f"{OBSERVATION_PAGE}/amend")
def amend(page: PageAsked, year: YearNumber, observation: Identifier, form: FormSent) -> Response:
    """Correct the observation: only what differs from its reading is sent."""

    def command(found: ObservationShown, evidence: Sequence[Any]) -> Command:
        changes = _changes(found, form)
        if not changes:
            raise rejected("nothing-changed", "changes", "the form says what the observation says; change a field")
        wish = command_sent(Amend, {"changes": changes, "reason": form.text("reason"), "evidence": evidence})
        return lambda on, attempt: on.amend(attempt, observation, wish)

    return _record(page, year, observation, form, "amend", command)


@uploads.post(f"{OBSERVATION_PAGE}/void")
def void(page: PageAsked, year: YearNumber, observation: Identifier, form: FormSent) -> Response:
    """Propose that the observation does not count."""

    def command(_: ObservationShown, evidence: Sequence[Any]) -> Command:
        if not evidence:
            raise rejected("field-missing", "依据", "a void needs evidence of its own")
        wish = command_sent(Void, {"reason": form.text("reason"), "evidence": evidence})
        return lambda on, attempt: on.void(attempt, observation, wish)

    return _record(page, year, observation, form, "void", command)


@uploads.post(f"{OBSERVATION_PAGE}/rectify")
def rectify(page: PageAsked, year: YearNumber, observation: Identifier, form: FormSent) -> Response:
    """Record the day on which the unit has put the matter right."""

    def command(_: ObservationShown, evidence: Sequence[Any]) -> Command:
        sent = {"on": form.text("on"), "note": form.text("note") or None, "evidence": evidence}
        wish = command_sent(Rectify, sent)
        return lambda on, attempt: on.rectify(attempt, observation, wish)

    return _record(page, year, observation, form, "rectify", command)


def _found(page: Page, year: int, observation: UUID) -> ObservationShown:
    """Return the observation; refuses one of another year, or that the account may not see, as if it were not there."""
    if page.given.jurisdictions.known_ledger(page.code).observation(observation).year != year:
        raise unknown_observation(observation)
    view = page.given.items(page.code, year)
    view.refuse_hidden(observation)
    return ObservationShown(page, view, observation_answer(view, str(observation), page.given.pending(page.code)))


def _record(
    page: Page,
    year: int,
    observation: UUID,
    form: Form,
    action: str,
    command: Callable[[ObservationShown, Sequence[Any]], Command],
) -> Response:
    found = _found(page, year, observation)
    evidence: Sequence[Any] = ()
    try:
        evidence = evidence_sent(page, form)
        _refuse_outdated(found, form)
        ledger = page.given.jurisdictions.known_ledger(page.code)
        [receipt] = page.given.record(ledger, form.key, command(found, evidence))
    except REFUSED as refused:
        shown = _shown(found, action, form, evidence)
        return page.refuse("observations/observation.html", refused, menu="ledger", **shown)
    said = f"已{_TITLES[action]}。" if receipt.observation else f"{_TITLES[action]}已提交审批，由另一人批准后生效。"
    return page.redirect(found.path, said)


def _refuse_outdated(found: ObservationShown, form: Form) -> None:
    """Refuse a form that was shown with another version, unless it is one that was recorded already."""
    version = str(found.answer.version)
    if form.text("version") == version:
        return
    page = found.page
    recorder = page.given.jurisdictions.known_ledger(page.code).ledger_recorder
    if recorder.find_key(f"{page.given.asking.account}/{form.key}") is None:
        message = f"the form was shown with version {form.text('version') or 'none'}, the observation has {version} now"
        raise RefusedRequest(HTTP_409_CONFLICT, Problem("page-outdated", "version", message))


def _changes(found: ObservationShown, form: Form) -> dict[str, Any]:
    """Return the fields that the form says otherwise than what it was shown with; `attributes` as a whole."""
    reading, state = found.reading_of(form.text("version")), found.view.state
    kind = form.text("kind") or reading.kind
    known = found.words.kinds.get(kind)
    sent: dict[str, Any] = {"kind": kind, "occurred_on": form.text("occurred_on"), "unit": form.text("unit")}
    now = {"kind": reading.kind, "occurred_on": reading.occurred_on.isoformat(), "unit": reading.unit}
    if state.unit(sent["unit"]) == state.unit(reading.unit):
        sent["unit"] = reading.unit
    changes = {name: value for name, value in sent.items() if value and value != now[name]}
    count = whole_number(form.text("count"))
    if count not in ("", reading.count):
        changes["count"] = count
    attributes = attributes_sent(form, known.attributes if known else {})
    if _compared(attributes) != _compared(reading.attributes):
        changes["attributes"] = attributes
    return changes


def _compared(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name: sorted(value) if isinstance(value, list) else value for name, value in attributes.items()}


def _form_of(found: ObservationShown, kind: str) -> Form:
    """Return the form that says what the observation reads."""
    reading = found.answer.reading
    fields = [
        ("unit", found.unit_name(reading.unit)),
        ("kind", kind or reading.kind),
        ("occurred_on", reading.occurred_on.isoformat()),
        ("count", str(reading.count)),
    ]
    for name, value in reading.attributes.items():
        texts = value if isinstance(value, list) else [str(value)]
        fields += [(f"{ATTRIBUTE}{name}", one) for one in texts]
    return Form(fields)


def _shown(found: ObservationShown, action: str, form: Form, evidence: Sequence[Any] = ()) -> dict[str, Any]:
    """Return what the template works with: the form of the action as it was sent, the others as they begin."""
    amending = form if action in ("", "amend") else _form_of(found, "")
    kind = amending.text("kind")
    known = kind if kind in found.words.kinds else found.answer.reading.kind
    view, page = found.view, found.page
    editable = page.may("observations.record") and found.answer.status == "counts" and view.state.closed_at is None
    return {
        "found": found,
        "action": action,
        "sent": form if action else Form(),
        "amending": amending,
        "kind": known,
        "kinds": [(code, one.label) for code, one in found.words.kinds.items()],
        "fields_of_kind": all_fields(amending, view, known),
        "units": units_of(view),
        "evidence": evidence,
        "editable": editable,
        "longest_note": LONGEST_NOTE,
        "period": view.scheme.period,
    }
