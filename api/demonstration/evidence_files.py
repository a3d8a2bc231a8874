"""The stored files that the demonstration's entries name: small texts that say what they stand for.

What an entry says has to be the same whenever the demonstration is loaded, so the salts of these files are made from
their content; real files get random ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy import Engine

from api.custody import Custody
from api.settings import MEBIBYTE, Settings
from ledger.evidence.commitments import commitment_to
from ledger.rejection import Rejection


class DemoFile(NamedTuple):
    """A stored file of the demonstration: its content, and the salt of the commitment to it."""

    content: bytes
    salt: bytes

    @property
    def commitment(self) -> str:
        """What entries name it by."""
        return commitment_to(self.salt, sha256(self.content).digest()).hex()


_HEAD: Final = "演示材料，并非真实文件"


def demo_file(host: str, title: str) -> DemoFile:
    """Return the file of that title in the county whose site is `host`."""
    content = f"{_HEAD}\n{host}\n{title}\n".encode()
    return DemoFile(content, sha256(b"salt of the demonstration\0" + content).digest())


def store_files(
    engine: Engine, settings: Settings, code: str, wanted: Iterable[DemoFile], actor: str, now: datetime
) -> None:
    """Store those of the files that are not stored yet."""
    coming: list[bytes] = []
    # Makes the key of the evidence, where there is none, with randomness of its own.
    vault = Custody(engine, settings, secrets.token_bytes).evidence
    salted = Custody(engine, settings, lambda _: coming.pop(0)).evidence
    for file in wanted:
        try:
            vault.stored(code, file.commitment)
        except Rejection:
            coming[:] = [secrets.token_bytes(32), file.salt]
            salted.put(code, [file.content], MEBIBYTE, actor, now)
