"""What of a unit is to be put right: what cost it points by its history, and is not recorded as rectified by the day.

The one definition behind the overview's counts, a unit's own list and the rectification notice. Rules kept here:

1. The contract does not say which facts can be put right. Those are taken that cost points by themselves (`FINDINGS`),
   or by a veto of the total; other effects weigh a unit as a whole, and leave nothing to put right.
2. Points of a finding are those that it took from the rows of the sheet: what a cap of a section or of the total
   swallowed afterwards is a finding all the same. One that took none, because its row had none left, is no finding.
3. What was derived (a late reply) is a finding too. Nobody can record it as rectified: it is read where its sources
   are.

It looks at the whole history of a view: who may be told of it is left to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from ledger.decisions import Unit
from projections.years import YearView
from schemes.exact import ZERO
from schemes.fact import Fact
from schemes.history import HistoryLine

FINDINGS: Final = frozenset({"deduct", "forfeit", "tiers", "checklist", "milestone", "discretion"})
"""Effects by which a single fact takes points."""


class Finding(NamedTuple):
    """A fact that cost its unit points, and the lines of the history in which it did."""

    fact: Fact
    lines: Sequence[HistoryLine]


def unrectified(view: YearView, unit: Unit) -> list[Finding]:
    """Return what a unit assessed on the view's day has to put right, in the order of facts."""
    found: dict[str, Finding] = {}
    for line in view.history(unit).lines:
        fact = line.fact
        if fact is not None and fact.rectified_on is None and points_lost(line) > ZERO:
            so_far = found[fact.id].lines if fact.id in found else ()
            found[fact.id] = Finding(fact, (*so_far, line))
    return list(found.values())


def points_lost(line: HistoryLine) -> Decimal:
    """Return the points that a fact took from a row, or from the total by a veto; 0 for what is no finding."""
    if line.fact is None:
        return ZERO
    if line.indicator is None:
        return max(ZERO, -line.effective)
    effects = {line.indicator.rules[at].effect for at in line.rules}
    return max(ZERO, -line.indicator_points) if FINDINGS & effects else ZERO


def source_of(view: YearView, fact: Fact) -> str | None:
    """Return the observation that a fact is, or that it was first derived from; null where it comes from none."""
    return next((name for name in (fact.id, *fact.sources) if name in view.by_observation), None)
