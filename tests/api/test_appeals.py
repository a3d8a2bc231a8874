"""Appeals, claims and closings over HTTP and on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from api.command_line import app
from ledger.tables import documents
from projections.official_documents.registering import LARGEST_DOCUMENT
from projections.scheme_files import source
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, County

Office = Callable[..., Any]
GROUNDS = {"grounds": "已按时更新，附网页存档"}
STEPS: dict[str, dict[str, Any]] = {
    "return": {"reason": "请附存档"},
    "complete": GROUNDS | {"evidence": EVIDENCE},
    "accept": {},
    "review": {"finding": "属实", "recommendation": "撤销"},
    "withdraw": {"reason": "不再申诉"},
}
DOCUMENT = f"{HERE}/schemes/zhangshu-2021/versions/1/document"


def filed(county: County, kinds: str = "appeals", **about: Any) -> str:
    response = county.post(f"{YEAR}/{kinds}", {"unit": UNIT, **GROUNDS, **about})
    assert response.status_code == 201, response.text
    return str(response.json()["proceeding"]["id"])


def done(county: County, kinds: str, identifier: str, *steps: str) -> None:
    for step in steps:
        response = county.post(f"{YEAR}/{kinds}/{identifier}/{step}", STEPS[step])
        assert response.status_code == 201, response.text


def decide(county: County, appeal: str, outcome: str, *orders: dict[str, Any]) -> Response:
    body = {"outcome": outcome, "reasons": "经复核属实", "orders": orders}
    return county.post(f"{YEAR}/appeals/{appeal}/decide", body)


def refusal(response: Response) -> tuple[int, str]:
    return response.status_code, str(response.json()["code"])


def total(county: County, unit: str = UNIT) -> str:
    return str(county.get(f"{YEAR}/sheets/{unit}")["total"])


def test_an_appeal_from_its_filing_to_what_its_decision_ordered(county: County) -> None:
    disputed = county.record()
    amended = county.record(occurred_on="2021-06-01", count=3)
    before = total(county)
    appeal = filed(county, observations=[disputed, amended], indicators=["2.2"])
    done(county, "appeals", appeal, "return", "complete", "accept", "review")
    orders = (
        {"void": disputed},
        {"amend": amended, "changes": {"count": 1}},
        {"judge": "1.2", "value": "4.5", "occurred_on": "2021-12-20"},
    )
    recorded = decide(county, appeal, "partly_upheld", *orders).json()

    assert [one["event"] for one in recorded["receipts"]] == [
        "appeal.decided/1",
        "observation.voided/1",
        "observation.amended/1",
        "observation.observed/1",
    ]
    shown = county.get(f"{YEAR}/appeals/{appeal}")
    assert shown == recorded["proceeding"]
    assert [one["step"] for one in shown["steps"]] == [
        "filed",
        "returned",
        "completed",
        "accepted",
        "reviewed",
        "decided",
    ]
    assert (shown["status"], shown["outcome"], shown["possible"]) == ("decided", "partly_upheld", [])
    assert [(one["order"], one["observation"]) for one in shown["orders"]] == [
        ("void", disputed),
        ("amend", amended),
        ("judge", recorded["receipts"][3]["observation"]),
    ]
    assert shown["orders"][1]["before"]["count"] == 3
    assert shown["orders"][1]["after"]["count"] == 1
    assert (before, total(county)) == ("96", "98.5")
    observation = county.get(f"{HERE}/observations/{disputed}")
    assert (observation["status"], observation["entries"][-1]["reason"]) == ("void", "经复核属实")
    history = county.get(f"{YEAR}/history/{UNIT}")
    assert [one["evidence"] for one in history["voided"]] == [[]]


def test_what_cannot_be_appealed_or_ordered_is_refused_and_nothing_is_recorded(county: County) -> None:
    own, spare, foreign = county.record(), county.record(), county.record(unit=OTHER)
    county.clock.set("2022-01-05T09:00:00+08:00")
    waiting = filed(county, indicators=["1.1"])
    accepted = filed(county, observations=[own])
    done(county, "appeals", accepted, "accept")
    size = county.size()
    appeals, absent = f"{YEAR}/appeals", str(uuid4())
    base = {"unit": UNIT, **GROUNDS}

    assert refusal(county.post(appeals, base | {"observations": [foreign]})) == (422, "appeal-other-unit")
    assert refusal(county.post(appeals, base | {"observations": [absent]})) == (422, "unknown-observation")
    assert refusal(county.post(appeals, base | {"indicators": ["9.9"]})) == (422, "unknown-indicator")
    assert refusal(county.post(appeals, base)) == (422, "field-invalid")
    assert refusal(county.post(appeals, base | {"observations": [own, own]})) == (422, "field-invalid")
    assert refusal(county.post(f"{YEAR}/claims", base | {"indicator": "9.9"})) == (422, "unknown-indicator")
    assert refusal(decide(county, absent, "dismissed")) == (404, "unknown-appeal")
    assert refusal(county.post(f"{YEAR}/claims/{accepted}/accept", {})) == (404, "unknown-claim")
    assert refusal(county.post(f"{YEAR}/complaints/{accepted}/accept", {})) == (422, "field-invalid")
    assert refusal(decide(county, waiting, "dismissed")) == (409, "appeal-step")
    assert refusal(decide(county, accepted, "upheld", {"void": foreign})) == (422, "appeal-other-unit")
    assert refusal(decide(county, accepted, "upheld")) == (422, "field-invalid")
    assert refusal(decide(county, accepted, "dismissed", {"void": own})) == (422, "field-invalid")
    assert refusal(decide(county, accepted, "upheld", {"strike": own})) == (422, "field-invalid")
    typo = decide(county, accepted, "upheld", {"amend": own, "changes": {"cuont": 1}}).json()["errors"]
    assert [(one["code"], one["where"]) for one in typo] == [("field-unknown", "orders[0].changes.cuont")]
    county.clock.set("2022-03-01T09:00:00+08:00")
    assert refusal(county.post(appeals, base | {"observations": [own]})) == (409, "appeal-open")
    late = county.post(appeals, base | {"observations": [spare]})
    assert refusal(late) == (409, "appeal-late")
    # 15 working days after 31 December 2021, with New Year's days off: 24 January 2022.
    assert "ended on 2022-01-24" in late.json()["detail"]
    assert county.size() == size
    assert decide(county, accepted, "upheld", {"void": own}).status_code == 201
    assert refusal(decide(county, accepted, "upheld", {"void": own})) == (409, "appeal-decided")
    done(county, "appeals", waiting, "accept")
    assert refusal(decide(county, waiting, "upheld", {"void": own})) == (409, "observation-void")


def test_a_claim_is_granted_once_and_the_row_is_left_out(county: County) -> None:
    county.record(kind="late_reply", attributes={"matter": "disclosure_request"})
    claim = filed(county, "claims", indicator="1.11")
    again = county.post(f"{YEAR}/claims", {"unit": UNIT, "indicator": "1.11", **GROUNDS})
    assert refusal(again) == (409, "claim-open")
    done(county, "claims", claim, "accept", "review")
    granted = county.post(f"{YEAR}/claims/{claim}/decide", {"granted": True, "reasons": "登记簿为空"})

    assert granted.json()["proceeding"]["outcome"] == "granted"
    assert county.get(f"{YEAR}/claims/{claim}")["steps"][-1]["text"] == "登记簿为空"
    left_out = [row["indicator"] for row in county.get(f"{YEAR}/sheets/{UNIT}")["not_applicable"]]
    assert "1.11" in left_out
    refused = county.post(f"{YEAR}/claims/{claim}/decide", {"granted": False, "reasons": "改"})
    assert refusal(refused) == (409, "claim-decided")
    again = county.post(f"{YEAR}/claims", {"unit": UNIT, "indicator": "1.11", **GROUNDS})
    assert refusal(again) == (409, "claim-granted")


def test_proceedings_are_listed_by_unit_status_and_term(county: County) -> None:
    first = filed(county, indicators=["2.2"])
    second = filed(county, indicators=["2.2"], unit=OTHER)
    withdrawn = filed(county, indicators=["1.2"])
    claim = filed(county, "claims", indicator="1.11")
    done(county, "appeals", second, "accept")
    done(county, "appeals", withdrawn, "withdraw")

    def listed(kinds: str = "appeals", **wanted: str) -> list[str]:
        return [one["id"] for one in county.get(f"{YEAR}/{kinds}", **wanted)["proceedings"]]

    assert listed() == [first, second, withdrawn]
    assert listed("claims") == [claim]
    assert listed(unit=UNIT) == [first, withdrawn]
    assert listed(status="accepted") == [second]
    # 10 working days after 31 December 2021, with New Year's days off: 17 January 2022.
    assert listed(overdue_on="2022-01-17") == []
    assert listed(overdue_on="2022-01-17", within="1") == listed(overdue_on="2022-01-18") == [first, second]
    assert county.get(f"{YEAR}/appeals/{first}")["due"] == "2022-01-17"
    county.clock.set("2022-01-18T00:00:00+08:00")
    assert county.get(f"{YEAR}/appeals/{first}")["overdue"] is True
    tag = county.client.get(f"{YEAR}/appeals").headers["etag"]
    assert county.client.get(f"{YEAR}/appeals", headers={"If-None-Match": tag}).status_code == 304


def test_a_closed_year_shows_what_a_decision_changed(county: County) -> None:
    disputed = county.record()
    appeal = filed(county, observations=[disputed])
    closed = county.post(f"{YEAR}/close", {"reason": "考核结束"}, "close").json()
    assert closed["closing"]["open_proceedings"] == [appeal]
    assert closed["closing"]["pending"] != []
    assert refusal(county.post(f"{YEAR}/close", {"reason": "再次"})) == (409, "year-closed")
    body = {"reason": "撤销", "evidence": EVIDENCE}
    assert refusal(county.post(f"{HERE}/observations/{disputed}/void", body)) == (409, "year-closed")
    size = county.size()
    again = county.post(f"{YEAR}/close", {"reason": "考核结束"}, "close").json()
    assert (again["receipt"], county.size()) == (closed["receipt"], size)
    done(county, "appeals", appeal, "accept")
    assert decide(county, appeal, "upheld", {"void": disputed}).status_code == 201

    answer = county.get(f"{YEAR}/closings")
    [unit] = [unit for unit in answer["closings"][0]["units"] if unit["key"] == UNIT]
    assert (unit["frozen_total"], unit["total"], unit["changed"], unit["decisions"]) == ("99", "100", True, [appeal])
    frozen = county.client.get(f"{YEAR}/closings/1/sheets").content
    assert sha256(frozen).hexdigest() == answer["closings"][0]["sheets"]
    assert refusal(county.client.get(f"{YEAR}/closings/2/sheets")) == (404, "unknown-closing")
    assert county.post(f"{YEAR}/reopen", {"reason": "漏登"}).status_code == 201
    assert refusal(county.post(f"{YEAR}/reopen", {"reason": "漏登"})) == (409, "year-not-closed")
    assert county.get(f"{YEAR}/closings")["closed"] is False
    assert county.get(f"{YEAR}/closings")["closings"][0]["reopened"]["reason"] == "漏登"


def test_terms_are_set_for_the_year(county: County) -> None:
    terms = {"days_to_file": 10, "days_to_decide": 7, "reason": "实施细则"}
    assert county.post(f"{YEAR}/terms", terms).json()["event"] == "year.terms_set/1"
    answer = county.get(f"{YEAR}/closings")
    assert (answer["days_to_file"], answer["days_to_decide"]) == (10, 7)
    assert refusal(county.post(f"{YEAR}/terms", terms)) == (409, "terms-unchanged")
    assert refusal(county.post(f"{YEAR}/terms", terms | {"days_to_file": 0})) == (422, "field-invalid")


def put_document(county: County, content: bytes, media_type: str, path: str = DOCUMENT, key: str = "d") -> Response:
    headers = {"Content-Type": media_type, "Idempotency-Key": key}
    return county.client.post(path, params={"title": "考核方案"}, content=content, headers=headers)


def test_an_official_document_is_kept_byte_by_byte(county: County) -> None:
    text = "政务公开工作考核方案\n".encode() * 100_000
    assert refusal(county.client.get(DOCUMENT)) == (404, "unknown-document")
    assert put_document(county, text, "text/plain; charset=utf-8").status_code == 201
    kept = county.client.get(DOCUMENT)
    assert (kept.content, kept.headers["content-type"]) == (text, "text/plain; charset=utf-8")
    size = county.size()
    assert put_document(county, text, "text/plain").status_code == 201
    refused = {
        "media type": put_document(county, text, "application/msword", key="e"),
        "text as PDF": put_document(county, text, "application/pdf", key="f"),
        "not UTF-8": put_document(county, b"\xff", "text/plain", key="g"),
        "too large": put_document(county, b" " * (LARGEST_DOCUMENT + 1), "text/plain", key="h"),
        "no version": put_document(county, text, "text/plain", DOCUMENT.replace("/1/", "/2/"), key="i"),
    }
    assert {name: refusal(response) for name, response in refused.items()} == {
        "media type": (415, "media-type"),
        "text as PDF": (422, "document-not-pdf"),
        "not UTF-8": (422, "document-not-text"),
        "too large": (413, "body-too-large"),
        "no version": (404, "unknown-scheme"),
    }
    assert county.size() == size
    assert put_document(county, b"%PDF-1.7", "application/pdf", key="j").status_code == 201
    assert county.client.get(DOCUMENT).headers["content-type"] == "application/pdf"


# --- the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The command line on a database of its own, with the year open; gives what a command prints as JSON."""
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    for module in ("api.commands.ledger", "api.commands.appeal"):
        import_module(module)

    def said(*words: str, fails: bool = False) -> Any:
        result = CliRunner().invoke(app, [*words, "--json"])
        assert (result.exit_code != 0) == fails, result.output
        return json.loads(result.stderr if fails else result.stdout)

    scheme = tmp_path / "zhangshu.yaml"
    scheme.write_text(source("zhangshu-2021"), "utf-8")
    said("year", "open", str(scheme))
    return said


