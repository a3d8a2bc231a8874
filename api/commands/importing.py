"""Observations from a file of JSON lines: read and refused as a whole, recorded in portions that a repeat completes.

1. Every line is read strictly; all errors of all lines are reported together, each with its line.
2. The ledger says of each whether it could be recorded; again all reasons together, and nothing is recorded yet.
3. Up to 5,000 observations are recorded in one transaction, a longer file in several, under keys made from the file's
   own content: the same file again changes nothing, and a run that was cut off is completed by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from pydantic import ValidationError

from api.invalid_fields import model_problems
from ledger.application import MOST_OBSERVATIONS, LedgerApplication
from ledger.canonical import LARGEST_EVENT, JsonProblem, canonical_bytes, read_json
from ledger.commands import Attempt, Observe, Receipt
from ledger.rejection import Refusal, Rejection
from schemes.problem import InvalidInput, Problem

ENVELOPE: Final = 1_024
"""Most bytes an event has beside what the line says."""
Progress = Callable[[int, int], None]


def read_observations(data: bytes, file: str) -> list[tuple[int, Observe]]:
    """Return the observations of the file with their line numbers; raises `InvalidInput` with every error."""
    found: list[tuple[int, Observe]] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        value: object = None
        try:
            value = read_json(line)
            found.append((number, Observe.model_validate(value)))
        except JsonProblem as problem:
            problems.append(Problem(problem.code, f"{place} {problem.where}", problem.message))
        except ValidationError as error:
            wrong = model_problems(error.errors(), value, Observe)
            problems += [Problem(one.code, f"{place} {one.where}", one.message) for one in wrong]
    if not found and not problems:
        problems.append(Problem("import-empty", file, "the file holds no observation; expected one JSON object a line"))
    if problems:
        raise InvalidInput(tuple(problems))
    return found


def import_observations(
    ledger: LedgerApplication,
    year: int,
    data: bytes,
    file: str,
    attempt: Callable[[str], Attempt],
    progress: Progress,
) -> list[Receipt]:
    """Record all observations of the file and return their receipts; a refusal comes before any is recorded."""
    lines = read_observations(data, file)
    _refuse_inadmissible(ledger, year, lines, file)
    digest = sha256(data).hexdigest()
    receipts: list[Receipt] = []
    for start in range(0, len(lines), MOST_OBSERVATIONS):
        portion = [observation for _, observation in lines[start : start + MOST_OBSERVATIONS]]
        receipts += ledger.observe(attempt(f"import/{digest}/{start}"), year, portion)
        progress(len(receipts), len(lines))
    return receipts


def _refuse_inadmissible(ledger: LedgerApplication, year: int, lines: Sequence[tuple[int, Observe]], file: str) -> None:
    refusals: list[Refusal] = []
    for number, observation in lines:
        try:
            canonical_bytes(observation.model_dump(mode="json"), LARGEST_EVENT - ENVELOPE)
            ledger.check_observation(year, observation)
        except JsonProblem as problem:
            refusals.append(Refusal(problem.code, f"{file}:{number} {problem.where}", problem.message))
        except Rejection as rejection:
            refusals += [one._replace(where=f"{file}:{number} {one.where}") for one in rejection.refusals]
    if refusals:
        raise Rejection(*refusals)
