"""Closing a year, and what was frozen beside what is so now.

A close freezes the sheets as they were at one ledger position. They are worked out before the close is recorded, and
the ledger takes the close only while it still has that length; else they are worked out again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Final

from ledger.appends import LedgerGrown
from ledger.commands import Attempt, Frozen, Receipt
from ledger.events import AppealDecided, ClaimDecided, Event, YearReopened
from ledger.rejection import rejected
from projections.answer_models import ReceiptAnswer
from projections.jurisdictions import Closing, Jurisdictions
from projections.proceedings.frozen_sheets import frozen_bytes
from projections.proceedings.models import (
    ClosedAnswer,
    ClosingAnswer,
    ClosingsAnswer,
    FrozenUnit,
    PendingRows,
    ReopeningAnswer,
)
from projections.proceedings.proceedings import Proceeding, open_proceedings, proceedings_of
from projections.years import Recorded, YearView
from schemes.exact import plain
from schemes.sheets import Sheet

ATTEMPTS: Final = 20
Standing = tuple[str, int, str | None]
"""A unit's total, rank and grade."""


def close_year(jurisdictions: Jurisdictions, code: str, year: int, attempt: Attempt, reason: str) -> list[Receipt]:
    """Freeze all sheets as recorded and close the year with them; refuses a year that is closed already.

    Raises Rejection (`ledger-busy`) when something else was recorded each time that the sheets had been worked out.
    """
    ledger = jurisdictions.known_ledger(code)
    for _ in range(ATTEMPTS):
        view = jurisdictions.view(code, year)
        try:
            return ledger.close_year(attempt, year, Frozen(view.position, frozen_bytes(view)), reason)
        except LedgerGrown:
            continue
    message = f"something was recorded during each of {ATTEMPTS} attempts to close the year {year}; try again"
    raise rejected("ledger-busy", "ledger", message)


def closed_answer(jurisdictions: Jurisdictions, code: str, year: int, receipt: ReceiptAnswer) -> ClosedAnswer:
    """Return what closing the year recorded, and what it left undecided then."""
    found = closings_answer(jurisdictions, code, year).closings
    closing = next(one for one in found if one.position == receipt.position)
    return ClosedAnswer(receipt=receipt, closing=closing)


def closings_answer(jurisdictions: Jurisdictions, code: str, year: int) -> ClosingsAnswer:
    """Return every close of the year, with what it froze beside what is so now."""
    view = jurisdictions.view(code, year)
    found = jurisdictions.closings(code, year)
    movers = _movers(jurisdictions, code, view, found[0].position) if found else []
    return ClosingsAnswer(
        jurisdiction=code,
        year=year,
        position=view.position,
        closed=view.state.closed_at is not None,
        days_to_file=view.state.last_terms.days_to_file,
        days_to_decide=view.state.last_terms.days_to_decide,
        closings=[
            _closing(jurisdictions, code, view, number, closing, movers) for number, closing in enumerate(found, 1)
        ],
    )


def frozen_document(jurisdictions: Jurisdictions, code: str, year: int, number: int) -> bytes:
    """Return the document of the year's close of that number, from 1; refuses a number there is none of."""
    found = jurisdictions.closings(code, year)
    if not 1 <= number <= len(found):
        raise rejected("unknown-closing", "number", f"found {number}, expected one of the year's {len(found)} closes")
    return jurisdictions.document(code, found[number - 1].event.sheets)


def _movers(
    jurisdictions: Jurisdictions, code: str, view: YearView, after: int
) -> list[tuple[Proceeding, Recorded, set[str]]]:
    """Return the decisions recorded after the position, each with the units whose standing it changed."""
    moved = []
    for one in proceedings_of(view):
        decision = one.decision
        if decision is not None and decision.position > after and _may_change_scores(decision.event):
            year = view.state.year
            before = _standings(jurisdictions.view(code, year, position=decision.position - 1))
            behind = _standings(jurisdictions.view(code, year, position=one.last_position))
            units = {unit for unit, standing in behind.items() if before.get(unit) != standing}
            moved.append((one, decision, units))
    return moved


def _may_change_scores(event: Event) -> bool:
    return bool(event.orders) if isinstance(event, AppealDecided) else isinstance(event, ClaimDecided) and event.granted


def _closing(
    jurisdictions: Jurisdictions,
    code: str,
    view: YearView,
    number: int,
    closing: Closing,
    movers: Sequence[tuple[Proceeding, Recorded, set[str]]],
) -> ClosingAnswer:
    then = jurisdictions.view(code, view.state.year, position=closing.event.position)
    since = [(one, units) for one, decision, units in movers if decision.position > closing.position]
    now = _standings(view)
    sheets = closing.frozen.sheets
    return ClosingAnswer(
        number=number,
        position=closing.position,
        ledger_position=closing.event.position,
        recorded_at=closing.event.recorded_at.astimezone(UTC),
        actor=closing.event.actor,
        reason=closing.event.reason,
        scheme=closing.event.scheme,
        sheets=closing.event.sheets,
        open_proceedings=[str(one.state.id) for one in open_proceedings(then)],
        pending=[
            PendingRows(unit=sheet["unit"], indicators=sheet["pending"])
            for sheet in sheets.values()
            if sheet["pending"]
        ],
        reopened=_reopening(view, closing.position),
        units=[
            _frozen_unit(key, sheet, now.get(key), [str(one.state.id) for one, units in since if key in units])
            for key, sheet in sheets.items()
        ],
    )


def _frozen_unit(key: str, sheet: Mapping[str, Any], now: Standing | None, decisions: list[str]) -> FrozenUnit:
    frozen = (sheet["total"], sheet["rank"], sheet["grade"])
    total, rank, grade = now or (None, None, None)
    return FrozenUnit(
        unit=sheet["unit"],
        key=key,
        group=sheet["group"],
        frozen_total=frozen[0],
        frozen_rank=frozen[1],
        frozen_grade=frozen[2],
        total=total,
        rank=rank,
        grade=grade,
        changed=frozen != now,
        decisions=decisions,
    )


def _reopening(view: YearView, position: int) -> ReopeningAnswer | None:
    """Return the first reopening after the position: a year that is closed can be followed by nothing else."""
    for one in view.turns:
        if one.position > position and isinstance(one.event, YearReopened):
            event = one.event
            return ReopeningAnswer(
                recorded_at=event.recorded_at.astimezone(UTC), actor=event.actor, reason=event.reason
            )
    return None


def _standings(view: YearView) -> dict[str, Standing]:
    return {unit: _standing(sheet) for unit, sheet in view.sheets().items()}


def _standing(sheet: Sheet) -> Standing:
    return plain(sheet.total), sheet.rank, sheet.grade
