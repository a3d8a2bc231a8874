"""A process that appends until it is killed, and prints each position once it was acknowledged."""

import sys
from threading import Thread
from uuid import uuid4

from eventsourcing.persistence import StoredEvent

from ledger.database import open_engine
from ledger.recorder import LedgerRecorder

CLIENTS = 8


def append_forever(recorder: LedgerRecorder) -> None:
    while True:
        stream = uuid4()
        positions = recorder.insert_events([StoredEvent(stream, 1, "observed", stream.bytes)]) or ()
        for position in positions:
            sys.stdout.write(f"{position} {stream}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    shared = LedgerRecorder(open_engine(sys.argv[1]), sys.argv[2])
    for _ in range(CLIENTS):
        Thread(target=append_forever, args=(shared,)).start()
