"""From a county's plan and a seed to the entries of its year. The same seed gives the same entries, always.

1. Units get a quality: evenly spread, in a drawn order. Problems lean to the bad ones, merits to the good ones.
2. The plan's templates, requests, judgements, rankings, metrics and ratings become findings: one fact each.
3. Each finding is reported in the issue of its source that covers its day; an issue is recorded at one moment.
4. Some findings are amended, voided or rectified days later, in the order and with the reasons of the plan.
5. Everything is put in the order of its recording, no two appends at the same moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from api.demonstration.evidence_files import demo_file
from api.demonstration.findings import Finding, findings_of
from api.demonstration.issues import Issue, covering, issues_of, office_hour, working_days_after
from api.demonstration.plan import Correction, Plan, Source, plan_of
from ledger.commands import Amend, Observe, Rectify, Void
from ledger.events import Changes, Evidence
from schemes.scheme import Scheme

SEED = 134
"""Any seed tells a year; this one has units with equal totals in every county."""
ROWS_ON_A_PAGE = 15
MINUTE = timedelta(minutes=1)

Command = Observe | Amend | Void | Rectify


@dataclass(frozen=True, slots=True)
class Reference:
    """An observation of the demonstration: the key of its append and its place in it, from 0."""

    key: str
    place: int


@dataclass(frozen=True, slots=True)
class DemoEntry:
    """One entry of the year: who records what, when and under which key.

    Observations recorded together share moment and key; `place` counts them from 0. An amendment, void or
    rectification is `about` an earlier observation.
    """

    recorded_at: datetime
    actor: str
    key: str
    command: Command
    place: int = 0
    about: Reference | None = None


def entries(scheme: Scheme, seed: int = SEED) -> list[DemoEntry]:
    """Return the year of a shipped scheme's county, in the order of recording.

    Raises `FileNotFoundError` for a scheme that has no plan.
    """
    chance = Random(f"{scheme.id}/{seed}")  # noqa: S311 - a story, not a secret
    plan = plan_of(scheme.id)
    reported = list(_reported(scheme, plan, findings_of(scheme, plan, chance), chance))
    corrected = list(_corrected(scheme, plan, reported, chance))
    return _in_order([*(entry for entry, _ in reported), *corrected])


def _reported(
    scheme: Scheme, plan: Plan, findings: Iterable[Finding], chance: Random
) -> Iterator[tuple[DemoEntry, Finding]]:
    """Put each finding into the issue of its source that covers its day, with row and evidence."""
    issues = {
        name: issues_of(source.every, source.delay, scheme.period.first, scheme.period.last, chance)
        for name, source in plan.sources.items()
    }
    by_issue: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        issue = covering(issues[finding.source], finding.on)
        by_issue[finding.source, issue.number].append(
            replace(finding, on=issue.dated) if finding.dated_by_issue else finding
        )
    for (name, number), rows in by_issue.items():
        source, issue = plan.sources[name], issues[name][number - 1]
        key = f"demonstration/{scheme.id}/{name}/{number:03}"
        for place, finding in enumerate(_once(rows)):
            command = Observe(
                unit=finding.unit,
                kind=finding.kind,
                occurred_on=finding.on,
                count=finding.count,
                attributes=finding.attributes,
                evidence=_evidence(plan, source, issue, finding, place + 1),
                note=finding.note,
            )
            yield DemoEntry(issue.recorded_at, source.actor, key, command, place), finding


def _once(rows: Iterable[Finding]) -> list[Finding]:
    """Sort the rows of an issue and leave out what is reported twice."""
    seen = set()
    found = []
    for row in sorted(rows, key=lambda row: (row.kind, row.on)):
        what = (row.unit, row.kind, row.on, repr(row.attributes))
        if what not in seen:
            seen.add(what)
            found.append(row)
    return found


def _evidence(plan: Plan, source: Source, issue: Issue, finding: Finding, row: int) -> tuple[Evidence, ...]:
    words = {
        **issue.words,
        "host": plan.host,
        "unit": finding.unit,
        "row": row,
        "page": (row - 1) // ROWS_ON_A_PAGE + 1,
    }
    title = source.title.format_map(words)
    locator = finding.locator or (source.locator and source.locator.format_map(words))
    if source.document:
        first = Evidence(title=title, document=source.document.format_map(words), locator=locator)
    elif source.url:
        first = Evidence(title=title, url=source.url.format_map(words), locator=locator)
    else:
        first = Evidence(title=title, file=demo_file(plan.host, title).commitment, locator=locator)
    if source.also is None:
        return (first,)
    return (first, Evidence(title=source.also, file=demo_file(plan.host, source.also).commitment))


def _corrected(
    scheme: Scheme, plan: Plan, reported: Sequence[tuple[DemoEntry, Finding]], chance: Random
) -> Iterator[DemoEntry]:
    """Yield what is said later of findings; each finding is corrected once at most."""
    open_to_chance = [entry for entry, finding in reported if not finding.is_story]
    chance.shuffle(open_to_chance)
    told = [
        (entry, Correction(kinds=(finding.kind,), times=1, reason=finding.voided))
        for entry, finding in reported
        if finding.voided
    ]
    voided = [*told, *_drawn(plan.voids, open_to_chance)]
    amended = _drawn(plan.amendments, open_to_chance)
    drawn = [("void", *one) for one in voided] + [("amend", *one) for one in amended]
    dated = [(_reviewed(entry, chance), verb, entry, correction) for verb, entry, correction in drawn]
    numbers: Counter[int] = Counter()
    for recorded_at, verb, entry, correction in sorted(dated, key=lambda one: one[0]):
        year = recorded_at.year
        numbers[year] += 1
        document = plan.review_document.format(year=year, number=numbers[year])
        evidence = (Evidence(title="政务公开考评复核意见书", document=document),)
        yield DemoEntry(
            recorded_at,
            plan.reviewer,
            f"demonstration/{scheme.id}/{verb}/{numbers.total():03}",
            _amend(entry, correction, evidence)
            if verb == "amend"
            else Void(reason=correction.reason, evidence=evidence),
            about=Reference(entry.key, entry.place),
        )
    yield from _rectified(scheme, plan, open_to_chance, chance)


def _drawn(corrections: Iterable[Correction], left: list[DemoEntry]) -> list[tuple[DemoEntry, Correction]]:
    """Take entries out of those left, for each correction as many as it asks for and finds."""
    found = []
    for correction in corrections:
        fitting = [entry for entry in left if _fits(correction, entry.command)][: correction.times]
        for entry in fitting:
            left.remove(entry)
            found.append((entry, correction))
    return found


def _fits(correction: Correction, command: Command) -> bool:
    if not isinstance(command, Observe) or command.kind not in correction.kinds:
        return False
    if correction.count is not None:
        return command.count != correction.count
    known = command.attributes
    return all(name in known and known[name] != value for name, value in correction.attributes.items())


def _reviewed(entry: DemoEntry, chance: Random) -> datetime:
    return office_hour(working_days_after(entry.recorded_at.date(), chance.randint(2, 12)), chance)


def _amend(entry: DemoEntry, correction: Correction, evidence: tuple[Evidence, ...]) -> Amend:
    if not isinstance(entry.command, Observe):
        raise TypeError(f"expected an observation to amend, got {entry.key}")
    attributes = {**entry.command.attributes, **correction.attributes} if correction.attributes else None
    changes = Changes(count=correction.count, attributes=attributes)
    return Amend(changes=changes, reason=correction.reason, evidence=evidence)


def _rectified(scheme: Scheme, plan: Plan, left: Sequence[DemoEntry], chance: Random) -> Iterator[DemoEntry]:
    wanted = plan.rectifications
    number = 0
    for entry in left:
        observed = entry.command
        if not isinstance(observed, Observe) or observed.kind not in wanted.kinds or chance.random() > wanted.share:
            continue
        number += 1
        on = working_days_after(max(observed.occurred_on, entry.recorded_at.date()), chance.randint(1, 8))
        recorded_at = office_hour(working_days_after(on, chance.randint(1, 2)), chance)
        title = f"{observed.unit}整改情况报告"
        evidence = Evidence(title=title, file=demo_file(plan.host, title).commitment)
        yield DemoEntry(
            recorded_at,
            plan.reviewer,
            f"demonstration/{scheme.id}/rectify/{number:03}",
            Rectify(on=on, note=chance.choice(wanted.notes), evidence=(evidence,)),
            about=Reference(entry.key, entry.place),
        )


def _in_order(found: Iterable[DemoEntry]) -> list[DemoEntry]:
    """Sort by moment; an append that would share its moment with another one comes a minute later."""
    ordered: list[DemoEntry] = []
    for entry in sorted(found, key=lambda entry: (entry.recorded_at, entry.key, entry.place)):
        last = ordered[-1] if ordered else None
        if last is not None and last.key == entry.key:
            ordered.append(replace(entry, recorded_at=last.recorded_at))
        elif last is not None and last.recorded_at >= entry.recorded_at:
            ordered.append(replace(entry, recorded_at=last.recorded_at + MINUTE))
        else:
            ordered.append(entry)
    return ordered
