"""Late replies derived from requests: nobody has to record what the dates already say.

Each request (unit and number) whose answer is missing or later than its due day yields one `late_reply`, dated
the day after the due day, with the ledger place of its first receipt. A late reply recorded by hand for the same
unit and request replaces it. Worked out afresh for each query, from the facts that the query sees.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from schemes.fact import REQUEST_KINDS, Fact
from schemes.working_days import DAY, due_day, reply_term

RequestKey = tuple[str, str]
_SPEAKING_OF_REQUESTS = REQUEST_KINDS | {"late_reply"}


def derived_late_replies(facts: Iterable[Fact], last_day: date) -> Iterator[Fact]:
    """Yield the derived late replies of all units that exist on `last_day`.

    `facts` are the current readings in the order of facts, from before the period too; those after `last_day`
    are not looked at. Raises `InvalidInput` when a term runs through a year without a holiday notice.
    """
    requests: dict[RequestKey, list[Fact]] = defaultdict(list)
    by_hand: set[RequestKey] = set()
    for fact in facts:
        if fact.kind not in _SPEAKING_OF_REQUESTS or fact.occurred_on > last_day:
            continue
        number = fact.text("request")
        if number is None:
            continue
        if fact.kind == "late_reply":
            by_hand.add((fact.unit, number))
        else:
            requests[fact.unit, number].append(fact)
    for key, entries in requests.items():
        if key not in by_hand:
            late = _late_reply(entries, last_day)
            if late is not None:
                yield late


def _late_reply(entries: list[Fact], last_day: date) -> Fact | None:
    receipt = next((fact for fact in entries if fact.kind == "request_received"), None)
    if receipt is None:
        return None
    term = reply_term(receipt.occurred_on)
    due = due_day(receipt.occurred_on, term, last_day)
    extension = next((fact for fact in entries if fact.kind == "request_extended"), None)
    if due is not None and extension is not None and extension.occurred_on <= due:
        due = due_day(receipt.occurred_on, 2 * term, last_day)
    if due is None or any(fact.kind == "request_answered" and fact.occurred_on <= due for fact in entries):
        return None
    return Fact(
        id=f"{receipt.id}/late_reply",
        position=receipt.position,
        unit=receipt.unit,
        kind="late_reply",
        occurred_on=due + DAY,
        count=1,
        attributes={"matter": "disclosure_request", "request": str(receipt.text("request"))},
        sources=tuple(fact.id for fact in entries),
    )
