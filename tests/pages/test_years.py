from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant, Role
from projections.scheme_files import load, source
from tests.api.accounts import bearer, token_of
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, Clock, County

PAGE = "/jurisdictions/360982/years/2021"
MANAGE = f"{PAGE}/manage"
OPEN = "/jurisdictions/360982/open-year"
REASON = "机构改革"


def send(county: County, form: str, key: str = "one", files: Any = None, /, **fields: str) -> Response:
    return county.client.post(f"{MANAGE}/{form}", data={"key": key, **fields}, files=files)


def done(response: Response) -> None:
    assert (response.status_code, response.headers.get("location")) == (303, MANAGE), response.text


def units(county: County) -> dict[str, Any]:
    return {unit["name"]: unit for unit in county.get(f"{YEAR}/units")}


def typed(page: str, form: str) -> str:
    """The markup of one form of the page."""
    found = re.search(rf'action="{MANAGE}/{form}".*?</form>', page, re.DOTALL)
    assert found is not None
    return unescape(found[0])


# --- opening -----------------------------------------------------------------------------------------------------


def test_a_year_is_opened_under_a_shipped_scheme_with_the_units_that_were_confirmed(new_county: County) -> None:
    client = new_county.client
    assert "2021年度 樟树市2021年政务公开工作考评方案" in client.get(OPEN).text

    looked = client.post(OPEN, data={"scheme": "zhangshu-2021"})
    assert looked.status_code == 200
    listed = re.findall(r'name="units\.(\w+)"[^>]*>\n([^<]*)</textarea>', looked.text)
    assert [(group.id, "\n".join(group.units)) for group in load("zhangshu-2021").groups] == listed
    assert client.get("/jurisdictions/360982/years/2021/manage").status_code == 404

    confirmed = {"scheme": "zhangshu-2021", "confirmed": "yes", "key": "open"}
    confirmed |= {f"units.{group}": names for group, names in listed}
    confirmed["units.township"] = f" {UNIT} \r\n\r\n{OTHER}\r\n城北新区\r\n"
    opened = client.post(OPEN, data=confirmed)
    assert opened.headers["location"] == PAGE
    assert client.post(OPEN, data=confirmed).headers["location"] == PAGE
    assert [unit["name"] for unit in new_county.get(f"{YEAR}/units")][:3] == [UNIT, OTHER, "城北新区"]
    assert "2021年度 樟树市" not in client.get(OPEN).text


def test_a_year_is_opened_under_a_file_that_was_sent(new_county: County) -> None:
    client = new_county.client
    content = source("zhangshu-2021").encode()
    sent = {"key": "open", "confirmed": "yes", "units.township": UNIT, "units.department": "市档案馆"}

    looked = client.post(OPEN, files={"file": ("方案.yaml", content)})
    opened = client.post(OPEN, data=sent | {"document": document_in(looked.text), "name": "方案.yaml"})

    assert document_in(looked.text).encode() == content
    assert opened.headers["location"] == PAGE
    assert set(units(new_county)) == {UNIT, "市档案馆"}
    workbook = client.get(f"{PAGE}/scheme/workbook").content
    looked = client.post(OPEN, files={"file": ("方案.xlsx", workbook)})
    again = client.post(OPEN, data=sent | {"key": "again", "document": document_in(looked.text)})
    assert again.status_code == 409
    assert 'data-code="year-already-open"' in again.text


