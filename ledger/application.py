"""The application of one ledger: takes commands, decides, appends. One instance for each jurisdiction.

How a command is recorded is in `ledger.appending`; what can be recorded, in the modules of its bases.
"""

from __future__ import annotations

from ledger.observation_commands import MOST_OBSERVATIONS
from ledger.proposal_commands import ProposalCommands
from ledger.year_commands import YearCommands

__all__ = ["MOST_OBSERVATIONS", "LedgerApplication"]


class LedgerApplication(ProposalCommands, YearCommands):
    """The ledger of one jurisdiction. Safe to share between threads; `close` it when done."""

    name = "ledger"
