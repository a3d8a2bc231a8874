"""Clauses open at their place in the official document of a scheme version."""

from __future__ import annotations

import pytest
from httpx2 import Response

from tests.api.county import HERE, UNIT, YEAR, County

VERSION = f"{HERE}/schemes/zhangshu-2021/versions/1"
TITLE = "政务公开考评方案 <b>"
# Like a document's text export: an annex with a table, its cells kept apart by tabs.
TEXT = "考评方案\n一、范围\n附件一\n序号\t内容\t分值\n1\t公开指南编制规范\t5\n2\t政策文件发布及时\t5\n"


def _register(county: County, content: bytes = TEXT.encode(), media_type: str = "text/plain") -> Response:
    return county.client.post(
        f"{VERSION}/document",
        params={"title": TITLE},
        content=content,
        headers={"Idempotency-Key": "document", "Content-Type": media_type},
    )


def test_a_clause_is_quoted_from_the_registered_document(county: County) -> None:
    assert county.get(f"{VERSION}/clauses/township/1.1")["place"] is None
    assert _register(county).status_code == 201
    found = county.get(f"{VERSION}/clauses/township/1.2")
    assert (found["clause"], found["document"]) == ("附件一 第2行", TITLE)
    assert found["place"]["first_line"] == 6
    assert "政策文件发布及时" in found["place"]["excerpt"]


def test_a_clause_opens_at_its_line(county: County) -> None:
    _register(county)
    opened = county.client.get(f"{VERSION}/clauses/township/1.2/open")
    assert opened.status_code == 303
    page = county.client.get(f"{VERSION}/clauses/township/1.2/open", follow_redirects=True)
    assert str(page.url).endswith("#L1-6")
    assert '<li id="L1-6"><mark>2\t政策文件发布及时\t5</mark></li>' in page.text
    assert "<b>" not in page.text
    assert page.text.count("<mark>") == 1


def test_a_derivation_quotes_the_clauses_of_its_rows(county: County) -> None:
    _register(county)
    json = county.get(f"{YEAR}/derivations/{UNIT}")
    quoted = {one["indicator"]: one["place"] for one in json["clauses"]}
    assert "公开指南编制规范" in quoted["1.1"]["excerpt"]
    text = county.client.get(f"{YEAR}/derivations/{UNIT}", params={"format": "text"}).text
    assert f"原文　《{TITLE}》第1页第5行：1 | 公开指南编制规范 | 5" in text
    html = county.client.get(f"{YEAR}/derivations/{UNIT}", params={"format": "html"}).text
    assert f'href="{VERSION}/clauses/township/1.1/open"' in html


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("clauses/township/1.1/open", "unknown-document"),
        ("clauses/township/9.9", "unknown-indicator"),
        ("clauses/nobody/1.1", "unknown-group"),
        ("document/lines", "unknown-document"),
    ],
)
def test_what_is_not_there_is_said(county: County, path: str, code: str) -> None:
    response = county.client.get(f"{VERSION}/{path}")
    assert response.status_code == 404, response.text
    assert response.json()["code"] == code


def test_a_clause_that_is_not_found_for_certain_is_not_opened(county: County) -> None:
    _register(county, "别的文件\n没有表格\n".encode())
    assert county.get(f"{VERSION}/clauses/township/1.1")["place"] is None
    refused = county.client.get(f"{VERSION}/clauses/township/1.1/open")
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-clause")


def test_a_veto_rests_on_a_clause_too(new_county: County) -> None:
    here = "/api/v1/jurisdictions/320581"
    assert new_county.post(f"{here}/years", {"scheme": "changshu-2020"}).status_code == 201
    found = new_county.get(f"{here}/schemes/changshu-2020/versions/1/clauses/department/v2")
    assert (found["indicator"], found["clause"]) == ("v2", "第十六条")
