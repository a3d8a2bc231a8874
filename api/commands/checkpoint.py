"""Commands about a ledger's signed head: the page for the minutes, cosignatures of witnesses, the static export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import Code, Database, file_bytes, opened
from api.commands.proofs import Out, WitnessKeys, ledger_proofs, put_out, verifier_keys
from api.commands.witness_client import asked_witness, submission
from api.documents.checkpoint_minute import minute
from api.opening import now, signing_key_told
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.checkpoints import open_checkpoint, open_cosigned
from ledger.rejection import rejected
from ledger.signed_notes import NoteRejected, VerifierKey, note_bytes, open_note
from ledger.signing import LedgerProofs
from ledger.tiles import TilesRejected
from projections.proofs.heads import head_answer
from schemes.problem import refuse

_ONE_OF: Final = "--note, --request, --cosignatures, --witness"


@app.command()
def checkpoint(
    jurisdiction: Code,
    out: Out = None,
    note: Annotated[bool, typer.Option("--note", help="Only the signed note, byte for byte.")] = False,
    request: Annotated[
        int | None, typer.Option(min=0, help="The request to a witness without network that has seen this size.")
    ] = None,
    cosignatures: Annotated[Path | None, typer.Option(help="Keep what `witness add` answered.")] = None,
    witness: Annotated[str | None, typer.Option(help="Ask the witness at this URL to cosign.")] = None,
    witness_key: WitnessKeys = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print the ledger's signed head for the minutes of a meeting; ask witnesses to cosign it."""
    with refusals_shown(as_json):
        _check_options(note, request, cosignatures, witness)
        witnesses = verifier_keys("witness-key", witness_key or ())
        with opened(database) as ledgers:
            proofs = ledger_proofs(ledgers, jurisdiction)
            _, warning = signing_key_told(proofs, Settings(), jurisdiction)
            if warning is not None:
                typer.echo(warning, err=True)
            if request is not None:
                _write_request(proofs, request, out, as_json)
                return
            signed = _cosigned_note(proofs, cosignatures, witness, witnesses)
            verifier = VerifierKey.parse(proofs.verifier_key())
            head = head_answer(jurisdiction, signed, verifier, witnesses, now())
        if as_json:
            print_json(head.model_dump(mode="json"))
        elif note:
            put_out(signed, out)
        else:
            put_out(minute(head, on_paper=out is not None or not sys.stdout.isatty()).encode(), out)


@app.command()
def tiles(
    folder: Annotated[Path, typer.Argument(help="The folder to write into; made if it is not there.")],
    jurisdiction: Code,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write the ledger as static files (C2SP tlog-tiles): hash tiles, entries and the signed head."""
    with refusals_shown(as_json), opened(database) as ledgers:
        proofs = ledger_proofs(ledgers, jurisdiction)
        try:
            exported = proofs.export_tiles(folder)
        except TilesRejected as error:
            raise refuse("tiles-not-written", str(folder), str(error)) from None
        if as_json:
            print_json({"folder": str(folder), "size": exported.size, "root": exported.root.hex()})
        else:
            typer.echo(f"{exported.size} entries of {exported.origin} stand in {folder}, root {exported.root.hex()}")


def _check_options(note: bool, request: int | None, cosignatures: Path | None, witness: str | None) -> None:
    given = [note, request is not None, cosignatures is not None, witness is not None]
    if given.count(True) > 1:
        raise refuse("options-exclude", "checkpoint", f"found {given.count(True)} of {_ONE_OF}; give one at a time")


def _write_request(proofs: LedgerProofs, old: int, out: Path | None, as_json: bool) -> None:
    """Write the body of an `add-checkpoint` request for the present head."""
    signed = proofs.checkpoint()
    size = open_checkpoint(signed, VerifierKey.parse(proofs.verifier_key())).size
    body = submission(proofs, signed, size, old).body()
    if as_json:
        print_json({"old": old, "size": size, "request": body.decode("utf-8")})
    else:
        put_out(body, out)


def _cosigned_note(
    proofs: LedgerProofs, answered: Path | None, url: str | None, witnesses: tuple[VerifierKey, ...]
) -> bytes:
    """Return the note to show: the one that a witness has cosigned now, which is kept, or that of the present head."""
    if answered is None and url is None:
        return proofs.checkpoint()
    if not witnesses or (url is not None and len(witnesses) > 1):
        expected = "the key of the witness that is asked" if url is not None else "the keys of the witnesses"
        raise refuse("witness-key-missing", "witness-key", f"found {len(witnesses)} keys, expected {expected}")
    if url is not None:
        cosigned = asked_witness(url, witnesses[0], proofs, proofs.checkpoint())
    else:
        assert answered is not None  # noqa: S101  # one of the two was given
        cosigned = _taken_back(proofs, answered, witnesses)
    proofs.keep_cosignatures(cosigned)
    return cosigned


def _taken_back(proofs: LedgerProofs, answered: Path, witnesses: tuple[VerifierKey, ...]) -> bytes:
    """Return the note of the file, in which only what these witnesses cosigned is left.

    Raises Rejection `cosignatures-invalid` where it is no checkpoint of this ledger that one of them cosigned.
    """
    data = file_bytes(answered)
    verifier = VerifierKey.parse(proofs.verifier_key())
    try:
        _, seen = open_cosigned(data, verifier, witnesses)
        if not seen:
            raise NoteRejected("none of the given witnesses has cosigned it")
        opened_note = open_note(data, [verifier, *witnesses])
        return note_bytes(opened_note.text, opened_note.signatures)
    except NoteRejected as error:
        raise rejected("cosignatures-invalid", str(answered), str(error)) from None