def document_in(page: str) -> str:
    """The text of the scheme file that the page keeps until the units are confirmed."""
    [document] = re.findall(r'<textarea name="document"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    return unescape(document)


def test_what_cannot_be_opened_is_refused_with_the_list_kept(new_county: County) -> None:
    for township, code in (
        ("", "year-group-empty"),
        (f"{UNIT}\n{UNIT}", "year-unit-twice"),
        ("福城\u200b街道", "field-invalid"),
    ):
        sent = {"scheme": "zhangshu-2021", "confirmed": "yes", "key": "open"}
        sent |= {"units.township": township, "units.department": "市档案馆"}
        refused = new_county.client.post(OPEN, data=sent)
        assert refused.status_code == 422
        assert f'data-code="{code}"' in refused.text
        assert f">\n{township}</textarea>" in refused.text
        assert 'name="key" value="open"' in refused.text
    for chosen, code in (("", "field-missing"), ("no-such", "unknown-scheme"), ("linyi-2023", "scheme-jurisdiction")):
        refused = new_county.client.post(OPEN, data={"scheme": chosen})
        assert refused.status_code == 422
        assert f'data-code="{code}"' in refused.text


def test_whoever_may_open_a_year_finds_the_way_on_the_first_page(
    application: FastAPI, engine: Engine, clock: Clock
) -> None:
    token = token_of(engine, clock, "新领导", [Grant("leader", "360983")])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        assert 'href="/jurisdictions/360983/open-year"' in client.get("/").text
        blank = client.get("/jurisdictions/360983/open-year/template")
        assert blank.content.startswith(b"PK")
        assert client.get(OPEN).status_code == 403
    recorder = token_of(engine, clock, "新登记员", [Grant("recorder", "360983")])
    with TestClient(application, headers=bearer(recorder), follow_redirects=False) as client:
        assert "open-year" not in client.get("/").text


# --- managing ----------------------------------------------------------------------------------------------------


def test_units_join_are_renamed_and_leave(county: County) -> None:
    done(send(county, "join", "a", unit="城北新区", group="township", on="2021-07-01", reason=REASON))
    done(send(county, "rename", "b", unit=UNIT, name="福城新街道", on="2021-07-01", reason=REASON))
    done(send(county, "leave", "c", unit=OTHER, on="2021-07-01", reason=REASON))

    found = units(county)
    assert found["城北新区"]["joined_on"] == "2021-07-01"
    assert found["福城新街道"]["key"] == UNIT
    assert found[OTHER]["left_on"] == "2021-07-01"
    page = county.client.get(MANAGE).text
    assert "福城新街道" in page
    assert '<option value="大桥街道"' not in page


def test_a_form_sent_twice_records_once(county: County) -> None:
    wish = {"unit": "城北新区", "group": "township", "on": "2021-07-01", "reason": REASON}
    done(send(county, "join", **wish))
    size = county.size()

    done(send(county, "join", **wish))

    assert county.size() == size


def test_a_unit_that_is_followed_from_the_list_is_chosen_in_the_forms(county: County) -> None:
    page = county.client.get(MANAGE, params={"unit": UNIT}).text

    assert f'<option value="{UNIT}" selected>' in typed(page, "rename")
    assert f'<option value="{UNIT}" selected>' in typed(page, "leave")


def test_a_refused_form_keeps_what_was_typed_and_its_key(county: County) -> None:
    size = county.size()
    for form, fields, code in (
        ("join", {"unit": UNIT, "group": "township", "on": "2021-07-01"}, "unit-name-taken"),
        ("join", {"unit": "城北新区", "group": "township", "on": "2022-07-01"}, "date-outside-year"),
        ("join", {"unit": "城北新区", "group": "township", "on": "七月一日"}, "field-invalid"),
        ("rename", {"unit": "无此单位", "name": "城北新区", "on": "2021-07-01"}, "unknown-unit"),
        ("rename", {"unit": UNIT, "on": "2021-07-01"}, "field-missing"),
        ("leave", {"on": "2021-07-01"}, "field-missing"),
        ("terms", {"days_to_file": "15", "days_to_decide": "10"}, "terms-unchanged"),
        ("terms", {"days_to_file": "十五", "days_to_decide": "0"}, "field-invalid"),
        ("release", {"as_of": "2020-12-31"}, "date-outside-year"),
        ("adopt", {"scheme": "zhangshu-2021"}, "scheme-in-force"),
        ("adopt", {}, "field-missing"),
    ):
        refused = send(county, form, "kept-key", reason=REASON, **fields)
        assert refused.status_code in (409, 422)
        assert f'data-code="{code}"' in refused.text
        kept = typed(refused.text, form)
        assert 'name="key" value="kept-key"' in kept
        assert f">\n{REASON}</textarea>" in kept
    assert 'data-code="year-not-closed"' in send(county, "reopen", reason=REASON).text
    assert county.size() == size


def test_another_version_is_put_in_force_from_a_choice_and_from_a_file(county: County) -> None:
    draft = source("zhangshu-2021").replace('version: "1"', 'version: "2"', 1)

    done(send(county, "adopt", "a", {"file": ("修订.yaml", draft.encode())}, reason="印发修订方案"))
    assert county.get(YEAR)["scheme"]["version"] == "2"
    done(send(county, "adopt", "b", scheme="zhangshu-2021/1", reason="修订方案撤销"))
    assert county.get(YEAR)["scheme"]["version"] == "1"
    assert [one["reason"] for one in county.get(f"{YEAR}/schemes")] == [None, "印发修订方案", "修订方案撤销"]


def test_terms_are_set(county: County) -> None:
    done(send(county, "terms", days_to_file="10", days_to_decide="7", reason="实施细则第九条"))

    assert "10个工作日内提出，7个工作日内决定" in county.client.get(MANAGE).text


def test_the_official_document_is_registered_and_what_is_none_is_refused(county: County) -> None:
    original = f"{HERE}/schemes/zhangshu-2021/versions/1/document"

    def sent(name: str, content: bytes) -> Response:
        return send(county, "document", name, {"file": (name, content)}, version="zhangshu-2021/1", title="考评方案")

    for name, content, code in (
        ("1.pdf", b"x", "document-not-pdf"),
        ("2.txt", b"\xff", "document-not-text"),
        ("3.docx", b"x", "media-type"),
        ("", b"", "field-missing"),
    ):
        assert f'data-code="{code}"' in sent(name, content).text
    assert county.client.get(original).status_code == 404

    for name, content in (("4.txt", "考评方案\n".encode()), ("5.PDF", b"%PDF-1.7\n%%EOF\n")):
        done(sent(name, content))
        assert county.client.get(original).content == content
        assert "原文：" in county.client.get(f"{PAGE}/scheme").text


def test_scores_are_released(county: County) -> None:
    assert "尚未公布" in county.client.get(MANAGE).text

    done(send(county, "release", as_of="2021-06-30", reason="上半年结果经审定"))

    assert "截至2021-06-30" in county.client.get(MANAGE).text


def test_a_close_names_before_what_it_leaves_undecided_and_freezes_the_sheets(county: County) -> None:
    appeal = {"unit": UNIT, "indicators": ["1.2"], "grounds": "评定有误", "evidence": EVIDENCE}
    filed = county.post(f"{YEAR}/appeals", appeal)
    assert filed.status_code == 201, filed.text
    page = county.client.get(MANAGE).text
    assert f'href="{PAGE}/appeals/{filed.json()["proceeding"]["id"]}">{UNIT}的申诉</a>（已提出）' in page
    assert f"{UNIT}</a>：1.2、1.3" in page

    done(send(county, "close", "a", reason="结果已审定"))
    assert county.get(f"{YEAR}/closings")["closed"] is True
    closed = county.client.get(MANAGE).text
    assert f"{PAGE}/closings#closing-1" in closed
    assert f'action="{MANAGE}/close"' not in closed

    record = county.client.get(f"{PAGE}/closings").text
    assert 'id="closing-1"' in record
    assert "办结时未决的申诉、认定1件" in record
    sheets = f"{YEAR}/closings/1/sheets"
    assert f'href="{sheets}"' in record
    assert county.client.get(sheets).status_code == 200

    refused = send(county, "close", "b", reason="再次办结")
    assert refused.status_code == 409
    assert 'data-code="year-closed"' in refused.text
    done(send(county, "reopen", "c", reason="漏登通报"))
    assert "重新开启：漏登通报" in county.client.get(f"{PAGE}/closings").text


@pytest.fixture
def reviewer(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    token = token_of(engine, county.clock, "复核人", [Grant("reviewer", "360982")])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def test_a_reviewer_manages_but_neither_adopts_nor_releases_nor_closes(reviewer: TestClient) -> None:
    page = reviewer.get(MANAGE).text
    assert f'action="{MANAGE}/join"' in page
    for form in ("adopt", "release", "close", "reopen"):
        assert f'action="{MANAGE}/{form}"' not in page
        assert reviewer.post(f"{MANAGE}/{form}", data={"key": "k", "reason": REASON}).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("recorder", 200), ("auditor", 200), ("unit", 403)])
def test_closes_are_read_by_whoever_reads_scores(
    county: County, application: FastAPI, engine: Engine, role: Role, status: int
) -> None:
    grant = Grant(role, "360982", UNIT if role == "unit" else None)
    token = token_of(engine, county.clock, "某人", [grant])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        assert client.get(f"{PAGE}/closings").status_code == status
        assert client.get(MANAGE).status_code == 403
        assert client.get(f"{PAGE}/scheme").status_code == 200
        assert client.get(f"{PAGE}/scheme/replay").status_code == status
