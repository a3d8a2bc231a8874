from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from ledger.checkpoints import open_checkpoint
from ledger.merkle import verify_inclusion
from ledger.signed_notes import VerifierKey
from projections.proofs.receipts import ReceiptFile
from projections.scheme_files import source
from tests.api.accounts import bearer, token_of
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County, observation

PAGE = "/jurisdictions/360982/years/2021/ledger"


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    token = token_of(engine, county.clock, "联络员", [Grant("unit", "360982", UNIT)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def shown(response: Response) -> list[int]:
    """The positions that the page lists, in its order."""
    assert response.status_code == 200, response.text
    return [int(one) for one in re.findall(r'<td class="number"><a href="[^"]*/ledger/(\d+)">', response.text)]


def found(county: County, **filters: str | int) -> list[int]:
    return shown(county.client.get(PAGE, params=filters))


def recorded(county: County, *units: str) -> None:
    """Record an observation of each of the units, in that order."""
    observations = [observation(unit=unit, note=f"{unit}的事") for unit in units]
    answer = county.post(f"{YEAR}/observations/batch", {"observations": observations})
    assert answer.status_code == 201, answer.text


def counted(response: Response) -> int:
    said = re.search(r"共 (\d+) 条", response.text)
    assert said
    return int(said[1])


def test_the_newest_entry_comes_first_and_pages_leave_nothing_out(county: County) -> None:
    recorded(county, *[UNIT] * 60)
    first = county.client.get(PAGE)
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    second = county.client.get(older[1].replace("&amp;", "&"))

    positions = shown(first) + shown(second)
    assert positions == sorted(positions, reverse=True)
    assert len(set(positions)) == len(positions) == counted(first) == counted(second)
    assert positions[0] == county.size()
    assert 'rel="next"' not in second.text


def test_a_search_finds_by_initials_note_and_document_when_every_word_is_there(county: County) -> None:
    county.record(note="首页链接失效", evidence=[{"title": "检查情况通报", "document": "宜府办字〔2021〕20号"}])
    one = county.size()
    county.record(unit=OTHER, note="首页链接失效")
    other = county.size()

    assert found(county, q="链接失效") == [other, one]
    assert found(county, q="fcjd 链接失效") == [one]
    assert found(county, q="失效　宜府办字〔２０２１〕") == [other, one]
    assert found(county, q="设区市级 福城") == [one]
    assert found(county, q="FCJD 没有这个词") == []


def test_a_renamed_unit_is_found_by_either_name_at_once(county: County) -> None:
    county.record()
    position = county.size()
    assert found(county, q="yhjd") == []
    renaming = {"name": "永和街道", "on": "2021-06-01", "reason": "区划调整"}
    assert county.post(f"{YEAR}/units/{UNIT}/rename", renaming).status_code == 201

    assert found(county, q="yhjd", entry="observation") == [position]
    assert found(county, q="fcjd", entry="observation") == [position]


def test_filters_are_all_held_together(county: County) -> None:
    circular = county.record()
    at = county.size()
    county.record(unit=OTHER)
    voided = county.post(f"{HERE}/observations/{circular}/void", {"reason": "重复登记", "evidence": EVIDENCE})
    assert voided.status_code == 201
    void = county.size()

    assert found(county, unit=UNIT, entry="observation.observe") == [at]
    assert found(county, entry="observation.void") == [void]
    assert found(county, unit=UNIT, status="void") == [void, at]
    assert found(county, entry="proposal") == [void - 1, void - 2]
    assert at in found(county, row="2.2", unit=UNIT)
    assert found(county, row="1.1", unit=UNIT) == []
    assert found(county, **{"from": "2021-03-30"}) == []
    assert found(county, kind="circular", entry="observation.observe", recorded_from="2022-01-01") == []
    assert found(county, actor="考核办乙") == [void - 1]


def test_what_cannot_be_a_filter_is_told_with_what_was_typed_kept(county: County) -> None:
    refused = county.client.get(PAGE, params={"from": "2021-13-01", "unit": "没有的单位", "q": "福城"})

    assert refused.status_code == 422
    assert "该年度没有这个单位" in refused.text
    assert 'value="2021-13-01"' in refused.text
    assert 'value="福城"' in refused.text


def test_a_unit_finds_its_own_entries_only_also_in_counts_and_pages(county: County, speaker: TestClient) -> None:
    before = county.size()
    recorded(county, *[OTHER, UNIT] * 52)
    own = list(range(before + 2, county.size() + 1, 2))
    first = speaker.get(PAGE)
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    second = speaker.get(older[1].replace("&amp;", "&"))

    assert shown(first) + shown(second) == own[::-1]
    assert counted(first) == len(own)
    assert OTHER not in first.text
    assert counted(speaker.get(PAGE, params={"q": "大桥街道的事"})) == 0
    assert speaker.get(PAGE, params={"unit": OTHER}).status_code == 422


def said(answer: Response, position: int) -> str:
    """What the page says, without the position that was asked for."""
    return re.sub(rf"\b{position}\b", "N", answer.text.partition("<main")[2])


def test_anothers_entry_is_to_a_unit_as_if_it_were_not_there(county: County, speaker: TestClient) -> None:
    county.record(unit=OTHER)
    others, missing = county.size(), county.size() + 1

    for page in ("", "/receipt", "/receipt.json"):
        answers = [speaker.get(f"{PAGE}/{position}{page}") for position in (others, missing)]
        assert [one.status_code for one in answers] == [404, 404]
        assert said(answers[0], others) == said(answers[1], missing)


def test_an_entry_is_shown_with_its_receipt_and_its_bytes_to_auditors_only(county: County, speaker: TestClient) -> None:
    county.record(note="未及时回复")
    position = county.size()
    audited = county.client.get(f"{PAGE}/{position}")
    own = speaker.get(f"{PAGE}/{position}")

    for page in (audited, own):
        assert "未及时回复" in page.text
        assert "宜府办字〔2021〕20号" in page.text
        assert "observation.observed/1" in page.text
    assert "记录原文" in audited.text
    assert "记录原文" not in own.text
    assert ReceiptFile.model_validate_json(speaker.get(f"{PAGE}/{position}/receipt.json").text).entry is None


def test_the_receipt_file_proves_the_entry_against_the_signed_checkpoint(county: County) -> None:
    county.record()
    position = county.size()
    county.record()
    answer = county.client.get(f"{PAGE}/{position}/receipt.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    receipt = ReceiptFile.model_validate_json(answer.text)

    checkpoint = open_checkpoint(receipt.checkpoint.encode(), VerifierKey.parse(receipt.verifier_key))
    assert (checkpoint.size, checkpoint.root.hex()) == (receipt.size, receipt.root)
    proof = [bytes.fromhex(one) for one in receipt.hashes]
    verify_inclusion(bytes.fromhex(receipt.leaf_hash), position - 1, receipt.size, proof, checkpoint.root)


def test_appeals_and_what_the_year_went_through_are_entries_too(county: County) -> None:
    observation = county.record()
    filed = county.post(f"{YEAR}/appeals", {"unit": UNIT, "observations": [observation], "grounds": "已按时公开"})
    assert filed.status_code == 201

    assert found(county, q="已按时公开", entry="appeal.filed") == [county.size()]
    assert "开启年度" in county.client.get(PAGE).text
    assert "考核期2021-01-01至2021-12-31" in county.client.get(PAGE, params={"entry": "year.opened"}).text


def test_a_fragment_is_the_list_alone(county: County) -> None:
    part = county.client.get(PAGE, headers={"HX-Request": "true"}, params={"q": "考核期"})

    assert part.text.lstrip().startswith('<section id="found"')


def test_a_schemes_own_items_are_told_and_found_by_their_names(county: County) -> None:
    document = source("zhangshu-2021").replace('version: "1"', 'version: "2"', 1)
    document = document.replace("\ngroups:\n", "\nitems:\n  night_desk: 夜间政务专窗\ngroups:\n", 1)
    adopted = county.post(f"{YEAR}/schemes", {"document": document, "reason": "印发修订方案"})
    assert adopted.status_code == 201, adopted.text
    recorded = county.record(kind="omission", attributes={"item": "night_desk"})
    at = county.size()
    county.record(kind="omission", attributes={"item": "annual_report"})
    void = {"reason": "重复登记", "evidence": EVIDENCE}
    assert county.post(f"{HERE}/observations/{recorded}/void", void).status_code == 201

    page = county.client.get(PAGE, params={"q": "夜间政务专窗"})

    [proposed, approved, voided] = [county.size() - 2, county.size() - 1, county.size()]
    assert shown(page) == [voided, approved, proposed, at]
    assert page.text.count("“夜间政务专窗”") == 4
    assert "night_desk" not in page.text


def test_a_claim_is_told_in_the_ledger_as_one_that_a_row_does_not_concern_the_unit(county: County) -> None:
    claim = {"unit": UNIT, "indicator": "1.11", "grounds": "全年未收到申请"}
    assert county.post(f"{YEAR}/claims", claim).status_code == 201

    page = county.client.get(f"{PAGE}/{county.size()}").text

    assert "提出不涉及“1.11 答复期限”" in page
    assert f"台账第{county.size()}号" in page


def test_a_unit_opens_the_files_of_its_entry_that_it_may_read_and_finds_no_way_to_others(
    county: County, speaker: TestClient
) -> None:
    stored = [county.client.post(f"{HERE}/evidence", content=content) for content in (b"%PDF-1.4\n", b"%PDF-1.7\n")]
    own, shared = (one.json()["file"] for one in stored)
    evidence = [{"title": "本单位截图", "file": own}, {"title": "检查汇总", "file": shared}]
    county.record(unit=OTHER, evidence=[evidence[1]])
    county.record(evidence=evidence)
    position = county.size()

    audited = county.client.get(f"{PAGE}/{position}").text
    page = speaker.get(f"{PAGE}/{position}").text

    links = re.findall(r'href="(/api/v1/[^"]+/evidence/[^"]+)"', page)
    assert [speaker.get(one).content for one in links] == [b"%PDF-1.4\n"]
    assert "检查汇总" in page
    assert f"/evidence/{shared}/content" in audited
    assert speaker.get(f"{HERE}/evidence/{shared}/content").status_code == 404
