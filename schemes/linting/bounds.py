"""Bounds of a whole sheet that can never matter: caps of sections and of the total, gates, thresholds, grades."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product

from schemes.exact import ZERO, plain
from schemes.linting.finding import Finding, Spot, row_spots, staged_rows
from schemes.linting.reach import Bound, Reach, total_of
from schemes.rules import Basis, IfTotal, PriorGrade
from schemes.scheme import Group, Indicator, Scheme, Section, Stage, VetoSubtotal
from schemes.subtotals import Subtotals, subtotals, unbounded_total
from schemes.wording import basis_phrase, points_phrase

Best = tuple[Subtotals, ...] | None
"""The highest sections that a unit can have, stage by stage; null where there is no bound."""


def bounds_findings(scheme: Scheme) -> Iterator[Finding]:
    """Yield the bounds of the sheet that nothing can reach in any group, and thresholds out of reach in a group."""
    best = {group.id: _best(scheme, group) for group in scheme.groups}
    yield from _section_cap(scheme, "bonus", "bonus_cap", scheme.bonus_cap)
    yield from _section_cap(scheme, "penalty", "penalty_cap", scheme.penalty_cap)
    highest = _highest_total(scheme, best.values())
    if scheme.cap is not None and highest is not None and scheme.cap > highest:
        yield Spot().finding(
            "lint-cap-never-binds",
            f"the cap {plain(scheme.cap)} is above the highest total that can be reached, {plain(highest)}",
            f"总分封顶{points_phrase(scheme.cap)}，高于可能达到的最高总分{points_phrase(highest)}，不会起作用",
            "cap",
        )
    yield from _gate(scheme, best.values())
    yield from _grades(scheme, highest)
    yield from _unknown_grades(scheme)
    for spot, group, row in row_spots(scheme):
        for at, rule in enumerate(row.rules):
            if isinstance(rule, IfTotal):
                yield from _threshold(spot, rule, at, _best(scheme, _without_thresholds(group)))


def _best(scheme: Scheme, group: Group) -> list[Best]:
    """Return the best of each set of rows that units of the group have."""
    found = []
    for applying in _applying(group):
        parts = [
            _best_part(scheme, stage, [row for row in rows if row.id in applying], rows)
            for stage, rows in staged_rows(scheme, group)
        ]
        known = tuple(part for part in parts if part is not None)
        found.append(known if len(known) == len(parts) else None)
    return found


def _applying(group: Group) -> set[frozenset[str]]:
    """Return each set of rows that some unit of the group has."""
    return {frozenset(row.id for row in group.indicators if row.applies(unit)) for unit in group.units}


def _without_thresholds(group: Group) -> Group:
    """Return the group as a threshold on a subtotal sees it: none of them gives anything."""
    rows = (
        row.model_copy(update={"rules": tuple(rule for rule in row.rules if not isinstance(rule, IfTotal))})
        for row in group.indicators
    )
    return group.model_copy(update={"indicators": tuple(rows)})


def _best_part(
    scheme: Scheme, stage: Stage | None, applying: Sequence[Indicator], rows: Sequence[Indicator]
) -> Subtotals | None:
    ungated = scheme.model_copy(update={"bonus_gate": None})
    values = []
    for row in applying:
        highest = Reach(row).highest
        if highest is None:
            if row.section != "bonus" or scheme.bonus_cap is None:
                return None
            highest = scheme.bonus_cap
        values.append((row, highest))
    return subtotals(ungated, stage, values, [row for row in rows if row not in applying])


def _highest_total(scheme: Scheme, best: Iterable[Sequence[Best]]) -> Bound:
    """Return the highest total before the cap; null where it has no bound."""
    totals = [None if one is None else unbounded_total(scheme, one) for group in best for one in group]
    known = [total for total in totals if total is not None]
    return max(known) if known and len(known) == len(totals) else None


def _section_cap(scheme: Scheme, section: Section, name: str, cap: Bound) -> Iterator[Finding]:
    """A section's cap matters when the rows that one unit has in one stage can add up to more."""
    if cap is None:
        return
    most: Decimal = ZERO
    for group in scheme.groups:
        for (_, rows), applying in product(staged_rows(scheme, group), _applying(group)):
            sums = total_of(_size(row) for row in rows if row.section == section and row.id in applying)
            if sums is None or sums >= cap:
                return
            most = max(most, sums)
    yield Spot().finding(
        "lint-cap-never-binds",
        f"{name} {plain(cap)} is above all that the {section} rows of a group can add up to, {plain(most)}",
        f"{'加分封顶' if section == 'bonus' else '扣分限额'}{points_phrase(cap)}，"
        f"高于各项合计的最大值{points_phrase(most)}，不会起作用",
        name,
    )


def _size(row: Indicator) -> Bound:
    reach = Reach(row)
    return reach.highest if row.section == "bonus" else None if reach.lowest is None else -reach.lowest


