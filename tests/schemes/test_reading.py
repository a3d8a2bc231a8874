"""Broken scheme files: each says, in the file itself, the messages it must give."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from projections.scheme_files import shipped, source, vocabulary
from schemes.consistency import notes
from schemes.problem import InvalidInput
from schemes.reading import read_scheme, read_vocabulary

BAD = sorted(Path(__file__).with_name("bad").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_broken_scheme_gives_all_its_errors(path: Path) -> None:
    text = path.read_text("utf-8")
    expected = [line.removeprefix("# expected: ") for line in text.splitlines() if line.startswith("# expected: ")]
    with pytest.raises(InvalidInput) as refused:
        read_scheme(text, path.name, vocabulary())
    assert [str(problem) for problem in refused.value.problems] == expected


@pytest.mark.parametrize("scheme_id", shipped())
def test_a_shipped_scheme_reads_back_as_it_was_written(scheme_id: str) -> None:
    scheme = read_scheme(source(scheme_id), scheme_id, vocabulary())
    assert scheme.id == scheme_id
    assert type(scheme).model_validate(scheme.model_dump(by_alias=True, mode="json")) == scheme


def test_labels_that_do_not_add_up_are_notes_and_nothing_else() -> None:
    found = {scheme_id: notes(read_scheme(source(scheme_id), scheme_id, vocabulary())) for scheme_id in shipped()}
    assert {scheme_id: len(listed) for scheme_id, listed in found.items()} == {
        "changshu-2020": 0,
        "langxi-2019": 2,
        "linyi-2023": 0,
        "yanjiang-2021": 0,
        "zhangshu-2021": 2,
    }
    assert found["zhangshu-2021"][0] == (
        "township: 政府信息公开 is printed with 55 points, its 11 rows add up to 50; the rows are used"
    )


def test_a_vocabulary_grows_without_code_and_states_each_code_once() -> None:
    text = files("schemes").joinpath("vocabulary.yaml").read_text("utf-8")
    grown = read_vocabulary(text + "  village_affairs: 村务公开\n", "vocabulary.yaml")
    assert grown.items == vocabulary().items | {"village_affairs": "村务公开"}
    assert grown.read("omission", {"item": "village_affairs"}) == ({"item": "village_affairs"}, ())
    with pytest.raises(InvalidInput) as refused:
        read_vocabulary(text + "  annual_report: 年报\n", "vocabulary.yaml")
    assert [problem.code for problem in refused.value.problems] == ["scheme-duplicate-field"]