def test_an_appeal_is_handled_on_the_command_line(office: Office, tmp_path: Path) -> None:
    here = ("-j", "360982", "-y", "2021")
    circular = ("--kind", "circular", "--on", "2021-03-29", "--count", "2", "--evidence", "通报", "--document", "1号")
    attributes = ("-a", "level=municipal", "-a", "subject=new_media", "-a", "period=monthly")
    observation = office("observe", *here, "--unit", UNIT, *circular, *attributes)[0]["observation"]
    disputed = ("--unit", UNIT, "--observation", observation, "--indicator", "1.2", "--grounds", "已更新")
    appeal = office("appeal", "file", *here, *disputed)["proceeding"]["id"]
    office("appeal", "return", *here, appeal, "--reason", "请附存档")
    office("appeal", "complete", *here, appeal, "--grounds", "附存档", "--evidence", "存档", "--document", "2号")
    office("appeal", "accept", *here, appeal)
    office("appeal", "review", *here, appeal, "--finding", "属实", "--recommendation", "更正")
    office("year", "close", *here, "--reason", "考核结束")
    orders = ("--amend", f'{observation}={{"count": 1}}', "--judge", "1.2=4", "--on", "2021-12-20")
    decided = office("appeal", "decide", *here, appeal, "--outcome", "upheld", "--reasons", "属实", *orders)
    assert [one["order"] for one in decided["proceeding"]["orders"]] == ["amend", "judge"]
    assert office("appeal", "show", *here, appeal) == decided["proceeding"]
    again = office("appeal", "withdraw", *here, appeal, "--reason", "撤回", fails=True)
    assert [one["code"] for one in again["errors"]] == ["appeal-decided"]
    claim = office("claim", "file", *here, "--unit", UNIT, "--indicator", "1.11", "--grounds", "无")["proceeding"]["id"]
    office("claim", "accept", *here, claim)
    office("claim", "decide", *here, claim, "--granted", "--reasons", "登记簿为空")
    assert [one["id"] for one in office("claim", "list", *here)["proceedings"]] == [claim]
    [closing] = office("year", "closings", *here)["closings"]
    assert [unit["decisions"] for unit in closing["units"] if unit["key"] == UNIT] == [[appeal, claim]]
    office("year", "reopen", *here, "--reason", "漏登")
    office("year", "terms", *here, "--to-file", "10", "--to-decide", "7", "--reason", "细则")
    document = tmp_path / "scheme.txt"
    document.write_text("一、考核对象", "utf-8")
    office("year", "register-document", "-j", "360982", "zhangshu-2021", "1", str(document), "--title", "方案")


