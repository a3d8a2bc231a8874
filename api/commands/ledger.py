"""The commands that need a ledger: they open the database, call one service, and show what it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from pydantic import BaseModel
from rich.console import RenderableType

from api.command_line import AsJson, app, print_json
from api.commands.options import (
    Actor,
    AsOf,
    Code,
    Database,
    Day,
    EvidenceDocument,
    EvidenceFile,
    EvidenceTitle,
    EvidenceUrl,
    Key,
    KnownAt,
    Locator,
    Reason,
    Year,
    as_wish,
    attempt,
    console,
    day_asked,
    environment_checked,
    moment_asked,
    opened,
    progress_bar,
    show_receipts,
    stated_evidence,
)
from api.commands.tables import history_table, ranking_table, sheet_table
from api.refusals import refusals_shown
from api.settings import Settings
from ledger.commands import Amend, Observe, Rectify, Void
from ledger.rebuilding import rebuild_facts
from projections.answers import history_answer, ranking_answer, sheet_answer
from projections.scheme_files import vocabulary
from schemes.problem import refuse
from schemes.vocabulary import CodesAttribute, IntegerAttribute

A = TypeVar("A", bound=BaseModel)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; other than loopback only with TLS.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")] = None,
    database: Database = None,
) -> None:
    """Serve HTTP: on loopback, or with TLS on any address."""
    from api.serving import serve as serve_http  # noqa: PLC0415  # the web framework is for this command only

    stated = {"host": host, "port": port, "database_url": database}
    with refusals_shown(as_json=False), environment_checked():
        serve_http(Settings.with_stated(stated))


@app.command()
def observe(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Option(help="The assessed unit.")],
    kind: Annotated[str, typer.Option(help="The kind of observation.")],
    on: Day,
    count: Annotated[int, typer.Option(help="How many places, times or pieces.")] = 1,
    attribute: Annotated[list[str] | None, typer.Option("--attribute", "-a", help="NAME=VALUE, repeatable.")] = None,
    note: Annotated[str | None, typer.Option(help="The recorder's words.")] = None,
    evidence: EvidenceTitle = None,
    url: EvidenceUrl = None,
    document: EvidenceDocument = None,
    file: EvidenceFile = None,
    locator: Locator = None,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record one observation with its evidence."""
    with refusals_shown(as_json), opened(database) as ledgers:
        wish = as_wish(
            Observe,
            unit=unit,
            kind=kind,
            occurred_on=on.date(),
            count=count,
            attributes=_attributes(attribute or []),
            evidence=stated_evidence(evidence, url, document, file, locator),
            note=note,
        )
        who = attempt(ledgers, jurisdiction, "observations.record", actor, key)
        receipts = ledgers.ledger(jurisdiction).observe(who, year, [wish])
        show_receipts(receipts, as_json)


