"""The command `mingzhang`: cases and schemes here, everything that needs a database in `api.commands.ledger`.

Replaying a case needs no database, web server or ledger store, and is run thousands of times in a row: what these
need is imported only for their own commands.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from api.refusals import EXIT_DIFFERENT, refusals_shown
from projections.cases import differences, read_case, replay
from projections.scheme_files import load, load_file, shipped, source, vocabulary
from schemes.problem import InvalidInput, refuse
from schemes.scheme import Scheme

app = typer.Typer(
    name="mingzhang",
    help="明账 mingzhang: an event-sourced audit ledger for yearly open-government assessments.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
schemes = typer.Typer(help="Read, check and describe scheme files.", no_args_is_help=True)
app.add_typer(schemes, name="scheme")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
LIGHT_COMMANDS = frozenset({"replay", "check"})
WITNESS_COMMANDS = ("api.commands.witness",)
SCHEME_COMMANDS = ("api.commands.scheme", "api.commands.scheme_writing")
COMMANDS = (
    "api.commands.ledger",
    "api.commands.importing",
    "api.commands.workbook",
    "api.commands.year",
    "api.commands.derivation",
    "api.commands.what_if",
    "api.commands.appeal",
    "api.commands.proposal",
    "api.commands.dossier",
    "api.commands.paper",
    "api.commands.evidence",
    "api.commands.bundle",
    "api.commands.checkpoint",
    "api.commands.fsck",
    "api.commands.account",
    "api.commands.identity",
    "api.commands.notice",
    "api.commands.demo",
)


@app.command("replay")
def replay_case(
    case: Annotated[Path, typer.Argument(help="A case file (JSON).")],
    as_json: Annotated[bool, typer.Option("--json", help="It is always JSON.")] = True,
) -> None:
    """Replay an example case and print every unit's sheet for each of its queries, as JSON."""
    with refusals_shown(as_json):
        print_json(_replayed(case)[1])


@app.command("check")
def check_cases(
    cases: Annotated[list[Path], typer.Argument(help="Case files (JSON).")], as_json: AsJson = False
) -> None:
    """Replay example cases and hold them against what they expect; exit 1 when any differs."""
    found: dict[str, list[str]] = {}
    refused: set[str] = set()
    for path in cases:
        try:
            read, answer = _replayed(path)
            found[str(path)] = differences(read, answer["results"])
        except InvalidInput as invalid:
            found[str(path)] = [str(problem) for problem in invalid.problems]
            refused.add(str(path))
    failed = {path: lines for path, lines in found.items() if lines}
    if as_json:
        print_json({"checked": len(found), "failed": failed})
    else:
        console = Console(highlight=False, soft_wrap=True)
        for name, lines in found.items():
            said = "refused" if name in refused else "differs" if lines else "ok"
            console.print(Text(said, "red" if lines else "green"), Text(name))
            for line in lines:
                console.print("   ", line, markup=False)
        console.print(f"{len(found) - len(failed)} of {len(found)} cases as expected")
    if failed:
        raise typer.Exit(EXIT_DIFFERENT)


def _replayed(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        case = read_case(path.read_bytes(), str(path))
    except OSError as error:
        raise refuse("case-not-readable", str(path), f"cannot be read: {error.strerror}") from None
    scheme = case_scheme(case.scheme, path)
    return case, replay(case, scheme, vocabulary())


def case_scheme(name: str, path: Path) -> Scheme:
    """Return the scheme a case names: one that is shipped, or the file of that name beside the case."""
    beside = path.parent / f"{name}.yaml"
    return load(name) if name in shipped() or not beside.exists() else load_file(beside)


def scheme_text(name: str) -> tuple[str, str]:
    """Return the name and text of a shipped scheme or of a scheme file; raises `InvalidInput`."""
    if name in shipped():
        return f"{name}.yaml", source(name)
    try:
        return name, Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        expected = f"expected a UTF-8 file or one of {', '.join(shipped())}"
        raise refuse("scheme-not-readable", name, f"cannot be read ({error}); {expected}") from None


def print_json(value: object) -> None:
    """Print a value as one JSON document in UTF-8."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=None) + "\n")


def main() -> None:
    """Run the command line."""
    wanted = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    everything = (*SCHEME_COMMANDS, *WITNESS_COMMANDS, *COMMANDS)
    only: dict[str | None, tuple[str, ...]] = {"scheme": SCHEME_COMMANDS, "witness": WITNESS_COMMANDS}
    only |= dict.fromkeys(LIGHT_COMMANDS, ())
    for module in only.get(wanted, everything):
        import_module(module)
    app()
