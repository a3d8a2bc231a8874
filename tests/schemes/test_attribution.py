"""Which changed rule causes how much: the parts and the remainder add up, for any two versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.scheme_files import load
from schemes.comparing.differences import changes, with_changes
from schemes.exact import ZERO
from schemes.fact import Fact
from schemes.problem import InvalidInput
from schemes.questions.attribution import attribution, single_changes
from schemes.revision import Edit, revised
from schemes.scheme import Scheme
from schemes.sheets import Sheet, Situation, default_roster, sheets
from tests.schemes.strategies import SCHEMES, a_day, facts

any_scheme = pytest.mark.parametrize("name", SCHEMES)


@st.composite
def versions(draw: st.DrawFn, name: str) -> Scheme:
    """Draw another version: some parameters set, perhaps a row gone and another one double."""
    scheme = load(name)
    edits = draw(st.lists(st.sampled_from(_edits(scheme)), max_size=4, unique_by=str))
    version = revised(scheme, edits)
    group = draw(st.sampled_from(version.groups))
    rows = list(group.indicators)
    if draw(st.booleans()) and len(rows) > 1:
        rows.remove(draw(st.sampled_from(rows)))
    if draw(st.booleans()):
        rows.append(draw(st.sampled_from(rows)).model_copy(update={"id": "again"}))
    groups = [one.model_copy(update={"indicators": tuple(rows)}) if one is group else one for one in version.groups]
    return version.model_copy(update={"groups": tuple(groups), "version": "2"})


def _edits(scheme: Scheme) -> list[Edit]:
    found = [
        Edit(set={"cap": "90"}),
        Edit(set={"cap": None}),
        Edit(set={"bonus_cap": "2"}),
        Edit(set={"penalty_cap": "3"}),
        Edit(set={"floor": "60"}),
    ]
    for group in scheme.groups:
        for row in group.indicators:
            if row.section == "base":
                found.append(Edit(group=group.id, indicator=row.id, set={"points": "7"}))
            effects = sorted({rule.effect for rule in row.rules if hasattr(rule, "each")})
            found += [Edit(group=group.id, indicator=row.id, effect=one, set={"each": "4"}) for one in effects]
    return found


@any_scheme
@settings(max_examples=15)
@given(data=st.data())
def test_the_parts_and_the_remainder_add_up(name: str, data: st.DataObject) -> None:
    old, new = load(name), data.draw(versions(name))
    drawn, day = data.draw(facts(name)), data.draw(a_day(old))
    before, after = (sheets(_situation(version, drawn, day)) for version in (old, new))
    noted = changes(old, new)
    found = attribution(_situation(old, drawn, day), _situation(new, drawn, day), noted)
    assert found.changes == tuple(change for change in noted if change.scoring)
    again = attribution(
        _situation(old, drawn, day), _situation(new, drawn, day), noted, before, single_changes(old, new, noted)
    )
    assert [(unit.alone, unit.remainder) for unit in again.units] == [(u.alone, u.remainder) for u in found.units]
    single = [sheets(_situation(with_changes(old, new, [change]), drawn, day)) for change in found.changes]
    assert [unit.unit for unit in found.units] == list(before)
    for unit in found.units:
        was, becomes = before[unit.unit], after[unit.unit]
        assert unit.difference == becomes.total - was.total == sum(unit.alone, ZERO) + unit.remainder
        assert unit.alone == tuple(sheet[unit.unit].total - was.total for sheet in single)
        moved = {row.indicator.id: row for row in unit.rows}
        values = [_values(sheet) for sheet in (was, becomes, *(one[unit.unit] for one in single))]
        for name_of_row in {row for found_values in values for row in found_values}:
            old_value, new_value, *others = (one.get(name_of_row, ZERO) for one in values)
            row = moved.get(name_of_row)
            if row is None:
                assert {new_value, *others} == {old_value}
            else:
                assert row.difference == new_value - old_value == sum(row.alone, ZERO) + row.remainder
                assert row.alone == tuple(value - old_value for value in others)


@any_scheme
@settings(max_examples=8)
@given(data=st.data())
def test_an_empty_revision_is_an_empty_difference(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    situation = _situation(scheme, data.draw(facts(name)), data.draw(a_day(scheme)))
    found = attribution(situation, situation, changes(scheme, revised(scheme, [])))
    assert found.changes == ()
    assert all(
        (unit.difference, unit.remainder, unit.edge, unit.rows) == (ZERO, ZERO, None, ()) for unit in found.units
    )


def test_what_two_changes_would_take_twice_is_given_back_by_the_remainder() -> None:
    """Two circulars: 5 − 2. At 4 each 0 (−3), at 3 points 1 (−2); both: 0 (−3), and so 2 more than both alone."""
    old = load("zhangshu-2021")
    circular = {"level": "municipal", "subject": "new_media", "period": "monthly"}
    drawn = [Fact(f"o{at}", at, "福城街道", "circular", old.period.last, 1, circular) for at in (1, 2)]
    edits = [
        Edit(group="township", indicator="2.2", effect="deduct", kind="circular", set={"each": "4"}),
        Edit(group="township", indicator="2.2", set={"points": "3"}),
    ]
    new = revised(old, edits)
    found = attribution(_situation(old, drawn), _situation(new, drawn), changes(old, new))
    [unit] = [one for one in found.units if one.unit == "福城街道"]
    [row] = unit.rows
    assert row.indicator.id == "2.2"
    assert (row.before, row.after, row.difference) == (Decimal(3), Decimal(0), Decimal(-3))
    assert sorted(row.alone) == [Decimal(-3), Decimal(-2)]
    assert row.remainder == Decimal(2)


def test_a_version_for_other_groups_cannot_be_replayed() -> None:
    old, other = load("zhangshu-2021"), load("linyi-2023")
    with pytest.raises(InvalidInput, match="replay-groups"):
        attribution(_situation(old, []), _situation(other, []), changes(old, other))


def _situation(scheme: Scheme, drawn: list[Fact], day: date | None = None) -> Situation:
    return Situation(scheme, default_roster(scheme), drawn, day or scheme.period.last)


def _values(sheet: Sheet) -> Mapping[str, Decimal]:
    return {row.indicator.id: row.value for row in sheet.score.rows}