def _gate(scheme: Scheme, best: Iterable[Sequence[Best]]) -> Iterator[Finding]:
    gate = scheme.bonus_gate
    if gate is None:
        return
    reached = [
        one is None or any(part.of(gate.basis) >= gate.at_least for part in one) for group in best for one in group
    ]
    if not any(reached):
        yield Spot().finding(
            "lint-threshold-out-of-reach",
            f"no unit can reach the bonus gate: {gate.basis} of at least {plain(gate.at_least)}",
            f"{basis_phrase(gate.basis)}达到{points_phrase(gate.at_least)}才计加分，没有单位能够达到",
            "bonus_gate",
        )


def _threshold(spot: Spot, rule: IfTotal, at: int, best: Sequence[Best]) -> Iterator[Finding]:
    reached = (one is None or any(part.of(rule.basis) >= rule.at_least for part in one) for one in best)
    if not any(reached):
        yield spot.finding(
            "lint-threshold-out-of-reach",
            f"no unit can reach {rule.basis} of at least {plain(rule.at_least)}",
            f"{basis_phrase(rule.basis)}达到{points_phrase(rule.at_least)}，没有单位能够达到",
            "rules",
            at,
            "at_least",
        )


def _grades(scheme: Scheme, highest: Bound) -> Iterator[Finding]:
    limits = [bound for bound in (highest, scheme.cap) if bound is not None]
    for at, band in enumerate(scheme.bands):
        if limits and band.at_least is not None and band.at_least > min(limits):
            yield Spot().finding(
                "lint-threshold-out-of-reach",
                f"the grade {band.grade} starts at {plain(band.at_least)}, "
                f"the highest total that can be reached is {plain(min(limits))}",
                f"等次“{band.grade}”自{points_phrase(band.at_least)}起，可能达到的最高总分为{points_phrase(min(limits))}",
                "bands",
                at,
            )
    for at, veto in enumerate(scheme.vetoes):
        when = veto.when
        if not isinstance(when, VetoSubtotal):
            continue
        lowest = scheme.floor if when.basis == "total" else _lowest(scheme, when.basis)
        if lowest is not None and when.below <= lowest:
            named = "the total" if when.basis == "total" else when.basis
            yield Spot().finding(
                "lint-threshold-out-of-reach",
                f"the veto {veto.id} fires below {plain(when.below)}, {named} never falls below {plain(lowest)}",
                f"否决情形“{veto.title}”以{basis_phrase(when.basis)}低于{points_phrase(when.below)}为条件，"
                f"{basis_phrase(when.basis)}不会低于{points_phrase(lowest)}",
                "vetoes",
                at,
            )


def _lowest(scheme: Scheme, basis: Basis) -> Bound:
    """Return a bound that the subtotal never falls below, whichever rows a claim takes out; null without one."""
    groups = [
        total_of(_part_below(scheme, rows, basis) for _, rows in staged_rows(scheme, group)) for group in scheme.groups
    ]
    known = [one for one in groups if one is not None]
    return min(known) if len(known) == len(groups) else None


def _part_below(scheme: Scheme, rows: Sequence[Indicator], basis: Basis) -> Bound:
    base = _sum_below(rows, "base")
    if base and scheme.not_applicable == "rescale":
        return None  # What lies below 0 is scaled by as much as claims leave.
    bonus = _sum_below(rows, "bonus") if "+bonus" in basis else ZERO
    penalty = _sum_below(rows, "penalty") if "-penalty" in basis else ZERO
    if scheme.penalty_cap is not None:
        penalty = -scheme.penalty_cap if penalty is None else max(penalty, -scheme.penalty_cap)
    return total_of((base, bonus, penalty))


def _sum_below(rows: Iterable[Indicator], section: Section) -> Bound:
    """Return what the rows of a section take it below 0 by at most; null without bound."""
    lowest = [Reach(row).lowest for row in rows if row.section == section]
    return total_of(None if one is None else min(one, ZERO) for one in lowest)


def _unknown_grades(scheme: Scheme) -> Iterator[Finding]:
    """A grade stated once only is most likely misspelt: that of a veto, and that of the year before."""
    quotas = [group.quotas for group in scheme.groups if group.quotas is not None]
    shared = [grade for one in quotas for grade in (one.top.grade, one.middle, one.bottom.grade)]
    known = [*(band.grade for band in scheme.bands), *shared]
    by_veto = [veto.grade for veto in scheme.vetoes if veto.grade is not None]
    if not known:
        return
    for at, veto in enumerate(scheme.vetoes):
        if veto.grade is not None and veto.grade not in known and by_veto.count(veto.grade) == 1:
            yield _unknown_grade(Spot(), veto.grade, known, "vetoes", at, "grade")
    for spot, _, row in row_spots(scheme):
        for at, rule in enumerate(row.rules):
            if isinstance(rule, PriorGrade) and rule.grade not in (*known, *by_veto):
                yield _unknown_grade(spot, rule.grade, [*known, *by_veto], "rules", at, "grade")


def _unknown_grade(spot: Spot, grade: str, known: Iterable[str], *below: str | int) -> Finding:
    grades = list(dict.fromkeys(known))
    return spot.finding(
        "lint-unknown-grade",
        f"the grade {grade} stands nowhere else; the grades are {', '.join(grades)}",
        f"等次“{grade}”在别处没有出现，本方案的等次有{'、'.join(grades)}",
        *below,
    )
