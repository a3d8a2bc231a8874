"""The bytes of events: golden files that are never edited, and a round trip."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent
from pydantic import TypeAdapter, ValidationError

from ledger.event_bytes import EventMapper
from ledger.events import (
    EVENTS,
    AppealDecided,
    AppealFiled,
    Changes,
    ClaimDecided,
    ClaimFiled,
    Event,
    Evidence,
    EvidenceErased,
    GroupOfUnits,
    LongText,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    Period,
    ProceedingAccepted,
    ProceedingCompleted,
    ProceedingReturned,
    ProceedingReviewed,
    ProceedingWithdrawn,
    ProposalApproved,
    ProposalDeclined,
    ProposalMade,
    Reading,
    SchemeAdopted,
    SchemeDocumentRegistered,
    SchemeReference,
    SchemeRegistered,
    SheetsReleased,
    Text,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    YearClosed,
    YearOpened,
    YearReopened,
    YearTermsSet,
)

GOLDEN = Path(__file__).with_name("golden")
OBSERVATION = UUID("5b1c6f0e-9a77-5d0e-8a41-3f2f6c1d7e55")
STREAM = UUID("8eb57e40-2074-5d03-9f0d-b2a4980be5aa")
MAPPER = EventMapper("360982")
PERIOD = Period(first=date(2021, 1, 1), last=date(2021, 12, 31))
SCHEME = SchemeReference(id="zhangshu-2021", version="1", digest="a4" * 32)
READING = Reading(
    unit="福城街道",
    kind="publication",
    occurred_on=date(2021, 3, 1),
    count=2,
    attributes={"item": "interpretation", "forms": ["text", "chart"]},
)
EVIDENCE = (
    Evidence(title="关于3月检查情况的通报", document="樟府办字〔2021〕8号", locator="第2页"),
    Evidence(title="网页截图", file="5f" * 32),
    Evidence(title="栏目页面", url="https://www.example.gov.cn/zwgk?a=1&b=“二”"),
)


def _head(version: int) -> dict[str, object]:
    return {
        "originator_id": STREAM,
        "originator_version": version,
        "recorded_at": datetime(2021, 3, 2, 1, 30, 0, 123456, tzinfo=UTC),
        "actor": "经济信息中心",
        "nonce": "0123456789abcdef" * 2,
    }


EXAMPLES: list[Event] = [
    ObservationObserved.model_validate(
        _head(1) | {"year": 2021, "reading": READING, "evidence": EVIDENCE, "note": "两件"}
    ),
    ObservationAmended.model_validate(
        _head(2) | {"year": 2021, "changes": Changes(count=1), "reading": READING, "reason": "重复计算", "evidence": ()}
    ),
    ObservationVoided.model_validate(_head(3) | {"year": 2021, "reason": "复核：已按时公开", "evidence": EVIDENCE[:1]}),
    ObservationRectified.model_validate(_head(2) | {"year": 2021, "on": date(2021, 4, 1), "note": "已整改"}),
    YearOpened.model_validate(
        _head(1)
        | {
            "year": 2021,
            "period": PERIOD,
            "scheme": SCHEME,
            "groups": (GroupOfUnits(id="township", units=("福城街道",)),),
        }
    ),
    SchemeAdopted.model_validate(_head(2) | {"year": 2021, "period": PERIOD, "scheme": SCHEME, "reason": "年中修订"}),
    UnitJoined.model_validate(
        _head(3) | {"year": 2021, "unit": "新设镇", "group": "township", "on": date(2021, 7, 1), "reason": "区划调整"}
    ),
    UnitLeft.model_validate(_head(4) | {"year": 2021, "unit": "福城街道", "on": date(2021, 7, 1), "reason": "撤并"}),
    UnitRenamed.model_validate(
        _head(5) | {"year": 2021, "unit": "福城街道", "name": "福城新区", "on": date(2021, 7, 1), "reason": "更名"}
    ),
    SchemeRegistered.model_validate(_head(1) | {"scheme": SCHEME}),
    YearClosed.model_validate(
        _head(6) | {"year": 2021, "reason": "年度考核结束", "position": 812, "scheme": SCHEME, "sheets": "b7" * 32}
    ),
    YearReopened.model_validate(_head(7) | {"year": 2021, "reason": "漏登一份通报"}),
    YearTermsSet.model_validate(
        _head(2) | {"year": 2021, "days_to_file": 10, "days_to_decide": 7, "reason": "实施细则第九条"}
    ),
    SchemeDocumentRegistered.model_validate(
        _head(2)
        | {"scheme": SCHEME, "title": "考核方案", "media_type": "application/pdf", "digest": "c3" * 32, "size": 90210}
    ),
    AppealFiled.model_validate(
        _head(1)
        | {
            "year": 2021,
            "unit": "福城街道",
            "observations": (OBSERVATION,),
            "indicators": ("1.2",),
            "grounds": "已按时公开",
            "evidence": EVIDENCE[:1],
        }
    ),
    AppealDecided.model_validate(
        _head(4)
        | {
            "year": 2021,
            "outcome": "partly_upheld",
            "reasons": "公开时间以网页为准",
            "orders": ({"order": "void", "observation": OBSERVATION},),
            "evidence": EVIDENCE[1:2],
        }
    ),
    ClaimFiled.model_validate(
        _head(1) | {"year": 2021, "unit": "福城街道", "indicator": "1.11", "grounds": "全年未收到申请"}
    ),
    ClaimDecided.model_validate(
        _head(3) | {"year": 2021, "granted": True, "unit": "福城街道", "indicator": "1.11", "reasons": "登记簿为空"}
    ),
    ProceedingReturned.model_validate(_head(2) | {"year": 2021, "reason": "请附网页存档"}),
    ProceedingCompleted.model_validate(_head(3) | {"year": 2021, "grounds": "附存档", "evidence": EVIDENCE[2:]}),
    ProceedingAccepted.model_validate(_head(2) | {"year": 2021, "note": "材料齐全"}),
    ProceedingReviewed.model_validate(
        _head(3) | {"year": 2021, "finding": "网页时间早于检查", "recommendation": "撤销该项记录"}
    ),
    ProceedingWithdrawn.model_validate(_head(3) | {"year": 2021, "reason": "单位不再申诉"}),
    SheetsReleased.model_validate(
        _head(8) | {"year": 2021, "as_of": date(2021, 6, 30), "position": 511, "reason": "上半年结果经市政府审定"}
    ),
    ProposalMade.model_validate(
        _head(1)
        | {
            "person": "9d" * 16,
            "action": "void",
            "about": OBSERVATION,
            "content": {"reason": "通报撤销", "evidence": [{"title": "函", "document": "宜府办字〔2021〕31号"}]},
        }
    ),
    ProposalApproved.model_validate(_head(2) | {"person": "e1" * 16, "leaf_hash": "4c" * 32, "recorded": 1}),
    ProposalDeclined.model_validate(_head(2) | {"person": "e1" * 16, "reason": "附件不全"}),
    EvidenceErased.model_validate(_head(1) | {"commitment": "5f" * 32, "ground": "个人信息保护法第四十七条"}),
]


def _golden(event: Event) -> Path:
    return GOLDEN / f"{event.wire.replace('/', '.')}.json"


def test_every_event_has_an_example() -> None:
    assert {event.wire for event in EXAMPLES} == set(EVENTS)
    assert {path.name for path in GOLDEN.iterdir()} == {_golden(event).name for event in EXAMPLES}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.wire)
def test_an_event_is_written_as_it_always_was(event: Event) -> None:
    assert MAPPER.to_stored_event(event).state == _golden(event).read_bytes()


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.wire)
def test_an_event_written_long_ago_is_read(event: Event) -> None:
    state = _golden(event).read_bytes()
    stored = StoredEvent(event.originator_id, event.originator_version, event.wire, state)
    assert MAPPER.to_domain_event(stored) == event


@pytest.mark.parametrize(
    "ordered",
    [
        ObservationVoided.model_validate(
            _head(2) | {"year": 2021, "reason": "申诉成立", "evidence": (), "decision": STREAM}
        ),
        ObservationObserved.model_validate(
            _head(1) | {"year": 2021, "reading": READING, "evidence": (), "decision": STREAM}
        ),
    ],
    ids=lambda event: event.wire,
)
def test_what_a_decision_ordered_names_it_and_needs_no_evidence_of_its_own(ordered: Event) -> None:
    assert MAPPER.to_domain_event(MAPPER.to_stored_event(ordered)) == ordered
    content = json.loads(MAPPER.to_stored_event(ordered).state)
    assert content["data"].pop("decision") == str(STREAM)
    stored = StoredEvent(STREAM, 1, ordered.wire, json.dumps(content).encode())
    with pytest.raises(ValidationError, match="evidence of its own, or the decision"):
        MAPPER.to_domain_event(stored)


def test_bytes_of_another_ledger_or_type_are_refused() -> None:
    content = json.loads(_golden(EXAMPLES[0]).read_bytes())
    for change, expected in (({"ledger": "320581"}, "of ledger 360982"), ({"type": "gossip/1"}, "known event type")):
        stored = StoredEvent(STREAM, 1, "any", json.dumps(content | change).encode())
        with pytest.raises(ValueError, match=expected):
            MAPPER.to_domain_event(stored)


@pytest.mark.parametrize(
    "text", ["福城街道", "市 政府", "市\u3000政府", "U.S. ‘x’", "\ue000街道", "𠮷家镇", "x" * 500, "市政府办(应急办)"]
)
def test_a_name_is_one_line_as_people_see_it(text: str) -> None:
    assert TypeAdapter(Text).validate_python(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 福城街道",
        "福城街道 ",
        "福城街道\u3000",
        "福城\u200b街道",
        "\u202e福城街道",
        "\ufeff福城街道",
        "福城\xad街道",
        "福城\n街道",
        "福城\t街道",
        "福城\u2028街道",
        "福城\x85街道",
        "福城\x00街道",
        "福城\ud800街道",
        "x" * 501,
    ],
)
def test_a_name_with_what_nobody_sees_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Text).validate_python(text)


def test_a_long_text_keeps_its_lines() -> None:
    text = "一、按时公开\n\t二、见附件\r\n"
    assert TypeAdapter(LongText).validate_python(text) == text
    for refused in ("", " \n", "a\x00b", "x" * 4001):
        with pytest.raises(ValidationError):
            TypeAdapter(LongText).validate_python(refused)


@pytest.mark.parametrize("hidden", ["\x01", "\x7f", "\u200b", "\u202e", "\ud800"])
def test_an_address_with_what_nobody_sees_is_no_evidence(hidden: str) -> None:
    address = "https://example.gov.cn/通报"
    assert Evidence(title="通报", url=address).url == address
    with pytest.raises(ValidationError):
        Evidence(title="通报", url=f"{address}{hidden}")
