"""Vetoes, ranks and grades: what a total means among the other totals of its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from schemes.exact import ZERO, whole_half_up
from schemes.fact import Fact
from schemes.scheme import Quotas, Scheme, Veto, VetoFacts, VetoSubtotal
from schemes.subtotals import Subtotals


def fired_vetoes(
    scheme: Scheme, facts: Sequence[Fact], sections: Sequence[Subtotals], total: Decimal
) -> tuple[Veto, ...]:
    """Return the vetoes whose condition the unit's facts or subtotals meet; `total` is the one before vetoes."""
    return tuple(veto for veto in scheme.vetoes if _fires(veto, facts, sections, total))


def _fires(veto: Veto, facts: Sequence[Fact], sections: Sequence[Subtotals], total: Decimal) -> bool:
    match veto.when:
        case VetoFacts():
            return bool(vetoing_facts(veto.when, facts))
        case VetoSubtotal(basis="total", below=below):
            return total < below
        case VetoSubtotal(basis=basis, below=below):
            return sum((part.of(basis) for part in sections), ZERO) < below  # type: ignore[arg-type]  # not "total"


def vetoing_facts(condition: VetoFacts, facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts that meet the condition together; an empty list when they are too few."""
    found = [fact for fact in facts if fact.kind in condition.kinds and condition.where.matches(fact)]
    if condition.same is None:
        sets = [found]
    else:
        values = dict.fromkeys(fact.attributes[condition.same] for fact in found if condition.same in fact.attributes)
        sets = [[fact for fact in found if fact.attributes.get(condition.same) == value] for value in values]
    return next((one for one in sets if sum(fact.count for fact in one) >= condition.min_count), [])


def vetoed_total(vetoes: Sequence[Veto], total: Decimal) -> Decimal:
    """Return the total a veto fixes (the lowest of several), or the total as it is."""
    return min((veto.total for veto in vetoes if veto.total is not None), default=total)


def ranks(totals: Mapping[str, Decimal]) -> dict[str, int]:
    """Return each unit's place by total, equal totals sharing the better rank (1, 2, 2, 4)."""
    ordered = sorted(totals.values(), reverse=True)
    place = {value: at + 1 for at, value in reversed(list(enumerate(ordered)))}
    return {unit: place[value] for unit, value in totals.items()}


def grades(
    scheme: Scheme, group: str, totals: Mapping[str, Decimal], vetoes: Mapping[str, Sequence[Veto]]
) -> dict[str, str | None]:
    """Return each unit's grade by band or quota; null where the scheme names none. A veto's grade wins."""
    quotas = next(one.quotas for one in scheme.groups if one.id == group)
    earned = {unit: None if quotas is None else _by_quota(quotas, total, totals) for unit, total in totals.items()}
    if scheme.bands:
        earned = {unit: _by_band(scheme, total) for unit, total in totals.items()}
    for unit, fired in vetoes.items():
        earned[unit] = next((veto.grade for veto in fired if veto.grade is not None), earned[unit])
    return earned


def _by_band(scheme: Scheme, total: Decimal) -> str | None:
    return next((band.grade for band in scheme.bands if band.at_least is None or total >= band.at_least), None)


def _by_quota(quotas: Quotas, total: Decimal, totals: Mapping[str, Decimal]) -> str:
    """A tie over an edge falls to the middle, at both ends: no end ever holds more than its share."""
    size = len(totals)
    if sum(other >= total for other in totals.values()) <= whole_half_up(Fraction(quotas.top.share) * size):
        return quotas.top.grade
    if sum(other <= total for other in totals.values()) <= whole_half_up(Fraction(quotas.bottom.share) * size):
        return quotas.bottom.grade
    return quotas.middle
