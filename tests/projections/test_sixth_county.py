"""A made-up county, encoded by following the guide: its workbook, its scheme file and its cases hold together."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections.cases import differences, read_case, replay
from projections.scheme_files import load_file, vocabulary
from projections.workbooks.importing import import_workbook
from schemes.linting.lint import lint

EXAMPLES = Path(__file__).parents[1] / "examples"
SCHEME = EXAMPLES / "shilixian-2024.yaml"
CASES = sorted(EXAMPLES.glob("shilixian-2024-*.json"))


def test_the_workbook_gives_the_scheme_file() -> None:
    workbook = SCHEME.with_suffix(".xlsx")
    imported = import_workbook(workbook.read_bytes(), workbook.name, vocabulary())
    assert imported.text == SCHEME.read_text("utf-8")


def test_it_has_25_rows_in_two_groups_that_add_up_to_100() -> None:
    scheme = load_file(SCHEME)
    base = [[row.points for row in group.indicators if row.section == "base"] for group in scheme.groups]
    assert [len(group.indicators) for group in scheme.groups] == [13, 12]
    assert [sum(points) for points in base] == [100, 100]


def test_what_the_lint_finds_is_accepted_with_a_reason() -> None:
    found = lint(load_file(SCHEME), vocabulary())
    assert [(finding.code, bool(finding.accepted)) for finding in found] == [
        ("lint-rows-for-some-units", True),
        ("lint-kinds-unused", True),
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_comes_out_as_worked_out_by_hand(path: Path) -> None:
    case = read_case(path.read_bytes(), path.name)
    assert all(query.why and query.expect for query in case.queries)
    assert differences(case, replay(case, load_file(SCHEME), vocabulary())["results"]) == []


def test_it_uses_what_no_shipped_scheme_needs() -> None:
    scheme = load_file(SCHEME)
    rules = [rule for group in scheme.groups for row in group.indicators for rule in row.rules]
    assert {"proportional", "by_value"} <= {rule.effect for rule in rules}
    assert len(CASES) == 4
