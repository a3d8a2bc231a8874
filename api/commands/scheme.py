"""Commands about scheme files: check, lint, compare and describe them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from api.command_line import AsJson, print_json, scheme_text, schemes
from api.refusals import EXIT_DIFFERENT, refusals_shown
from api.scheme_answers import DifferenceAnswer, FindingAnswer, difference_answer, finding_answers, lint_answer
from projections.scheme_files import load, shipped, vocabulary
from schemes.linting.accepting import with_acceptance
from schemes.linting.lint import lint
from schemes.problem import refuse
from schemes.reading import read_scheme
from schemes.scheme import Accepted, Scheme

SchemeName = Annotated[str, typer.Argument(help="A scheme file (YAML), or the id of a shipped scheme.")]
_DONE = {"added": "+", "removed": "-", "changed": "~"}


@schemes.command("validate")
def validate_scheme(scheme: SchemeName, as_json: AsJson = False) -> None:
    """Check a scheme: all its errors with file, line and path; or its findings, sums and what it holds."""
    with refusals_shown(as_json):
        name, read = _read(scheme)
        findings = finding_answers(lint(read, vocabulary()))
        groups = {
            group.id: {
                "units": len(group.units),
                "indicators": len(group.indicators),
                "base_points": str(sum(row.points for row in group.indicators if row.section == "base")),
            }
            for group in read.groups
        }
        if as_json:
            told = [finding.model_dump(mode="json") for finding in findings]
            print_json({"scheme": read.id, "version": read.version, "groups": groups, "findings": told})
            return
        console = _console()
        console.print(f"{name}: {read.id} version {read.version} can be used")
        for group, facts in groups.items():
            console.print(f"  {group}: " + ", ".join(f"{value} {what}" for what, value in facts.items()))
        _show_findings(console, findings)


@schemes.command("lint")
def lint_scheme(
    scheme: SchemeName,
    accept: Annotated[str | None, typer.Option(help="Accept the findings of this code, and keep why.")] = None,
    group: Annotated[str | None, typer.Option(help="Accept them in this group only.")] = None,
    row: Annotated[str | None, typer.Option(help="Accept them at the row of this id only.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why they are accepted; it is kept in the file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what can be used as it is but should be looked at; exit 1 when some of it is not accepted."""
    with refusals_shown(as_json):
        if accept is not None:
            _accept(scheme, accept, group, row, reason)
        elif (group, row, reason) != (None, None, None):
            raise refuse("lint-accept-incomplete", "--accept", "group, row and reason go with it; expected a code")
        answer = lint_answer(_read(scheme)[1])
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            _show_findings(_console(), answer.findings)
            typer.echo(f"{len(answer.findings)} findings, {answer.unaccepted} not accepted")
    if answer.unaccepted:
        raise typer.Exit(EXIT_DIFFERENT)


@schemes.command("diff")
def compare_schemes(
    old: Annotated[str, typer.Argument(help="The old version: a scheme file (YAML), or a shipped scheme's id.")],
    new: Annotated[str, typer.Argument(help="The new version.")],
    as_json: AsJson = False,
) -> None:
    """Show every added, removed and changed row, rule and parameter; reordering is no difference."""
    with refusals_shown(as_json):
        answer = difference_answer(_read(old)[1], _read(new)[1])
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            _show_changes(answer)


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


def _read(scheme: str) -> tuple[str, Scheme]:
    if scheme.lower().endswith((".xlsx", ".xls", ".et")):
        command = f"mingzhang scheme import {scheme} --out NAME.yaml"
        raise refuse("scheme-is-workbook", scheme, f"found a workbook, expected a scheme file; first run: {command}")
    name, text = scheme_text(scheme)
    return name, read_scheme(text, name, vocabulary())


def _accept(scheme: str, code: str, group: str | None, row: str | None, reason: str | None) -> None:
    if scheme in shipped():
        message = f"{scheme} is shipped with the product; write it to a file of your own and accept there"
        raise refuse("lint-accept-shipped", "--accept", message)
    if reason is None or not reason.strip():
        raise refuse("lint-accept-incomplete", "--reason", "expected why the finding is accepted")
    _read(scheme)
    path = Path(scheme)
    # Line ends are kept as they are: the file is changed by one entry only.
    text = path.read_bytes().decode("utf-8")
    acceptance = Accepted(code=code, group=group, indicator=row, reason=reason.strip())
    accepting = with_acceptance(text, path.name, acceptance, vocabulary())
    try:
        path.write_bytes(accepting.encode("utf-8"))
    except OSError as error:
        raise refuse("scheme-not-writable", scheme, f"cannot be written: {error.strerror}") from None


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)


def _show_findings(console: Console, findings: list[FindingAnswer]) -> None:
    for finding in findings:
        console.print(Text(f"  {finding.code}", "yellow" if finding.accepted is None else "dim"), Text(finding.path))
        console.print("   ", finding.sentence, markup=False)
        if finding.accepted is not None:
            console.print("    accepted:", finding.accepted, markup=False)


def _show_changes(answer: DifferenceAnswer) -> None:
    console = _console()
    old, new = answer.old, answer.new
    console.print(f"{old.id} version {old.version} -> {new.id} version {new.version}", markup=False)
    for change in answer.changes:
        console.print(f"  {_DONE[change.kind]} {change.sentence}", markup=False)
        console.print(f"      {change.id}{'' if change.scoring else ' (no score depends on it)'}", markup=False)
    console.print(f"{len(answer.changes)} changes")
