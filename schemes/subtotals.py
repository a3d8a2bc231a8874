"""From the values of a sheet's rows to its sections and its total: caps, gate, rows that do not apply, weights.

The contract's §2 in numbers: section sums with their caps and gate → base + bonus, capped where the scheme says
so, minus penalty, never below the floor. In a staged scheme the caps of sections hold inside a stage, a stage's
sum is floored at 0 and weighed, and the scheme's cap and floor are put on the weighed total.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from schemes.exact import ZERO, rounded_half_up
from schemes.rules import Basis
from schemes.scheme import Indicator, Scheme, Stage


@dataclass(frozen=True, slots=True)
class Subtotals:
    """The sections of one sheet or stage, capped, and what they were before.

    `base_rows`, `bonus_rows` and `penalty_rows` are the plain sums; `gated` says that the bonus did not count
    because its gate was not reached. `penalty` is positive.
    """

    base: Decimal
    bonus: Decimal
    penalty: Decimal
    base_rows: Decimal
    bonus_rows: Decimal
    penalty_rows: Decimal
    gated: bool

    @property
    def capped(self) -> Decimal:
        """What caps and gate have kept from the sheet: lost bonus, and penalty that was not taken."""
        return (self.bonus_rows - self.bonus) - (self.penalty_rows - self.penalty)

    def of(self, basis: Basis) -> Decimal:
        """Return the subtotal of that name."""
        match basis:
            case "base":
                return self.base
            case "base+bonus":
                return self.base + self.bonus
            case "base-penalty":
                return self.base - self.penalty
            case "base+bonus-penalty":
                return self.base + self.bonus - self.penalty


Row = tuple[Indicator, Decimal]


def subtotals(scheme: Scheme, stage: Stage | None, rows: Iterable[Row], left_out: Sequence[Indicator]) -> Subtotals:
    """Return the sections of a sheet from its rows' values; `left_out` are the rows that do not apply."""
    sums = {"base": ZERO, "bonus": ZERO, "penalty": ZERO}
    applying = ZERO
    for row, value in rows:
        sums[row.section] += value
        if row.section == "base":
            applying += row.points
    base = _adjusted(scheme, stage, sums["base"], applying, left_out)
    bonus = _capped(sums["bonus"], scheme.bonus_cap)
    penalty = _capped(-sums["penalty"], scheme.penalty_cap)
    gated = False
    if scheme.bonus_gate is not None:
        open_gate = Subtotals(base, bonus, penalty, ZERO, ZERO, ZERO, False)
        gated = open_gate.of(scheme.bonus_gate.basis) < scheme.bonus_gate.at_least
    return Subtotals(base, ZERO if gated else bonus, penalty, sums["base"], sums["bonus"], -sums["penalty"], gated)


def _adjusted(
    scheme: Scheme, stage: Stage | None, base: Decimal, applying: Decimal, left_out: Sequence[Indicator]
) -> Decimal:
    missing = [row.points for row in left_out if row.section == "base"]
    full = stage.full if stage else scheme.full
    if not missing or scheme.not_applicable == "drop":
        return base
    if scheme.not_applicable == "rescale":
        if not applying:
            return base
        return rounded_half_up(Fraction(base) * Fraction(full) / Fraction(applying))
    return base + max(ZERO, min(sum(missing, ZERO), full - applying))


def _capped(value: Decimal, cap: Decimal | None) -> Decimal:
    return value if cap is None else min(value, cap)


def total(scheme: Scheme, sections: Sequence[Subtotals]) -> Decimal:
    """Return the total of a sheet, or of the weighed stages, before any veto."""
    if scheme.stages:
        weighed = (
            stage.weight * max(ZERO, part.base + part.bonus - part.penalty)
            for stage, part in zip(scheme.stages, sections, strict=True)
        )
        result = _capped(sum(weighed, ZERO), scheme.cap)
    elif scheme.cap_after == "bonus":
        result = _capped(sections[0].base + sections[0].bonus, scheme.cap) - sections[0].penalty
    else:
        result = _capped(sections[0].base + sections[0].bonus - sections[0].penalty, scheme.cap)
    return result if scheme.floor is None else max(result, scheme.floor)


def unbounded_total(scheme: Scheme, sections: Sequence[Subtotals]) -> Decimal:
    """Return the weighed sum of the sections without cap, floor or veto."""
    weights = [stage.weight for stage in scheme.stages] or [Decimal(1)]
    parts = zip(weights, sections, strict=True)
    return sum((weight * (part.base + part.bonus - part.penalty) for weight, part in parts), ZERO)
