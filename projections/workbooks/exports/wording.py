"""What exported workbooks say of facts, evidence and moments, in Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ledger.decisions import CHINA
from ledger.events import Evidence
from projections.answer_models import FactAnswer
from projections.years import YearView

ENTRIES: Final = {"observe": "登记", "amend": "更正", "void": "作废", "rectify": "整改"}


def cited(evidence: Iterable[Evidence]) -> str:
    """Return the evidence: each title with its document number or address and where in it."""
    return "；".join(_one(one) for one in evidence)


def _one(evidence: Evidence) -> str:
    source = evidence.document or evidence.url or ("附件" if evidence.file else "")
    named = f"{evidence.title}（{source}）" if source and source != evidence.title else evidence.title
    return f"{named}{evidence.locator or ''}"


def evidence_of(view: YearView, fact: FactAnswer) -> list[Evidence]:
    """Return all that a fact rests on by now, each once: what it was recorded, corrected and put right with.

    A derived one rests on what it is derived from.
    """
    observations: Sequence[str] = [fact.observation] if fact.observation else fact.derived_from
    said = (one for name in observations for entry in view.entries_of(name) for one in entry.evidence)
    return list(dict.fromkeys(Evidence.model_validate(one) for one in said))


def moment(value: datetime | None) -> str:
    """Return a moment in Chinese time to the minute; empty for none."""
    return "" if value is None else value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
