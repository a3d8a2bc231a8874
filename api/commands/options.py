"""What the commands that need a ledger share: their options, the opened database, and how a receipt is shown."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from eventsourcing.persistence import PersistenceError
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from api.access.access import Access
from api.access.permissions import Permission, may, sees_own_only
from api.command_line import print_json
from api.custody import Custody
from api.invalid_fields import model_problems, settings_problems
from api.opening import now, open_ledgers
from api.settings import Settings
from ledger.commands import Attempt, Receipt
from ledger.database import DatabaseAddressError
from projections.answers import receipt_answer
from projections.jurisdictions import Jurisdictions
from schemes.problem import InvalidInput, refuse

A = TypeVar("A", bound=BaseModel)

Code = Annotated[str, typer.Option("--jurisdiction", "-j", help="GB/T 2260 code, six digits.")]
Year = Annotated[int, typer.Option("--year", "-y", help="The assessed year.")]
Database = Annotated[str | None, typer.Option("--database", help="Database URL; else MINGZHANG_DATABASE_URL.")]
Actor = Annotated[str, typer.Option(help="Who records.")]
Key = Annotated[str | None, typer.Option(help="Idempotency key; the same key records once.")]
AsOf = Annotated[datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="As of this day.")]
KnownAt = Annotated[str | None, typer.Option("--known-at", help="As known at this moment (ISO 8601 with a zone).")]
Day = Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="The day.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
EvidenceTitle = Annotated[str | None, typer.Option("--evidence", help="Title of the evidence.")]
EvidenceUrl = Annotated[str | None, typer.Option("--url", help="Evidence: a URL.")]
EvidenceDocument = Annotated[str | None, typer.Option("--document", help="Evidence: an official document number.")]
EvidenceFile = Annotated[
    str | None, typer.Option("--file", help="Evidence: a stored file, by what `evidence put` gave.")
]
Locator = Annotated[str | None, typer.Option("--locator", help="Where in the evidence: page, row.")]
TOKEN = "MINGZHANG_TOKEN"  # noqa: S105  # the name of the variable that holds one
console = Console(highlight=False)


@contextmanager
def environment_checked() -> Iterator[None]:
    """Say plainly what is wrong with the machine, the database or the settings: raises `InvalidInput`."""
    try:
        yield
    except DatabaseAddressError as error:
        raise refuse("database-address", "database", str(error)) from None
    except (SQLAlchemyError, PersistenceError) as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise refuse("database-unavailable", "database", f"the database cannot be used: {said}") from None
    except ValidationError as error:
        raise InvalidInput(tuple(settings_problems(error.errors()))) from None
    except OSError as error:
        raise refuse("not-accessible", str(error.filename or ""), f"cannot be used: {error.strerror}") from None


@contextmanager
def opened(database: str | None) -> Iterator[Jurisdictions]:
    """Give the ledgers of the database named, or of the settings'."""
    with environment_checked(), open_ledgers(database or Settings().database_url) as ledgers:
        yield ledgers


@contextmanager
def progress_bar(what: str, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with what is done and the total; the bar goes to standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), disable=not shown)
    task = bar.add_task(what, total=None)

    def update(done: int, total: int) -> None:
        # Only now: what is refused before anything is done shows no bar.
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield update
    finally:
        bar.stop()


def day_asked(as_of: datetime | None) -> date | None:
    """Return the day that `--as-of` names, if it was given."""
    return as_of.date() if as_of else None


def moment_asked(text: str | None) -> datetime | None:
    """Return the moment that `--known-at` names, if it was given; raises `InvalidInput` for one without a zone."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise refuse("moment-form", "known-at", f"found {text!r}, expected a moment like 2021-03-02T09:00:00+08:00")
    return moment


def as_wish(model: type[A], **values: Any) -> A:
    """Return what is wished for as the ledger takes it; raises `InvalidInput` with everything that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(tuple(model_problems(error.errors(), values, model))) from None


def stated_evidence(
    title: str | None, url: str | None, document: str | None, file: str | None, locator: str | None
) -> list[dict[str, Any]]:
    """Return the evidence that the options state: one, or none where nothing is stated."""
    stated = {"title": title, "url": url, "document": document, "file": file, "locator": locator}
    given = {name: value for name, value in stated.items() if value is not None}
    return [given] if given else []


def attempt(
    ledgers: Jurisdictions, jurisdiction: str, needed: Permission, actor: str, key: str | None = None
) -> Attempt:
    """Return who records, now, under the key or a random one.

    Once the database has accounts, that is whose API token `MINGZHANG_TOKEN` holds, and what takes two persons is
    proposed; before, whoever runs the program on its machine, by the name given. Raises `InvalidInput`, and Rejection
    `checkpoint-not-consistent` where what is recorded would fork the ledger: as the server, nothing is written onto a
    copy older than what was signed.
    """
    settings = Settings()
    custody = Custody(ledgers.engine, settings, ledgers.random_bytes)
    if jurisdiction in {*ledgers.codes(), *custody.signed_ledgers()}:
        custody.proofs(jurisdiction).check_continuation()
    access = Access(ledgers.engine, now, ledgers.random_bytes, settings.session_hours)
    under = key or f"cli/{secrets.token_hex(16)}"
    if not access.any_accounts():
        return Attempt(actor, now(), under)
    token = os.environ.get(TOKEN, "")
    who = access.authenticate_token(token) if token else None
    if who is None:
        message = (
            f"this database has accounts: set {TOKEN} to a valid API token of yours (`mingzhang account token create`)"
        )
        raise refuse("sign-in-needed", TOKEN, message)
    if sees_own_only(who, jurisdiction) or not may(who, needed, jurisdiction):
        raise refuse("not-allowed", TOKEN, f"{who.name} may not do this in {jurisdiction}; it needs {needed}")
    return Attempt(who.name, now(), f"{who.account}/{under}", who.person)


def file_bytes(path: Path) -> bytes:
    """Return the content of a file; raises `InvalidInput` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise refuse("file-not-readable", str(path), f"cannot be read: {error.strerror}") from None


def show_receipts(receipts: list[Receipt], as_json: bool) -> None:
    """Print what was recorded, and where it stands."""
    answers = [receipt_answer(receipt) for receipt in receipts]
    if as_json:
        print_json([answer.model_dump(mode="json") for answer in answers])
        return
    for answer in answers:
        what = f"observation {answer.observation}" if answer.observation else answer.event
        if answer.event == "proposal.made/1":
            what = f"proposal {answer.proposal} waits for a second person (`mingzhang proposal approve`)"
        typer.echo(f"position {answer.position}: {what}, leaf {answer.leaf_hash}")
