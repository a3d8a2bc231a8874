"""One thing wrong with an input, as a value: checks of collections return all of them at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do.

    `code` is stable and made for programs, `where` names the field or path, `message` is plain English that
    states what was found and what was expected.
    """

    code: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.code}]" if self.where else f"{self.message} [{self.code}]"


class InvalidInput(ValueError):
    """Raised when an input is refused; carries every problem found, never only the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def refuse(code: str, where: str, message: str) -> InvalidInput:
    """Return the error for a single problem, ready to raise."""
    return InvalidInput((Problem(code, where, message),))
