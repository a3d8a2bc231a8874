"""Workbooks through pages: what is saved, and a file that is checked, previewed, recorded, and sent again."""

from __future__ import annotations

import re
from io import BytesIO
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from python_calamine import load_workbook
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.pages.import_jobs import ImportJob
from projections.workbooks.observations.importing import BOUNDS, Checked
from projections.workbooks.observations.layout import ColumnMapping
from schemes.problem import InvalidInput
from tests.api.accounts import bearer, token_of
from tests.api.county import YEAR, Clock, County
from tests.projections.observation_workbooks import ROW, own_workbook, written

PAGE = "/jurisdictions/360982/years/2021/workbooks"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _sent(client: TestClient, data: bytes, **fields: str) -> str:
    """Send a workbook and return the address of its import."""
    answer = client.post(f"{PAGE}/import", files={"file": ("台账.xlsx", data, XLSX)}, data=fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def _outcome(client: TestClient, address: str) -> Any:
    """Ask until the import is no longer under way."""
    for _ in range(100):
        shown = client.get(address)
        if 'id="progress"' not in shown.text:
            return shown
    pytest.fail("the import did not end")


def test_a_workbook_is_checked_then_recorded_and_changes_nothing_when_it_is_sent_again(
    county: County, client: TestClient
) -> None:
    size = county.size()
    address = _sent(client, own_workbook([{"序号": 1, **ROW}, {"序号": 2, **ROW, "时间": "2021-04-02"}]))
    checked = _outcome(client, address)
    assert checked.status_code == 200
    assert "核对无误：2 行" in checked.text
    assert "没有用到：序号" in checked.text
    assert county.size() == size

    assert client.post(f"{address}/record").headers["location"] == address
    assert "已登记 2 条" in _outcome(client, address).text
    assert county.size() == size + 2

    assert client.post(f"{address}/record").status_code == 303
    again = _sent(client, own_workbook([ROW, {**ROW, "时间": "2021-04-02"}], above=["另存"]))
    assert "此文件已导入过，未新增" in _outcome(client, again).text
    assert county.size() == size + 2


def test_all_errors_are_listed_with_their_cells_and_nothing_is_recorded(county: County, client: TestClient) -> None:
    size = county.size()
    address = _sent(client, own_workbook([{**ROW, "层级": "乡镇"}, ROW, {**ROW, "被考核单位": "<b>无</b>"}]))
    refused = _outcome(client, address)

    assert re.findall(r'<th scope="row">(台账![A-Z]+\d+)</th>', refused.text) == ["台账!D2", "台账!A4"]
    assert "应为国家、省、设区市、县（市、区）之一" in refused.text
    assert "<b>无</b>" not in refused.text
    assert county.size() == size


def test_a_preview_that_the_ledger_has_moved_away_from_is_shown_again_and_records_nothing(
    county: County, client: TestClient
) -> None:
    first, second = (_sent(client, own_workbook([row])) for row in (ROW, {**ROW, "时间": "2021-03-30"}))
    assert "核对无误：1 行" in _outcome(client, first).text
    assert "核对无误：1 行" in _outcome(client, second).text
    client.post(f"{first}/record")
    assert "已登记 1 条" in _outcome(client, first).text
    size = county.size()

    client.post(f"{second}/record")
    assert "预览后台账有变化，请再确认" in _outcome(client, second).text
    assert county.size() == size
    client.post(f"{second}/record")
    assert "已登记 1 条" in _outcome(client, second).text
    assert county.size() == size + 1


def test_the_same_rows_in_another_order_previewed_at_once_are_recorded_once(county: County, client: TestClient) -> None:
    rows = [ROW, {**ROW, "时间": "2021-04-02"}]
    first, second = (_sent(client, own_workbook(listed)) for listed in (rows, rows[::-1]))
    _outcome(client, second)
    client.post(f"{first}/record")
    assert "已登记 2 条" in _outcome(client, first).text
    size = county.size()
    client.post(f"{second}/record")
    assert "此文件已导入过，未新增" in _outcome(client, second).text
    assert county.size() == size


def test_of_a_file_that_grew_one_click_records_the_new_rows_and_all_of_them_take_a_tick(
    county: County, client: TestClient
) -> None:
    first = _sent(client, own_workbook([ROW]))
    client.post(f"{first}/record")
    _outcome(client, first)
    size = county.size()

    grown = [ROW, {**ROW, "时间": "2021-04-02"}]
    second = _sent(client, own_workbook(grown))
    shown = _outcome(client, second).text
    assert re.findall('<button class="btn btn-primary" type="submit">(.*?)</button>', shown) == ["只登记新的 1 行"]
    assert "台账!A2" in shown
    client.post(f"{second}/record")
    assert "已登记 1 条" in _outcome(client, second).text
    assert county.size() == size + 1

    third = _sent(client, own_workbook([*grown[::-1], {"序号": 1, **grown[1]}]))
    client.post(f"{third}/record", data={"all": "yes"})
    assert "已登记 3 条" in _outcome(client, third).text
    assert county.size() == size + 4


@pytest.mark.usefixtures("county")
def test_an_error_is_said_in_chinese_and_the_ledgers_own_words_stand_in_the_technical_note(client: TestClient) -> None:
    shown = _outcome(client, _sent(client, own_workbook([{**ROW, "时间": "2022-03-01"}]))).text
    assert "“2022-03-01”不在考核期间内；应为 2021-01-01 至 2021-12-31 的日期<details" in shown
    assert '<code lang="en">date-outside-year: found 2022-03-01' in shown


@pytest.mark.usefixtures("county")
def test_of_several_sheets_that_fit_one_is_chosen_on_the_page(client: TestClient) -> None:
    texts = {name: str(value) for name, value in ROW.items()}
    cells = {(1, at): heading for at, heading in enumerate(texts, start=1)}
    cells |= {(2, at): value for at, value in enumerate(texts.values(), start=1)}
    address = _sent(client, written({"一季度": cells, "二季度": cells}))
    shown = _outcome(client, address).text
    assert "<option>一季度</option><option>二季度</option>" in shown

    client.post(f"{address}/check", data={"sheet": "二季度"})
    assert "核对无误：1 行" in _outcome(client, address).text


@pytest.mark.usefixtures("county")
def test_a_file_too_large_is_refused_before_it_is_kept(client: TestClient, application: FastAPI) -> None:
    content = b"x" * (BOUNDS.file + 1)
    refused = client.post(f"{PAGE}/import", files={"file": ("台账.xlsx", content, XLSX)})
    assert refused.status_code == 413
    assert "工作簿过大" in refused.text
    assert application.state.imports.find("", "", "", 0) is None


@pytest.mark.usefixtures("county")
def test_an_account_has_two_imports_and_the_oldest_goes_first(client: TestClient) -> None:
    sent = []
    for at in range(3):
        sent.append(_sent(client, own_workbook([{**ROW, "时间": f"2021-04-0{at + 1}"}])))
        _outcome(client, sent[-1])
    assert [client.get(address).status_code for address in sent] == [404, 200, 200]


@pytest.mark.usefixtures("county")
def test_a_new_import_is_refused_while_those_of_the_account_are_under_way(
    client: TestClient, application: FastAPI
) -> None:
    imports, go = application.state.imports, Event()
    account = _account(client, application)

    def waits(*_: object) -> Checked:
        go.wait()
        raise InvalidInput(())

    for name in ("a", "b"):
        imports.start(ImportJob(name, account, "360982", 2021, "x", b"x", ColumnMapping()), waits)
    refused = client.post(f"{PAGE}/import", files={"file": ("台账.xlsx", own_workbook([ROW]), XLSX)})
    go.set()
    assert refused.status_code == 503
    assert 'data-code="import-busy"' in refused.text
    assert "请等几分钟后重新上传" in refused.text


def _account(client: TestClient, application: FastAPI) -> str:
    job = _sent(client, own_workbook([ROW])).rpartition("/")[2]
    return str(application.state.imports._jobs[job].account)


def test_the_file_is_let_go_once_it_is_recorded(county: County, client: TestClient, application: FastAPI) -> None:
    address = _sent(client, own_workbook([ROW]))
    _outcome(client, address)
    job = application.state.imports._jobs[address.rpartition("/")[2]]
    assert job.data
    client.post(f"{address}/record")
    assert "已登记 1 条" in _outcome(client, address).text
    assert (job.data, job.agreed) == (b"", None)
    assert county.size() > 0


@pytest.mark.usefixtures("county")
def test_columns_that_are_not_known_are_chosen_on_the_page(client: TestClient) -> None:
    row = {("受检对象" if name == "被考核单位" else name): value for name, value in ROW.items()}
    address = _sent(client, own_workbook([row]))
    assert "没有找到“单位”列" in _outcome(client, address).text

    chosen = {"sheet": "台账", "heading": list(row), "field": ["单位", *[""] * (len(row) - 1)]}
    fields = ["单位", "事实种类", "发生日期", "层级", "通报对象", "周期", "文号"]
    client.post(f"{address}/check", data=chosen)
    assert "没有找到“发生日期”列" in _outcome(client, address).text
    client.post(f"{address}/check", data={**chosen, "field": fields})
    assert "核对无误：1 行" in _outcome(client, address).text


@pytest.mark.usefixtures("county")
def test_evidence_that_all_rows_share_is_typed_once(client: TestClient) -> None:
    row = {name: value for name, value in ROW.items() if name != "文号"}
    address = _sent(client, own_workbook([row]), **{"constant.依据标题": "通报", "constant.文号": "1号"})
    assert "核对无误：1 行" in _outcome(client, address).text


@pytest.mark.usefixtures("county")
def test_what_needs_a_second_person_waits_for_one(client: TestClient) -> None:
    row = {"单位": "福城街道", "事实种类": "酌情加减分", "发生日期": "2021-05-01", "文号": "1号"}
    address = _sent(client, own_workbook([{**row, "加减": "加分", "分值": 1, "决定人": "市政府"}]))
    assert "其中 1 条须第二人审批" in _outcome(client, address).text
    client.post(f"{address}/record")
    assert "另有 1 条待第二人审批" in _outcome(client, address).text


@pytest.mark.usefixtures("county")
def test_a_file_that_is_no_workbook_is_refused_in_chinese(client: TestClient) -> None:
    refused = _outcome(client, _sent(client, b"unit,kind\n"))
    assert "请上传 .xlsx 工作簿" in refused.text
    assert client.post(f"{PAGE}/import", data={"constant.文号": "1号"}).status_code == 422


@pytest.mark.usefixtures("county")
def test_an_import_is_its_senders_own_and_one_that_is_gone_says_what_to_do(
    client: TestClient, colleague: TestClient
) -> None:
    address = _sent(client, own_workbook([ROW]))
    assert colleague.get(address).status_code == 404
    gone = client.get(f"{PAGE}/import/0000")
    assert gone.status_code == 404
    assert "重新上传文件" in gone.text


@pytest.mark.parametrize("name", ["template", "sheets", "ranking", "ledger", "sheets/福城街道", "history/福城街道"])
def test_every_workbook_can_be_saved(county: County, client: TestClient, name: str) -> None:
    county.record()
    saved = client.get(f"{PAGE}/{name}.xlsx")
    assert saved.status_code == 200
    assert saved.headers["content-type"] == XLSX
    assert load_workbook(BytesIO(saved.content)).sheet_names


def test_a_unit_saves_its_own_sheet_once_it_is_released_and_no_other(
    county: County, application: FastAPI, engine: Engine, clock: Clock
) -> None:
    token = token_of(engine, clock, "福城", [Grant("unit", "360982", "福城街道")])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as own:
        assert own.get(f"{PAGE}/sheets/福城街道.xlsx").status_code == 403
        released = county.post(f"{YEAR}/release", {"as_of": "2021-12-31", "reason": "公布"})
        assert released.status_code == 201, released.text
        assert own.get(f"{PAGE}/sheets/福城街道.xlsx").status_code == 200
        assert own.get(f"{PAGE}/sheets/大桥街道.xlsx").status_code == 404
        assert own.get(f"{PAGE}/ranking.xlsx").status_code == 403


@pytest.mark.usefixtures("county")
def test_a_day_asked_for_is_that_of_the_sheets(client: TestClient) -> None:
    saved = client.get(f"{PAGE}/ranking.xlsx", params={"as_of": "2021-06-30"})
    assert "2021-06-30" in saved.headers["content-disposition"]
    assert client.get(f"{PAGE}/ranking.xlsx", params={"as_of": "x"}).status_code == 422
