"""A scheme adopted after a renaming may say which units a row is for by their new names."""

from __future__ import annotations

from datetime import date

import pytest

from projections.jurisdictions import scheme_version
from projections.scheme_files import source
from projections.years import YearView
from tests.projections.conftest import CODE, County

ROW = 'id: "2.2"\n'
NEW_MEDIA = {"level": "municipal", "subject": "new_media", "period": "monthly"}
ON = date(2021, 6, 1)


def _second_version(applies_to: str) -> str:
    """Both lists name the unit anew, and the township's row 2.2 is for the units stated."""
    text = source("zhangshu-2021").replace('version: "1"', 'version: "2"').replace("福城街道", "福城新区")
    assert ROW in text
    return text.replace(ROW, f"{ROW}        applies_to: {applies_to}\n", 1)


def _has_row(county: County, unit: str) -> bool:
    view = county.jurisdictions.view(CODE, 2021)
    rows = view.sheets()[view.unit(unit).key].score.rows
    return "2.2" in {row.indicator.id for row in rows}


def _touched(view: YearView) -> set[str]:
    lines = view.history(view.unit("福城新区")).lines
    return {line.indicator.id for line in lines if line.indicator is not None}


@pytest.mark.parametrize(
    ("applies_to", "renamed_has_it", "other_has_it"),
    [("{only: [福城新区]}", True, False), ("{all_but: [福城新区]}", False, True)],
)
def test_rows_apply_by_a_name_the_unit_got_this_year(
    county: County, applies_to: str, renamed_has_it: bool, other_has_it: bool
) -> None:
    scheme, version = scheme_version(_second_version(applies_to), "second")
    county.ledger.rename_unit(county.attempt(), 2021, "福城街道", "福城新区", ON, "更名")
    county.ledger.adopt_scheme(county.attempt(), 2021, version, "更名")
    assert _has_row(county, "福城新区") is _has_row(county, "福城街道") is renamed_has_it
    assert _has_row(county, "大桥街道") is other_has_it
    assert county.jurisdictions.view(CODE, 2021).scheme == scheme


def test_a_history_sees_the_same_rows_as_the_sheet(county: County) -> None:
    _, version = scheme_version(_second_version("{all_but: [福城新区]}"), "second")
    county.observe(day=date(2021, 3, 1), attributes=NEW_MEDIA)
    county.ledger.rename_unit(county.attempt(), 2021, "福城街道", "福城新区", ON, "更名")
    view = county.jurisdictions.view(CODE, 2021)
    assert _touched(view) == {"2.2", "p1"}
    county.ledger.adopt_scheme(county.attempt(), 2021, version, "更名")
    view = county.jurisdictions.view(CODE, 2021)
    assert _touched(view) == {"p1"}
