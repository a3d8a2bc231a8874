"""The ledger's refusal of a command, before anything is recorded."""

from __future__ import annotations


class Rejection(ValueError):
    """A command that cannot be recorded: a stable `code`, the field or thing it is about, and what to do."""

    def __init__(self, code: str, where: str, message: str) -> None:
        super().__init__(f"{where}: {message} [{code}]")
        self.code = code
        self.where = where
        self.message = message