def test_what_the_terminal_shows_names_steps_orders_and_changes(office: Office) -> None:
    here = ("-j", "360982", "-y", "2021")
    appeal = office("appeal", "file", *here, "--unit", UNIT, "--indicator", "1.2", "--grounds", "应为5分")["proceeding"]
    office("appeal", "accept", *here, appeal["id"])
    office("year", "close", *here, "--reason", "考核结束")
    orders = ("--judge", "1.2=4", "--on", "2021-12-20")
    office("appeal", "decide", *here, appeal["id"], "--outcome", "upheld", "--reasons", "属实", *orders)

    def shown(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, *here])
        assert result.exit_code == 0, result.output
        return result.output

    told = shown("appeal", "show", appeal["id"])
    assert [word for word in ("提出", "受理", "决定", "成立", "重新评定", "应为5分") if word not in told] == []
    assert "成立" in shown("appeal", "list")
    closings = shown("year", "closings")
    assert [word for word in ("第1次办结", "办结时与现在", "100 第1名", "99 第19名") if word not in closings] == []


def test_an_order_that_is_not_in_dispute_or_without_effect_conflicts(county: County) -> None:
    judgement = {"indicator": "1.2", "value": "1"}
    county.record(kind="judgement", occurred_on="2021-12-20", attributes=judgement)
    other = county.record()
    appeal = filed(county, indicators=["1.2"])
    done(county, "appeals", appeal, "accept")
    early = {"judge": "1.2", "value": "5", "occurred_on": "2021-12-01"}
    assert refusal(decide(county, appeal, "upheld", early)) == (409, "judgement-superseded")
    assert county.post(f"{YEAR}/close", {"reason": "考核结束"}).status_code == 201
    assert refusal(decide(county, appeal, "upheld", {"void": other})) == (409, "order-not-in-dispute")
    assert decide(county, appeal, "upheld", early | {"occurred_on": "2021-12-20"}).status_code == 201
    assert total(county) == "99"


