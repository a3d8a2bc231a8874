"""`mingzhang fsck`: ledgers re-read from their bytes, and held against checkpoints."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import Database, file_bytes, opened, progress_bar
from api.refusals import EXIT_DIFFERENT, refusals_shown
from api.settings import Settings
from ledger.checking.checking import Report, check_ledger
from ledger.checking.checkpoints import Against, known_codes, outside_checkpoint
from ledger.checking.entries import UNREADABLE
from ledger.checking.kept import Evidence
from ledger.checking.snapshots import codes
from ledger.evidence.master_key import read_master_key
from ledger.evidence.opening import open_store
from ledger.evidence.vault import EvidenceVault
from ledger.rejection import rejected
from projections.jurisdictions import Jurisdictions
from projections.proceedings.frozen_sheets import frozen_sheets


@app.command()
def fsck(
    jurisdiction: Annotated[
        str | None, typer.Option("--jurisdiction", "-j", help="GB/T 2260 code; left out: every ledger.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A signed checkpoint kept elsewhere, of the ledger named by -j.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The ledger's public key (vkey), for the checkpoint.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Re-read ledgers from their bytes; exit 1 when anything is not as it must be."""
    with refusals_shown(as_json), opened(database) as ledgers:
        outside = _outside(jurisdiction, checkpoint, key)
        reports = [*_reports(ledgers, _asked(ledgers, jurisdiction), outside, as_json)]
        if as_json:
            print_json({"ledgers": [_as_json(report) for report in reports]})
    if any(report.findings for report in reports):
        raise typer.Exit(EXIT_DIFFERENT)


def _outside(jurisdiction: str | None, checkpoint: Path | None, key: str | None) -> Sequence[Against]:
    if checkpoint is None and key is None:
        return ()
    if jurisdiction is None or checkpoint is None or key is None:
        message = "a checkpoint is held against one ledger: give -j, --checkpoint and --key together"
        raise rejected("checkpoint-options", "checkpoint", message)
    return [outside_checkpoint(str(checkpoint), file_bytes(checkpoint), key, jurisdiction)]


def _asked(ledgers: Jurisdictions, jurisdiction: str | None) -> list[str]:
    """Return the codes to check: also of ledgers of which a checkpoint was signed and the database has nothing."""
    found = sorted({*codes(ledgers.engine), *known_codes(Settings().key_folder)})
    if jurisdiction is None:
        return found
    if jurisdiction not in found:
        raise rejected("unknown-jurisdiction", "jurisdiction", f"the database holds nothing of {jurisdiction!r}")
    return [jurisdiction]


def _frozen_problem(document: bytes, year: int, position: int) -> str | None:
    """Return what is wrong with the document that a close of the year at the position names as its sheets."""
    try:
        frozen = frozen_sheets(document)
        grades = frozen.grades.grades
    except UNREADABLE as error:
        return f"{type(error).__name__}: {error}"
    found = (frozen.year, frozen.position)
    return None if grades and found == (year, position) else f"{len(grades)} sheets of year and position {found}"


def _reports(
    ledgers: Jurisdictions, codes_asked: Sequence[str], outside: Sequence[Against], as_json: bool
) -> Iterator[Report]:
    settings = Settings()
    store = open_store(settings.evidence_folder, settings.evidence_bucket, settings.evidence_endpoint)
    master_key = read_master_key(settings.key_folder)
    vault = None if master_key is None else EvidenceVault(ledgers.engine, store, master_key, secrets.token_bytes)
    for code in codes_asked:
        with progress_bar(f"checking {code}", shown=not as_json) as progress:
            report = check_ledger(
                ledgers.engine,
                code,
                progress,
                key_folder=settings.key_folder,
                outside=outside,
                evidence=Evidence(store, vault),
                frozen=_frozen_problem,
            )
        if not as_json:
            _show(report, vault is not None)
        yield report


def _show(report: Report, with_key: bool) -> None:
    for one in report.findings:
        typer.echo(f"{report.code} {one}")
    for source, checkpoint in report.proved:
        said = f"nothing recorded before {checkpoint.size + 1} was rewritten since the checkpoint was signed"
        typer.echo(f"{report.code} {said} ({source}, size {checkpoint.size}, root {checkpoint.root.hex()})")
    if not report.proved:
        typer.echo(
            f"{report.code} no checkpoint was at hand that it continues: a whole ledger made anew looks the same"
        )
    if report.unused_evidence:
        typer.echo(f"{report.code} {report.unused_evidence} stored files of evidence that no event names (yet)")
    if not with_key:
        typer.echo(f"{report.code} without evidence.key, files of evidence are not held against their commitments")
    typer.echo(f"{report.code} {report.events} events read: {len(report.findings) or 'no'} findings")


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "jurisdiction": report.code,
        "events": report.events,
        "findings": [one._asdict() for one in report.findings],
        "checkpoints": [
            {"source": source, "size": checkpoint.size, "root": checkpoint.root.hex()}
            for source, checkpoint in report.proved
        ],
        "unused_evidence": report.unused_evidence,
    }
