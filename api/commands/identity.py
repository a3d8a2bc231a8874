"""`mingzhang identity …`: which accounts people sign in to through the OpenID provider.

What is done here is logged with the actor `command-line`, as with `mingzhang account`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from api.access.external_identities import ExternalIdentities, IdentityAnswer
from api.command_line import AsJson, app, print_json
from api.commands.options import Database, console, opened
from api.commands.tables import add_row, new_table
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings
from schemes.problem import refuse

identity = typer.Typer(help="Signing in through the OpenID provider: who is whose account.", no_args_is_help=True)
app.add_typer(identity, name="identity")

Subject = Annotated[str, typer.Option(help="What the provider calls the person; a refused sign-in shows it.")]
Issuer = Annotated[str | None, typer.Option(help="The provider's issuer address; else MINGZHANG_OIDC_ISSUER.")]


@identity.command("link")
def link(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    subject: Subject,
    issuer: Issuer = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Let a person of the provider sign in to an account."""
    with refusals_shown(as_json), _identities(database) as identities:
        _show([identities.link(None, name, _issuer(issuer), subject)], as_json)


@identity.command("unlink")
def unlink(subject: Subject, issuer: Issuer = None, database: Database = None, as_json: AsJson = False) -> None:
    """Let a person of the provider sign in no more; the sessions of the account end."""
    with refusals_shown(as_json), _identities(database) as identities:
        _show([identities.unlink(None, _issuer(issuer), subject)], as_json)


@identity.command("list")
def show_all(database: Database = None, as_json: AsJson = False) -> None:
    """Show every link there is or was."""
    with refusals_shown(as_json), _identities(database) as identities:
        _show(identities.listed(), as_json)


@contextmanager
def _identities(database: str | None) -> Iterator[ExternalIdentities]:
    with opened(database) as ledgers:
        yield ExternalIdentities(ledgers.engine, now, secrets.token_bytes)


def _issuer(stated: str | None) -> str:
    issuer = stated or Settings().oidc_issuer
    if issuer is None:
        raise refuse("issuer-missing", "issuer", "name the provider with --issuer or in MINGZHANG_OIDC_ISSUER")
    return issuer


def _show(found: list[IdentityAnswer], as_json: bool) -> None:
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    table = new_table("", ["account", "issuer", "subject", "linked", "state"])
    for one in found:
        state = f"unlinked {one.unlinked_at.date().isoformat()}" if one.unlinked_at else ""
        add_row(table, one.account, one.issuer, one.subject, f"{one.linked_at.date()} by {one.linked_by}", state)
    console.print(table)