def test_days_after_no_day_are_refused_and_no_day_is_too_late(county: County) -> None:
    appeal = filed(county, indicators=["2.2"])
    address = f"{YEAR}/appeals"
    assert refusal(county.client.get(address, params={"within": 1})) == (422, "overdue-day-missing")
    last = county.get(address, overdue_on="9999-12-31", within=1)
    assert [one["id"] for one in last["proceedings"]] == [appeal]


def test_what_a_reader_could_not_read_back_is_no_evidence_and_no_document(county: County) -> None:
    hidden = {"title": "通报", "url": "https://example.gov.cn/\u0001\u202e"}
    body = {"unit": UNIT, **GROUNDS, "indicators": ["2.2"], "evidence": [hidden]}
    assert refusal(county.post(f"{YEAR}/appeals", body)) == (422, "field-invalid")
    assert refusal(put_document(county, "第一条\0".encode(), "text/plain")) == (422, "document-not-text")


def test_a_damaged_document_is_a_failure_that_says_what_is_damaged(county: County, engine: Engine) -> None:
    assert put_document(county, "第一条".encode(), "text/plain").status_code == 201
    with engine.begin() as connection:
        digest = sha256("第一条".encode()).digest()
        connection.execute(update(documents).where(documents.c.digest == digest).values(content=b"x"))
    response = county.client.get(DOCUMENT)
    assert refusal(response) == (500, "ledger-damaged")
    assert digest.hex() in response.json()["detail"]


