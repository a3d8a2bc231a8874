"""台账: all entries about a year with filters and full-text search, and each entry with its receipt and proof.

An account that speaks for a unit finds its own entries only: what it may not see is not in the view it is given, so it
is neither counted nor passed over by a cursor (see `projections.own_items`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple, cast, get_args
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Query, Response

from api.edge import JurisdictionCode, YearNumber
from api.pages import ledger_texts as texts
from api.pages.evidence_fields import visible_files
from api.pages.page import REFUSED, YEAR_PAGE, Page, PageAsked, PageRoute, attachment
from api.routes.proofs import PositionNamed
from ledger.decisions import Unit
from ledger.rejection import Refusal, Rejection, rejected
from projections.jurisdictions import Jurisdictions
from projections.ledger_entries import (
    EntriesWanted,
    Status,
    YearEntry,
    entries_of_year,
    entry_at,
    wanted_entries,
)
from projections.proofs.answers import LARGEST_POSITION, entry_bytes
from projections.proofs.receipts import ReceiptFile, receipt_file
from projections.proposals import proposals_of
from projections.scheme_files import vocabulary
from projections.searching import contains, searched_text, words_of
from projections.years import YearView

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LEDGER: Final = f"{YEAR_PAGE}/ledger"
ENTRY: Final = f"{LEDGER}/{{position}}"
PAGE_SIZE: Final = 50
LONGEST_SEARCH: Final = 200
Asked = Annotated[str, Query(max_length=500)]


_ENTRIES: Final[WeakKeyDictionary[YearView, dict[bool, list[YearEntry]]]] = WeakKeyDictionary()
"""The entries of a view, for as long as that is kept; with proposals, and without."""
_Called = tuple[tuple[Unit, ...], str]
_TEXTS: Final[WeakKeyDictionary[Jurisdictions, dict[tuple[str, int], tuple[_Called, dict[int, str]]]]] = (
    WeakKeyDictionary()
)
"""The texts by which a year's entries are found, by position; and what units and scheme they were written with."""


class Filters(NamedTuple):
    """What the form of the filters holds, as it was typed."""

    q: str = ""
    unit: str = ""
    entry: str = ""
    kind: str = ""
    row: str = ""
    actor: str = ""
    status: str = ""
    first: str = ""
    last: str = ""
    recorded_first: str = ""
    recorded_last: str = ""

    def addressed(self) -> dict[str, str]:
        """Return the parameters of the address that stand for them."""
        return {_ALIASES.get(name, name): value for name, value in self._asdict().items() if value}


_ALIASES: Final = {"first": "from", "last": "to", "recorded_first": "recorded_from", "recorded_last": "recorded_to"}


@router.get(LEDGER)
def show_ledger(
    page: PageAsked,
    jurisdiction: JurisdictionCode,
    year: YearNumber,
    q: Annotated[str, Query(max_length=LONGEST_SEARCH)] = "",
    unit: Asked = "",
    entry: Asked = "",
    kind: Asked = "",
    row: Asked = "",
    actor: Asked = "",
    status: Asked = "",
    first: Annotated[str, Query(alias="from", max_length=500)] = "",
    last: Annotated[str, Query(alias="to", max_length=500)] = "",
    recorded_first: Annotated[str, Query(alias="recorded_from", max_length=500)] = "",
    recorded_last: Annotated[str, Query(alias="recorded_to", max_length=500)] = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST_POSITION)] = None,
) -> Response:
    """Show the entries that are wanted, the newest first; `before` is the last position of the page before."""
    filters = Filters(q, unit, entry, kind, row, actor, status, first, last, recorded_first, recorded_last)
    view = page.given.items(jurisdiction, year)
    choices = _choices(view, _entries(page, view))
    shown: dict[str, Any] = {"filters": filters, "choices": choices, "texts": texts, "view": view}
    try:
        found = _found(page, view, _wanted(view, filters), words_of(q))
    except REFUSED as refused:
        nothing: list[YearEntry] = []
        return page.refuse("ledger/list.html", refused, menu="ledger", entries=nothing, count=0, next=None, **shown)
    left = (one for one in found if before is None or one.position < before)
    entries = list(islice(left, PAGE_SIZE + 1))
    after = entries[PAGE_SIZE - 1].position if len(entries) > PAGE_SIZE else None
    shown |= {"entries": entries[:PAGE_SIZE], "count": len(found), "next": after}
    if page.is_fragment:
        return page.fragment("ledger/found.html", **shown)
    return page.render("ledger/list.html", menu="ledger", **shown)


@router.get(ENTRY)
def show_entry(page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, position: PositionNamed) -> Response:
    """Show one entry with its receipt; with its exact bytes to those who may have them."""
    view, entries, entry = _entry(page, jurisdiction, year, position)
    return page.render(
        "ledger/entry.html",
        menu="ledger",
        view=view,
        entry=entry,
        texts=texts,
        visible=visible_files(page, [one.file for one in entry.evidence if one.file is not None]),
        receipt=_receipt(page, jurisdiction, entry),
        content=_content(page, jurisdiction, position),
        beside=[one for one in entries if entry.subject is not None and one.subject == entry.subject],
    )


@router.get(f"{ENTRY}/receipt")
def show_receipt(
    page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, position: PositionNamed
) -> Response:
    """Show the receipt of one entry, to be printed."""
    view, _, entry = _entry(page, jurisdiction, year, position)
    receipt = _receipt(page, jurisdiction, entry)
    return page.render("ledger/receipt.html", menu="ledger", view=view, entry=entry, texts=texts, receipt=receipt)


