"""What an auditor is given over HTTP, held against what an auditor can work out alone."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, update
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.settings import Settings
from ledger.checkpoints import Checkpoint, open_checkpoint, open_cosigned
from ledger.merkle import ProofRejected, leaf_hash, root_of, verify_consistency, verify_inclusion
from ledger.signed_notes import SignatureType, SigningKey, VerifierKey, note_bytes, parse_note
from ledger.signing import LedgerProofs
from ledger.tables import events
from tests.api.accounts import bearer, token_of
from tests.api.county import HERE, UNIT, YEAR, Clock, County, observation

AUDITED = (
    "checkpoint",
    "verifier-key",
    "proof/inclusion?position=1",
    "proof/consistency?first=1",
    "entries",
    "entries/1/bytes",
)


@pytest.fixture
def recorded(county: County) -> County:
    """A county with a few entries."""
    for day in range(1, 8):
        county.record(occurred_on=f"2021-04-{day:02}")
    return county


def verifier(county: County) -> VerifierKey:
    return VerifierKey.parse(county.client.get(f"{HERE}/verifier-key").text.removesuffix("\n"))


def signed_head(county: County) -> Checkpoint:
    response = county.client.get(f"{HERE}/checkpoint")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    return open_checkpoint(response.content, verifier(county))


def all_bytes(county: County) -> list[bytes]:
    return [b64decode(one["bytes"]) for one in county.get(f"{HERE}/entries", limit=500)["entries"]]


def test_the_signed_head_is_the_root_of_the_entries_bytes(recorded: County) -> None:
    head = signed_head(recorded)
    entries = all_bytes(recorded)
    assert (head.origin, head.size) == ("mingzhang/360982", recorded.size())
    assert head.root == root_of(map(leaf_hash, entries))


def test_each_receipt_is_in_the_signed_head(recorded: County) -> None:
    head = signed_head(recorded)
    for position in range(1, head.size + 1):
        proof = recorded.get(f"{HERE}/proof/inclusion", position=position)
        assert (proof["size"], proof["root"]) == (head.size, head.root.hex())
        leaf, hashes = bytes.fromhex(proof["leaf_hash"]), list(map(bytes.fromhex, proof["hashes"]))
        verify_inclusion(leaf, position - 1, head.size, hashes, head.root)


def test_a_receipt_names_the_leaf_that_is_proven(county: County) -> None:
    receipt = county.post(f"{YEAR}/observations", observation()).json()
    proof = county.get(f"{HERE}/proof/inclusion", position=receipt["position"])
    kept = county.client.get(f"{HERE}/entries/{receipt['position']}/bytes").content
    assert receipt["leaf_hash"] == proof["leaf_hash"] == leaf_hash(kept).hex()


def test_a_proof_of_another_leaf_does_not_hold(recorded: County) -> None:
    head = signed_head(recorded)
    first, second = (recorded.get(f"{HERE}/proof/inclusion", position=position) for position in (1, 2))
    with pytest.raises(ProofRejected):
        verify_inclusion(
            bytes.fromhex(first["leaf_hash"]), 0, head.size, list(map(bytes.fromhex, second["hashes"])), head.root
        )


def test_every_earlier_head_is_the_start_of_the_signed_one(recorded: County) -> None:
    leaves = [leaf_hash(one) for one in all_bytes(recorded)]
    head = signed_head(recorded)
    for first in range(1, head.size + 1):
        proof = recorded.get(f"{HERE}/proof/consistency", first=first)
        assert proof["first_root"] == root_of(leaves[:first]).hex()
        assert (proof["second"], proof["second_root"]) == (head.size, head.root.hex())
        verify_consistency(
            first, head.size, list(map(bytes.fromhex, proof["hashes"])), root_of(leaves[:first]), head.root
        )


def test_proofs_are_those_of_the_size_asked_for(recorded: County) -> None:
    leaves = [leaf_hash(one) for one in all_bytes(recorded)]
    proof = recorded.get(f"{HERE}/proof/inclusion", position=2, size=5)
    assert (proof["size"], proof["root"]) == (5, root_of(leaves[:5]).hex())
    verify_inclusion(leaves[1], 1, 5, list(map(bytes.fromhex, proof["hashes"])), root_of(leaves[:5]))
    between = recorded.get(f"{HERE}/proof/consistency", first=3, second=6)
    hashes = list(map(bytes.fromhex, between["hashes"]))
    verify_consistency(3, 6, hashes, root_of(leaves[:3]), root_of(leaves[:6]))


def test_a_new_entry_is_signed_when_the_head_is_next_asked_for(recorded: County) -> None:
    before = signed_head(recorded)
    recorded.record(occurred_on="2021-05-01")
    assert recorded.get(f"{HERE}/proof/inclusion", position=before.size + 1)["size"] == before.size + 1
    assert signed_head(recorded).size == before.size + 1


def test_the_signed_head_is_tagged(recorded: County) -> None:
    first = recorded.client.get(f"{HERE}/checkpoint")
    again = recorded.client.get(f"{HERE}/checkpoint", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    recorded.record(occurred_on="2021-05-02")
    assert (
        recorded.client.get(f"{HERE}/checkpoint", headers={"If-None-Match": first.headers["etag"]}).status_code == 200
    )


def test_entries_are_turned_over_page_by_page(recorded: County) -> None:
    found, after = [], 0
    while after is not None:
        page = recorded.get(f"{HERE}/entries", after=after, limit=3)
        found += page["entries"]
        after = page["next"]
    assert [one["position"] for one in found] == list(range(1, recorded.size() + 1))
    assert recorded.get(f"{HERE}/entries", after=recorded.size()) == {"entries": [], "next": None}
    assert recorded.get(f"{HERE}/entries", after=2**63 - 1) == {"entries": [], "next": None}


def test_the_bytes_of_an_entry_come_as_they_are_kept(recorded: County) -> None:
    entries = all_bytes(recorded)
    response = recorded.client.get(f"{HERE}/entries/3/bytes")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.content == entries[2]


def test_cosignatures_that_were_kept_are_given_with_the_head(
    recorded: County, engine: Engine, settings: Settings
) -> None:
    note = recorded.client.get(f"{HERE}/checkpoint").content
    witness = SigningKey.generate("witness.example.com/w1", bytes(32), SignatureType.COSIGNATURE)
    text, lines = parse_note(note)
    proofs = LedgerProofs(engine, "360982", settings.key_folder, settings.origin, bytes)
    proofs.keep_cosignatures(note_bytes(text, [*lines, witness.cosign(text, 1_640_000_000)]))
    given = recorded.client.get(f"{HERE}/checkpoint").content
    _, [seen] = open_cosigned(given, verifier(recorded), [witness.verifier])
    assert seen.timestamp == 1_640_000_000


# --- refusals --------------------------------------------------------------------------------------------------------

REFUSED = {
    "proof/inclusion": (422, "field-missing"),
    "proof/inclusion?position=0": (422, "field-invalid"),
    "proof/inclusion?position=-1": (422, "field-invalid"),
    "proof/inclusion?position=99": (422, "unknown-position"),
    "proof/inclusion?position=9223372036854775807": (422, "unknown-position"),
    "proof/inclusion?position=9223372036854775808": (422, "field-invalid"),
    "proof/inclusion?position=1e3": (422, "field-invalid"),
    "proof/inclusion?position=1&size=0": (422, "field-invalid"),
    "proof/inclusion?position=1&size=99": (422, "proof-size"),
    "proof/inclusion?position=6&size=5": (422, "unknown-position"),
    "proof/inclusion?position=1&leaf=0": (422, "parameter-unknown"),
    "proof/consistency": (422, "field-missing"),
    "proof/consistency?first=0": (422, "field-invalid"),
    "proof/consistency?first=99": (422, "proof-size"),
    "proof/consistency?first=5&second=4": (422, "proof-size"),
    "proof/consistency?first=1&second=99": (422, "proof-size"),
    "entries?limit=501": (422, "field-invalid"),
    "entries?limit=0": (422, "field-invalid"),
    "entries?after=-1": (422, "field-invalid"),
    "entries?after=x": (422, "field-invalid"),
    "entries/0/bytes": (422, "field-invalid"),
    "entries/99/bytes": (404, "unknown-position"),
    "entries/x/bytes": (422, "field-invalid"),
    "entries/../bytes": (404, "not-found"),
}


def test_what_is_not_there_is_refused(recorded: County) -> None:
    answers = {path: recorded.client.get(f"{HERE}/{path}") for path in REFUSED}
    assert {path: (one.status_code, one.json()["code"]) for path, one in answers.items()} == REFUSED


def test_a_ledger_without_entries_gets_neither_key_nor_answer(new_county: County, settings: Settings) -> None:
    answers = [new_county.client.get(f"{HERE}/{path}") for path in AUDITED]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "unknown-jurisdiction")}
    assert not settings.key_folder.exists()


def test_an_altered_entry_is_not_given_as_if_it_were_whole(recorded: County, engine: Engine) -> None:
    signed_head(recorded)
    with engine.begin() as connection:
        connection.execute(update(events).where(events.c.position == 2).values(state=b"{}"))
    answers = [recorded.client.get(f"{HERE}/{path}") for path in ("entries", "entries/2/bytes")]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(500, "ledger-damaged")}


@pytest.mark.usefixtures("county")
def test_the_bytes_of_entries_are_for_auditors(application: FastAPI, engine: Engine, clock: Clock) -> None:
    grants = {
        "审计": Grant("auditor", "360982"),
        "外县审计": Grant("auditor", "341821"),
        "录入员": Grant("recorder", "360982"),
        "街道": Grant("unit", "360982", UNIT),
        "管理员": Grant("administrator"),
    }
    found = {}
    for who, grant in grants.items():
        with TestClient(application, headers=bearer(token_of(engine, clock, who, [grant]))) as client:
            found[who] = tuple(client.get(f"{HERE}/{path}").status_code for path in ("checkpoint", "entries"))
    assert found == {
        "审计": (200, 200),
        "外县审计": (403, 403),
        "录入员": (200, 403),
        "街道": (200, 403),
        "管理员": (403, 403),
    }


def test_the_key_is_made_for_its_owner_only(recorded: County, settings: Settings) -> None:
    signed_head(recorded)
    key: Path = settings.key_folder / "360982.signing-key"
    assert key.stat().st_mode & 0o777 == 0o600
