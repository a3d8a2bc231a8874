"""Several processes that want something of one ledger at once: positions, or the same key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Barrier as ThreadBarrier
from time import sleep
from typing import Final

from ledger.application import LedgerApplication
from ledger.database import open_engine
from tests.faults.appending import Answer, appender, asking, journal_of, observe, open_ledger, written
from tests.faults.broken import Unlocked
from tests.faults.checking import differences, observed, verdict
from tests.faults.experiments import DATABASES, PATIENCE, PROCESSES, Database, Fault, Found, Place, Stuck

APPENDERS: Final = (2, 4)
SECONDS, QUICK_SECONDS = 4, 1
KEYS, QUICK_KEYS = 10, 2
PROCESSES_ASKING, THREADS_ASKING = 4, 25


def append_together(database: Database, appenders: int, place: Place, broken: bool) -> Found:
    """Let several processes append to one ledger, each with its own clients: nothing refused, lost, twice, left out."""
    kind: type[LedgerApplication] = Unlocked if broken else LedgerApplication
    url = place.new_ledger(database)
    with ExitStack() as stack:
        asked = []
        for number in range(appenders):
            address = place.new_folder() / "socket"
            stack.enter_context(appender(url, address, kind))
            asked.append(stack.enter_context(asking(place, address, f"client{number}")))
        sleep(place.times(SECONDS, QUICK_SECONDS))
        for client, _ in asked:
            client.finish()
    found = verdict(url, [answer for _, journal in asked for answer in journal_of(journal)])
    return Found(found.acknowledged, str(found), found.whole and not found.refusals)


def ask_under_one_key(database: Database, place: Place, broken: bool) -> Found:
    """Ask a hundred times at once under each of several keys: one event each, and everybody is told the same."""
    url, journal = place.new_ledger(database), place.new_folder()
    keys = place.times(KEYS, QUICK_KEYS)
    start = PROCESSES.Barrier(PROCESSES_ASKING)
    processes = [
        PROCESSES.Process(target=_ask_at_once, args=(url, journal, number, keys, start, broken))
        for number in range(PROCESSES_ASKING)
    ]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join(PATIENCE)
            if process.exitcode != 0:
                raise Stuck(f"a process did not get its answers to one key (exit {process.exitcode})")
    finally:
        for process in processes:
            process.kill()
    return _held_to_one_event(url, journal_of(journal), keys)


def _held_to_one_event(url: str, answers: list[Answer], keys: int) -> Found:
    engine = open_engine(url)
    events, differing = observed(engine), differences(engine)
    engine.dispose()
    told: dict[str, set[Answer]] = {}
    for answer in answers:
        told.setdefault(answer.key.partition("/")[0], set()).add(answer)
    recorded = {answer.position for answer in answers if events.get(answer.position or 0) == answer.leaf_hash}
    unlike = sum(len(found) - 1 for found in told.values())
    figure = f"keys {len(told)}, answers {len(answers):,}, events {len(events)}, unlike answers {unlike}"
    one_each = len(told) == keys == len(events) == len(recorded) and unlike == 0 and differing == 0
    return Found(len(answers), figure, one_each and len(answers) == keys * PROCESSES_ASKING * THREADS_ASKING)


def _ask_at_once(url: str, journal: Path, number: int, keys: int, start: Barrier, each_its_own: bool) -> None:
    ledger, together = open_ledger(url, LedgerApplication), ThreadBarrier(THREADS_ASKING)

    def ask(thread: int, key: str) -> Answer:
        together.wait()
        return observe(ledger, f"{key}/{number}-{thread}" if each_its_own else key)

    with ThreadPoolExecutor(THREADS_ASKING) as threads, (journal / f"{number}.journal").open("wb") as file:
        for at in range(keys):
            start.wait(PATIENCE)
            asked = [threads.submit(ask, thread, f"key{at}") for thread in range(THREADS_ASKING)]
            file.writelines(written(one.result()) for one in asked)
    ledger.close()


FAULTS: Final = (
    *(
        Fault(
            "processes",
            f"{appenders} processes append at once",
            database,
            "the last position plus one, without the lock",
            partial(append_together, database, appenders),
        )
        for database in DATABASES
        for appenders in APPENDERS
    ),
    *(
        Fault(
            "key",
            "one key asked 100 times at once, threads of 4 processes",
            database,
            "each with a key of its own",
            partial(ask_under_one_key, database),
        )
        for database in DATABASES
    ),
)
