"""What a server keeps apart from the database: the keys that sign checkpoints, the key of the evidence, the files.

Keys are made when they are first needed, and a server needs them when it starts (`api.serving`); a command, when it
asks for a checkpoint or stores a file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import RLock
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.settings import Settings
from ledger.evidence.erasures import finish_erasures
from ledger.evidence.master_key import read_master_key
from ledger.evidence.opening import open_store, open_vault
from ledger.evidence.stores import EvidenceStore
from ledger.evidence.vault import EvidenceVault
from ledger.rejection import Rejection
from ledger.signing import LedgerProofs

_LEFT_BEHIND: Final = timedelta(days=1)
_logger = logging.getLogger("mingzhang")


class Custody:
    """The proofs of each ledger and the evidence of all of them, as the settings say. Safe to share between threads."""

    def __init__(self, engine: Engine, settings: Settings, random_bytes: Callable[[int], bytes]) -> None:
        self._engine = engine
        self._settings = settings
        self._random_bytes = random_bytes
        self._proofs: dict[str, LedgerProofs] = {}
        self._vault: EvidenceVault | None = None
        self._store: EvidenceStore | None = None
        self._lock = RLock()

    def proofs(self, code: str) -> LedgerProofs:
        """Return the proofs of the ledger of that code."""
        with self._lock:
            if code not in self._proofs:
                folder, origin = self._settings.key_folder, self._settings.origin
                self._proofs[code] = LedgerProofs(self._engine, code, folder, origin, self._random_bytes)
            return self._proofs[code]

    def signed_ledgers(self) -> list[str]:
        """Return the codes of the ledgers of which the key folder knows a checkpoint, whatever the database has."""
        return sorted({one.stem for one in self._settings.key_folder.glob("*.checkpoint")})

    @property
    def evidence(self) -> EvidenceVault:
        """The stored files; makes their key where there is none. Raises Rejection where that cannot be read."""
        return self._opened_vault()

    def _opened_vault(self) -> EvidenceVault:
        with self._lock:
            if self._vault is None:
                self._vault = open_vault(
                    self._engine, self.evidence_store, self._settings.key_folder, self._random_bytes
                )
            return self._vault

    @property
    def evidence_store(self) -> EvidenceStore:
        """Where sealed files are kept. Raises Rejection `evidence-store-unavailable` where boto3 is not installed."""
        with self._lock:
            if self._store is None:
                said = self._settings
                self._store = open_store(said.evidence_folder, said.evidence_bucket, said.evidence_endpoint)
            return self._store

    def prepare_evidence(self, codes: Iterable[str], now: datetime) -> None:
        """Delete what erasures and uploads that were cut short left in the store; for the start, before any request.

        Makes no key where nothing was ever stored. Raises Rejection where store or key cannot be used as they are set.
        """
        self.evidence_store.sweep(now - _LEFT_BEHIND)
        if read_master_key(self._settings.key_folder) is not None:
            self._opened_vault()
        for code in codes:
            self.delete_erased(code)

    def delete_erased(self, code: str) -> None:
        """Delete the files whose erasure stands in the ledger: since it does, nobody can read them any more.

        What fails is logged, and refuses nothing: the next erasure, or the next start, deletes what is left.
        """
        try:
            finish_erasures(self._engine, self.evidence_store, code)
        except (Rejection, SQLAlchemyError) as error:
            _logger.error(
                "erased files of %s are still to be deleted, at the next start at the latest: %s", code, error
            )
