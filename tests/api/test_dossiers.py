"""The answer to an appeal or a claim as a set of files."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import docx
import pytest
from pypdf import PdfReader

from projections.scheme_files import source
from schemes.derivations.recomputing import disagreements
from tests.api.county import EVIDENCE, HERE, UNIT, YEAR, County

GROUNDS = "通报点名的账号不是我单位主办 <b>#import</b>"


def _filed(county: County, observation: str) -> str:
    body = {"unit": UNIT, "observations": [observation], "grounds": GROUNDS, "evidence": EVIDENCE}
    response = county.post(f"{YEAR}/appeals", body)
    assert response.status_code == 201, response.text
    return str(response.json()["proceeding"]["id"])


def _decided(county: County, **decision: object) -> tuple[str, str]:
    """Return the ids of an observation and of the appeal about it, decided."""
    observation = county.record()
    appeal = _filed(county, observation)
    assert county.post(f"{YEAR}/appeals/{appeal}/accept", {}).status_code == 201
    asked = {"outcome": "upheld", "reasons": "账号主办单位登记有误", "orders": [{"void": observation}], **decision}
    response = county.post(f"{YEAR}/appeals/{appeal}/decide", asked)
    assert response.status_code == 201, response.text
    return observation, appeal


def _text(content: bytes) -> str:
    pages = PdfReader(BytesIO(content)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def test_the_files_say_how_the_score_came_about_before_and_after_the_decision(county: County) -> None:
    observation, appeal = _decided(county)
    answer = county.client.get(f"{YEAR}/appeals/{appeal}/dossier")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    with ZipFile(BytesIO(answer.content)) as archive:
        files = {name.rpartition(".")[2]: archive.read(name) for name in archive.namelist()}
    assert sorted(files) == ["docx", "json", "pdf"]
    dossier = json.loads(files["json"])
    assert (dossier["before"]["total"], dossier["after"]["total"]) == ("99", "100")
    assert dossier["moved"][0] == {
        "unit": UNIT,
        "key": UNIT,
        "group": "township",
        "before": {"total": "99", "rank": 19, "grade": None},
        "after": {"total": "100", "rank": 1, "grade": None},
    }
    assert [one["observation"] for one in dossier["observations"]] == [observation]
    assert [one["decision"] for one in dossier["observations"][0]["entries"]] == [None, appeal]
    assert dossier["concerned"] == ["2.2"]
    for one in ("before", "after"):
        assert disagreements(dossier[one]["tree"]) == []
    word = docx.Document(BytesIO(files["docx"]))
    told = "".join(paragraph.text for paragraph in word.paragraphs)
    for text in (told, _text(files["pdf"])):
        assert "申诉成立，予以支持" in text
        assert "账号主办单位登记有误" in text
        assert "<b>#import</b>" in text.replace(" ", "")


def test_the_same_dossier_gives_the_same_bytes(county: County) -> None:
    _, appeal = _decided(county)
    address = f"{YEAR}/appeals/{appeal}/dossier"
    first, again = (county.client.get(address) for _ in range(2))
    assert first.content == again.content
    tag = first.headers["ETag"]
    assert county.client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_later_entries_do_not_change_what_a_decision_was_about(county: County) -> None:
    _, appeal = _decided(county)
    before = county.get(f"{YEAR}/appeals/{appeal}/dossier", format="json")
    county.record()
    after = county.get(f"{YEAR}/appeals/{appeal}/dossier", format="json")
    assert before == after


def test_an_undecided_appeal_shows_what_the_disputed_fact_is_worth(county: County) -> None:
    observation = county.record(count=9)
    appeal = _filed(county, observation)
    dossier = county.get(f"{YEAR}/appeals/{appeal}/dossier", format="json")
    assert dossier["after"] is None
    [share] = dossier["shares"]
    # Nine circulars at 1 point each, in a row of 5 points.
    assert share["observation"] == observation
    assert (share["nominal"], share["effective_in_order"], share["effect_of_removal"]) == ("-9", "-5", "-5")
    text = _text(county.client.get(f"{YEAR}/appeals/{appeal}/dossier", params={"format": "pdf"}).content)
    assert "尚未作出决定" in text


def test_a_dismissed_appeal_about_a_capped_fact_says_that_nothing_would_change(county: County) -> None:
    for _ in range(6):
        county.record(attributes={"level": "county", "subject": "new_media", "period": "monthly"}, count=9)
    _, appeal = _decided(county, outcome="dismissed", orders=[])
    dossier = county.get(f"{YEAR}/appeals/{appeal}/dossier", format="json")
    assert dossier["before"]["total"] == dossier["after"]["total"]
    assert dossier["moved"][0]["before"] == dossier["moved"][0]["after"]
    text = _text(county.client.get(f"{YEAR}/appeals/{appeal}/dossier", params={"format": "pdf"}).content)
    assert "各单位的总分、名次和等次均无变化" in text


def test_a_granted_claim_has_a_dossier_too(county: County) -> None:
    body = {"unit": UNIT, "indicator": "2.2", "grounds": "我单位没有开设政务新媒体", "evidence": EVIDENCE}
    claim = county.post(f"{YEAR}/claims", body).json()["proceeding"]["id"]
    assert county.post(f"{YEAR}/claims/{claim}/accept", {}).status_code == 201
    decided = county.post(f"{YEAR}/claims/{claim}/decide", {"granted": True, "reasons": "经核实没有账号"})
    assert decided.status_code == 201, decided.text
    dossier = county.get(f"{YEAR}/claims/{claim}/dossier", format="json")
    [changed] = [row for row in dossier["rows"] if row["before"] != row["after"]]
    assert (changed["indicator"], changed["before"], changed["after"]) == ("2.2", "5", None)
    assert "同意本项指标今年不适用于该单位" in _text(
        county.client.get(f"{YEAR}/claims/{claim}/dossier", params={"format": "pdf"}).content
    )


@pytest.mark.parametrize("kinds", ["appeals", "claims"])
def test_an_unknown_one_is_refused(county: County, kinds: str) -> None:
    response = county.client.get(f"{YEAR}/{kinds}/00000000-0000-0000-0000-000000000000/dossier")
    assert response.status_code == 404
    assert response.json()["code"] == f"unknown-{kinds.removesuffix('s')}"


@pytest.mark.parametrize("is_decided", [True, False])
def test_a_unit_that_has_left_has_a_dossier_as_of_its_last_day(county: County, is_decided: bool) -> None:
    observation = county.record()
    appeal = _filed(county, observation)
    assert county.post(f"{YEAR}/appeals/{appeal}/accept", {}).status_code == 201
    left = county.post(f"{YEAR}/units/{UNIT}/leave", {"on": "2021-06-01", "reason": "撤并"})
    assert left.status_code == 201, left.text
    if is_decided:
        asked = {"outcome": "upheld", "reasons": "登记有误", "orders": [{"void": observation}]}
        assert county.post(f"{YEAR}/appeals/{appeal}/decide", asked).status_code == 201
    dossier = county.get(f"{YEAR}/appeals/{appeal}/dossier", format="json")
    assert (dossier["before"]["as_of"], dossier["before"]["total"]) == ("2021-05-31", "99")
    assert [one["total"] for one in [dossier["after"]] if one] == (["100"] if is_decided else [])
    assert county.client.get(f"{YEAR}/appeals/{appeal}/dossier").status_code == 200


def test_facts_are_told_in_the_words_of_the_scheme_that_was_in_force(new_county: County) -> None:
    county, shipped = new_county, source("zhangshu-2021")
    own = shipped.replace("\ngroups:", "\nitems:\n  special_ledger: 专项台账\ngroups:", 1)
    assert county.post(f"{HERE}/years", {"document": own}).status_code == 201
    observation = county.record(kind="omission", attributes={"item": "special_ledger"})
    appeal = _filed(county, observation)
    assert county.post(f"{YEAR}/appeals/{appeal}/accept", {}).status_code == 201
    dismissed = {"outcome": "dismissed", "reasons": "属实"}
    assert county.post(f"{YEAR}/appeals/{appeal}/decide", dismissed).status_code == 201
    address, asked = f"{YEAR}/appeals/{appeal}/dossier", {"format": "docx"}
    before = county.client.get(address, params=asked).content
    revised = shipped.replace('version: "1"', 'version: "2"', 1)
    assert county.post(f"{YEAR}/schemes", {"document": revised, "reason": "修订"}).status_code == 201
    assert county.client.get(address, params=asked).content == before
    document = docx.Document(BytesIO(before))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    told = "".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    assert "专项台账" in told
    assert "special_ledger" not in told
