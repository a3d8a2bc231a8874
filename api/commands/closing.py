"""Commands about closing a year, its terms, and the official document of its scheme: `mingzhang year …`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import RenderableType

from api.command_line import AsJson, print_json
from api.commands.appeal_tables import closings_table
from api.commands.options import (
    Actor,
    Code,
    Database,
    Key,
    Reason,
    Year,
    attempt,
    console,
    file_bytes,
    opened,
    show_receipts,
)
from api.invalid_fields import model_problems
from api.refusals import refusals_shown
from ledger.commands import SetTerms
from ledger.events import DocumentType
from projections.answers import receipt_answer
from projections.official_documents.registering import official_document
from projections.proceedings import closings
from schemes.problem import InvalidInput, refuse

A = TypeVar("A", bound=BaseModel)
_MEDIA_TYPES: Final[dict[str, DocumentType]] = {".txt": "text/plain", ".pdf": "application/pdf"}


def show(answer: A, table: Callable[[A], RenderableType], as_json: bool) -> None:
    """Print the answer as JSON, or as what the terminal shows of it."""
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        console.print(table(answer))


def close_year(
    jurisdiction: Code,
    year: Year,
    reason: Reason,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Close a year: all sheets are frozen as recorded."""
    with refusals_shown(as_json), opened(database) as ledgers:
        who = attempt(ledgers, jurisdiction, "years.close", actor, key)
        [receipt] = closings.close_year(ledgers, jurisdiction, year, who, reason)
        answer = closings.closed_answer(ledgers, jurisdiction, year, receipt_answer(receipt))
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            console.print(closings_table(closings.closings_answer(ledgers, jurisdiction, year)))


def reopen_year(
    jurisdiction: Code,
    year: Year,
    reason: Reason,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Reopen a closed year for entries; what was frozen stays frozen."""
    with refusals_shown(as_json), opened(database) as ledgers:
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.close", actor, key)
        show_receipts(ledger.reopen_year(who, year, reason), as_json)


def set_terms(
    jurisdiction: Code,
    year: Year,
    to_file: Annotated[int, typer.Option(help="Working days to file an appeal.")],
    to_decide: Annotated[int, typer.Option(help="Working days to decide one.")],
    reason: Reason,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Set the working days to file an appeal and to decide one, from now on."""
    with refusals_shown(as_json), opened(database) as ledgers:
        said = {"days_to_file": to_file, "days_to_decide": to_decide, "reason": reason}
        try:
            wish = SetTerms.model_validate(said)
        except ValidationError as error:
            raise InvalidInput(tuple(model_problems(error.errors(), said, SetTerms))) from None
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.manage", actor, key)
        show_receipts(ledger.set_terms(who, year, wish), as_json)


def show_closings(jurisdiction: Code, year: Year, database: Database = None, as_json: AsJson = False) -> None:
    """Show the closes of a year: what each froze beside what is so now."""
    with refusals_shown(as_json), opened(database) as ledgers:
        show(closings.closings_answer(ledgers, jurisdiction, year), closings_table, as_json)


def register_document(
    jurisdiction: Code,
    scheme: Annotated[str, typer.Argument(help="The scheme's id.")],
    version: Annotated[str, typer.Argument(help="A version of it that the ledger has.")],
    file: Annotated[Path, typer.Argument(help="The official document: text (.txt, UTF-8) or .pdf.")],
    title: Annotated[str, typer.Option(help="The document's title.")],
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Register the official document that a scheme version encodes."""
    with refusals_shown(as_json), opened(database) as ledgers:
        media_type = _MEDIA_TYPES.get(file.suffix.lower())
        if media_type is None:
            raise refuse("document-suffix", str(file), f"expected a file ending in {' or '.join(_MEDIA_TYPES)}")
        document = official_document(title, media_type, file_bytes(file))
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.manage", actor, key)
        show_receipts(
            ledger.register_document(who, scheme, version, document),
            as_json,
        )