def test_the_command_line_refuses_as_http_does(office: Office, tmp_path: Path) -> None:
    here = ("-j", "360982", "-y", "2021")
    judged = ("--kind", "judgement", "--on", "2021-12-20", "--evidence", "评定表", "--document", "1号")
    office("observe", *here, "--unit", UNIT, *judged, "-a", "indicator=1.2", "-a", "value=1")
    appeal = office("appeal", "file", *here, "--unit", UNIT, "--indicator", "1.2", "--grounds", "应为5分")["proceeding"]
    office("appeal", "accept", *here, appeal["id"])
    decide = ("appeal", "decide", *here, appeal["id"], "--outcome", "upheld", "--reasons", "属实")
    early = office(*decide, "--judge", "1.2=5", "--on", "2021-12-01", fails=True)
    assert [one["code"] for one in early["errors"]] == ["judgement-superseded"]
    alone = office("appeal", "list", *here, "--within", "1", fails=True)
    assert [one["code"] for one in alone["errors"]] == ["overdue-day-missing"]
    office("appeal", "list", *here, "--overdue-on", "9999-12-31", "--within", "1")
    document = tmp_path / "scheme.txt"
    document.write_bytes(b"1" * (LARGEST_DOCUMENT + 1))
    register = ("year", "register-document", "-j", "360982", "zhangshu-2021", "1", str(document), "--title", "方案")
    assert [one["code"] for one in office(*register, fails=True)["errors"]] == ["document-too-large"]
