"""What is measured with: the same observations, facts and bytes in every run (nonces and the clock apart)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from uuid import UUID

from ledger.application import LedgerApplication
from ledger.commands import Attempt, Observe
from ledger.database import migrate, open_engine
from ledger.event_bytes import EventMapper
from ledger.events import Evidence, ObservationObserved, Reading
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.scheme_files import load, source, vocabulary
from schemes.fact import AttributeValue, Fact
from schemes.figures import Roster
from schemes.rules import Selection
from schemes.scheme import Group, Scheme
from schemes.sheets import Situation
from schemes.vocabulary import CodeAttribute, CodesAttribute, DecimalAttribute, IntegerAttribute, ItemAttribute

SCHEME = "zhangshu-2021"
CODE, YEAR = "360982", 2021
ONE_FACT_KINDS = ("judgement", "metric", "ranking", "rating", "prior_grade")
"""Kinds of which a unit has a few a year, whatever else happens."""
_FIRST_MOMENT = datetime(2021, 1, 4, 1, 0, tzinfo=UTC)


def now() -> datetime:
    """Return the moment it is."""
    return datetime.now(UTC)


def observations(number: int, seed: int) -> list[Observe]:
    """Return circulars and stale pages of random units, each with evidence and a note, some 700 bytes as an event."""
    random = Random(seed)  # noqa: S311  # a workload, not a secret
    scheme = load(SCHEME)
    units = [unit for group in scheme.groups for unit in group.units]
    made = []
    for at in range(number):
        day = scheme.period.first + timedelta(days=random.randrange(365))
        circular = {"level": "municipal", "subject": "new_media", "period": "monthly"}
        stale = {"channel": "website", "days": random.randrange(14, 90), "column": "政策解读"}
        kind, attributes = random.choice([("circular", circular), ("stale", stale)])
        evidence = Evidence(
            title=f"关于{day.month}月份全市政府网站与政务新媒体检查情况的通报",
            url=f"https://www.example.gov.cn/zwgk/tongbao/{day:%Y%m}/t{day:%Y%m%d}_{at:06}.html",
            locator=f"附件1 第{random.randrange(1, 60)}行",
        )
        made.append(
            Observe.model_validate(
                {
                    "unit": random.choice(units),
                    "kind": kind,
                    "occurred_on": day,
                    "attributes": attributes,
                    "evidence": (evidence,),
                    "note": "监测时间点前2周内无更新",
                }
            )
        )
    return made


def states(number: int, seed: int) -> list[bytes]:
    """Return the bytes of as many events as the application writes for these observations."""
    random = Random(seed)  # noqa: S311
    mapper = EventMapper(CODE)
    return [
        mapper.to_stored_event(
            ObservationObserved(
                originator_id=UUID(bytes=random.randbytes(16), version=5),
                originator_version=1,
                recorded_at=_FIRST_MOMENT + timedelta(seconds=at),
                actor="考评办",
                nonce=random.randbytes(16).hex(),
                year=YEAR,
                reading=Reading.model_validate(wish.model_dump(exclude={"evidence", "note"})),
                evidence=wish.evidence,
                note=wish.note,
            )
        ).state
        for at, wish in enumerate(observations(number, seed))
    ]


@contextmanager
def opened_year(url: str) -> Iterator[LedgerApplication]:
    """Give the ledger of a new database with the year opened; close it at the end."""
    engine = open_engine(url)
    migrate(engine)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    try:
        ledger = jurisdictions.ledger(CODE)
        scheme, version = scheme_version(source(SCHEME), f"{SCHEME}.yaml")
        ledger.open_year(Attempt("考评办", now(), "open"), YEAR, version, scheme_units(scheme))
        yield ledger
    finally:
        jurisdictions.close()
        engine.dispose()


@dataclass(frozen=True, slots=True)
class County:
    """A scheme, its year's units, and what was observed of them."""

    scheme: Scheme
    roster: Roster
    facts: list[Fact]

    def situation(self) -> Situation:
        """Return the year at its end, with nothing worked out yet."""
        return Situation(self.scheme, self.roster, self.facts, self.scheme.period.last)


def county(units: int, facts: int, seed: int) -> County:
    """Return a county with that many units, in equal groups, and random facts that the scheme's rules look at."""
    random = Random(seed)  # noqa: S311
    scheme = load(SCHEME)
    share = units // len(scheme.groups)
    roster = {group.id: tuple(f"{group.title}{at}" for at in range(1, share + 1)) for group in scheme.groups}
    drawing = {group.id: _Drawing(random, scheme, group, len(roster[group.id])) for group in scheme.groups}
    places = [(group, unit) for group, listed in roster.items() for unit in listed]
    positions = count(1)
    found = []
    for group, unit in places:
        found += [drawing[group].fact(unit, kind, next(positions)) for kind in drawing[group].once]
    while len(found) < facts:
        group, unit = random.choice(places)
        found.append(drawing[group].fact(unit, random.choice(drawing[group].often), next(positions)))
    return County(scheme, roster, found)


class _Drawing:
    """Draws the facts of one group of a scheme."""

    def __init__(self, random: Random, scheme: Scheme, group: Group, size: int) -> None:
        self._random = random
        self._scheme = scheme
        self._size = size
        self._judged = [row for row in group.indicators if row.judged]
        kinds = list(dict.fromkeys(kind for row in group.indicators for kind in sorted(row.kinds)))
        self.once = [kind for kind in kinds if kind in ONE_FACT_KINDS]
        self.often = [kind for kind in kinds if kind not in ONE_FACT_KINDS]
        tests = [
            rule.where.tests.get("item", ())
            for row in group.indicators
            for rule in row.rules
            if isinstance(rule, Selection)
        ]
        items = [
            one for test in tests for one in (test if isinstance(test, tuple) else (test,)) if isinstance(one, str)
        ]
        self._items = list(dict.fromkeys(items)) or ["annual_report"]

    def fact(self, unit: str, kind: str, position: int) -> Fact:
        """Draw a fact of this unit and kind."""
        random = self._random
        attributes = {
            name: self._value(attribute)
            for name, attribute in vocabulary().kinds[kind].attributes.items()
            if attribute.required or random.random() < 0.5
        }
        if kind == "judgement":
            row = random.choice(self._judged)
            attributes |= {"indicator": row.id, "value": row.judged.max if row.judged else Decimal(0)}
        elif kind == "ranking":
            attributes["rank"] = random.randint(1, self._size)
        day: date = self._scheme.period.first + timedelta(days=random.randrange(365))
        return Fact(f"o{position}", position, unit, kind, day, random.randint(1, 3), attributes)

    def _value(self, attribute: object) -> AttributeValue:
        match attribute:
            case CodeAttribute(values=values):
                return self._random.choice(list(values))
            case CodesAttribute(values=values):
                return tuple(self._random.sample(list(values), 2))
            case ItemAttribute():
                return self._random.choice(self._items)
            case IntegerAttribute(at_least=low):
                return self._random.randint(max(low, 1), low + 90)
            case DecimalAttribute():
                return Decimal(self._random.randint(1, 1000)) / 10
            case _:
                return self._random.choice(["甲", "乙", "丙"])
