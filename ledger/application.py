"""The application of one ledger: takes commands, decides, appends. One instance for each jurisdiction.

How a command is recorded is in `ledger.appending`; what can be recorded, in the modules of its three bases.
"""

from __future__ import annotations

from ledger.observation_commands import MOST_OBSERVATIONS, ObservationCommands
from ledger.proceeding_commands import ProceedingCommands
from ledger.year_commands import YearCommands

__all__ = ["MOST_OBSERVATIONS", "LedgerApplication"]


class LedgerApplication(ObservationCommands, YearCommands, ProceedingCommands):
    """The ledger of one jurisdiction. Safe to share between threads; `close` it when done."""

    name = "ledger"
