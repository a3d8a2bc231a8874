"""What the tests of bundles share: a ledger's proofs, bundles taken apart, and what an operator with the key can do."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Engine

from ledger.canonical import canonical_bytes
from ledger.checkpoints import Checkpoint
from ledger.commands import Amend, Attempt, Observe, Void
from ledger.database import migrate, open_engine
from ledger.event_bytes import EventMapper
from ledger.events import Changes
from ledger.merkle import leaf_hash, root_of
from ledger.signed_notes import SigningKey, VerifierKey, signed
from ledger.signing import LedgerProofs
from projections.bundles.format import LARGEST_BUNDLE, Mode, framed, sealed_text
from projections.bundles.making import make_bundle
from projections.bundles.models import VerificationAnswer
from projections.bundles.verifying import verify
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from tests.projections.conftest import CIRCULAR, EVIDENCE

CODE = "360982"
ORIGIN = f"mingzhang/{CODE}"
KEY = SigningKey.generate(ORIGIN, bytes(range(32)))
OTHER_KEY = SigningKey.generate(ORIGIN, bytes(range(1, 33)))
MAPPER = EventMapper(CODE)
MODES: tuple[Mode, Mode] = ("unit", "year")
UNIT, OTHER = "甲镇", "乙镇"
"""The units of the small ledger."""
Bundle = dict[str, Any]

TINY = """
id: tiny-2021
version: "1"
document: {title: 考评方案, number: 1号, issuer: 办公室, issued_on: null}
jurisdiction: {code: "360982", name: 某市}
year: 2021
period: {first: 2021-01-01, last: 2021-12-31}
full: 10
not_applicable: drop
groups:
  - id: all
    title: 全部
    units: [甲镇, 乙镇]
    indicators:
      - id: a
        titles: [通报]
        clause: 第1行
        points: 10
        start: full
        rules:
          - {effect: deduct, kinds: [circular], each: 2}
"""


def proofs_of(engine: Engine, folder: Path, code: str = CODE) -> LedgerProofs:
    """Return the proofs of a ledger; Zhangshu's are signed with `KEY`."""
    if code == CODE:
        folder.mkdir(mode=0o700, exist_ok=True)
        key = folder / f"{code}.signing-key"
        key.touch(0o600)
        key.write_text(f"{KEY.text()}\n")
    return LedgerProofs(engine, code, folder, "mingzhang", secrets.token_bytes)


def contents(file: bytes) -> Bundle:
    return cast(Bundle, json.loads(file)["bundle"])


def sealed(bundle: Bundle, key: SigningKey = KEY) -> bytes:
    """Return the file with these contents, sealed with the key."""
    content = canonical_bytes(bundle, LARGEST_BUNDLE)
    return framed(content, signed(sealed_text(key.name, content), [key]))


def edited(file: bytes, edit: Callable[[Bundle], object], key: SigningKey = KEY) -> bytes:
    """Return the file with its contents edited and sealed again, as only an operator with the key can."""
    bundle = deepcopy(contents(file))
    edit(bundle)
    return sealed(bundle, key)


def checked(file: bytes, key: VerifierKey = KEY.verifier, **more: Any) -> VerificationAnswer:
    return verify(file, key, **more)


def found(file: bytes, **more: Any) -> tuple[int, str] | None:
    """Return the step and the code of the finding, or None where everything holds."""
    finding = checked(file, **more).finding
    return None if finding is None else (finding.step, finding.code)


def headed(bundle: Bundle, states: list[bytes], key: SigningKey = KEY) -> None:
    """Give the bundle of a whole year these entries, and a checkpoint of just these, signed with the key."""
    bundle["events"] = [
        {"position": position, "proof": None, "state": b64encode(state).decode()}
        for position, state in enumerate(states, start=1)
    ]
    head = Checkpoint(ORIGIN, len(states), root_of(map(leaf_hash, states)))
    bundle["checkpoint"] = signed(head.text(), [key]).decode()


class Files:
    """Bundles of one small ledger: its seventh entry is the last, its sixth a void of what the unit lost points by."""

    def __init__(self, unit: bytes, year: bytes, other: bytes, older: bytes) -> None:
        self.unit = unit
        self.year = year
        self.other = other
        """One of the other unit, the smallest."""
        self.older = older
        """One of the unit, made when the ledger had two entries less."""


def small_files(folder: Path) -> Files:
    """Return bundles of a ledger kept in the folder, which is closed again."""
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite3'}")
    migrate(engine)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    ledger, proofs = jurisdictions.ledger(CODE), proofs_of(engine, folder / "keys")
    moments = (datetime(2021, 2, 1, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(100))

    def attempt() -> Attempt:
        return Attempt("办公室", now := next(moments), now.isoformat())

    def observed(unit: str) -> UUID:
        day, said = date(2021, 1, 9), dict[str, Any](CIRCULAR)
        wish = Observe(unit=unit, kind="circular", occurred_on=day, attributes=said, evidence=EVIDENCE)
        [receipt] = ledger.observe(attempt(), 2021, [wish])
        return receipt.event.originator_id

    scheme, version = scheme_version(TINY, "tiny-2021")
    ledger.open_year(attempt(), 2021, version, scheme_units(scheme))
    voided, amended = observed(UNIT), observed(UNIT)
    ledger.amend(attempt(), amended, Amend(changes=Changes(count=2), reason="重新清点"))
    older = make_bundle(jurisdictions, proofs, CODE, 2021, UNIT)
    ledger.void(attempt(), voided, Void(reason="重复", evidence=EVIDENCE))
    observed(OTHER)
    unit, year = (make_bundle(jurisdictions, proofs, CODE, 2021, UNIT, mode=mode) for mode in MODES)
    other = make_bundle(jurisdictions, proofs, CODE, 2021, OTHER)
    jurisdictions.close()
    engine.dispose()
    return Files(unit, year, other, older)