@router.get(f"{ENTRY}/receipt.json")
def download_receipt(
    page: PageAsked, jurisdiction: JurisdictionCode, year: YearNumber, position: PositionNamed
) -> Response:
    """Return the receipt of one entry as a file, which the page 核验 checks."""
    _, _, entry = _entry(page, jurisdiction, year, position)
    content = _receipt(page, jurisdiction, entry).model_dump_json(indent=2).encode()
    return attachment(content, "application/json", f"回执-{jurisdiction}-{position}.json")


def _entries(page: Page, view: YearView) -> list[YearEntry]:
    with_proposals = page.may("proposals.read")
    of_view = _ENTRIES.setdefault(view, {})
    if with_proposals not in of_view:
        ledger = page.given.jurisdictions.known_ledger(page.code)
        proposals = proposals_of(ledger).values() if with_proposals else ()
        of_view[with_proposals] = entries_of_year(view, proposals)
    return of_view[with_proposals]


def _found(page: Page, view: YearView, wanted: EntriesWanted, words: Sequence[str]) -> list[YearEntry]:
    found = wanted_entries(view, _entries(page, view), wanted)
    if not words:
        return found
    kept = _kept_texts(page, view)
    return [one for one in found if contains(_text(view, one, kept), words)]


def _text(view: YearView, entry: YearEntry, kept: dict[int, str]) -> str:
    """Return the text by which the entry is found: kept, except of proposals, which tell how things stand."""
    text = kept.get(entry.position)
    if text is None:
        text = searched_text(texts.searched(view, entry))
        if entry.proposal is None:
            kept[entry.position] = text
    return text


def _kept_texts(page: Page, view: YearView) -> dict[int, str]:
    """Return where texts are kept by position: as long as units and rows are called the same, they are the same."""
    if view.sight is not None:
        return {}
    of_ledgers = _TEXTS.setdefault(page.given.jurisdictions, {})
    called = (tuple(view.state.units.values()), view.state.opened()[1].digest)
    if of_ledgers.get((page.code, view.state.year), (None, {}))[0] != called:
        of_ledgers[page.code, view.state.year] = (called, {})
    return of_ledgers[page.code, view.state.year][1]


def _wanted(view: YearView, filters: Filters) -> EntriesWanted:
    """Return what is wanted; refuses all that cannot be read, together."""
    refusals: list[Refusal] = []

    def read(where: str, text: str, reading: Callable[[str], Any]) -> Any:
        if not text:
            return None
        try:
            return reading(text)
        except Rejection as refused:
            refusals.extend(refused.refusals)
        except ValueError:
            refusals.append(Refusal("field-invalid", where, f"found {text[:80]!r}, expected a day as YYYY-MM-DD"))
        return None

    wanted = EntriesWanted(
        unit=read("unit", filters.unit, view.unit_of_year),
        kind=read("entry", filters.entry, lambda text: _one_of("entry", text, (*texts.GROUPS, *texts.KIND_TITLES))),
        of=read("kind", filters.kind, lambda text: _one_of("kind", text, vocabulary().kinds)),
        row=filters.row or None,
        actor=filters.actor or None,
        status=read("status", filters.status, lambda text: cast(Status, _one_of("status", text, get_args(Status)))),
        first=read("from", filters.first, date.fromisoformat),
        last=read("to", filters.last, date.fromisoformat),
        recorded_first=read("recorded_from", filters.recorded_first, date.fromisoformat),
        recorded_last=read("recorded_to", filters.recorded_last, date.fromisoformat),
    )
    if refusals:
        raise Rejection(*refusals)
    return wanted


def _one_of(where: str, text: str, known: Any) -> str:
    if text not in known:
        raise rejected("field-invalid", where, f"found {text[:80]!r}, expected one of {', '.join(known)}")
    return text


def _choices(view: YearView, entries: Sequence[YearEntry]) -> dict[str, Any]:
    """Return what the filters offer: only what whoever asks finds anything by."""
    units: dict[str, Unit] = {one.unit.key: one.unit for one in entries if one.unit is not None}
    order = [key for key in view.state.units if key in units]
    kinds = {one.fact.kind for one in entries if one.fact is not None}
    present = {one.kind for one in entries}
    grouped = {
        group: [kind for kind in texts.KIND_TITLES if kind in present and kind.startswith(f"{group}.")]
        for group in texts.GROUPS
    }
    rows = {row.id: texts.row_title(view.scheme, row.id) for group in view.scheme.groups for row in group.indicators}
    return {
        "units": [(key, units[key].name_on(view.as_of)) for key in order],
        "entries": {group: found for group, found in grouped.items() if found},
        "kinds": [(kind, known.label) for kind, known in vocabulary().kinds.items() if kind in kinds],
        "rows": list(rows.items()),
        "actors": sorted({one.actor for one in entries}),
        "statuses": [(one, texts.STATUSES[one]) for one in get_args(Status) if any(one == e.status for e in entries)],
    }


def _entry(page: Page, code: str, year: int, position: int) -> tuple[YearView, list[YearEntry], YearEntry]:
    """Return the entry and all beside it; refuses a position whose entry is not to be seen, as if it were not there."""
    view = page.given.items(code, year)
    page.given.refuse_foreign_position(code, position)
    entries = _entries(page, view)
    return view, entries, entry_at(entries, position)


def _receipt(page: Page, code: str, entry: YearEntry) -> ReceiptFile:
    return receipt_file(
        page.given.proofs(code),
        code,
        entry.position,
        entry.wire,
        entry.recorded_at,
        entry.actor,
        with_entry=page.may("entries.read"),
    )


def _content(page: Page, code: str, position: int) -> str | None:
    """Return the entry's bytes as a text laid out for reading, to those who may have them."""
    if not page.may("entries.read"):
        return None
    content = json.loads(entry_bytes(page.given.proofs(code), position))
    return json.dumps(content, ensure_ascii=False, indent=2)
