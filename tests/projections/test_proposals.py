"""What takes effect only with a second person: proposed, approved by another human on the exact bytes, or declined."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ledger.commands import (
    Accept,
    Amend,
    Attempt,
    DecideAppeal,
    DecideClaim,
    EraseEvidence,
    FileAppeal,
    FileClaim,
    Observe,
    OrderVoid,
    Rectify,
    Void,
)
from ledger.events import Changes, Evidence, ObservationObserved, ObservationVoided, ProposalApproved, ProposalMade
from ledger.rejection import Rejection
from projections.proposals import ProposalsWanted, approve, proposals_answer
from tests.projections.conftest import CODE, EVIDENCE, County

UNIT = "福城街道"
ONE = "a1" * 16
TWO = "b2" * 16
FORFEIT: dict[str, Any] = {
    "kind": "defect",
    "attributes": {"item": "annual_report", "nature": "data_error"},
}


def by(county: County, person: str, actor: str = "考核办甲") -> Attempt:
    attempt = county.attempt()
    return Attempt(actor, attempt.now, attempt.key, person)


def wish(kind: str = "circular", attributes: Any = None, **more: Any) -> Observe:
    said = attributes or {"level": "municipal", "subject": "new_media", "period": "monthly"}
    return Observe(unit=UNIT, kind=kind, occurred_on=date(2021, 3, 1), attributes=said, evidence=EVIDENCE, **more)


def propose(county: County, one: Observe) -> Any:
    [receipt] = county.ledger.observe(by(county, ONE), 2021, [one])
    assert isinstance(receipt.event, ProposalMade)
    return receipt


def open_ids(county: County) -> list[UUID]:
    return [one.id for one in proposals_answer(county.jurisdictions, CODE, ProposalsWanted("open")).proposals]


def code_of(error: pytest.ExceptionInfo[Rejection]) -> str:
    return error.value.refusals[0].code


def test_what_a_forfeit_looks_at_scores_only_once_another_person_approved_it(county: County) -> None:
    before = county.total()
    made = propose(county, wish(**FORFEIT))

    assert county.total() == before
    assert open_ids(county) == [made.event.originator_id]
    approved, observed = county.ledger.approve(
        by(county, TWO, "考核办乙"), made.event.originator_id, made.leaf_hash.hex()
    )

    assert isinstance(approved.event, ProposalApproved)
    assert isinstance(observed.event, ObservationObserved)
    assert (approved.event.actor, observed.event.actor) == ("考核办乙", "考核办甲")
    assert (approved.event.recorded, observed.position) == (1, approved.position + 1)
    assert county.total() != before
    assert open_ids(county) == []


def test_a_proposal_counts_from_its_approval_on_and_not_before(county: County) -> None:
    before = county.total()
    made = propose(county, wish(**FORFEIT))
    county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())

    assert county.total(known_at=made.event.recorded_at) == before
    assert county.total(known_at=county.now) == county.total() != before


def test_nobody_approves_their_own_proposal_from_whatever_account(county: County) -> None:
    made = propose(county, wish(**FORFEIT))
    with pytest.raises(Rejection) as own:
        county.ledger.approve(by(county, ONE, "考核办丙"), made.event.originator_id, made.leaf_hash.hex())
    with pytest.raises(Rejection) as nobody:
        county.ledger.approve(county.attempt(), made.event.originator_id, made.leaf_hash.hex())

    assert (code_of(own), code_of(nobody)) == ("approval-own", "approval-needs-person")
    assert open_ids(county) == [made.event.originator_id]


def test_an_approval_names_the_exact_bytes(county: County) -> None:
    made, other = propose(county, wish(**FORFEIT)), propose(county, wish(**FORFEIT, note="另一件"))
    with pytest.raises(Rejection) as error:
        county.ledger.approve(by(county, TWO), made.event.originator_id, other.leaf_hash.hex())

    assert code_of(error) == "approval-other-bytes"


def test_a_batch_records_what_needs_nobody_and_proposes_the_rest(county: County) -> None:
    receipts = county.ledger.observe(by(county, ONE), 2021, [wish(), wish(**FORFEIT), wish(note="又一件")])

    assert [type(one.event) for one in receipts] == [ObservationObserved, ProposalMade, ObservationObserved]


def test_discretion_is_proposed(county: County) -> None:
    points = {"section": "penalty", "points": "2", "authority": "市政府办公室"}
    made = propose(county, wish("discretion", points))

    assert made.event.action == "observe"


def test_a_void_takes_two_persons(county: County) -> None:
    untouched = county.total()
    observation = county.observe()
    charged = county.total()
    [made] = county.ledger.void(by(county, ONE), observation, Void(reason="通报撤销", evidence=EVIDENCE))

    assert charged == county.total() != untouched
    _, void = county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())
    assert isinstance(void.event, ObservationVoided)
    assert county.total() == untouched


def test_an_amendment_is_proposed_where_the_old_or_the_new_reading_weighs(county: County) -> None:
    plain = county.observe()
    heavy = county.observe(kind="defect", attributes=FORFEIT["attributes"])

    def amend(observation: UUID, **changes: Any) -> type:
        [one] = county.ledger.amend(by(county, ONE), observation, Amend(changes=Changes(**changes), reason="更正"))
        return type(one.event)

    assert amend(plain, count=2) is not ProposalMade
    assert amend(plain, kind=FORFEIT["kind"], attributes=FORFEIT["attributes"]) is ProposalMade
    assert amend(heavy, attributes={"item": "annual_report", "nature": "typo"}) is ProposalMade


def test_what_could_not_be_recorded_cannot_be_proposed(county: County) -> None:
    observation = county.observe()
    county.ledger.void(county.attempt(), observation, Void(reason="撤销", evidence=EVIDENCE))
    with pytest.raises(Rejection) as error:
        county.ledger.void(by(county, ONE), observation, Void(reason="再撤销", evidence=EVIDENCE))

    assert code_of(error) == "observation-void"


def test_what_is_not_possible_any_more_when_it_is_approved_is_refused_whole(county: County) -> None:
    observation = county.observe()
    [made] = county.ledger.void(by(county, ONE), observation, Void(reason="撤销", evidence=EVIDENCE))
    county.ledger.void(county.attempt(), observation, Void(reason="先行撤销", evidence=EVIDENCE))
    with pytest.raises(Rejection) as error:
        county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())

    assert code_of(error) == "observation-void"
    assert open_ids(county) == [made.event.originator_id]


def test_a_declined_proposal_has_ended(county: County) -> None:
    made = propose(county, wish(**FORFEIT))
    county.ledger.decline(by(county, TWO), made.event.originator_id, "附件不全")
    with pytest.raises(Rejection) as error:
        county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())

    assert code_of(error) == "proposal-declined"
    [one] = proposals_answer(county.jurisdictions, CODE, ProposalsWanted("declined")).proposals
    assert one.ended is not None
    assert one.ended.reason == "附件不全"


def test_an_appeal_is_decided_by_two_persons(county: County) -> None:
    observation = county.observe()
    file = FileAppeal(unit=UNIT, observations=(observation,), grounds="未被通报")
    [filed] = county.ledger.file_appeal(county.attempt(), 2021, file)
    county.ledger.step(county.attempt(), 2021, "appeal", filed.event.originator_id, Accept())
    decision = DecideAppeal(outcome="upheld", reasons="核实", orders=(OrderVoid(void=observation),))
    [made] = county.ledger.decide_appeal(by(county, ONE), 2021, filed.event.originator_id, decision)
    charged = county.total()
    approve(county.jurisdictions, CODE, by(county, TWO), made.event.originator_id, made.leaf_hash.hex())

    assert county.total() != charged
    view = county.jurisdictions.view(CODE, 2021)
    [void] = [entry for entry in view.entries_of(str(observation)) if entry.entry == "void"]
    assert view.decisions[void.position] == filed.event.originator_id


def test_a_claim_is_decided_by_two_persons(county: County) -> None:
    [filed] = county.ledger.file_claim(
        county.attempt(), 2021, FileClaim(unit=UNIT, indicator="1.11", grounds="全年未收到申请")
    )
    county.ledger.step(county.attempt(), 2021, "claim", filed.event.originator_id, Accept())
    granted = DecideClaim(granted=True, reasons="登记簿为空")
    [made] = county.ledger.decide_claim(by(county, ONE), 2021, filed.event.originator_id, granted)

    assert county.jurisdictions.view(CODE, 2021).claims == frozenset()
    county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())
    assert county.jurisdictions.view(CODE, 2021).claims == {(UNIT, "1.11")}


def test_the_same_approval_sent_twice_records_once(county: County) -> None:
    made = propose(county, wish(**FORFEIT))
    attempt = by(county, TWO)
    first = county.ledger.approve(attempt, made.event.originator_id, made.leaf_hash.hex())

    assert county.ledger.approve(attempt, made.event.originator_id, made.leaf_hash.hex()) == first


def test_evidence_that_is_not_stored_is_refused(county: County) -> None:
    paper = (Evidence(title="扫描件", file="5f" * 32),)
    with pytest.raises(Rejection) as recorded:
        county.ledger.observe(county.attempt(), 2021, [wish().model_copy(update={"evidence": paper})])
    with pytest.raises(Rejection) as proposed:
        county.ledger.observe(by(county, ONE), 2021, [wish(**FORFEIT).model_copy(update={"evidence": paper})])
    with pytest.raises(Rejection) as erased:
        county.ledger.erase_evidence(by(county, ONE), EraseEvidence(commitment="5f" * 32, ground="第四十七条"))

    assert [code_of(one) for one in (recorded, proposed, erased)] == ["unknown-evidence"] * 3


def test_a_correction_that_makes_another_fact_of_it_takes_two_persons_as_a_void_does(county: County) -> None:
    observation = county.observe()

    def amended(**changes: Any) -> type:
        wish = Amend(changes=Changes(**changes), reason="更正")
        [one] = county.ledger.amend(by(county, ONE), observation, wish)
        return type(one.event)

    assert amended(count=2) is not ProposalMade
    assert amended(unit="大桥街道") is ProposalMade
    assert amended(kind="publication", attributes={"item": "interpretation"}) is ProposalMade


def test_a_request_whose_late_answer_would_forfeit_a_row_takes_two_persons(county: County) -> None:
    made = propose(county, wish("request_received", {"request": "依申请1号"}))
    before = county.total()
    county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())

    assert county.total() != before


def test_what_was_proposed_is_what_is_approved_or_nothing_is(county: County) -> None:
    observation = county.observe()
    [made] = county.ledger.void(by(county, ONE), observation, Void(reason="撤销", evidence=EVIDENCE))
    county.ledger.amend(by(county, ONE), observation, Amend(changes=Changes(count=5), reason="更正"))
    size = county.ledger.ledger_recorder.head().size
    with pytest.raises(Rejection) as error:
        county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())

    assert code_of(error) == "proposal-outdated"
    assert county.ledger.ledger_recorder.head().size == size


def test_a_rectification_of_what_weighs_takes_two_persons(county: County) -> None:
    heavy = county.observe(kind="defect", attributes=FORFEIT["attributes"])
    plain = county.observe()
    receipts = [county.ledger.rectify(by(county, ONE), one, Rectify(on=date(2021, 4, 1)))[0] for one in (heavy, plain)]
    assert [isinstance(one.event, ProposalMade) for one in receipts] == [True, False]
    made = receipts[0]
    county.ledger.approve(by(county, TWO), made.event.originator_id, made.leaf_hash.hex())
    [rectified] = [
        one for one in county.jurisdictions.view(CODE, 2021).entries_of(str(heavy)) if one.entry == "rectify"
    ]
    assert rectified.actor == "考核办甲"


def test_whoever_filed_an_appeal_has_no_part_in_its_decision(county: County) -> None:
    observation = county.observe()
    file = FileAppeal(unit=UNIT, observations=(observation,), grounds="未被通报")
    [filed] = county.ledger.file_appeal(by(county, ONE, "福城街道"), 2021, file)
    appeal = filed.event.originator_id
    county.ledger.step(county.attempt(), 2021, "appeal", appeal, Accept())
    decision = DecideAppeal(outcome="upheld", reasons="核实", orders=(OrderVoid(void=observation),))
    with pytest.raises(Rejection) as proposing:
        county.ledger.decide_appeal(by(county, ONE, "分管领导"), 2021, appeal, decision)
    [made] = county.ledger.decide_appeal(by(county, TWO), 2021, appeal, decision)
    with pytest.raises(Rejection) as approving:
        county.ledger.approve(by(county, ONE, "分管领导"), made.event.originator_id, made.leaf_hash.hex())

    assert [code_of(one) for one in (proposing, approving)] == ["approval-own"] * 2
    third = county.ledger.approve(by(county, "c3" * 16), made.event.originator_id, made.leaf_hash.hex())
    assert len(third) == 3


def test_who_may_not_approve_withdraws_only_what_they_proposed(county: County) -> None:
    made = propose(county, wish(**FORFEIT))
    with pytest.raises(Rejection) as error:
        county.ledger.decline(by(county, TWO), made.event.originator_id, "不同意", own_only=True)

    assert code_of(error) == "decline-own-only"
    county.ledger.decline(by(county, ONE), made.event.originator_id, "撤回", own_only=True)
    assert open_ids(county) == []
