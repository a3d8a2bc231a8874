"""Bundles: what they prove of a unit's score without server or database; on both databases."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert, update

from ledger.appends import microseconds
from ledger.checkpoints import cosigned
from ledger.commands import Amend, Attempt, EraseEvidence, Observe, OrderVoid, Rectify, Void
from ledger.events import Changes, Evidence
from ledger.evidence.commitments import commitment_to
from ledger.rejection import Rejection
from ledger.signed_notes import SignatureType, SigningKey, VerifierKey
from ledger.signing import LedgerProofs
from ledger.tables import evidence_files, facts
from projections.answers import sheet_answer
from projections.bundles.format import Mode
from projections.bundles.making import make_bundle
from projections.bundles.models import ProvedAnswer, VerificationAnswer
from projections.jurisdictions import scheme_units, scheme_version
from projections.proceedings.closings import close_year
from projections.scheme_files import source
from tests.projections.bundles import CODE, KEY, checked, contents, edited, found, proofs_of
from tests.projections.conftest import EVIDENCE, County
from tests.projections.proceedings import OTHER, UNIT, accepted, claimed, decided, filed, granted

YEAR = 2021
PROPOSER, APPROVER = "9d" * 16, "e1" * 16


@pytest.fixture
def proofs(engine: Engine, tmp_path: Path) -> LedgerProofs:
    return proofs_of(engine, tmp_path / "keys")


def _bundle(county: County, proofs: LedgerProofs, unit: str = UNIT, **asked: Any) -> bytes:
    return make_bundle(county.jurisdictions, proofs, CODE, YEAR, unit, **asked)


def _proved(answer: VerificationAnswer) -> ProvedAnswer:
    assert answer.finding is None, answer.finding
    assert [step.number for step in answer.steps] == list(range(1, 11))
    assert answer.proved is not None
    return answer.proved


def _person(county: County, person: str) -> Attempt:
    made = county.attempt()
    return Attempt("某人", made.now, made.key, person)


def test_a_unit_is_proved_by_its_own_entries_and_claims_no_rank(county: County, proofs: LedgerProofs) -> None:
    county.observe()
    county.observe(OTHER)
    file = _bundle(county, proofs)
    answer = checked(file)
    proved = _proved(answer)
    assert (proved.unit, proved.total, proved.rank, proved.mode) == (UNIT, "94", None, "unit")
    assert [one["position"] for one in contents(file)["events"]] == [1, 2, 3]
    assert "共核对3条记录的字节与证明" in answer.steps[4].sentence
    assert any("漏装" in line for line in answer.unknown)


def test_the_whole_year_proves_rank_and_grade_and_that_nothing_is_missing(county: County, proofs: LedgerProofs) -> None:
    county.observe()
    county.observe(OTHER)
    county.observe(OTHER, day=date(2021, 4, 1))
    answer = checked(_bundle(county, proofs, mode="year"))
    proved = _proved(answer)
    sheet = sheet_answer(view := county.jurisdictions.view(CODE, YEAR), view.unit(UNIT))
    assert (proved.total, proved.rank, proved.grade) == (sheet.total, sheet.rank, sheet.grade) == ("94", 18, None)
    assert "由全部5条记录算出的根" in answer.steps[4].sentence
    assert not any("漏装" in line for line in answer.unknown)


@pytest.mark.parametrize("mode", ["unit", "year"])
def test_a_score_is_proved_as_of_a_day_and_as_known_at_a_moment(
    county: County, proofs: LedgerProofs, mode: str
) -> None:
    county.observe(day=date(2021, 3, 1))
    between = county.now
    late = county.observe(day=date(2021, 6, 1))
    county.ledger.amend(county.attempt(), late, Amend(changes=Changes(count=2), reason="重新清点"))
    voided = county.observe(day=date(2021, 7, 1))
    county.ledger.void(county.attempt(), voided, Void(reason="重复", evidence=EVIDENCE))
    county.ledger.rectify(county.attempt(), late, Rectify(on=date(2021, 7, 9)))
    for asked in ({}, {"as_of": date(2021, 5, 31)}, {"known_at": between}, {"as_of": date(2021, 6, 1)}):
        proved = _proved(checked(_bundle(county, proofs, mode=mode, **asked)))
        assert proved.total == county.total(**asked)
    assert county.total(known_at=between) != county.total()


@pytest.mark.parametrize("mode", ["unit", "year"])
def test_appeals_claims_and_a_move_between_units_are_proved(county: County, proofs: LedgerProofs, mode: str) -> None:
    disputed, moved = county.observe(), county.observe(OTHER, day=date(2021, 5, 1))
    county.ledger.amend(county.attempt(), moved, Amend(changes=Changes(unit=UNIT), reason="应为福城街道"))
    granted(county, accepted(county, claimed(county), "claim"))
    appeal = accepted(county, filed(county, disputed))
    decided(county, appeal, OrderVoid(void=disputed))
    county.ledger.rename_unit(county.attempt(), YEAR, UNIT, "福城新区", date(2021, 6, 1), "更名")
    for unit in ("福城新区", OTHER):
        answer = checked(_bundle(county, proofs, unit, mode=mode))
        assert _proved(answer).total == county.total(unit)
    assert "1条由申诉决定所命令" in checked(_bundle(county, proofs, mode=mode)).steps[5].sentence


def test_what_one_person_recorded_alone_is_named_and_what_two_did_is_not(county: County, proofs: LedgerProofs) -> None:
    alone, together = county.observe(), county.observe(day=date(2021, 4, 1))
    wish = Void(reason="重复", evidence=EVIDENCE)
    county.ledger.void(county.attempt(), alone, wish)
    [proposal] = county.ledger.void(_person(county, PROPOSER), together, wish)
    county.ledger.approve(_person(county, APPROVER), proposal.event.originator_id, proposal.leaf_hash.hex())
    for mode in ("unit", "year"):
        answer = checked(_bundle(county, proofs, mode=mode))
        assert _proved(answer).total == "100"
        assert "1条经第二人批准" in answer.steps[5].sentence
        assert [line for line in answer.unknown if line.startswith("第5号记录（共1条）")]


@pytest.mark.parametrize("is_assumed", [True, False])
def test_last_years_grade_is_assumed_of_one_unit_and_proved_of_the_whole_year(
    county: County, engine: Engine, tmp_path: Path, is_assumed: bool
) -> None:
    code = "140821"
    ledger = county.jurisdictions.ledger(code)
    texts = {year: source("linyi-2023").replace("2023", str(year)) for year in (2022, 2023)}
    for year, text in texts.items():
        scheme, version = scheme_version(text, f"linyi-{year}")
        ledger.open_year(county.attempt(), year, version, scheme_units(scheme))
    best = county.jurisdictions.view(code, 2023).units[0].key
    praise: dict[str, Any] = {"level": "municipal", "form": "endorsement"}
    day = date(2022, 3, 1)
    wish = Observe(unit=best, kind="commendation", occurred_on=day, attributes=praise, evidence=EVIDENCE)
    ledger.observe(county.attempt(), 2022, [wish])
    close_year(county.jurisdictions, code, 2022, county.attempt(), "考核结束")
    proofs = proofs_of(engine, tmp_path / "keys", code)
    mode: Mode = "unit" if is_assumed else "year"
    file = make_bundle(county.jurisdictions, proofs, code, 2023, best, mode=mode)
    key = VerifierKey.parse(proofs.verifier_key())
    answer = checked(file, key)
    _proved(answer)
    assert any(row["indicator"] == "b3" and row["value"] == "2" for row in contents(file)["sheet"]["rows"])
    assert contents(file)["last_grade"] == ({"year": 2022, "grade": "优秀"} if is_assumed else None)
    assert len(contents(file)["documents"]) == (1 if is_assumed else 2)
    said = "2022年度的等次是否确为“优秀”" if is_assumed else "取自该年度封存的得分表"
    assert any(said in line for line in answer.unknown)


def _stored(engine: Engine, content: bytes) -> tuple[str, bytes]:
    """Put a file's row where an upload would, and return its commitment and salt."""
    salt = secrets.token_bytes(32)
    commitment = commitment_to(salt, sha256(content).digest())
    row = {
        "ledger": CODE,
        "commitment": commitment,
        "salt": salt,
        "sealed_key": b"k",
        "object": bytes(32),
        "size": len(content),
        "media_type": "application/pdf",
        "stored_by": "某人",
        "stored_at": microseconds(datetime(2021, 1, 1, tzinfo=UTC)),
    }
    with engine.begin() as connection:
        connection.execute(insert(evidence_files).values(**row))
    return commitment.hex(), salt


