"""Sheets, rankings, histories and lists: worked examples told over HTTP, and tags that change when they must."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from projections.scheme_files import source
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County, observation

CASE = json.loads((files("schemes") / "cases" / "zhangshu-2021-void-and-amend.json").read_text("utf-8"))


def told(county: County, entries: list[dict[str, Any]]) -> None:
    """Record a case's entries at their moments, as a county's office would."""
    names: dict[str, str] = {}
    for entry in entries:
        county.clock.set(entry["recorded_at"])
        match entry["entry"]:
            case "observe":
                said = {name: entry[name] for name in ("unit", "kind", "occurred_on", "attributes")}
                names[entry["id"]] = county.record(count=entry.get("count", 1), **said)
            case "amend":
                body = {"changes": entry["changes"], "reason": "复核"}
                county.post(f"{HERE}/observations/{names[entry['observation']]}/amend", body)
            case "void":
                body = {"reason": entry["reason"], "evidence": EVIDENCE}
                county.post(f"{HERE}/observations/{names[entry['observation']]}/void", body)
            case other:
                raise AssertionError(f"expected an entry of this case's kinds, got {other}")


@pytest.fixture
def told_county(new_county: County) -> County:
    new_county.clock.set("2021-01-04T09:00:00+08:00")
    new_county.open()
    told(new_county, CASE["entries"])
    return new_county


@pytest.mark.parametrize(
    "query", [query for query in CASE["queries"] if "without" not in query], ids=lambda query: query["why"]
)
def test_a_sheet_as_of_a_day_and_as_known_at_a_moment(told_county: County, query: dict[str, Any]) -> None:
    asked = {name: query[name] for name in ("as_of", "known_at") if name in query}
    for unit, expected in query["expect"].items():
        sheet = told_county.get(f"{YEAR}/sheets/{unit}", **asked)
        values = {row["indicator"]: row["value"] for row in sheet["rows"]}
        assert {row: values[row] for row in expected["indicators"]} == expected["indicators"]
        fields = [name for name in expected if name != "indicators"]
        assert {name: sheet[name] for name in fields} == {name: expected[name] for name in fields}
        assert sheet["as_of"] == asked.get("as_of", "2021-12-31")


def test_a_history_adds_up_to_the_total_and_names_what_was_corrected(told_county: County) -> None:
    history = told_county.get(f"{YEAR}/history/{OTHER}")
    sheet = told_county.get(f"{YEAR}/sheets/{OTHER}")

    assert sum(Decimal(line["effective"]) for line in history["lines"]) == Decimal(history["total"])
    assert history["total"] == sheet["total"] == history["lines"][-1]["running_total"]
    [amendment] = history["amendments"]
    assert (amendment["before"]["count"], amendment["after"]["count"], amendment["reason"]) == (3, 1, "复核")
    [voided] = history["voided"]
    assert (voided["reading"]["kind"], voided["reason"]) == ("omission", "目录已于5月10日更新，检查看错了页面")
    lines = [line for line in history["lines"] if line["indicator"] == "3.2"]
    assert [(line["day"], line["nominal"], line["effective"]) for line in lines] == [
        ("2021-09-10", "-2", "-2"),
        ("2021-11-05", "-2", "0"),
        ("2021-11-05", "-2", "-2"),
    ]
    assert [line["swallowed_by"] for line in lines] == [[], ["maximum"], []]
    assert lines[0]["evidence"] == [EVIDENCE[0] | {"file": None, "url": None, "locator": None}]


def test_a_late_reply_nobody_recorded_names_the_request_it_comes_from(county: County) -> None:
    received = county.record(kind="request_received", occurred_on="2021-04-06", attributes={"request": "12号"})

    [row] = [row for row in county.get(f"{YEAR}/sheets/{UNIT}")["rows"] if row["indicator"] == "1.11"]
    [line] = [line for line in county.get(f"{YEAR}/history/{UNIT}")["lines"] if line["indicator"] == "1.11"]

    # 20 working days after 6 April 2021, with May Day's days off and the working days made up for them: due on 6 May.
    assert (line["day"], line["fact"]["kind"], row["value"]) == ("2021-05-07", "late_reply", "0")
    assert line["fact"]["derived_from"] == [received]
    assert line["fact"]["observation"] is None
    assert line["evidence"][0]["title"] == EVIDENCE[0]["title"]


def test_a_ranking_has_every_unit_of_every_group(told_county: County) -> None:
    ranking = told_county.get(f"{YEAR}/ranking")
    sheets = told_county.get(f"{YEAR}/sheets")["sheets"]

    places = {place["unit"]: place for group in ranking["groups"] for place in group["places"]}
    assert {sheet["unit"]: (sheet["total"], sheet["rank"], sheet["grade"]) for sheet in sheets} == {
        unit: (place["total"], place["rank"], place["grade"]) for unit, place in places.items()
    }
    assert places[OTHER]["rank"] == 19
    for group in ranking["groups"]:
        totals = [Decimal(place["total"]) for place in group["places"]]
        assert totals == sorted(totals, reverse=True)


READS = [
    f"{YEAR}/sheets",
    f"{YEAR}/sheets/{UNIT}",
    f"{YEAR}/ranking",
    f"{YEAR}/history/{UNIT}",
    f"{YEAR}/observations",
]


@pytest.mark.parametrize("path", READS)
def test_an_unchanged_view_is_not_sent_again_and_a_new_observation_changes_it(county: County, path: str) -> None:
    first = county.client.get(path)
    tag = first.headers["etag"]
    again = county.client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    county.record()
    after = county.client.get(path, headers={"If-None-Match": tag})

    assert first.headers["cache-control"] == "private, no-cache"
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert after.status_code == 200
    assert after.headers["etag"] != tag


def test_every_view_has_a_tag_of_its_own(county: County) -> None:
    asked = [*READS, f"{YEAR}/ranking?as_of=2021-06-30", f"{YEAR}/ranking?known_at=2022-01-01T00:00:00Z"]
    tags = [county.client.get(path).headers["etag"] for path in asked]

    assert len(set(tags)) == len(asked)
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


@pytest.mark.parametrize(
    "path",
    ["/api/v1/jurisdictions", HERE, YEAR, f"{YEAR}/units", f"{YEAR}/schemes", "/api/v1/vocabulary", "/api/v1/schemes"],
)
def test_other_reads_are_tagged_by_their_content(county: County, path: str) -> None:
    tag = county.client.get(path).headers["etag"]

    assert county.client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_chinese_is_sent_as_it_is_written(county: County) -> None:
    assert UNIT.encode() in county.client.get(f"{YEAR}/sheets/{UNIT}").content
    assert "福成街道".encode() in county.client.get(f"{YEAR}/sheets/福成街道").content


def test_observations_are_listed_page_by_page_in_the_order_they_were_recorded(county: County) -> None:
    wishes = [observation(occurred_on=f"2021-03-{31 - day:02}") for day in range(7)]
    receipts = county.post(f"{YEAR}/observations/batch", {"observations": wishes}).json()

    found: list[str] = []
    cursor: dict[str, str] = {}
    pages = 0
    while True:
        page = county.get(f"{YEAR}/observations", limit=3, **cursor)
        pages += 1
        found += [one["observation"] for one in page["observations"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
        if pages == 1:
            county.record(occurred_on="2021-01-01")

    assert pages == 3
    assert found[:7] == [receipt["observation"] for receipt in receipts]
    assert len(found) == 8


def test_observations_are_found_by_how_they_read_now(county: County) -> None:
    kept = county.record(occurred_on="2021-02-01")
    moved = county.record(occurred_on="2021-03-01")
    gone = county.record(occurred_on="2021-04-01")
    stale = county.record(kind="stale", attributes={"channel": "website", "days": 40}, occurred_on="2021-05-01")
    county.post(f"{HERE}/observations/{moved}/amend", {"changes": {"unit": OTHER}, "reason": "更正"})
    county.post(f"{HERE}/observations/{gone}/void", {"reason": "撤销", "evidence": EVIDENCE})

    def found(**wanted: str) -> list[str]:
        page = county.get(f"{YEAR}/observations", **wanted)
        return [one["observation"] for one in page["observations"]]

    assert found() == [kept, moved, gone, stale]
    assert found(unit=OTHER) == [moved]
    assert found(kind="stale") == [stale]
    assert found(status="void") == [gone]
    assert found(status="counts", unit=UNIT) == [kept, stale]
    assert found(**{"from": "2021-03-01", "to": "2021-04-01"}) == [moved, gone]


def test_units_join_leave_and_change_their_names(county: County) -> None:
    reason = {"reason": "批复"}
    county.post(f"{YEAR}/units", {"unit": "城北新区", "group": "township", "on": "2021-07-01"} | reason)
    county.post(f"{YEAR}/units/{OTHER}/leave", {"on": "2021-07-01"} | reason)
    county.post(f"{YEAR}/units/{UNIT}/rename", {"name": "福城新街道", "on": "2021-07-01"} | reason)
    county.record(unit="福城新街道", occurred_on="2021-08-01")

    def township(day: str) -> list[str]:
        groups = county.get(f"{YEAR}/ranking", as_of=day)["groups"]
        return [place["unit"] for group in groups if group["group"] == "township" for place in group["places"]]

    assert {UNIT, OTHER} <= set(township("2021-06-30"))
    assert {"城北新区", "福城新街道"} <= set(township("2021-07-01"))
    assert {UNIT, OTHER}.isdisjoint(township("2021-07-01"))
    renamed = next(unit for unit in county.get(f"{YEAR}/units") if unit["key"] == UNIT)
    assert (renamed["name"], renamed["names"]) == ("福城新街道", [{"since": "2021-07-01", "name": "福城新街道"}])
    by_old_name = county.get(f"{YEAR}/sheets/{UNIT}")
    assert (by_old_name["unit"], by_old_name["key"]) == ("福城新街道", UNIT)
    assert next(row["value"] for row in by_old_name["rows"] if row["indicator"] == "2.2") == "4"


def test_an_adopted_scheme_counts_from_now_on_and_not_before(county: County) -> None:
    county.record()
    before = county.get(f"{YEAR}/sheets/{UNIT}")
    county.clock.set("2022-01-10T09:00:00+08:00")
    revised = source("zhangshu-2021").replace('version: "1"', 'version: "2"', 1).replace("full: 100", "full: 99", 1)
    adopted = county.post(f"{YEAR}/schemes", {"document": revised, "reason": "修订"})

    assert [receipt["event"] for receipt in adopted.json()] == ["scheme.registered/1", "year.scheme_adopted/1"]
    versions = county.get(f"{YEAR}/schemes")
    assert [(one["scheme"]["version"], one["in_force"]) for one in versions] == [("1", False), ("2", True)]
    assert county.get(f"{YEAR}/sheets/{UNIT}")["scheme"]["version"] == "2"
    then = county.get(f"{YEAR}/sheets/{UNIT}", known_at="2022-01-01T00:00:00+08:00")
    assert {**then, "position": 0, "known_at": None} == {**before, "position": 0, "known_at": None}


def test_a_year_is_opened_with_units_of_ones_own(new_county: County) -> None:
    groups = [{"id": "township", "units": ["甲镇", "乙镇"]}, {"id": "department", "units": ["丙局"]}]
    opened = new_county.post(f"{HERE}/years", {"scheme": "zhangshu-2021", "groups": groups})

    assert opened.status_code == 201
    assert [unit["name"] for unit in new_county.get(f"{YEAR}/units")] == ["甲镇", "乙镇", "丙局"]
    [jurisdiction] = new_county.get("/api/v1/jurisdictions")
    assert (jurisdiction["code"], jurisdiction["name"]) == ("360982", "江西省宜春市樟树市")
    assert [year["year"] for year in jurisdiction["years"]] == [2021]
    assert new_county.get(f"{HERE}/years") == jurisdiction["years"] == [new_county.get(YEAR)]


def test_shipped_schemes_are_shown_with_their_findings_and_as_written(county: County) -> None:
    listed = {scheme["id"]: scheme for scheme in county.get("/api/v1/schemes")["schemes"]}

    assert list(listed) == ["changshu-2020", "langxi-2019", "linyi-2023", "yanjiang-2021", "zhangshu-2021"]
    assert listed["langxi-2019"]["findings"][0]["code"] == "lint-label-sum"
    assert county.get("/api/v1/schemes/langxi-2019/summary") == listed["langxi-2019"]
    written = county.client.get("/api/v1/schemes/langxi-2019/document")
    assert written.headers["content-type"] == "application/yaml"
    assert written.text == source("langxi-2019")
    assert county.get("/api/v1/schemes/langxi-2019")["jurisdiction"]["code"] == "341821"
    assert county.get("/api/v1/scheme-format")["title"] == "Scheme"
    assert county.get("/api/v1/vocabulary")["kinds"]["circular"]["label"] == "被通报"
