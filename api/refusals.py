"""Refusals as the command line shows them: every reason, on standard error, with an exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from ledger.canonical import JsonProblem
from ledger.rejection import Rejection
from schemes.problem import InvalidInput, Problem

EXIT_DIFFERENT = 1
EXIT_REFUSED = 2


def reasons(error: Exception) -> list[Problem]:
    """Return the reasons of a refusal, whichever part of the program refused."""
    match error:
        case InvalidInput():
            return list(error.problems)
        case Rejection():
            return [Problem(one.code, one.where, one.message) for one in error.refusals]
        case JsonProblem():
            return [Problem(error.code, error.where, error.message)]
        case _:
            pass
    raise TypeError(f"expected a refusal, got {error!r}")


@contextmanager
def refusals_shown(as_json: bool) -> Iterator[None]:
    """Show what the block refuses and exit with status 2; nothing of it has been recorded."""
    try:
        yield
    except (InvalidInput, Rejection, JsonProblem) as error:
        found = reasons(error)
        if as_json:
            errors = [{"code": one.code, "where": one.where, "message": one.message} for one in found]
            sys.stderr.write(json.dumps({"errors": errors}, ensure_ascii=False) + "\n")
        else:
            for one in found:
                typer.echo(f"refused: {one}", err=True)
        raise typer.Exit(EXIT_REFUSED) from None
