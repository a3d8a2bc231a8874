"""`kill -9` of the appending process at random moments, and immediate stops of the database server under it."""

from __future__ import annotations

from functools import partial
from time import sleep
from typing import Final

from ledger.application import LedgerApplication
from tests.faults.appending import BROKEN_OFF, appender, asking, journal_of
from tests.faults.broken import AnswersEarly
from tests.faults.checking import verdict
from tests.faults.experiments import Database, Fault, Found, Place

KILLS, CONTROL_KILLS, QUICK_KILLS = 100, 20, 10
LONGEST_LIFE: Final = 0.12
"""Seconds that an appender lives at most once it listens."""
STOPS, CONTROL_STOPS, QUICK_STOPS = 10, 4, 2
LONGEST_RUN: Final = 0.8
"""Seconds between two stops of the server at most."""
# Finished work is on its way to the disk all the time, but nobody waits for it.
_NOBODY_WAITS: Final = "?options=-csynchronous_commit%3Doff"


def kill_appender(database: Database, place: Place, broken: bool) -> Found:
    """Kill the appending process again and again while a client asks; every acknowledged event must be there.

    The kills count for as much as they broke off requests: one each, at the least.
    """
    kind: type[LedgerApplication] = AnswersEarly if broken else LedgerApplication
    url, address = place.new_ledger(database), place.new_folder() / "socket"
    kills = place.times(CONTROL_KILLS if broken else KILLS, QUICK_KILLS)
    with asking(place, address) as (client, journal):
        for _ in range(kills):
            with appender(url, address, kind):
                sleep(place.random.uniform(0, LONGEST_LIFE))
        with appender(url, address, kind):
            client.finish()
    found = verdict(url, journal_of(journal))
    return Found(kills, str(found), found.whole and (found.refusals[BROKEN_OFF] >= kills or broken))


def stop_server(place: Place, broken: bool) -> Found:
    """Stop the server at once, again and again, and start it; what was unknown at a commit is answered by its key.

    The stops go on until one has met a commit, three times as many at most.
    """
    url, address = place.new_ledger("postgresql"), place.new_folder() / "socket"
    least = place.times(CONTROL_STOPS if broken else STOPS, QUICK_STOPS)
    stops, unknown = 0, 0
    with asking(place, address) as (client, journal), appender(url + _NOBODY_WAITS * broken, address):
        while stops < least or (not unknown and not broken and stops < 3 * least):
            sleep(place.random.uniform(0.2, LONGEST_RUN))
            place.server.stop_immediately()
            stops += 1
            place.server.start()
            unknown = sum(answer.code == "commit-unknown" for answer in journal_of(journal))
        client.finish()
    answers = journal_of(journal)
    recorded = {answer.key for answer in answers if answer.position is not None}
    unanswered = {answer.key for answer in answers if answer.code} - recorded
    found = verdict(url, answers)
    # That no commit was met proves nothing of the product; for its control a loss is what counts.
    met = unknown > 0 or broken
    return Found(stops, f"{found}; never answered {len(unanswered)}", found.whole and met and not unanswered)


FAULTS: Final = (
    Fault(
        "kill", "kill -9 during appends", "sqlite", "acknowledging before the commit", partial(kill_appender, "sqlite")
    ),
    Fault(
        "kill",
        "kill -9 during appends",
        "postgresql",
        "acknowledging before the commit",
        partial(kill_appender, "postgresql"),
    ),
    Fault("stop", "immediate stop of the server during appends", "postgresql", "synchronous_commit off", stop_server),
)
