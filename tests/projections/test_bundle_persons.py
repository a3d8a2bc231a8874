"""What takes two persons, in ledgers of an office that holds the key: told by the verifier of bundles and by fsck."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from ledger.commands import (
    Accept,
    Amend,
    DecideAppeal,
    DecideClaim,
    FileClaim,
    OrderAmend,
    OrderVoid,
    Rectify,
    Void,
)
from ledger.events import (
    AppealDecided,
    Changes,
    ClaimDecided,
    Event,
    EvidenceErased,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    Ordered,
    Period,
    ProposalDeclined,
    Reading,
    SchemeAdopted,
    SchemeReference,
    SchemeRegistered,
)
from ledger.tables import evidence_files
from projections.bundles.answering import Asked, answers, year_view
from projections.bundles.entries import evidence_named, ledger_entry
from projections.scheme_files import source, vocabulary
from schemes.reading import read_scheme
from tests.projections.bundles import CODE, MAPPER, OTHER, TINY, UNIT, checked, contents, sealed
from tests.projections.conftest import CIRCULAR, EVIDENCE
from tests.projections.dishonest import FIRST, SCAN, SECOND, Head, Office, scan

READING = Reading(unit=UNIT, kind="circular", occurred_on=date(2021, 1, 9), attributes=dict[str, Any](CIRCULAR))
VOID = Void(reason="重复", evidence=EVIDENCE)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def county(tmp_path: Path) -> Iterator[Office]:
    """One under a scheme with discretion and forfeits."""
    office = Office(tmp_path, source("zhangshu-2021"), "zhangshu-2021")
    yield office
    office.close()


def _both(office: Office) -> tuple[str | None, set[str]]:
    return office.refused(), office.fsck()


def test_what_is_recorded_by_two_persons_holds(office: Office) -> None:
    first, second, third = (office.observed() for _ in range(3))
    [void] = office.ledger.void(office.attempt(FIRST), first, VOID)
    office.approve(void)
    appeal = office.accepted_appeal(second, third)
    orders = (OrderVoid(void=second), OrderAmend(amend=third, changes=Changes(count=2)))
    decision = DecideAppeal(outcome="upheld", reasons="成立", orders=orders)
    [proposed] = office.ledger.decide_appeal(office.attempt(FIRST), 2021, appeal, decision)
    office.approve(proposed)
    assert _both(office) == (None, set())
    for mode in ("unit", "year"):
        answer = office.checked(mode=mode)
        assert "2条由申诉决定所命令，4条经第二人批准" in answer.steps[5].sentence
        assert not any("没有第二人批准" in line for line in answer.unknown)


# --- approvals that cover more, other things, or nothing -------------------------------------------------------------


def _observed(head: Head, **said: Any) -> ObservationObserved:
    return ObservationObserved(
        **head(uuid4(), 1), year=2021, **dict[str, Any](reading=READING, evidence=EVIDENCE) | said
    )


def test_an_approval_covers_what_was_proposed_and_nothing_behind_it(office: Office) -> None:
    victims = [office.observed() for _ in range(2)]

    def make(head: Head) -> list[Event]:
        made = office.proposed(head, uuid4(), "observe", office.wish())
        voids = [ObservationVoided(**head(one, 2), year=2021, **dict(VOID)) for one in victims]
        return [made, office.approved(head, made, recorded=3), _observed(head), *voids]

    office.forge(make)
    refused, found = _both(office)
    assert refused == "approval-recorded"
    assert "approval-recorded" in found


def test_what_was_declined_or_approved_is_not_approved_again(office: Office) -> None:
    def make(head: Head) -> list[Event]:
        made = office.proposed(head, uuid4(), "observe", office.wish())
        declined = ProposalDeclined(**head(made.originator_id, 2), person=SECOND, reason="不予批准")
        approvals = [office.approved(head, made, version=version) for version in (3, 4)]
        return [made, declined, approvals[0], _observed(head), approvals[1], _observed(head)]

    office.forge(make)
    refused, found = _both(office)
    assert refused == "proposal-declined"
    assert {"proposal-declined", "proposal-approved"} <= found


@pytest.mark.parametrize(
    "said",
    [
        {"reading": READING.model_copy(update={"unit": OTHER})},
        {"reading": READING.model_copy(update={"count": 2})},
        {"note": "另记"},
        {"evidence": (*EVIDENCE, *EVIDENCE)},
        {"year": 2022},
        {"actor": "别人"},
    ],
)
def test_an_observation_says_all_that_was_proposed_and_nothing_else(office: Office, said: dict[str, Any]) -> None:
    def make(head: Head) -> list[Event]:
        made = office.proposed(head, uuid4(), "observe", office.wish())
        return [made, office.approved(head, made), _observed(head).model_copy(update=said)]

    office.forge(make)
    refused, found = _both(office)
    assert refused == "approval-other-content"
    assert "approval-other-content" in found


def test_an_empty_proposal_approves_nothing(office: Office) -> None:
    victim = office.observed()

    def make(head: Head) -> list[Event]:
        made = office.proposed(head, uuid4(), "void", {}, victim)
        void = ObservationVoided(**head(victim, 2), year=2021, **dict(VOID))
        return [made, office.approved(head, made), void]

    office.forge(make)
    refused, found = _both(office)
    assert refused == "proposal-content"
    assert "proposal-content" in found


def test_an_approved_decision_orders_what_was_approved(office: Office) -> None:
    small, large = office.observed(), office.observed(count=4)
    appeal = office.accepted_appeal(small, large)

    def make(head: Head, order: Ordered, entry: Any, **said: Any) -> list[Event]:
        wish = DecideAppeal(outcome="partly_upheld", reasons="部分成立", orders=(OrderVoid(void=small),))
        made = office.proposed(head, uuid4(), "decide_appeal", wish, appeal)
        decided: dict[str, Any] = {"year": 2021, "outcome": wish.outcome, "reasons": wish.reasons, "orders": (order,)}
        ordered: dict[str, Any] = {"year": 2021, "reason": wish.reasons, "decision": appeal, **said}
        return [
            made,
            office.approved(head, made, recorded=2),
            AppealDecided(**head(appeal, 3), **decided),
            entry(**head(order.observation, 2), **ordered),
        ]

    office.forge(lambda head: make(head, Ordered(order="void", observation=large), ObservationVoided, evidence=()))
    refused, found = _both(office)
    assert refused == "approval-other-content"
    assert "approval-other-content" in found


def test_an_ordered_amendment_reads_as_it_was_approved(office: Office) -> None:
    disputed = office.observed(count=4)
    appeal = office.accepted_appeal(disputed)

    def make(head: Head) -> list[Event]:
        order = OrderAmend(amend=disputed, changes=Changes(count=3))
        wish = DecideAppeal(outcome="upheld", reasons="成立", orders=(order,))
        made = office.proposed(head, uuid4(), "decide_appeal", wish, appeal)
        ordered = (Ordered(order="amend", observation=disputed),)
        decided: dict[str, Any] = {"year": 2021, "outcome": "upheld", "reasons": "成立", "orders": ordered}
        amended: dict[str, Any] = {
            "changes": Changes(count=1),
            "reading": READING,
            "reason": "成立",
            "decision": appeal,
        }
        return [
            made,
            office.approved(head, made, recorded=2),
            AppealDecided(**head(appeal, 3), **decided),
            ObservationAmended(**head(disputed, 2), year=2021, **amended),
        ]

    office.forge(make)
    assert _both(office) == ("order-not-carried-out", {"order-not-carried-out", "key-differs"})


@pytest.mark.parametrize("approved", [True, False])
def test_a_claim_is_granted_for_the_row_and_the_unit_that_it_was_filed_for(office: Office, approved: bool) -> None:
    [filed] = office.ledger.file_claim(office.attempt(), 2021, FileClaim(unit=UNIT, indicator="a", grounds="不涉及"))
    claim = filed.event.originator_id
    office.ledger.step(office.attempt(), 2021, "claim", claim, Accept())

    def make(head: Head) -> list[Event]:
        wish = DecideClaim(granted=True, reasons="经核实不涉及")
        decided = ClaimDecided(**head(claim, 3), year=2021, unit=OTHER, indicator="a", **dict(wish))
        made = office.proposed(head, uuid4(), "decide_claim", wish, claim)
        return [made, office.approved(head, made), decided] if approved else [decided]

    office.forge(make)
    refused, found = _both(office)
    assert refused == "decision-other-row"
    assert "decision-other-row" in found


def test_who_filed_an_appeal_has_no_part_in_its_decision(office: Office) -> None:
    disputed = office.observed()
    appeal = office.accepted_appeal(disputed, person=SECOND)

    def make(head: Head) -> list[Event]:
        wish = DecideAppeal(outcome="dismissed", reasons="不成立")
        made = office.proposed(head, uuid4(), "decide_appeal", wish, appeal)
        decided = AppealDecided(**head(appeal, 3), year=2021, outcome="dismissed", reasons="不成立")
        return [made, office.approved(head, made), decided]

    office.forge(make)
    refused, found = _both(office)
    assert refused == "approval-own"
    assert "approval-own" in found


def test_what_moved_before_its_approval_is_not_what_was_approved(office: Office) -> None:
    victim = office.observed()
    [proposed] = office.ledger.void(office.attempt(FIRST), victim, VOID)
    office.ledger.amend(office.attempt(), victim, Amend(changes=Changes(count=2), reason="重新清点"))

    def make(head: Head) -> list[Event]:
        void = ObservationVoided(**head(victim, 3), year=2021, **dict(VOID))
        made = proposed.event
        assert made.wire == "proposal.made/1"
        return [office.approved(head, made), void]  # type: ignore[arg-type]  # a proposal, as its name says

    office.forge(make)
    assert _both(office) == ("proposal-outdated", {"proposal-outdated"})


# --- entries left out of a bundle of one unit ------------------------------------------------------------------------


def _without(file: bytes, wire: str) -> bytes:
    """Leave the entries of this type out of a bundle of one unit, and state what the rest gives."""
    bundle = contents(file)
    bundle["events"] = [one for one in bundle["events"] if wire.encode() not in b64decode(one["state"])]
    entries = [ledger_entry(one["position"], b64decode(one["state"]), MAPPER) for one in bundle["events"]]
    text = bundle["documents"][0]["text"]
    asked = Asked(2021, UNIT, date(2021, 12, 31), None, "unit")
    size = int(bundle["checkpoint"].split("\n")[1])
    view = year_view(entries, size, asked, lambda digest: read_scheme(text, digest, vocabulary()), None)
    stated = answers(view, view.unit(UNIT), "unit")
    bundle |= {"sheet": stated.sheet, "ranking": stated.ranking, "derivation": stated.derivation}
    bundle["evidence"] = [one.model_dump() for one in evidence_named(entries)]
    return sealed(bundle)


def test_a_void_that_a_decision_in_the_bundle_orders_cannot_be_left_out(office: Office) -> None:
    disputed = office.observed(count=3)
    appeal = office.accepted_appeal(disputed)
    decision = DecideAppeal(outcome="upheld", reasons="成立", orders=(OrderVoid(void=disputed),))
    office.ledger.decide_appeal(office.attempt(), 2021, appeal, decision)
    finding = checked(_without(office.bundle(mode="unit"), "observation.voided/1")).finding
    assert finding is not None
    assert (finding.step, finding.code) == (6, "order-not-carried-out")


def test_a_void_whose_approval_is_in_the_bundle_cannot_be_left_out(office: Office) -> None:
    [proposed] = office.ledger.void(office.attempt(FIRST), office.observed(count=3), VOID)
    office.approve(proposed)
    finding = checked(_without(office.bundle(mode="unit"), "observation.voided/1")).finding
    assert finding is not None
    assert (finding.step, finding.code) == (6, "approval-incomplete")


# --- years and schemes -----------------------------------------------------------------------------------------------


AMENDED: dict[str, Any] = {
    "changes": Changes(count=2),
    "reading": READING.model_copy(update={"count": 2}),
    "reason": "重新清点",
}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (ObservationVoided, dict(VOID)),
        (ObservationRectified, {"on": date(2021, 2, 1)}),
        (ObservationAmended, AMENDED),
    ],
)
def test_an_entry_under_another_year_than_its_observations_is_told(
    office: Office, entry: Any, said: dict[str, Any]
) -> None:
    victim = office.observed()
    office.forge(lambda head: [entry(**head(victim, 2), year=2020, **said)])
    assert _both(office) == ("stream-year", {"stream-year"})
    assert office.refused("unit") == "stream-year"


def _adopting(office: Office, stream: UUID, scheme: SchemeReference) -> Callable[[Head], list[Event]]:
    period = Period(first=date(2021, 1, 1), last=date(2021, 12, 31))
    said: dict[str, Any] = {"year": 2021, "period": period, "scheme": scheme, "reason": "修订"}
    version = 2 if stream == office.ledger.stream("year", 2021) else 1
    return lambda head: [
        SchemeRegistered(**head(uuid4(), 1), scheme=scheme),
        SchemeAdopted(**head(stream, version), **said),
    ]


def test_a_scheme_adopted_beside_the_years_own_stream_is_told(office: Office) -> None:
    text = TINY.replace('version: "1"', 'version: "2"').replace("each: 2", "each: 1")
    scheme = SchemeReference(id="tiny-2021", version="2", digest=sha256(text.encode()).hexdigest())
    office.forge(_adopting(office, uuid4(), scheme), [text.encode()])
    assert _both(office) == ("year-stream", {"year-stream"})


def test_a_version_of_a_scheme_has_one_document(office: Office) -> None:
    text = TINY.replace("each: 2", "each: 1")
    scheme = SchemeReference(id="tiny-2021", version="1", digest=sha256(text.encode()).hexdigest())
    office.forge(_adopting(office, office.ledger.stream("year", 2021), scheme), [text.encode()])
    assert _both(office) == ("scheme-two-documents", {"scheme-two-documents"})


# --- who is on record ------------------------------------------------------------------------------------------------


def _alone(office: Office, unit: str) -> str:
    lines = [line for line in office.checked(unit).unknown if "没有第二人批准" in line]
    return lines[0].partition("号记录")[0].removeprefix("第") if lines else ""


def test_all_that_takes_a_second_person_and_has_none_is_listed(county: Office) -> None:
    unit = "福城街道"
    ordinary = county.observe(unit).event.originator_id
    said: dict[str, Any] = {"section": "penalty", "points": "5", "authority": "分管领导"}
    discretion = county.observe(unit, kind="discretion", attributes=said)
    away = Amend(changes=Changes(kind="circular", attributes=dict[str, Any](CIRCULAR)), reason="改为通报")
    [amended] = county.ledger.amend(county.attempt(), discretion.event.originator_id, away)
    forfeit = county.observe(unit, kind="omission", attributes={"item": "annual_report"})
    rectify = Rectify(on=date(2021, 4, 1))
    [rectified] = county.ledger.rectify(county.attempt(), forfeit.event.originator_id, rectify)
    county.ledger.rectify(county.attempt(), ordinary, rectify)
    [void] = county.ledger.void(county.attempt(), ordinary, VOID)
    listed = (discretion, amended, forfeit, rectified, void)
    assert _alone(county, unit) == "、".join(str(one.position) for one in listed)


def _with_a_file(office: Office) -> None:
    row: dict[str, Any] = {
        "ledger": CODE,
        "commitment": bytes.fromhex(SCAN),
        "salt": bytes(32),
        "sealed_key": bytes(40),
    }
    more = {"object": bytes(32), "size": 1, "media_type": "image/png", "stored_by": "x", "stored_at": 1}
    with office.engine.begin() as connection:
        connection.execute(insert(evidence_files), row | more)
    office.observe(evidence=(scan(),))


def _erasing(office: Office, approved: bool) -> Callable[[Head], list[Event]]:
    def make(head: Head) -> list[Event]:
        wish: dict[str, Any] = {"commitment": SCAN, "ground": "个人信息保护法"}
        erased = EvidenceErased(**head(office.ledger.stream("evidence", SCAN), 1), **wish)
        made = office.proposed(head, uuid4(), "erase_evidence", wish)
        return [made, office.approved(head, made), erased] if approved else [erased]

    return make


def test_only_an_erasure_that_two_persons_agreed_to_is_called_lawful(office: Office, tmp_path: Path) -> None:
    _with_a_file(office)
    office.forge(_erasing(office, approved=False))
    answer = office.checked()
    assert "依法" not in answer.steps[9].sentence
    assert "没有第二人批准" in answer.steps[9].sentence
    assert _alone(office, UNIT) == "4"
    assert "erasure-unapproved" in office.fsck()
    (tmp_path / "other").mkdir()
    other = Office(tmp_path / "other")
    _with_a_file(other)
    other.forge(_erasing(other, approved=True))
    assert "其中1个已依法销毁" in other.checked().steps[9].sentence
    assert _alone(other, UNIT) == ""
    other.close()


# --- what was known when ---------------------------------------------------------------------------------------------


def test_the_moment_asked_about_is_told_and_what_came_later_is_not_counted(office: Office) -> None:
    known_at = office.now + timedelta(seconds=30)
    office.observe(count=4)
    answer = office.checked(known_at=known_at)
    assert answer.steps[7].sentence.startswith("由0条事实记录")
    assert any("登记的1条记录" in line and "不计入得分" in line for line in answer.unknown)
    assert answer.proved is not None
    assert (answer.proved.known_at, answer.proved.total) == (known_at, "10")
    assert answer.proved.scheme_digest in answer.steps[6].sentence
    assert any("公布" in line and answer.proved.scheme_digest in line for line in answer.unknown)
