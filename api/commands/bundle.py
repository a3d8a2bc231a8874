"""Commands that make a proof bundle, and that check one or a ledger's static files.

Who checks needs no server, database or setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import (
    AsOf,
    Code,
    Database,
    KnownAt,
    Year,
    day_asked,
    environment_checked,
    moment_asked,
    opened,
)
from api.commands.proofs import ledger_proofs
from api.refusals import EXIT_DIFFERENT, refusals_shown
from ledger.signed_notes import NoteRejected, VerifierKey
from ledger.tiles import TilesRejected, read_tiles
from projections.bundles.format import LARGEST_BUNDLE, Mode
from projections.bundles.making import make_bundle
from projections.bundles.models import ProvedAnswer, VerificationAnswer
from projections.bundles.printable import printable
from projections.bundles.verifying import verify
from schemes.problem import refuse

LONGEST_NAME: Final = 255
"""Most bytes of a file's name."""


@app.command("bundle")
def write_bundle(
    unit: Annotated[str, typer.Argument(help="The unit.")],
    jurisdiction: Code,
    year: Year,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    whole_year: Annotated[
        bool, typer.Option("--whole-year", help="With all entries of the ledger: proves that none is missing.")
    ] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Write one file that proves a unit's score to somebody who has neither server nor database."""
    with refusals_shown(as_json), opened(database) as ledgers:
        proofs = ledger_proofs(ledgers, jurisdiction)
        mode: Mode = "year" if whole_year else "unit"
        file = make_bundle(ledgers, proofs, jurisdiction, year, unit, day_asked(as_of), moment_asked(known_at), mode)
        with environment_checked():
            out.write_bytes(file)
        key = proofs.verifier_key()
        if as_json:
            print_json({"file": str(out), "bytes": len(file), "key": key})
            return
        typer.echo(f"{out}: {len(file)} bytes")
        typer.echo(f"check it with: mingzhang verify {out} --key {key}")


@app.command("verify")
def verify_bundle(
    key: Annotated[str, typer.Option(help="The ledger's public key (vkey), or a file that holds it.")],
    bundle: Annotated[Path | None, typer.Argument(help="The bundle.")] = None,
    tiles: Annotated[
        Path | None, typer.Option(help="Instead of a bundle: a folder with the ledger as static files.")
    ] = None,
    witness_key: Annotated[
        list[str] | None, typer.Option(help="A witness that must have cosigned; its key or a file. Repeatable.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="A folder with files that were given, named by commitment, and their salts.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle step by step, or the ledger's static files, offline; exit 1 at the first thing that fails."""
    with refusals_shown(as_json), environment_checked():
        trusted = _key(key, "key")
        if tiles is not None and (bundle, witness_key, evidence) == (None, None, None):
            _verify_tiles(tiles, trusted, as_json)
            return
        if bundle is None or tiles is not None:
            raise refuse("verify-options", "bundle", "expected a bundle, or --tiles with a folder and nothing else")
        witnesses = [_key(one, "witness-key") for one in witness_key or ()]
        if evidence is not None and not evidence.is_dir():
            raise refuse("not-accessible", "evidence", f"expected a folder, found {evidence}")
        with bundle.open("rb") as file:
            # One byte more than is taken: the check itself says that it is too large.
            found = verify(file.read(LARGEST_BUNDLE + 1), trusted, witnesses, evidence)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found)
    if not found.holds:
        raise typer.Exit(EXIT_DIFFERENT)


def _verify_tiles(folder: Path, key: VerifierKey, as_json: bool) -> None:
    """Show what the static files of a ledger prove."""
    try:
        checkpoint, _ = read_tiles(folder, key)
    except (NoteRejected, TilesRejected) as error:
        sentence = printable(f"文件夹中的账本不成立：{error}")
        if as_json:
            print_json({"holds": False, "size": None, "root": None, "finding": sentence})
        else:
            typer.echo(f"{sentence} [tiles-refused]")
        raise typer.Exit(EXIT_DIFFERENT) from None
    if as_json:
        root = checkpoint.root.hex()
        print_json({"holds": True, "size": checkpoint.size, "root": root, "finding": None})
        return
    typer.echo(f"检查点由密钥{key.name}签署；全部{checkpoint.size}条记录的原文与各层散列值齐全，算出的根与检查点一致。")
    typer.echo(f"根：{checkpoint.root.hex()}")
    typer.echo("没有核对：记录的内容是否前后相符，得分是否由此算得（请索取全年包）；检查点之后又登记了什么。")


def _key(text: str, where: str) -> VerifierKey:
    """Return the key that the text is, or that the file of that name holds."""
    try:
        return VerifierKey.parse(text)
    except NoteRejected:
        pass
    path = Path(text)
    if len(text.encode()) > LONGEST_NAME or not path.is_file():
        raise refuse("verifier-key-form", where, f"found {text!r}, expected a verifier key or a file that holds one")
    try:
        return VerifierKey.parse(path.read_text("utf-8").strip())
    except (NoteRejected, UnicodeDecodeError) as error:
        raise refuse("verifier-key-form", where, f"{path} holds no verifier key: {error}") from None


def _show(found: VerificationAnswer) -> None:
    for step in found.steps:
        typer.echo(f"第{step.number}步 {step.title}：{step.sentence}。")
    if found.finding is not None:
        finding = found.finding
        typer.echo(f"第{finding.step}步 {finding.title}：不成立。{finding.sentence} [{finding.code}]")
        typer.echo("核对到此为止，以后各步没有进行。")
    if found.proved is not None:
        typer.echo(f"各步都成立：{_proved(found.proved)}")
        typer.echo("核对不了的事：")
        for line in found.unknown:
            typer.echo(f"- {line}")


def _proved(proved: ProvedAnswer) -> str:
    moment = "检查点为止的全部登记" if proved.known_at is None else f"{proved.known_at.isoformat()}以前的登记"
    told = f"依{moment}，{proved.unit}{proved.year}年度截至{proved.as_of}得{proved.total}分"
    told += f"，列第{proved.rank}名" if proved.rank is not None else ""
    return told + (f"，等次为{proved.grade}" if proved.grade is not None else "") + "。"
