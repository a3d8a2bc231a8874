"""Commands that help to write a scheme file: a skeleton with comments, a workbook to fill in, and what it holds."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from api.command_line import AsJson, print_json, scheme_text, schemes
from api.refusals import refusals_shown
from projections.scheme_files import vocabulary
from projections.workbooks.files import LARGEST_FILE
from projections.workbooks.importing import import_workbook, template
from schemes.problem import refuse
from schemes.reading import read_scheme

Out = Annotated[Path | None, typer.Option("--out", help="Write to this new file instead of standard output.")]


@schemes.command("new")
def new_scheme(out: Out = None, as_json: AsJson = False) -> None:
    """Write a skeleton with comments (in Chinese) that can be used as it stands: every parameter, one row."""
    with refusals_shown(as_json):
        text = files("schemes").joinpath("skeletons", "scheme.yaml").read_text("utf-8")
        _deliver(text, out, as_json)


@schemes.command("template")
def write_template(
    table: Annotated[Path, typer.Argument(help="The workbook to write (.xlsx); it must not exist yet.")],
    scheme: Annotated[
        str | None, typer.Option("--scheme", help="Fill it with this scheme: a file, or a shipped scheme's id.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the workbook in which a scheme is filled in: blank, or holding a scheme to start from."""
    with refusals_shown(as_json):
        known = vocabulary()
        held = None
        if scheme is not None:
            name, text = scheme_text(scheme)
            held = read_scheme(text, name, known)
        if table.suffix.lower() != ".xlsx":
            raise refuse("workbook-type", str(table), "found another ending, expected a name that ends in .xlsx")
        _write_new(table, template(known, held))
        _say_written(table, as_json)


@schemes.command("import")
def import_scheme(
    table: Annotated[Path, typer.Argument(help="A filled-in workbook (.xlsx).")],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Turn a filled-in workbook into a scheme file; or list all its errors, each with its sheet and cell."""
    with refusals_shown(as_json):
        try:
            with table.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except OSError as error:
            raise refuse("workbook-not-readable", str(table), f"cannot be read: {error.strerror}") from None
        read = import_workbook(data, table.name, vocabulary())
        _deliver(read.text, out, as_json)
        if out is not None and out.name != f"{read.scheme.id}.yaml":
            typer.echo(f"note: example cases look for {read.scheme.id}.yaml beside them, not {out.name}", err=True)


def _deliver(text: str, out: Path | None, as_json: bool) -> None:
    if out is not None:
        _write_new(out, text.encode())
        _say_written(out, as_json)
    elif as_json:
        print_json({"text": text})
    else:
        typer.echo(text, nl=False)


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet: what somebody has written is never overwritten."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise refuse("file-exists", str(path), "the file exists already; name a new one or move it away") from None
    except OSError as error:
        raise refuse("file-not-writable", str(path), f"cannot be written: {error.strerror}") from None


def _say_written(path: Path, as_json: bool) -> None:
    if as_json:
        print_json({"written": str(path)})
    else:
        typer.echo(f"written: {path}")
