"""An office that holds the key and writes into its ledger what its own program would never record."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from ledger.appending import Append
from ledger.checking.checking import check_ledger
from ledger.commands import Accept, Attempt, FileAppeal, Observe, Receipt
from ledger.database import migrate, open_engine
from ledger.events import Event, Evidence, ProposalApproved, ProposalMade
from ledger.merkle import leaf_hash
from projections.bundles.format import Mode
from projections.bundles.making import make_bundle
from projections.bundles.models import VerificationAnswer
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from tests.projections.bundles import CODE, MAPPER, TINY, UNIT, checked, proofs_of
from tests.projections.conftest import CIRCULAR, EVIDENCE

FIRST, SECOND = "a1" * 16, "b2" * 16
"""Two persons."""
Head = Callable[[UUID, int], dict[str, Any]]


class Office:
    """A small ledger of 2021 with two units; every command is a minute later than the one before."""

    def __init__(self, folder: Path, scheme: str = TINY, name: str = "tiny-2021") -> None:
        self.engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite3'}")
        migrate(self.engine)
        self.jurisdictions = Jurisdictions(self.engine, secrets.token_bytes)
        self.ledger = self.jurisdictions.ledger(CODE)
        self.keys = folder / "keys"
        self.proofs = proofs_of(self.engine, self.keys)
        self.now = datetime(2021, 2, 1, tzinfo=UTC)
        self._attempts = 0
        read, version = scheme_version(scheme, name)
        self.ledger.open_year(self.attempt(), 2021, version, scheme_units(read))

    def close(self) -> None:
        self.jurisdictions.close()
        self.engine.dispose()

    @property
    def next_key(self) -> str:
        """The key of the next attempt."""
        return f"k{self._attempts}"

    def attempt(self, person: str | None = None) -> Attempt:
        self.now += timedelta(minutes=1)
        key, self._attempts = self.next_key, self._attempts + 1
        return Attempt("办公室", self.now, key, person)

    def wish(self, unit: str = UNIT, kind: str = "circular", **more: Any) -> Observe:
        said: dict[str, Any] = {"attributes": dict(CIRCULAR), "evidence": EVIDENCE} | more
        return Observe(unit=unit, kind=kind, occurred_on=date(2021, 1, 9), **said)

    def observe(self, unit: str = UNIT, person: str | None = None, **more: Any) -> Receipt:
        [receipt] = self.ledger.observe(self.attempt(person), 2021, [self.wish(unit, **more)])
        return receipt

    def observed(self, unit: str = UNIT, **more: Any) -> UUID:
        return self.observe(unit, **more).event.originator_id

    def approve(self, proposed: Receipt) -> list[Receipt]:
        return self.ledger.approve(self.attempt(SECOND), proposed.event.originator_id, proposed.leaf_hash.hex())

    def accepted_appeal(self, *observations: UUID, unit: str = UNIT, person: str | None = None) -> UUID:
        wish = FileAppeal(unit=unit, observations=observations, grounds="不服")
        [filed] = self.ledger.file_appeal(self.attempt(person), 2021, wish)
        self.ledger.step(self.attempt(), 2021, "appeal", filed.event.originator_id, Accept())
        return filed.event.originator_id

    def forge(self, make: Callable[[Head], Sequence[Event]], documents: Sequence[bytes] = ()) -> None:
        """Append what is made as it is."""
        attempt = self.attempt()

        def build(moment: datetime) -> Append:
            def head(stream: UUID, version: int) -> dict[str, Any]:
                who = {"actor": attempt.actor, "nonce": secrets.token_hex(16)}
                return {"originator_id": stream, "originator_version": version, "recorded_at": moment, **who}

            return Append(make(head), {}, documents)

        self.ledger._append(attempt, ("forge", attempt.key), build)

    def proposed(self, head: Head, stream: UUID, action: str, content: Any, about: UUID | None = None) -> ProposalMade:
        said = content if isinstance(content, dict) else content.model_dump(mode="json", exclude_none=True)
        return ProposalMade.model_validate(
            head(stream, 1) | {"person": FIRST, "action": action, "year": 2021, "about": about, "content": said}
        )

    def approved(self, head: Head, made: ProposalMade, recorded: int = 1, version: int = 2) -> ProposalApproved:
        leaf = leaf_hash(MAPPER.to_stored_event(made).state).hex()
        return ProposalApproved(**head(made.originator_id, version), person=SECOND, leaf_hash=leaf, recorded=recorded)

    def bundle(self, unit: str = UNIT, mode: Mode = "year", **asked: Any) -> bytes:
        return make_bundle(self.jurisdictions, self.proofs, CODE, 2021, unit, mode=mode, **asked)

    def checked(self, unit: str = UNIT, mode: Mode = "year", **asked: Any) -> VerificationAnswer:
        return checked(self.bundle(unit, mode, **asked))

    def refused(self, mode: Mode = "year") -> str | None:
        """The code with which the bundle of the first unit is refused, None where it holds."""
        finding = self.checked(mode=mode).finding
        return None if finding is None else finding.code

    def fsck(self) -> set[str]:
        report = check_ledger(self.engine, CODE, lambda *_: None, key_folder=self.keys)
        return {one.code for one in report.findings}


SCAN = "5f" * 32


def scan() -> Evidence:
    return Evidence(title="截图", file=SCAN)
