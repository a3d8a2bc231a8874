"""Commands about appeals and claims; those about closing a year are in `api.commands.closing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from pydantic import BaseModel

from api.access.permissions import Permission
from api.command_line import AsJson, app
from api.commands import closing, proposal
from api.commands.appeal_tables import proceeding_table, proceedings_table
from api.commands.closing import show
from api.commands.options import (
    Actor,
    Code,
    Database,
    EvidenceDocument,
    EvidenceFile,
    EvidenceTitle,
    EvidenceUrl,
    Key,
    Locator,
    Reason,
    Year,
    as_wish,
    attempt,
    opened,
    stated_evidence,
)
from api.commands.year import years
from api.opening import now
from api.refusals import refusals_shown
from ledger.application import LedgerApplication
from ledger.canonical import read_json
from ledger.commands import (
    Accept,
    Attempt,
    Complete,
    DecideAppeal,
    DecideClaim,
    FileAppeal,
    FileClaim,
    Receipt,
    Return,
    Review,
    Withdraw,
)
from ledger.decisions import local_day
from ledger.proceedings import Kind, Status
from projections.answers import receipt_answer
from projections.jurisdictions import Jurisdictions
from projections.proceedings import deciding
from projections.proceedings.proceedings import (
    ProceedingsWanted,
    proceeding_answer,
    proceeding_of,
    proceedings_answer,
    recorded_answer,
)
from schemes.problem import refuse

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a command records, what of (`about`), who records it with which permission, and under which key."""

    jurisdiction: str
    year: int
    needed: Permission
    about: UUID | None
    actor: str
    key: str | None
    database: str | None

    def attempt(self, ledgers: Jurisdictions) -> Attempt:
        """Return who records, now."""
        return attempt(ledgers, self.jurisdiction, self.needed, self.actor, self.key)


appeals = typer.Typer(help="Appeals of units: file, accept or return, review, decide.", no_args_is_help=True)
claims = typer.Typer(help="Claims that a row does not concern a unit this year.", no_args_is_help=True)
app.add_typer(appeals, name="appeal")
app.add_typer(claims, name="claim")

Identifier = Annotated[UUID, typer.Argument(help="The id that filing it gave.")]
Unit = Annotated[str, typer.Option(help="The unit.")]
Grounds = Annotated[str, typer.Option(help="On what grounds.")]
Reasons = Annotated[str, typer.Option(help="The reasons of the decision.")]
OnDay = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day of the judgements.")]
OverdueOn = Annotated[
    datetime | None, typer.Option("--overdue-on", formats=["%Y-%m-%d"], help="Only open ones overdue on this day.")
]


