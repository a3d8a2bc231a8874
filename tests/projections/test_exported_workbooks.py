"""Exported workbooks: their cells held against golden texts, and never a formula of what people wrote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ledger.commands import Amend, Observe, Rectify, Void
from ledger.events import Attributes, Changes, Evidence
from projections.workbooks.exports.score_sheets import score_sheets
from projections.workbooks.exports.tables import history, ledger, ranking
from projections.workbooks.files import address, read_sheets
from projections.workbooks.observations.importing import BOUNDS
from projections.years import YearView
from tests.projections.conftest import CODE, EVIDENCE, County

GOLDEN = Path(__file__).with_name("golden_workbooks")
UNIT = "福城街道"
WRITERS: dict[str, Callable[[YearView], bytes]] = {
    "sheets": lambda view: score_sheets(view, [view.unit(UNIT)]),
    "ranking": ranking,
    "history": lambda view: history(view, view.unit(UNIT)),
    "ledger": ledger,
}
HOSTILE = ("=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(1)", "{=1}", "\t=1", "http://example.com/")


@pytest.fixture
def view(county: County) -> YearView:
    """A year with a deduction, a bonus, a judgement, a correction, a void and a rectification."""
    first = county.observe(note="第一季度通报")
    county.observe(day=date(2021, 4, 6), count=2)
    gone = county.observe(day=date(2021, 5, 8))
    county.observe(kind="judgement", day=date(2021, 12, 1), attributes={"indicator": "1.2", "value": "3.5"})
    county.observe(unit="大桥街道", kind="adoption", day=date(2021, 6, 1), attributes={"level": "provincial"})
    county.ledger.amend(
        county.attempt(),
        first,
        Amend(changes=Changes(occurred_on=date(2021, 3, 2)), reason="日期有误", evidence=EVIDENCE),
    )
    county.ledger.void(county.attempt(), gone, Void(reason="重复登记", evidence=EVIDENCE))
    county.ledger.rectify(county.attempt(), first, Rectify(on=date(2021, 3, 9)))
    return county.jurisdictions.view(CODE, 2021)


def _text(data: bytes) -> str:
    lines = []
    for name, sheet in read_sheets(data, "x.xlsx", frozenset(), BOUNDS).items():
        lines += [f"{address(name, *place)}\t{value!r}" for place, value in sorted(sheet.cells.items())]
        lines += [f"{name}\tmerged {first}-{last}" for first, last in sorted(sheet.merged)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", WRITERS)
def test_an_exported_workbook_says_what_its_golden_text_says(view: YearView, name: str) -> None:
    assert _text(WRITERS[name](view)) == (GOLDEN / f"{name}.txt").read_text("utf-8")


def _remarks(view: YearView) -> dict[str, str]:
    """The remarks of the unit's sheet by the number of their row, or by the name of a sum."""
    [sheet] = read_sheets(score_sheets(view, [view.unit(UNIT)]), "x.xlsx", frozenset(), BOUNDS).values()
    cells = sheet.cells
    return {
        str(cells.get((at, 4), cells.get((at, 1)))): str(text) for (at, across), text in cells.items() if across == 7
    }


def test_remarks_say_what_a_rows_own_bounds_left_out_so_that_they_add_up(county: County) -> None:
    county.observe(count=7)
    remarks = _remarks(county.jurisdictions.view(CODE, 2021))
    assert "扣7分" in remarks["2.2"]
    assert remarks["2.2"].endswith("\n以上合计超出本项上下限2分，不计")
    assert "以上合计" not in remarks["p1"]


def test_sums_say_what_their_caps_made_of_them(county: County) -> None:
    county.observe(kind="adoption", count=2, attributes={"level": "provincial", "topic": "experience"})
    remarks = _remarks(county.jurisdictions.view(CODE, 2021))
    assert remarks["加分"] == "各项合计20，封顶后计10"
    assert remarks["总分"].startswith("各项合计110，封顶后计100；有")
    assert not {"基础分", "扣分"} & remarks.keys()


def test_a_sheet_and_a_history_cite_what_a_correction_rests_on_too(county: County) -> None:
    first = county.observe()
    second = (Evidence(title="更正说明", document="樟府办字〔2021〕9号"),)
    wish = Amend(changes=Changes(count=2), reason="次数有误", evidence=second)
    county.ledger.amend(county.attempt(), first, wish)
    view = county.jurisdictions.view(CODE, 2021)
    cited = "通报（樟府办字〔2021〕8号）；更正说明（樟府办字〔2021〕9号）"
    assert cited in _remarks(view)["2.2"]
    assert cited in _text(history(view, view.unit(UNIT))).partition("更正与作废")[0]


@pytest.mark.parametrize("name", WRITERS)
def test_no_cell_of_an_export_is_a_formula_whatever_people_wrote(county: County, name: str) -> None:
    for at, hostile in enumerate(HOSTILE):
        said = hostile.strip()
        evidence = (Evidence(title=said, document=said, locator=said),)
        attributes: Attributes = {"level": "municipal", "subject": "website", "period": "other", "issue": said}
        wish = Observe(
            unit=UNIT,
            kind="circular",
            occurred_on=date(2021, 3, 1 + at),
            attributes=attributes,
            evidence=evidence,
            note=said,
        )
        county.ledger.observe(county.attempt(), 2021, [wish])
    sheets = read_sheets(WRITERS[name](county.jurisdictions.view(CODE, 2021)), "x.xlsx", frozenset(), BOUNDS)

    assert [mark for sheet in sheets.values() for mark in sheet.marks.values()] == []
    texts = [value for sheet in sheets.values() for value in sheet.cells.values() if isinstance(value, str)]
    if name == "ledger":
        assert {said.strip() for said in HOSTILE} <= set(texts)


def test_the_same_year_gives_the_same_bytes(view: YearView) -> None:
    assert all(write(view) == write(view) for write in WRITERS.values())


def test_units_whose_names_no_sheet_may_have_get_sheets_of_their_own(county: County) -> None:
    long = "某某市某某新区管理委员会办公室（党政综合部）第一分理处"
    for at, name in enumerate((f"{long}/甲?", f"{long}/甲*")):
        county.ledger.join_unit(county.attempt(), 2021, name, "township", date(2021, 1, 2 + at), "新设")
    view = county.jurisdictions.view(CODE, 2021)
    sheets = read_sheets(score_sheets(view, view.units), "x.xlsx", frozenset(), BOUNDS)
    assert len(sheets) == len(view.units)
