"""The document that a close freezes: every unit's sheet as recorded, in canonical JSON, kept by its SHA-256.

It is written once and never read differently: its shape carries a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ledger.canonical import canonical_bytes, read_json
from projections.cases import sheet_as_json
from projections.years import LastGrade, LastGrades, YearView

FORMAT: Final = "mingzhang/frozen-sheets/1"
LARGEST: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class FrozenSheets:
    """What was frozen: the ledger position it was worked out at, and each unit's sheet by the unit's key.

    A sheet has the fields of an example case's `expect`, with `unit` (the name on the last day) and `group`.
    """

    year: int
    position: int
    sheets: Mapping[str, Mapping[str, Any]]

    @property
    def grades(self) -> LastGrades:
        """Each unit's grade, with its key and the name that it had on the last day."""
        graded = [LastGrade(key, sheet["unit"], sheet["grade"]) for key, sheet in self.sheets.items()]
        return LastGrades(self.year, graded)


def frozen_bytes(view: YearView) -> bytes:
    """Return the document that freezes the view, which is one of the period's last day."""
    _, scheme = view.state.opened()
    found = view.sheets()
    content = {
        "format": FORMAT,
        "jurisdiction": view.scheme.jurisdiction.code,
        "year": view.state.year,
        "as_of": view.as_of.isoformat(),
        "position": view.position,
        "scheme": scheme.model_dump(mode="json"),
        "sheets": [
            {"unit": unit.name_on(view.as_of), "key": unit.key, "group": unit.group, **sheet_as_json(found[unit.key])}
            for unit in view.units
        ],
    }
    return canonical_bytes(content, LARGEST)


def frozen_sheets(document: bytes) -> FrozenSheets:
    """Return what the document froze; raises ValueError for another format than this program knows."""
    content = cast("dict[str, Any]", read_json(document, LARGEST))
    if content.get("format") != FORMAT:
        raise ValueError(f"expected frozen sheets of format {FORMAT}, got {content.get('format')!r}")
    sheets = {sheet["key"]: sheet for sheet in content["sheets"]}
    return FrozenSheets(content["year"], content["position"], sheets)
