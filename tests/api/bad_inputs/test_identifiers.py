"""Names that look like another, or like nothing: no unit but one that the year has, and none that hides anything."""

from __future__ import annotations

import json

import pytest

from tests.api.bad_inputs.refusals import refusal, sent
from tests.api.county import UNIT, YEAR, County, observation

INVALID = "field-invalid"
NAMES: dict[str, tuple[str, str]] = {
    "empty": ("", INVALID),
    "a space": (" ", INVALID),
    "a space behind": (f"{UNIT} ", INVALID),
    "a space before": (f" {UNIT}", INVALID),
    "an ideographic space behind": (f"{UNIT}\u3000", INVALID),
    "a no-break space before": (f"\u00a0{UNIT}", INVALID),
    "a line end": (f"{UNIT}\n", INVALID),
    "a carriage return": (f"{UNIT}\r", INVALID),
    "a tab": ("福城\t街道", INVALID),
    "a line separator": ("福城\u2028街道", INVALID),
    "a next line": ("福城\u0085街道", INVALID),
    "a zero-width space": (f"{UNIT}\u200b", INVALID),
    "a zero-width joiner": ("福城\u200d街道", INVALID),
    "a word joiner": ("福城\u2060街道", INVALID),
    "a soft hyphen": ("福城\u00ad街道", INVALID),
    "a byte order mark": (f"\ufeff{UNIT}", INVALID),
    "right to left override": (f"\u202e{UNIT}", INVALID),
    "left to right mark": (f"{UNIT}\u200e", INVALID),
    "an isolate": (f"\u2066{UNIT}\u2069", INVALID),
    "an Arabic letter mark": (f"{UNIT}\u061c", INVALID),
    "a tag character": (f"{UNIT}\U000e0061", INVALID),
    "an interlinear annotation": (f"\ufff9{UNIT}", INVALID),
    "a variation selector": (f"{UNIT}\ufe00", INVALID),
    "a supplementary variation selector": (f"{UNIT}\U000e0100", INVALID),
    "a grapheme joiner": (f"{UNIT}\u034f", INVALID),
    "a Hangul filler": (f"{UNIT}\u3164", INVALID),
    "a half-width Hangul filler": (f"{UNIT}\uffa0", INVALID),
    "a Mongolian variation selector": (f"{UNIT}\u180b", INVALID),
    "a space within": ("福城 街道", "unknown-unit"),
    "a no-break space within": ("福城\u00a0街道", "unknown-unit"),
    "an ideographic space within": ("福城\u3000街道", "unknown-unit"),
    "another character that looks alike": ("褔城街道", "unknown-unit"),
    "a traditional character": ("福城街道".replace("街", "衖"), "unknown-unit"),
    "a radical for its character": ("福城街⻌道", "unknown-unit"),
    "a compatibility ideograph": ("福\u2f1f城街道", "unknown-unit"),
    "a combining accent": (f"{UNIT}\u0301", "unknown-unit"),
    "a percent sign": ("福城%", "unknown-unit"),
    "an underscore": ("_城街道", "unknown-unit"),
    "climbing": (f"../{UNIT}", "unknown-unit"),
    "a parent": ("..", "unknown-unit"),
    "a backslash": (f"..\\{UNIT}", "unknown-unit"),
    "an encoded slash": (f"%2e%2e%2f{UNIT}", "unknown-unit"),
    "an encoded NUL": (f"{UNIT}%00", "unknown-unit"),
    "a wire name": ("observation.observed/1", "unknown-unit"),
    "SQL": ("'; DROP TABLE events;--", "unknown-unit"),
    "SQL that is true": (f"{UNIT}' OR '1'='1", "unknown-unit"),
    "a template": ("{{7*7}}", "unknown-unit"),
    "a format": ("{0.__class__}%s%n", "unknown-unit"),
    "a script": ("<script>alert(1)</script>", "unknown-unit"),
    "a shell": ("$(touch x)`touch y`", "unknown-unit"),
    "a formula": ('=HYPERLINK("https://example.com")', "unknown-unit"),
    "long": ("福" * 501, INVALID),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_only_looks_like_a_units_is_none(shared: County, name: str) -> None:
    unit, code = NAMES[name]
    before = shared.size()

    assert refusal(sent(shared, json.dumps(observation(unit=unit)).encode())) == (422, code, "unit")
    assert shared.size() == before


HIDING = [name for name, (_, code) in NAMES.items() if code == INVALID]


@pytest.mark.parametrize("name", HIDING)
def test_no_unit_can_be_given_a_name_that_hides_something(shared: County, name: str) -> None:
    joins = {"unit": NAMES[name][0], "group": "township", "on": "2021-07-01", "reason": "批复"}
    renames = {"name": NAMES[name][0], "on": "2021-07-01", "reason": "批复"}
    before = shared.size()

    assert refusal(sent(shared, json.dumps(joins).encode(), f"{YEAR}/units")) == (422, INVALID, "unit")
    renamed = sent(shared, json.dumps(renames).encode(), f"{YEAR}/units/{UNIT}/rename")
    assert refusal(renamed) == (422, INVALID, "name")
    assert shared.size() == before


ALIKE = {
    "a space within": "福城 街道",
    "a no-break space within": "福城\u00a0街道",
    "an ideographic space within": "福城\u3000街道",
    "full-width letters": "ＡＢＣ",
    "other capitals": "abc",
    "a Kangxi radical": "大桥街道".replace("大", "\u2f24"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_no_unit_can_be_given_a_name_that_looks_like_anothers(shared: County, name: str) -> None:
    known = shared.client.post(
        f"{YEAR}/units",
        json={"unit": "ABC", "group": "township", "on": "2021-07-01", "reason": "批复"},
        headers={"Idempotency-Key": "ABC"},
    )
    assert known.status_code == 201
    before = shared.size()
    body = {"unit": ALIKE[name], "group": "township", "on": "2021-07-01", "reason": "批复"}

    assert refusal(sent(shared, json.dumps(body).encode(), f"{YEAR}/units")) == (409, "unit-name-taken", "unit")
    assert shared.size() == before
