"""Try every fault and its control, and print one table."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.faults import at_once, backups, disk_full, killing, rebuild_crashes
from tests.faults.experiments import PROCESSES, Fault, Found, Place, Untried
from tests.faults.servers import server

FAULTS: tuple[Fault, ...] = (
    *killing.FAULTS,
    *disk_full.FAULTS,
    *at_once.FAULTS,
    *rebuild_crashes.FAULTS,
    *backups.FAULTS,
)
FAMILIES = tuple(dict.fromkeys(fault.family for fault in FAULTS))
SEED = 20210302
_HOLDS = {True: "yes", False: "NO", None: "NOT TRIED"}
_FAILS = {True: "NO: the check is blind", False: "as it must", None: "NOT TRIED"}


@dataclass(frozen=True, slots=True)
class Line:
    """A fault, what came of it and of its control, and how many seconds both took."""

    fault: Fault
    found: Found
    control: Found
    seconds: float

    @property
    def as_promised(self) -> bool:
        """Whether the promise held, and the control showed that the check sees."""
        return self.found.holds is True and self.control.holds is False


def tried(fault: Fault, place: Place) -> Line:
    """Return what came of the fault and its control."""
    begun = monotonic()
    found, control = (_found(fault, place, broken) for broken in (False, True))
    return Line(fault, found, control, monotonic() - begun)


def _found(fault: Fault, place: Place, broken: bool) -> Found:
    try:
        return fault.experiment(place, broken)
    except Untried as error:
        return Found(0, str(error), holds=None)


@contextmanager
def places(faults: Sequence[Fault], seed: int, *, quick: bool) -> Iterator[Place]:
    """Give a place for experiments, with a PostgreSQL server where one is needed, and clear it away afterwards."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True))
        needed = any(fault.database == "postgresql" for fault in faults)
        running = stack.enter_context(server()) if needed else None
        yield Place(Path(folder), seed, quick=quick, server=running)


def shown(lines: Sequence[Line], title: str) -> Table:
    """Return the table for the terminal."""
    table = Table(title=title, show_lines=True)
    for name in ("fault", "database", "times", "figure", "holds", "control", "times", "its figure", "fails", "s"):
        table.add_column(name, justify="right" if name in ("times", "s") else "left")
    for line in lines:
        table.add_row(
            line.fault.title,
            line.fault.database,
            str(line.found.times),
            line.found.figure,
            _HOLDS[line.found.holds],
            line.fault.control,
            str(line.control.times),
            line.control.figure,
            _FAILS[line.control.holds],
            f"{line.seconds:.0f}",
        )
    return table


def main() -> None:
    """Read the command line, try, print, and exit 1 unless every promise held and every control failed."""
    parser = argparse.ArgumentParser(prog="./run faults", description="Try what the ledger promises when things fail.")
    parser.add_argument("family", nargs="*", help=f"only these of: {', '.join(FAMILIES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer times each")
    parser.add_argument("--seed", type=int, default=SEED, help="of the random moments (default: %(default)s)")
    asked = parser.parse_args()
    unknown = set(asked.family) - set(FAMILIES)
    if unknown:
        parser.error(f"found {', '.join(sorted(unknown))}, expected some of: {', '.join(FAMILIES)}")
    # Ended from outside, it clears away all the same: servers, processes, mounted file systems.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = [fault for fault in FAULTS if not asked.family or fault.family in asked.family]
    PROCESSES.set_forkserver_preload(["tests.faults.__main__"])
    begun = monotonic()
    with places(chosen, asked.seed, quick=asked.quick) as place:
        progress = track(chosen, "trying", console=Console(stderr=True), transient=True)
        lines = [tried(fault, place) for fault in progress]
        console = Console() if sys.stdout.isatty() else Console(width=200)
        console.print(shown(lines, f"seed {asked.seed}, {monotonic() - begun:.0f} s"))
    sys.exit(0 if all(line.as_promised for line in lines) else 1)


if __name__ == "__main__":
    main()
