"""Commands about scheme files: check, lint, compare and describe them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from api.command_line import AsJson, print_json, scheme_text, schemes
from api.refusals import refusals_shown
from projections.scheme_files import load, shipped, vocabulary
from schemes.consistency import notes
from schemes.reading import read_scheme
from schemes.scheme import Scheme


@schemes.command("validate")
def validate_scheme(
    scheme: Annotated[str, typer.Argument(help="A scheme file (YAML), or the id of a shipped scheme.")],
    as_json: AsJson = False,
) -> None:
    """Check a scheme: all its errors with file, line and path; or its notes, sums and what it holds."""
    with refusals_shown(as_json):
        name, text = scheme_text(scheme)
        read = read_scheme(text, name, vocabulary())
        summary = {
            "scheme": read.id,
            "version": read.version,
            "groups": {
                group.id: {
                    "units": len(group.units),
                    "indicators": len(group.indicators),
                    "base_points": str(sum(row.points for row in group.indicators if row.section == "base")),
                }
                for group in read.groups
            },
            "notes": notes(read),
        }
        if as_json:
            print_json(summary)
            return
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"{name}: {read.id} version {read.version} can be used")
        for group, facts in summary["groups"].items():  # type: ignore[attr-defined]  # the mapping just built
            console.print(f"  {group}: " + ", ".join(f"{value} {what}" for what, value in facts.items()))
        for note in notes(read):
            console.print("  note:", note, markup=False)


@schemes.command("schema")
def scheme_schema(as_json: Annotated[bool, typer.Option("--json", help="It is always JSON.")] = True) -> None:
    """Print the JSON Schema of the scheme format, for editors."""
    with refusals_shown(as_json):
        print_json(Scheme.model_json_schema())


@schemes.command("list")
def list_schemes(as_json: AsJson = False) -> None:
    """List the shipped schemes."""
    listed = [{"id": scheme.id, "title": scheme.document.title, "year": scheme.year} for scheme in map(load, shipped())]
    if as_json:
        print_json(listed)
    else:
        for one in listed:
            typer.echo(f"{one['id']:<16} {one['title']}")
