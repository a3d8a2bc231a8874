"""Broken scheme files: each says, in the file itself, the messages it must give."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from projections.scheme_files import shipped, source, vocabulary
from schemes.problem import InvalidInput
from schemes.reading import read_scheme, read_vocabulary
from schemes.scheme import Scheme

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


@pytest.mark.parametrize("hidden", [r"\n", r"\e[2K", r"\ud800", r"\u202e", r"\u2028", r"\u200b"])
def test_no_text_of_a_scheme_holds_what_cannot_be_seen(hidden: str) -> None:
    text = source("zhangshu-2021")
    with pytest.raises(InvalidInput) as refused:
        read_scheme(text.replace("name: 江西省宜春市樟树市", f'name: "樟树市{hidden}"', 1), "x.yaml", vocabulary())
    [problem] = refused.value.problems
    assert (problem.code, problem.where.split()[1]) == ("scheme-hidden-character", "jurisdiction.name")


def test_a_note_may_have_several_lines() -> None:
    text = source("zhangshu-2021")
    noted = re.sub("note: .*", lambda _: r'note: "两行\n说明"', text, count=1)
    assert noted != text
    assert "两行\n说明" in {row.note for row in read_scheme(noted, "x.yaml", vocabulary()).groups[0].indicators}


def test_a_vocabulary_grows_without_code_and_states_each_code_once() -> None:
    text = files("schemes").joinpath("vocabulary.yaml").read_text("utf-8")
    grown = read_vocabulary(text + "  village_affairs: 村务公开\n", "vocabulary.yaml")
    assert grown.items == vocabulary().items | {"village_affairs": "村务公开"}
    assert grown.read("omission", {"item": "village_affairs"}) == ({"item": "village_affairs"}, ())
    with pytest.raises(InvalidInput) as refused:
        read_vocabulary(text + "  annual_report: 年报\n", "vocabulary.yaml")
    assert [problem.code for problem in refused.value.problems] == ["scheme-duplicate-field"]


def _bomb(levels: int) -> str:
    """Each line names the one before nine times over."""
    lines = ["a0: &a0 [x]", *(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, levels))]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("a: &a [*a]", "scheme-alias-cycle", "x.yaml:1 a[0]"),
        ("a: &a\n  b: *a", "scheme-alias-cycle", "x.yaml:1 a.b"),
        ("[" * 5000, "scheme-too-deep", "x.yaml:1"),
        ("- " * 3000 + "x", "scheme-too-deep", "x.yaml:1"),
        ("{" * 5000, "scheme-too-deep", "x.yaml:1"),
        ("? " * 3000, "scheme-too-deep", "x.yaml:1"),
        (_bomb(30), "scheme-too-many-values", None),
        ("id: sample\n? [a, b]\n: 1", "scheme-field-name", "x.yaml:2"),
        ("base: &b {id: a}\nother:\n  <<: *b", "scheme-duplicate-field", "x.yaml:3 other.<<"),
    ],
)
def test_a_text_that_would_keep_the_reader_busy_is_refused_with_its_place(
    text: str, code: str, where: str | None
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_scheme(text, "x.yaml", vocabulary())
    [problem] = refused.value.problems
    assert problem.code == code
    assert where in (None, problem.where)


def test_values_may_be_shared_and_nested_within_the_bounds() -> None:
    text = source("zhangshu-2021") + "\nshared: &s [1, 2]\nagain: *s\n"
    with pytest.raises(InvalidInput) as refused:
        read_scheme(text, "x.yaml", vocabulary())
    assert [problem.code for problem in refused.value.problems] == ["scheme-extra-forbidden"] * 2
    with pytest.raises(InvalidInput) as refused:
        read_scheme("id: " + "[" * 45 + "]" * 45, "x.yaml", vocabulary())
    assert {problem.code for problem in refused.value.problems} == {"scheme-missing", "scheme-string-type"}


def test_a_number_too_long_to_read_is_refused_like_any_other() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_scheme(source("zhangshu-2021").replace("full: 100", f"full: {'9' * 6000}"), "x.yaml", vocabulary())
    assert [problem.code for problem in refused.value.problems] == ["scheme-value-error"]


@pytest.mark.parametrize(
    ("year", "code"),
    [
        ("99999", "scheme-less-than-equal"),
        ("1989", "scheme-greater-than-equal"),
        ("2022", "scheme-year-outside-period"),
        ("2020", "scheme-year-outside-period"),
    ],
)
def test_a_year_is_bounded_and_has_days_in_the_period(year: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_scheme(source("zhangshu-2021").replace("year: 2021", f"year: {year}"), "x.yaml", vocabulary())
    assert [(problem.code, problem.where) for problem in refused.value.problems] == [(code, "x.yaml:14 year")]


def test_fields_that_stand_twice_are_told_with_what_else_is_wrong() -> None:
    twice = source("zhangshu-2021") + '\nversion: "2"\n'
    wrong_type = twice.replace("full: 100", "full: -1")
    inconsistent = twice.replace("year: 2021", "year: 2022")
    found = []
    for text in (wrong_type, inconsistent):
        with pytest.raises(InvalidInput) as refused:
            read_scheme(text, "x.yaml", vocabulary())
        found.append([problem.code for problem in refused.value.problems])
    assert found == [
        ["scheme-duplicate-field", "scheme-greater-than-equal"],
        ["scheme-duplicate-field", "scheme-year-outside-period"],
    ]


@pytest.fixture(scope="module")
def written() -> Draft202012Validator:
    schema = Scheme.model_json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$schema"]
    return Draft202012Validator(schema)


def _as_json(scheme_id: str) -> Any:
    return json.loads(json.dumps(yaml.safe_load(source(scheme_id)), default=str))


@pytest.mark.parametrize("scheme_id", shipped())
def test_a_shipped_scheme_validates_against_the_json_schema(scheme_id: str, written: Draft202012Validator) -> None:
    assert [error.message for error in written.iter_errors(_as_json(scheme_id))] == []


def test_the_json_schema_asks_for_a_start_except_in_penalty_rows(written: Draft202012Validator) -> None:
    document = _as_json("zhangshu-2021")
    rows = document["groups"][0]["indicators"]
    base = next(row for row in rows if row.get("section", "base") == "base")
    penalty = next(row for row in rows if row.get("section") == "penalty")
    penalty.pop("start", None)
    assert written.is_valid(document)
    del base["start"]
    assert not written.is_valid(document)
