"""What the commands about signed heads share: the proofs of a ledger, keys given as text, and files written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import environment_checked
from api.custody import Custody
from api.settings import Settings
from ledger.rejection import rejected
from ledger.signed_notes import NoteRejected, VerifierKey
from ledger.signing import LedgerProofs
from projections.jurisdictions import Jurisdictions

Out = Annotated[Path | None, typer.Option(help="The file to write; else standard output.")]
WitnessKeys = Annotated[
    list[str] | None, typer.Option("--witness-key", help="Public key of a witness (vkey), repeatable.")
]


def ledger_proofs(ledgers: Jurisdictions, code: str) -> LedgerProofs:
    """Return the proofs of a ledger under the settings' key folder and origin.

    Raises Rejection `unknown-jurisdiction` for a ledger without entries.
    """
    ledgers.known_ledger(code)
    return Custody(ledgers.engine, Settings(), ledgers.random_bytes).proofs(code)


def verifier_keys(where: str, texts: Sequence[str]) -> tuple[VerifierKey, ...]:
    """Return the public keys. Raises Rejection `verifier-key-form` for what is none."""
    try:
        return tuple(VerifierKey.parse(text) for text in texts)
    except NoteRejected as error:
        raise rejected("verifier-key-form", where, str(error)) from None


def put_out(data: bytes, out: Path | None) -> None:
    """Write the bytes to the file, or to standard output. Raises `InvalidInput` where the file cannot be written."""
    if out is None:
        typer.echo(data.decode("utf-8"), nl=False)
        return
    with environment_checked():
        out.write_bytes(data)
    typer.echo(str(out))
