"""Laws that hold for any facts under any scheme."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.scheme_files import load
from schemes.fact import Fact
from schemes.history import history
from schemes.revision import revised
from schemes.scheme import Scheme
from schemes.sheets import Sheet, Situation, default_roster, sheets
from tests.schemes.strategies import SCHEMES, a_day, facts

NO_CLAIMS: frozenset[tuple[str, str]] = frozenset()
any_scheme = pytest.mark.parametrize("name", SCHEMES)


def _sheets(scheme: Scheme, given_facts: list[Fact], day: date) -> dict[str, Sheet]:
    return sheets(Situation(scheme, default_roster(scheme), given_facts, day, NO_CLAIMS))


def _shown(found: dict[str, Sheet]) -> dict[str, object]:
    return {
        unit: (
            {row.indicator.id: row.value for row in sheet.score.rows},
            sheet.total,
            sheet.rank,
            sheet.grade,
            sorted(sheet.pending),
            sheet.lowest,
            sheet.highest,
        )
        for unit, sheet in found.items()
    }


@any_scheme
@settings(max_examples=25)
@given(data=st.data())
def test_history_adds_up_to_the_sheet(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(facts(name)), data.draw(a_day(scheme))
    found = _sheets(scheme, drawn, day)
    for unit in {fact.unit for fact in drawn}:
        told = history(Situation(scheme, default_roster(scheme), drawn, day, NO_CLAIMS), unit)
        assert sum(line.effective for line in told.lines) == told.total == found[unit].total
        values = {row.indicator.id: row.value for row in found[unit].score.rows}
        last = {line.indicator.id: line.running_indicator for line in told.lines if line.indicator}
        assert last.items() <= values.items()


@any_scheme
@settings(max_examples=25)
@given(data=st.data())
def test_order_in_the_scheme_file_does_not_matter(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(facts(name)), data.draw(a_day(scheme))
    turned = scheme.model_copy(
        update={
            "groups": tuple(
                group.model_copy(
                    update={
                        "units": group.units[::-1],
                        "indicators": tuple(
                            row.model_copy(update={"rules": row.rules[::-1]}) for row in group.indicators[::-1]
                        ),
                    }
                )
                for group in scheme.groups[::-1]
            )
        }
    )
    assert _shown(_sheets(turned, drawn[::-1], day)) == _shown(_sheets(scheme, drawn, day))


@any_scheme
@settings(max_examples=25)
@given(data=st.data())
def test_a_day_sees_only_what_had_happened(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(facts(name)), data.draw(a_day(scheme))
    happened = [fact for fact in drawn if fact.occurred_on <= day]
    assert _shown(_sheets(scheme, drawn, day)) == _shown(_sheets(scheme, happened, day))


@any_scheme
@settings(max_examples=25)
@given(data=st.data())
def test_a_circular_never_raises_the_total(name: str, data: st.DataObject) -> None:
    """No scheme rewards a circular, so one more of them can only cost."""
    scheme = load(name)
    drawn, day = data.draw(facts(name)), data.draw(a_day(scheme))
    group = data.draw(st.sampled_from(scheme.groups))
    attributes = {
        "level": data.draw(st.sampled_from(["national", "provincial", "municipal", "county"])),
        "subject": data.draw(st.sampled_from(["website", "new_media"])),
        "period": data.draw(st.sampled_from(["monthly", "quarterly"])),
    }
    circular = Fact("more", 1000, group.units[0], "circular", scheme.period.first, 1, attributes)
    before, after = (_sheets(scheme, listed, day)[group.units[0]] for listed in (drawn, [*drawn, circular]))
    assert after.total <= before.total
    assert after.rank >= before.rank


@any_scheme
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_open_lies_around_the_total(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn, day = data.draw(facts(name)), data.draw(a_day(scheme))
    for sheet in _sheets(scheme, drawn, day).values():
        assert sheet.lowest <= sheet.total <= sheet.highest
        assert (sheet.lowest == sheet.highest == sheet.total) or sheet.pending


@any_scheme
def test_an_empty_revision_differs_in_nothing(name: str) -> None:
    assert revised(load(name), []) == load(name)


@any_scheme
@settings(max_examples=25)
@given(data=st.data())
def test_facts_before_the_period_count_for_nothing_but_derivations(name: str, data: st.DataObject) -> None:
    scheme = load(name)
    drawn = data.draw(facts(name))
    early = [
        replace(fact, id=f"early-{fact.id}", position=fact.position + 500, occurred_on=date(scheme.year - 3, 6, 1))
        for fact in drawn
        if fact.kind not in ("prior_grade", "late_reply") and not fact.kind.startswith("request_")
    ]
    day = scheme.period.last
    assert _shown(_sheets(scheme, [*early, *drawn], day)) == _shown(_sheets(scheme, drawn, day))


def test_points_are_exact_to_the_last_digit() -> None:
    """A thousand tenths are a hundred: floats would miss it."""
    scheme = load("changshu-2020")
    rows = {row.indicator.id: row.value for row in _sheets(scheme, [], scheme.period.last)["市公安局"].score.rows}
    assert sum([Decimal("0.1")] * 1000) == Decimal(100) == sum(rows.values(), Decimal(0)) + 13
