"""`mingzhang proposal`: what waits for a second person; and `year release`, which lets units see their scores."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from api.command_line import AsJson, app, print_json
from api.commands.options import Actor, Code, Database, Key, Reason, Year, attempt, console, opened, show_receipts
from api.commands.tables import add_row, new_table
from api.custody import Custody
from api.proceeding_labels import ACTIONS, PROPOSAL_STATUSES
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.decisions import CHINA
from ledger.proposals import Status
from projections.proposals import ProposalAnswer, ProposalsWanted, approve, proposal_answer, proposals_answer

proposals = typer.Typer(help="What takes effect only with a second person's approval.", no_args_is_help=True)
app.add_typer(proposals, name="proposal")
Identifier = Annotated[UUID, typer.Argument(help="The proposal's id.")]


@proposals.command("list")
def list_proposals(
    jurisdiction: Code,
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List what was proposed, in the order of proposing."""
    with refusals_shown(as_json), opened(database) as ledgers:
        answer = proposals_answer(ledgers, jurisdiction, ProposalsWanted(status))
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            _show(answer.proposals)


@proposals.command("show")
def show_proposal(jurisdiction: Code, proposal: Identifier, database: Database = None, as_json: AsJson = False) -> None:
    """Show exactly what is asked for, and what became of it."""
    with refusals_shown(as_json), opened(database) as ledgers:
        answer = proposal_answer(ledgers, jurisdiction, proposal)
        if as_json:
            print_json(answer.model_dump(mode="json"))
        else:
            _show([answer])
            console.print_json(json.dumps(answer.content, ensure_ascii=False))


@proposals.command("approve")
def approve_proposal(
    jurisdiction: Code,
    proposal: Identifier,
    leaf: Annotated[str, typer.Option(help="The hash of what is approved, as `show` gives it.")],
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Approve what another person proposed, and record it."""
    with refusals_shown(as_json), opened(database) as ledgers:
        who = attempt(ledgers, jurisdiction, "proposals.approve", "", key)
        receipts = approve(ledgers, jurisdiction, who, proposal, leaf)
        if any(one.event.wire == "evidence.erased/1" for one in receipts):
            Custody(ledgers.engine, Settings(), ledgers.random_bytes).delete_erased(jurisdiction)
        show_receipts(receipts, as_json)


@proposals.command("decline")
def decline_proposal(
    jurisdiction: Code,
    proposal: Identifier,
    reason: Reason,
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Decline what another person proposed, or withdraw one's own."""
    with refusals_shown(as_json), opened(database) as ledgers:
        who = attempt(ledgers, jurisdiction, "proposals.decline", "", key)
        show_receipts(ledgers.known_ledger(jurisdiction).decline(who, proposal, reason), as_json)


def release(
    jurisdiction: Code,
    year: Year,
    as_of: Annotated[datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Facts up to this day.")],
    reason: Reason,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Let units see their own scores as of a day, as they stand now; later entries wait for the next release."""
    with refusals_shown(as_json), opened(database) as ledgers:
        ledger = ledgers.known_ledger(jurisdiction)
        who = attempt(ledgers, jurisdiction, "years.close", actor, key)
        show_receipts(ledger.release(who, year, as_of.date(), None, reason), as_json)


def _show(found: list[ProposalAnswer]) -> None:
    """Print the proposals as a table, and below it what is typed to approve them, whole, however narrow the screen."""
    table = new_table("", ["序号"], [], ["事项", "状态", "提出人", "提出时间"])
    for number, one in enumerate(found, 1):
        made_at = one.made.recorded_at.astimezone(CHINA)
        status = PROPOSAL_STATUSES[one.status]
        add_row(table, str(number), ACTIONS[one.action], status, one.made.actor, f"{made_at:%Y-%m-%d %H:%M}")
    console.print(table)
    for number, one in enumerate(found, 1):
        typer.echo(f"{number}  编号    {one.id}")
        typer.echo(f"{' ' * len(str(number))}  叶哈希  {one.leaf_hash}")
