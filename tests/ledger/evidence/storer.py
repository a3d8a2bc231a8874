"""A process that stores files until it is killed, and prints what it was answered.

Killed from outside, or, where a number is given, by itself: just before its n-th fsync, or at its database's commit.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import event

from ledger.database import open_engine
from ledger.evidence.opening import open_vault
from ledger.evidence.stores import FolderStore
from tests.ledger.evidence.files import LIMIT, NOW, in_parts
from tests.ledger.store import ZHANGSHU


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at(call: int, synced: Callable[[int], None]) -> Callable[[int], None]:
    calls = count(1)

    def sync(descriptor: int) -> None:
        if next(calls) == call:
            die()
        synced(descriptor)

    return sync


if __name__ == "__main__":
    url, folder, moment = sys.argv[1:]
    engine = open_engine(url)
    vault = open_vault(engine, FolderStore(Path(folder)), Path(folder).parent / "keys", secrets.token_bytes)
    if moment.isdecimal():
        os.fsync = dying_at(int(moment), os.fsync)  # type: ignore[assignment]  # as the store calls it
    elif moment == "commit":
        event.listen(engine, "commit", die)
    while True:
        content = secrets.token_bytes(200_000)
        stored = vault.put(ZHANGSHU, in_parts(content), LIMIT, "office", NOW)
        sys.stdout.write(f"{stored.commitment} {sha256(content).hexdigest()}\n")
        sys.stdout.flush()
