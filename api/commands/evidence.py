"""Commands about stored files: `mingzhang evidence …`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import (
    Actor,
    Code,
    Database,
    Key,
    as_wish,
    attempt,
    environment_checked,
    opened,
    show_receipts,
)
from api.custody import Custody
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.commands import EraseEvidence
from ledger.evidence.vault import EvidenceVault, Stored
from projections.jurisdictions import Jurisdictions
from schemes.problem import refuse

files = typer.Typer(help="Store evidence, and read it again.", no_args_is_help=True)
app.add_typer(files, name="evidence")
Commitment = Annotated[str, typer.Argument(help="The commitment to the file, as storing it answered.")]
_DIGITS = frozenset("0123456789abcdef")
_LENGTH = 64
_PART = 64 * 1024


def stored_file(ledgers: Jurisdictions, code: str, path: Path, actor: str) -> Stored:
    """Store the file at a path for a jurisdiction; entries name it by the commitment returned.

    Raises `InvalidInput` when it cannot be read, and Rejection as `EvidenceVault.put` does.
    """
    ledgers.known_ledger(code)
    return _vault(ledgers).put(code, _parts(path), Settings().largest_evidence, actor, now())


@files.command("put")
def put_file(
    file: Annotated[Path, typer.Argument(help="The file to store; its name is not kept.")],
    jurisdiction: Code,
    actor: Actor = "office",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Store a file, encrypted; entries name it by the commitment that is printed."""
    with refusals_shown(as_json), opened(database) as ledgers:
        who = attempt(ledgers, jurisdiction, "evidence.store", actor)
        stored = stored_file(ledgers, jurisdiction, file, who.actor)
    if as_json:
        print_json(
            {
                "file": stored.commitment,
                "size": stored.size,
                "media_type": stored.media_type,
                "sha256": stored.sha256,
            }
        )
        return
    typer.echo(f"{stored.commitment}  {stored.size} bytes, {stored.media_type}, content SHA-256 {stored.sha256}")


@files.command("get")
def get_file(
    commitment: Commitment,
    jurisdiction: Code,
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is not overwritten.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write a stored file to a new file, once the whole of it was held against its commitment."""
    with refusals_shown(as_json), opened(database) as ledgers:
        found = _vault(ledgers).open(jurisdiction, _commitment(commitment))
        with environment_checked(), out.open("xb") as file:
            for chunk in found.chunks:
                file.write(chunk)
    if as_json:
        print_json({"file": commitment, "out": str(out), "size": found.size, "media_type": found.media_type})
        return
    typer.echo(f"{out}: {found.size} bytes, {found.media_type}")


@files.command("show")
def show_file(commitment: Commitment, jurisdiction: Code, database: Database = None, as_json: AsJson = False) -> None:
    """Show what is known of a stored file."""
    with refusals_shown(as_json), opened(database) as ledgers:
        found = _vault(ledgers).stored(jurisdiction, _commitment(commitment))
    stored_at = found.stored_at.isoformat()
    erased_at = found.erased_at.isoformat() if found.erased_at else None
    if as_json:
        print_json(
            {
                "file": found.commitment,
                "size": found.size,
                "media_type": found.media_type,
                "stored_by": found.stored_by,
                "stored_at": stored_at,
                "erased_at": erased_at,
            }
        )
        return
    said = f"{found.size} bytes, {found.media_type}, stored by {found.stored_by} at {stored_at}"
    typer.echo(f"{found.commitment}  {said}{f', erased at {erased_at}' if erased_at else ''}")


@files.command("erase")
def erase_file(
    commitment: Commitment,
    jurisdiction: Code,
    ground: Annotated[str, typer.Option(help="The law, and its article, that it has to be destroyed by.")],
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Propose that a stored file is destroyed by law; once another person approves, nobody can read it any more."""
    with refusals_shown(as_json), opened(database) as ledgers:
        who = attempt(ledgers, jurisdiction, "evidence.erase", "", key)
        wish = as_wish(EraseEvidence, commitment=_commitment(commitment), ground=ground)
        show_receipts(ledgers.known_ledger(jurisdiction).erase_evidence(who, wish), as_json)


def _vault(ledgers: Jurisdictions) -> EvidenceVault:
    return Custody(ledgers.engine, Settings(), ledgers.random_bytes).evidence


def _parts(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while part := file.read(_PART):
                yield part
    except OSError as error:
        raise refuse("file-not-readable", str(path), f"cannot be read: {error.strerror}") from None


def _commitment(text: str) -> str:
    if len(text) != _LENGTH or not set(text) <= _DIGITS:
        raise refuse("commitment-form", "file", f"found {text[:_LENGTH]!r}, expected {_LENGTH} hexadecimal digits")
    return text