@appeals.command("file")
def file_appeal(
    jurisdiction: Code,
    year: Year,
    unit: Unit,
    grounds: Grounds,
    observation: Annotated[list[UUID] | None, typer.Option(help="An observation in dispute, repeatable.")] = None,
    indicator: Annotated[list[str] | None, typer.Option(help="A row in dispute, repeatable.")] = None,
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
    """File an appeal of a unit about observations said of it or rows of its sheet."""
    place = _Place(jurisdiction, year, "appeals.file", None, actor, key, database)
    with refusals_shown(as_json):
        wish = as_wish(
            FileAppeal,
            unit=unit,
            observations=observation or [],
            indicators=indicator or [],
            grounds=grounds,
            evidence=stated_evidence(evidence, url, document, file, locator),
        )
        with opened(database) as ledgers:
            who = place.attempt(ledgers)
            _show(place, as_json, ledgers, deciding.file_appeal(ledgers, jurisdiction, year, who, wish))


@appeals.command("decide")
def decide_appeal(
    jurisdiction: Code,
    year: Year,
    appeal: Identifier,
    outcome: Annotated[str, typer.Option(help="upheld, partly_upheld or dismissed.")],
    reasons: Reasons,
    void: Annotated[list[UUID] | None, typer.Option(help="Order an observation void, repeatable.")] = None,
    amend: Annotated[list[str] | None, typer.Option(help='Order a correction: ID={"count": 1}, repeatable.')] = None,
    judge: Annotated[list[str] | None, typer.Option(help="Order a judgement: INDICATOR=VALUE, repeatable.")] = None,
    on: OnDay = None,
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
    """Decide an appeal; what it orders is recorded with it, or nothing at all."""
    place = _Place(jurisdiction, year, "appeals.decide", appeal, actor, key, database)
    with refusals_shown(as_json):
        orders: list[dict[str, Any]] = [{"void": one} for one in void or []]
        orders += [{"amend": name, "changes": read_json(changes)} for name, changes in map(_pair, amend or [])]
        orders += [_judgement(one, on) for one in judge or []]
        wish = as_wish(
            DecideAppeal,
            outcome=outcome,
            reasons=reasons,
            orders=orders,
            evidence=stated_evidence(evidence, url, document, file, locator),
        )
        with opened(database) as ledgers:
            who = place.attempt(ledgers)
            _show(place, as_json, ledgers, deciding.decide_appeal(ledgers, jurisdiction, year, who, appeal, wish))


@claims.command("file")
def file_claim(
    jurisdiction: Code,
    year: Year,
    unit: Unit,
    indicator: Annotated[str, typer.Option(help="The row that does not concern the unit.")],
    grounds: Grounds,
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
    """File a unit's claim that a row of its sheet does not concern it this year."""
    place = _Place(jurisdiction, year, "appeals.file", None, actor, key, database)
    with refusals_shown(as_json):
        paper = stated_evidence(evidence, url, document, file, locator)
        wish = as_wish(FileClaim, unit=unit, indicator=indicator, grounds=grounds, evidence=paper)
        _record(place, as_json, lambda on, who: on.file_claim(who, year, wish))


@claims.command("decide")
def decide_claim(
    jurisdiction: Code,
    year: Year,
    claim: Identifier,
    granted: Annotated[bool, typer.Option("--granted/--refused", help="Whether it is granted.")],
    reasons: Reasons,
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
    """Decide a claim; granted, its row is not applicable to the unit from now on."""
    place = _Place(jurisdiction, year, "appeals.decide", claim, actor, key, database)
    with refusals_shown(as_json):
        paper = stated_evidence(evidence, url, document, file, locator)
        wish = as_wish(DecideClaim, granted=granted, reasons=reasons, evidence=paper)
        _record(place, as_json, lambda on, who: on.decide_claim(who, year, claim, wish))


def _add_shared_commands(group: typer.Typer, kind: Kind) -> None:
    """Give the group what is done with appeals and claims alike."""

    @group.command("return")
    def return_for_completion(
        jurisdiction: Code,
        year: Year,
        identifier: Identifier,
        reason: Reason,
        actor: Actor = "office",
        key: Key = None,
        database: Database = None,
        as_json: AsJson = False,
    ) -> None:
        """Return it to the unit, which has to complete it."""
        place = _Place(jurisdiction, year, "appeals.handle", identifier, actor, key, database)
        with refusals_shown(as_json):
            wish = as_wish(Return, reason=reason)
            _record(place, as_json, lambda on, who: on.step(who, year, kind, identifier, wish))

    @group.command()
    def complete(
        jurisdiction: Code,
        year: Year,
        identifier: Identifier,
        grounds: Grounds,
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
        """Complete what was returned."""
        place = _Place(jurisdiction, year, "appeals.file", identifier, actor, key, database)
        with refusals_shown(as_json):
            wish = as_wish(Complete, grounds=grounds, evidence=stated_evidence(evidence, url, document, file, locator))
            _record(place, as_json, lambda on, who: on.step(who, year, kind, identifier, wish))

    @group.command()
    def accept(
        jurisdiction: Code,
        year: Year,
        identifier: Identifier,
        note: Annotated[str | None, typer.Option(help="The recorder's words.")] = None,
        actor: Actor = "office",
        key: Key = None,
        database: Database = None,
        as_json: AsJson = False,
    ) -> None:
        """Accept it: it will be reviewed and decided."""
        place = _Place(jurisdiction, year, "appeals.handle", identifier, actor, key, database)
        with refusals_shown(as_json):
            wish = as_wish(Accept, note=note)
            _record(place, as_json, lambda on, who: on.step(who, year, kind, identifier, wish))

    @group.command()
    def review(
        jurisdiction: Code,
        year: Year,
        identifier: Identifier,
        finding: Annotated[str, typer.Option(help="What the review found.")],
        recommendation: Annotated[str, typer.Option(help="What it recommends.")],
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
        """Record what a review found and recommends."""
        place = _Place(jurisdiction, year, "appeals.handle", identifier, actor, key, database)
        with refusals_shown(as_json):
            paper = stated_evidence(evidence, url, document, file, locator)
            wish = as_wish(Review, finding=finding, recommendation=recommendation, evidence=paper)
            _record(place, as_json, lambda on, who: on.step(who, year, kind, identifier, wish))

    @group.command()
    def withdraw(
        jurisdiction: Code,
        year: Year,
        identifier: Identifier,
        reason: Reason,
        actor: Actor = "office",
        key: Key = None,
        database: Database = None,
        as_json: AsJson = False,
    ) -> None:
        """Withdraw it before it is decided."""
        place = _Place(jurisdiction, year, "appeals.file", identifier, actor, key, database)
        with refusals_shown(as_json):
            wish = as_wish(Withdraw, reason=reason)
            _record(place, as_json, lambda on, who: on.step(who, year, kind, identifier, wish))

    @group.command("list")
    def list_proceedings(
        jurisdiction: Code,
        year: Year,
        unit: Annotated[str | None, typer.Option(help="Only of this unit.")] = None,
        status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
        overdue_on: OverdueOn = None,
        within: Annotated[int, typer.Option(min=0, max=365, help="With it: those overdue in so many days, too.")] = 0,
        database: Database = None,
        as_json: AsJson = False,
    ) -> None:
        """List them in the order of their filing."""
        with refusals_shown(as_json), opened(database) as ledgers:
            view = ledgers.view(jurisdiction, year)
            wanted = ProceedingsWanted(
                kind,
                view.unit_of_year(unit) if unit is not None else None,
                status,
                overdue_on.date() if overdue_on else None,
                within,
            )
            answer = proceedings_answer(view, wanted, local_day(now()))
            show(answer, proceedings_table, as_json)

    @group.command("show")
    def show_proceeding(
        jurisdiction: Code, year: Year, identifier: Identifier, database: Database = None, as_json: AsJson = False
    ) -> None:
        """Show it with all its steps and what its decision ordered."""
        with refusals_shown(as_json), opened(database) as ledgers:
            view = ledgers.view(jurisdiction, year)
            answer = proceeding_answer(view, proceeding_of(view, kind, identifier), local_day(now()))
            show(answer, proceeding_table, as_json)


_add_shared_commands(appeals, "appeal")
_add_shared_commands(claims, "claim")
years.command("close")(closing.close_year)
years.command("reopen")(closing.reopen_year)
years.command("terms")(closing.set_terms)
years.command("closings")(closing.show_closings)
years.command("register-document")(closing.register_document)
years.command("release")(proposal.release)


def _record(place: _Place, as_json: bool, command: Callable[[LedgerApplication, Attempt], Sequence[Receipt]]) -> None:
    """Give the command to the ledger, and show what it recorded and how the appeal or claim stands."""
    with opened(place.database) as ledgers:
        recorded = command(ledgers.known_ledger(place.jurisdiction), place.attempt(ledgers))
        _show(place, as_json, ledgers, recorded)


def _show(place: _Place, as_json: bool, ledgers: Jurisdictions, recorded: Sequence[Receipt]) -> None:
    receipts = [receipt_answer(one) for one in recorded]
    answer = recorded_answer(ledgers.view(place.jurisdiction, place.year), receipts, local_day(now()), place.about)
    show(answer, lambda one: proceeding_table(one.proceeding), as_json)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise refuse("order-form", "orders", f"found {text!r}, expected NAME=VALUE")
    return name, value


def _judgement(text: str, on: datetime | None) -> dict[str, Any]:
    if on is None:
        raise refuse("order-form", "on", "a judgement is made on a day; state it with --on")
    indicator, value = _pair(text)
    return {"judge": indicator, "value": value, "occurred_on": on.date()}
