"""`mingzhang notice …`: where notices go, and delivering them.

What is done here is logged with the actor `command-line`, as with `mingzhang account`. A server that runs delivers
to what is added here from its next round on.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import Code, Database, console, opened
from api.commands.tables import add_row, new_table
from api.notices.delivering import Deliveries
from api.notices.targets import AddressAnswer, Targets, WebhookAnswer
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings

notice = typer.Typer(help="Notices by e-mail and to webhooks.", no_args_is_help=True)
address = typer.Typer(help="The e-mail addresses of accounts that speak for units.", no_args_is_help=True)
webhook = typer.Typer(help="Where the notices of a jurisdiction are posted.", no_args_is_help=True)
app.add_typer(notice, name="notice")
notice.add_typer(address, name="address")
notice.add_typer(webhook, name="webhook")

Name = Annotated[str, typer.Argument(help="The account's name.")]


@address.command("set")
def set_address(
    name: Name,
    mail: Annotated[str, typer.Argument(help="The e-mail address.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Send the notices of an account's units to that address from now on."""
    with refusals_shown(as_json), _targets(database) as targets:
        _show_addresses([targets.set_address(name, mail)], as_json)


@address.command("remove")
def remove_address(name: Name, database: Database = None, as_json: AsJson = False) -> None:
    """Forget an account's address."""
    with refusals_shown(as_json), _targets(database) as targets:
        targets.remove_address(name)
        _show_addresses(targets.addresses(), as_json)


@address.command("list")
def list_addresses(database: Database = None, as_json: AsJson = False) -> None:
    """Show the addresses."""
    with refusals_shown(as_json), _targets(database) as targets:
        _show_addresses(targets.addresses(), as_json)


@webhook.command("add")
def add_webhook(
    url: Annotated[str, typer.Argument(help="Where to post, https:// (http:// on this machine only).")],
    jurisdiction: Code,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Post the notices of a jurisdiction there from now on; the secret that signs them is shown this once."""
    with refusals_shown(as_json), _targets(database) as targets:
        _show_webhooks([targets.add_webhook(jurisdiction, url)], as_json)


@webhook.command("remove")
def remove_webhook(
    identifier: Annotated[str, typer.Argument(help="The webhook's id.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Post nothing more there."""
    with refusals_shown(as_json), _targets(database) as targets:
        targets.remove_webhook(identifier)
        _show_webhooks(targets.webhooks(), as_json)


@webhook.command("list")
def list_webhooks(database: Database = None, as_json: AsJson = False) -> None:
    """Show the webhooks, without their secrets."""
    with refusals_shown(as_json), _targets(database) as targets:
        _show_webhooks(targets.webhooks(), as_json)


@notice.command("deliver")
def deliver(database: Database = None, as_json: AsJson = False) -> None:
    """Deliver what is due, once."""
    with refusals_shown(as_json), opened(database) as ledgers:
        found = Deliveries(ledgers, Settings(), now).round()
        if as_json:
            print_json(found.model_dump(mode="json"))
            return
        typer.echo(
            f"{found.delivered} delivered, {found.failed} failed for now, {found.given_up} given up, "
            f"{found.waiting} waiting"
        )


@contextmanager
def _targets(database: str | None) -> Iterator[Targets]:
    with opened(database) as ledgers:
        yield Targets(ledgers.engine, now, secrets.token_bytes)


def _show_addresses(found: list[AddressAnswer], as_json: bool) -> None:
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    table = new_table("", ["account", "address", "since"])
    for one in found:
        add_row(table, one.account, one.address, one.since.date().isoformat())
    console.print(table)


def _show_webhooks(found: list[WebhookAnswer], as_json: bool) -> None:
    if as_json:
        print_json([one.model_dump(mode="json", exclude_none=True) for one in found])
        return
    table = new_table("", ["id", "jurisdiction", "url", "since"])
    for one in found:
        add_row(table, one.id, one.jurisdiction, one.url, one.since.date().isoformat())
    console.print(table)
    for one in found:
        if one.secret is not None:
            typer.echo(f"secret, shown this once: {one.secret}")