def _observe_with(county: County, *files: str) -> UUID:
    evidence = tuple(Evidence(title="网页存档", file=file) for file in files)
    attributes: dict[str, Any] = {"level": "municipal", "subject": "website", "period": "monthly"}
    wish = Observe(unit=UNIT, kind="circular", occurred_on=date(2021, 2, 1), attributes=attributes, evidence=evidence)
    [receipt] = county.ledger.observe(county.attempt(), YEAR, [wish])
    return receipt.event.originator_id


@pytest.mark.parametrize("mode", ["unit", "year"])
def test_evidence_is_held_against_its_commitment_and_an_erased_file_keeps_it(
    county: County, proofs: LedgerProofs, engine: Engine, tmp_path: Path, mode: str
) -> None:
    (kept, salt), (erased, _) = _stored(engine, b"%PDF-1"), _stored(engine, b"%PDF-2")
    _observe_with(county, kept, erased)
    erase = EraseEvidence(commitment=erased, ground="个人信息保护法第四十七条")
    [proposal] = county.ledger.erase_evidence(_person(county, PROPOSER), erase)
    county.ledger.approve(_person(county, APPROVER), proposal.event.originator_id, proposal.leaf_hash.hex())
    file = _bundle(county, proofs, mode=mode)
    folder = tmp_path / "given"
    folder.mkdir()
    answer = checked(file, evidence=folder)
    _proved(answer)
    assert "其中1个已依法销毁，承诺值完好；所给文件夹中有0个" in answer.steps[9].sentence
    (folder / f"{kept}.salt").write_text(salt.hex())
    (folder / f"{kept}.pdf").write_bytes(b"%PDF-1")
    assert "所给文件夹中有1个" in checked(file, evidence=folder).steps[9].sentence
    (folder / f"{kept}.pdf").write_bytes(b"%PDF-x")
    assert found(file, evidence=folder) == (10, "evidence-file-differs")
    (folder / f"{kept}.salt").write_text("盐")
    assert found(file, evidence=folder) == (10, "evidence-salt")


