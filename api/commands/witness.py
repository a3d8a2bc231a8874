"""Commands of a witness, on another machine than the ledgers: `mingzhang witness …`. They need no database."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import environment_checked, file_bytes
from api.commands.proofs import Out, put_out, verifier_keys
from api.listening import Listening
from api.opening import now
from api.refusals import refusals_shown
from api.witness import serve_witness
from ledger.witness_store import WitnessStore
from ledger.witnessing import Submission
from schemes.problem import refuse

witness = typer.Typer(help="Cosign the heads of ledgers on another machine.", no_args_is_help=True)
app.add_typer(witness, name="witness")

State = Annotated[Path, typer.Option(help="The folder of this witness: its key, and what it cosigned last.")]
Logs = Annotated[list[str], typer.Option("--log", help="Public key of a ledger it knows (vkey), repeatable.")]


@witness.command()
def key(
    state: State,
    name: Annotated[
        str | None, typer.Option(help="Make a key of this name, like witness.example.com/office, if there is none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the witness's public key (vkey); with a name, make the key first."""
    with refusals_shown(as_json), environment_checked():
        store = WitnessStore(state)
        found = store.key() if name is None else store.made_key(name, secrets.token_bytes)
        text = found.verifier.text()
        print_json({"verifier_key": text}) if as_json else typer.echo(text)


@witness.command()
def add(
    request: Annotated[Path, typer.Argument(help="What `mingzhang checkpoint --request` wrote.")],
    log: Logs,
    state: State,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Answer a request that came as a file: the checkpoint, cosigned."""
    with refusals_shown(as_json), environment_checked():
        store = WitnessStore(state)
        cosigned = store.add_checkpoint(
            store.witness(verifier_keys("log", log)), Submission.parse(file_bytes(request)), int(now().timestamp())
        )
        if as_json:
            seen = cosigned.checkpoint
            shown = {"origin": seen.origin, "size": seen.size, "root": seen.root.hex()}
            print_json({**shown, "note": cosigned.note.decode("utf-8")})
        else:
            put_out(cosigned.note, out)


@witness.command()
def serve(
    log: Logs,
    state: State,
    listen: Annotated[str, typer.Option(help="ADDRESS:PORT; port 0 takes any free one.")] = "127.0.0.1:8701",
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
) -> None:
    """Serve `add-checkpoint` over HTTP; on another address than loopback only with a certificate."""
    with refusals_shown(as_json=False), environment_checked():
        store = WitnessStore(state)
        host, _, port = listen.rpartition(":")
        if not (port.isascii() and port.isdigit() and int(port) < 2**16):
            raise refuse("listen-form", "listen", f"found {listen!r}, expected ADDRESS:PORT like 127.0.0.1:8701")
        where = Listening(host.strip("[]"), int(port), tls_certificate, tls_key)
        serve_witness(store.witness(verifier_keys("log", log)), store, now, where)
