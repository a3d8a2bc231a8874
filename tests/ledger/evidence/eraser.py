"""A process that erases a file, and kills itself at the append's commit, or just before the object is deleted."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sqlalchemy import event

from ledger.database import open_engine
from ledger.evidence.erasures import finish_erasures
from ledger.evidence.stores import FolderStore
from tests.ledger.evidence.erasing import record_erasure
from tests.ledger.evidence.storer import die
from tests.ledger.store import ZHANGSHU

if __name__ == "__main__":
    url, folder, moment, commitment = sys.argv[1:]
    engine = open_engine(url)
    if moment == "commit":
        event.listen(engine, "commit", die)
    else:
        os.unlink = die  # type: ignore[assignment]  # as the store calls it
    record_erasure(engine, commitment)
    finish_erasures(engine, FolderStore(Path(folder)), ZHANGSHU)