@app.command()
def amend(
    jurisdiction: Code,
    observation: Annotated[UUID, typer.Argument(help="The observation's id.")],
    reason: Reason,
    unit: Annotated[str | None, typer.Option(help="The unit it should read.")] = None,
    kind: Annotated[str | None, typer.Option(help="The kind it should read.")] = None,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day it should read.")] = None,
    count: Annotated[int | None, typer.Option(help="The count it should read.")] = None,
    attribute: Annotated[list[str] | None, typer.Option("--attribute", "-a", help="All attributes anew.")] = None,
    evidence: EvidenceTitle = None,
    url: EvidenceUrl = None,
    document: EvidenceDocument = None,
    file: EvidenceFile = None,
    locator: Locator = None,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Correct an observation: the named fields read otherwise from now on."""
    with refusals_shown(as_json), opened(database) as ledgers:
        stated = {
            "unit": unit,
            "kind": kind,
            "occurred_on": on.date() if on else None,
            "count": count,
            "attributes": _attributes(attribute) if attribute else None,
        }
        changes = {name: value for name, value in stated.items() if value is not None}
        paper = stated_evidence(evidence, url, document, file, locator)
        wish = as_wish(Amend, changes=changes, reason=reason, evidence=paper)
        who = attempt(ledgers, jurisdiction, "observations.record", actor, key)
        show_receipts(
            ledgers.known_ledger(jurisdiction).amend(who, observation, wish),
            as_json,
        )


@app.command()
def void(
    jurisdiction: Code,
    observation: Annotated[UUID, typer.Argument(help="The observation's id.")],
    reason: Reason,
    evidence: EvidenceTitle = None,
    url: EvidenceUrl = None,
    document: EvidenceDocument = None,
    file: EvidenceFile = None,
    locator: Locator = None,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record that an observation does not count from now on; a void is final."""
    with refusals_shown(as_json), opened(database) as ledgers:
        wish = as_wish(Void, reason=reason, evidence=stated_evidence(evidence, url, document, file, locator))
        who = attempt(ledgers, jurisdiction, "observations.record", actor, key)
        show_receipts(
            ledgers.known_ledger(jurisdiction).void(who, observation, wish),
            as_json,
        )


@app.command()
def rectify(
    jurisdiction: Code,
    observation: Annotated[UUID, typer.Argument(help="The observation's id.")],
    on: Day,
    note: Annotated[str | None, typer.Option(help="The recorder's words.")] = None,
    evidence: EvidenceTitle = None,
    url: EvidenceUrl = None,
    document: EvidenceDocument = None,
    file: EvidenceFile = None,
    locator: Locator = None,
    actor: Actor = "office",
    key: Key = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Record the day on which the unit has put the matter right."""
    with refusals_shown(as_json), opened(database) as ledgers:
        paper = stated_evidence(evidence, url, document, file, locator)
        wish = as_wish(Rectify, on=on.date(), note=note, evidence=paper)
        who = attempt(ledgers, jurisdiction, "observations.record", actor, key)
        show_receipts(
            ledgers.known_ledger(jurisdiction).rectify(who, observation, wish),
            as_json,
        )


@app.command()
def sheet(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show a unit's score sheet."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        _show(sheet_answer(view, view.unit(unit)), sheet_table, as_json)


@app.command()
def history(
    jurisdiction: Code,
    year: Year,
    unit: Annotated[str, typer.Argument(help="The unit.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show how a unit's score came about, fact by fact."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        _show(history_answer(view, view.unit(unit)), history_table, as_json)


@app.command()
def rank(
    jurisdiction: Code,
    year: Year,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Show the ranking of each group."""
    with refusals_shown(as_json), opened(database) as ledgers:
        view = ledgers.view(jurisdiction, year, day_asked(as_of), moment_asked(known_at))
        _show(ranking_answer(view), ranking_table, as_json)


@app.command()
def rebuild(jurisdiction: Code, database: Database = None, as_json: AsJson = False) -> None:
    """Derive the facts table anew from the events."""
    with refusals_shown(as_json), opened(database) as ledgers:
        ledgers.known_ledger(jurisdiction)
        with progress_bar("rebuilding", shown=not as_json) as progress:
            rows = rebuild_facts(ledgers.engine, jurisdiction, progress)
        print_json({"rows": rows}) if as_json else typer.echo(f"{rows} rows derived from the events")


def _attributes(stated: list[str]) -> dict[str, Any]:
    """Return the attributes from NAME=VALUE; the vocabulary tells which are whole numbers and which lists."""
    known = {name: one for kind in vocabulary().kinds.values() for name, one in kind.attributes.items()}
    found: dict[str, Any] = {}
    for one in stated:
        name, sign, value = one.partition("=")
        if not sign:
            raise refuse("attribute-form", "attribute", f"found {one!r}, expected NAME=VALUE")
        if name in found:
            raise refuse("attribute-twice", f"attributes.{name}", "state each attribute once; a list has commas")
        match known.get(name):
            case CodesAttribute():
                found[name] = value.split(",")
            case IntegerAttribute() if value.isascii() and value.isdigit():
                found[name] = int(value)
            case _:
                found[name] = value
    return found


def _show(answer: A, table: Callable[[A], RenderableType], as_json: bool) -> None:
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        console.print(table(answer))