def test_a_named_witness_must_have_cosigned(county: County, proofs: LedgerProofs) -> None:
    witness = SigningKey.generate("witness.example.com", bytes(32), SignatureType.COSIGNATURE)
    county.observe()
    assert found(_bundle(county, proofs), witnesses=[witness.verifier]) == (3, "witness-missing")
    proofs.keep_cosignatures(cosigned(proofs.checkpoint(), KEY.verifier, witness, 1_700_000_000))
    answer = checked(_bundle(county, proofs), witnesses=[witness.verifier])
    assert "1个见证人联署" in answer.steps[2].sentence
    assert not any("另一本账" in line for line in answer.unknown)


@pytest.mark.parametrize("mode", ["unit", "year"])
def test_nothing_is_given_away_that_the_bytes_of_the_entries_do_not_give(
    county: County, proofs: LedgerProofs, engine: Engine, mode: str
) -> None:
    county.observe()
    with engine.begin() as connection:
        connection.execute(update(facts).values(count=2))
    with pytest.raises(Rejection) as rejection:
        _bundle(county, proofs, mode=mode)
    assert rejection.value.refusals[0].code == "bundle-not-reproducible"


def test_an_unknown_unit_is_refused_before_anything_is_signed(county: County, engine: Engine, tmp_path: Path) -> None:
    proofs = LedgerProofs(engine, CODE, tmp_path / "none", "mingzhang", secrets.token_bytes)
    with pytest.raises(Rejection) as rejection:
        _bundle(county, proofs, "无此街道")
    assert rejection.value.refusals[0].code == "unknown-unit"
    assert not (tmp_path / "none").exists()


def test_the_figures_of_other_units_come_along_where_a_row_compares_them(county: County, proofs: LedgerProofs) -> None:
    ranked = {"name": "third_party_q1", "rank": 2}
    county.observe(OTHER, kind="ranking", attributes=ranked)
    county.observe(UNIT, kind="ranking", attributes={**ranked, "rank": 1})
    elsewhere = county.observe(OTHER)
    file = _bundle(county, proofs, "市应急管理局")
    positions = [one["position"] for one in contents(file)["events"]]
    assert positions == [1, 2, 3, 4]
    assert str(elsewhere) not in file.decode()
    _proved(checked(file))


def test_two_makers_of_other_programs_are_told_apart(county: County, proofs: LedgerProofs) -> None:
    def other(bundle: dict[str, Any]) -> None:
        bundle["program"], bundle["sheet"]["total"] = "0.0.1", "95"

    answer = checked(edited(_bundle(county, proofs), other))
    assert answer.finding is not None
    assert "制作程序为0.0.1版" in answer.finding.sentence
