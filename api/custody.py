"""What a server keeps apart from the database: the keys that sign checkpoints, the key of the evidence, the files.

Keys are made when they are first needed: for a ledger, when a checkpoint is first asked for; for evidence, when the
first file is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import Engine

from api.settings import Settings
from ledger.evidence.master_key import read_master_key
from ledger.evidence.opening import open_store, open_vault
from ledger.evidence.vault import EvidenceVault
from ledger.signing import LedgerProofs


_LEFT_BEHIND: Final = timedelta(days=1)


class Custody:
    """The proofs of each ledger and the evidence of all of them, as the settings say. Safe to share between threads."""

    def __init__(self, engine: Engine, settings: Settings, random_bytes: Callable[[int], bytes]) -> None:
        self._engine = engine
        self._settings = settings
        self._random_bytes = random_bytes
        self._proofs: dict[str, LedgerProofs] = {}
        self._vault: EvidenceVault | None = None
        self._lock = Lock()

    def proofs(self, code: str) -> LedgerProofs:
        """Return the proofs of the ledger of that code."""
        with self._lock:
            if code not in self._proofs:
                folder, origin = self._settings.key_folder, self._settings.origin
                self._proofs[code] = LedgerProofs(self._engine, code, folder, origin, self._random_bytes)
            return self._proofs[code]

    @property
    def evidence(self) -> EvidenceVault:
        """The stored files; makes their key where there is none. Raises Rejection where that cannot be read."""
        with self._lock:
            if self._vault is None:
                said = self._settings
                store = open_store(said.evidence_folder, said.evidence_bucket, said.evidence_endpoint)
                self._vault = open_vault(self._engine, store, said.key_folder, self._random_bytes)
            return self._vault

    def finish_erasures(self, code: str, now: datetime) -> None:
        """Destroy the files whose erasure stands in the ledger and is not finished: after an approval, or a crash."""
        self.evidence.finish_erasures(code, now)

    def sweep(self, now: datetime) -> None:
        """Remove what uploads left behind that were cut short long ago; makes no key where nothing was ever stored."""
        if read_master_key(self._settings.key_folder) is not None:
            self.evidence.sweep(now, _LEFT_BEHIND)
