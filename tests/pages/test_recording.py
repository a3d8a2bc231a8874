"""Recording by form: the row asks, the preview tells, saving records once; without scripts as with them."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.county import OTHER, UNIT, County

RECORD = "/jurisdictions/360982/years/2021/record"
OPENED = 2
"""Events of a year that has just been opened."""
FRAGMENT = {"HX-Request": "true"}
CIRCULAR: dict[str, Any] = {
    "unit": UNIT,
    "row": "2.2",
    "kind": "circular",
    "attribute.level": "municipal",
    "attribute.subject": "new_media",
    "attribute.period": "quarterly",
    "occurred_on": "2021-03-29",
    "count": "1",
    "evidence.title.0": "检查情况通报",
    "evidence.source.0": "宜府办字〔2021〕20号",
}
MONTHLY = CIRCULAR | {"row": "p1", "attribute.subject": "open_government", "attribute.period": "monthly"}


def _send(client: TestClient, path: str = "", key: str = "k1", headers: Any = None, **changes: Any) -> Any:
    base = changes.pop("base", CIRCULAR)
    fields = {name: value for name, value in {"key": key, **base, **changes}.items() if value is not None}
    return client.post(f"{RECORD}{path}", data=fields, headers=headers)


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def _preview(client: TestClient, **changes: Any) -> str:
    answer = _send(client, "/preview", headers=FRAGMENT, **changes)
    assert answer.status_code == 200, answer.text
    assert "<html" not in answer.text
    return _plain(answer.text)


def test_the_address_fills_in_the_unit_the_row_and_the_day(county: County) -> None:
    page = county.client.get(RECORD, params={"unit": UNIT, "row": "2.2", "on": "2021-03-29"}).text

    assert f'<option value="{UNIT}" data-readings="fu cheng jie dao" selected>' in page
    assert '<input type="hidden" name="kind" value="circular">' in page
    assert '<input type="hidden" name="attribute.subject" value="new_media">' in page
    assert 'value="2021-03-29"' in page
    assert 'name="attribute.item"' not in page


def test_rows_are_those_of_the_units_group_that_ask_for_something(county: County) -> None:
    township = county.client.get(RECORD, params={"unit": UNIT}).text
    department = county.client.get(RECORD, params={"unit": "市发改委"}).text

    assert '<option value="3.2"' in township
    assert "公开专区" not in department
    assert '<optgroup label="标准化规范化">' in township


def test_the_day_is_today_within_the_period(county: County) -> None:
    county.clock.set("2022-02-03T09:00:00+08:00")

    assert 'name="occurred_on" type="date" value="2021-12-31"' in county.client.get(RECORD).text


def test_choosing_without_scripts_shows_the_page_again_with_what_was_typed(county: County) -> None:
    chosen = _send(county.client, "/choose", row="3.2", kind=None, note="两处缺失")

    assert chosen.status_code == 200
    assert "<html" in chosen.text
    assert "两处缺失" in chosen.text
    assert 'value="检查情况通报"' in chosen.text
    assert "专区纸质目录" in chosen.text
    assert county.size() == OPENED


def test_choosing_with_scripts_brings_the_part_that_depends_on_it(county: County) -> None:
    part = _send(county.client, "/choose", headers=FRAGMENT, row="3.2", kind=None).text

    assert part.strip().startswith('<div id="asked">')
    assert "专区纸质目录" in part


def test_the_preview_tells_the_score_before_and_after_and_each_row_with_its_rule(county: County) -> None:
    told = _preview(county.client)

    assert f"{UNIT} 100 → 99 −1" in told
    assert "2.2 日常管理" in told
    assert "每有1次“被通报”（通报对象为政务新媒体）扣1分" in told
    assert "还缺" not in told


def test_the_preview_says_why_nothing_moves(county: County) -> None:
    level = {"level": "municipal", "subject": "open_government", "period": "monthly"}
    county.record(attributes=level, count=2)

    told = _preview(county.client, base=MONTHLY)

    assert "不影响得分：“p1 月度通报”按本条规则计的分已达上限10分，登记这一条后仍然达到上限。" in told.replace(
        " ", ""
    ).replace("p1月", "p1 月")


def test_the_preview_says_what_is_missing_and_what_needs_approval(county: County) -> None:
    evidence = {"evidence.source.0": None, "evidence.title.0": None}
    told = _preview(county.client, base=CIRCULAR | evidence | {"attribute.level": None})
    assert "还缺：层级、依据（文号、网址或附件）。" in told
    decided = {"row": "p4", "kind": "discretion", "attribute.section": "penalty", "attribute.points": "2"}
    assert "需要审批" in _preview(county.client, **decided, **{"attribute.authority": "领导小组"})


def test_the_preview_says_what_would_be_refused(county: County) -> None:
    assert "date-outside-year" in _preview(county.client, occurred_on="2022-05-01")


def test_a_row_that_moves_is_not_said_to_look_at_something_else(county: County) -> None:
    county.record(kind="request_received", occurred_on="2021-04-06", attributes={"request": "R-77"})
    asked = {"row": "1.11", "kind": "request_answered", "attribute.request": "R-77", "occurred_on": "2021-04-12"}

    told = _preview(county.client, **asked)
    assert "1.11" in told
    assert "+3" in told
    assert "所填内容不属于所选指标" not in told
    early = _preview(county.client, **asked | {"attribute.request": "R-78"})
    assert "所填内容不属于所选指标" not in early


def test_the_preview_points_to_what_was_recorded_already(county: County) -> None:
    county.record()

    assert f"同日已有相同登记（ 台账第{county.size()}号 ），请确认不是重复。" in _preview(county.client)
    assert "相同登记" not in _preview(county.client, occurred_on="2021-03-30")


def test_what_every_rule_of_the_row_looks_at_has_to_be_filled_in(new_county: County) -> None:
    assert new_county.post("/api/v1/jurisdictions/320581/years", {"scheme": "changshu-2020"}).status_code == 201
    path = "/jurisdictions/320581/years/2020/record"
    asked = {"unit": "梅李镇", "row": "b3", "kind": "publication"}
    page = new_county.client.get(path, params=asked)
    told = new_county.client.post(f"{path}/preview", data={"key": "k1", **asked}, headers=FRAGMENT)

    assert '<legend class="form-label">形式</legend>' in page.text
    assert re.search("还缺：[^。]*形式", _plain(told.text)) is not None
    bounded = new_county.client.get(path, params=asked | {"row": "3.1", "kind": "stale"})
    assert "不少于14" in bounded.text


def test_raters_are_of_other_groups(new_county: County) -> None:
    assert new_county.post("/api/v1/jurisdictions/341821/years", {"scheme": "langxi-2019"}).status_code == 201
    asked = {"unit": "建平镇", "row": "6.1"}
    page = new_county.client.get("/jurisdictions/341821/years/2019/record", params=asked).text
    raters = page.partition('name="attribute.rater"')[2].partition("</select>")[0]

    assert "县发改委" in raters
    assert "十字镇" not in raters


def test_saving_records_and_shows_the_observation(county: County) -> None:
    before = county.size()
    saved = _send(county.client, note="两周未更新")

    assert saved.status_code == 303
    assert county.size() == before + 1
    shown = _plain(county.client.get(saved.headers["location"]).text)
    assert "设区市" in shown
    assert "两周未更新" in shown
    assert "宜府办字〔2021〕20号" in shown


def test_a_form_sent_twice_records_once(county: County) -> None:
    before = county.size()
    first, second = _send(county.client), _send(county.client)

    assert first.headers["location"] == second.headers["location"]
    assert county.size() == before + 1


@pytest.mark.parametrize(
    ("keep", "kept", "dropped"),
    [("unit", ["unit="], ["row="]), ("row", ["row=2.2", "kind=circular"], ["unit="]), ("both", ["unit=", "row="], [])],
)
def test_save_and_next_keeps_what_was_chosen(county: County, keep: str, kept: list[str], dropped: list[str]) -> None:
    location = _send(county.client, then="next", keep=keep).headers["location"]

    assert all(one in location for one in kept)
    assert not any(one in location for one in dropped)
    page = _plain(county.client.get(location).text)
    assert f"已登记： {UNIT} 现为 99 分" in page


def test_what_needs_a_second_person_is_proposed_and_said(county: County) -> None:
    decided = {"row": "p4", "kind": "discretion", "attribute.section": "penalty", "attribute.points": "2"}
    location = _send(county.client, **decided, **{"attribute.authority": "领导小组"}).headers["location"]

    assert "已提交审批" in county.client.get(location).text


def test_what_is_missing_is_refused_with_everything_kept(county: County) -> None:
    refused = _send(county.client, base=CIRCULAR | {"attribute.level": None}, note="已写好的说明")

    assert refused.status_code == 422
    assert 'data-code="field-missing"' in refused.text
    assert "层级" in refused.text
    assert "已写好的说明" in refused.text
    assert 'name="key" value="k1"' in refused.text
    assert county.size() == OPENED


def test_a_note_that_is_too_long_is_refused_with_everything_kept(county: County) -> None:
    refused = _send(county.client, note="长" * 5000)

    assert refused.status_code == 422
    assert "长" * 5000 in refused.text
    assert "note" in refused.text
    assert county.size() == OPENED


@pytest.mark.parametrize("file", [None, ("截图.txt", b"1", "text/plain")])
def test_a_note_of_ten_megabytes_is_refused_and_records_nothing(county: County, file: Any) -> None:
    files = None if file is None else {"evidence.upload": file}
    refused = county.client.post(RECORD, data={"key": "k1", **CIRCULAR, "note": "a" * 10_000_000}, files=files)

    assert refused.status_code == 413
    assert "已填内容仍在" in refused.text
    assert county.size() == OPENED


def test_a_judgement_is_asked_within_its_range(county: County) -> None:
    page = county.client.get(RECORD, params={"unit": UNIT, "row": "1.2"}).text
    assert 'type="number" step="any" min="0" max="5"' in page

    judged = {"row": "1.2", "kind": "judgement", "attribute.indicator": "1.2", "attribute.value": "7"}
    refused = _send(county.client, **judged)
    assert refused.status_code == 422
    assert 'data-code="judgement-out-of-range"' in refused.text


def test_files_sent_with_the_form_are_stored_and_kept_when_it_is_refused(county: County) -> None:
    fields = {"key": "k1", **CIRCULAR, "attribute.level": ""}
    file = ("截图.txt", "两周未更新".encode(), "text/plain")
    refused = county.client.post(RECORD, data=fields, files={"evidence.upload": file})

    named = re.search(r'name="evidence\.file\.([0-9a-f]{64})" value="截图\.txt"', refused.text)
    assert named is not None
    again = _send(county.client, **{f"evidence.file.{named.group(1)}": "截图"})
    assert "截图" in county.client.get(again.headers["location"]).text


def test_one_finding_of_many_units_is_recorded_of_all(county: County) -> None:
    before = county.size()
    batch: dict[str, Any] = {"base": CIRCULAR | {"row": "township/2.2"}, "unit": [UNIT, OTHER]}
    told = _send(county.client, "/batch/preview", headers=FRAGMENT, **batch).text
    assert _plain(told).count("−1") == 3

    saved = _send(county.client, "/batch", **batch)

    assert county.size() == before + 2
    page = _plain(county.client.get(saved.headers["location"]).text)
    assert f"{UNIT} 现为 99 分" in page
    assert f"{OTHER} 现为 99 分" in page


def test_one_finding_of_many_units_is_recorded_of_none_when_it_is_refused(county: County) -> None:
    before = county.size()
    refused = _send(
        county.client,
        "/batch",
        base=CIRCULAR | {"row": "township/2.2"},
        unit=[UNIT, OTHER],
        occurred_on="2022-01-01",
    )

    assert refused.status_code == 422
    assert refused.text.count('data-code="date-outside-year"') == 2
    assert county.size() == before


def test_a_year_that_is_closed_has_no_form(county: County) -> None:
    closed = county.post("/api/v1/jurisdictions/360982/years/2021/close", {"reason": "考核结束"})
    assert closed.status_code == 201

    page = county.client.get(RECORD).text

    assert "本年度已办结，不能登记" in page
    assert "<textarea" not in page
