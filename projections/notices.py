"""What a unit is told of, newest first: what was recorded of it, how its appeals and claims went, what ends soon.

Rules kept here:

1. A notice comes from what a view shows to those who speak for the units (`YearView.seen_by`), and from nothing else.
2. Points given to a row by themselves are not told one by one: the notice of a release tells of them together.
3. Of its appeals and claims a unit is told what asks something of it or ends them: a return, a decision.
4. A term is told in its last days, from the office's own calendar; where no holiday notice tells its end, it is not.
   What was returned has no term to complete it: the contract names none.
5. A notice's id is that of its entry, whatever is told later: it can be delivered once.
6. Its brief sentence tells kinds, days, counts and codes of closed lists, and nothing that somebody wrote freely: a
   person's name could be in it.

Delivering notices is left to others. Addresses begin behind that of the year.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple

from ledger.decisions import CHINA
from ledger.events import AppealDecided, ClaimDecided, Event, ProceedingReturned, SheetsReleased, YearClosed
from projections.answer_models import Answer
from projections.own_sight import WITHHELD
from projections.proceedings.proceedings import Proceeding, proceedings_of
from projections.proceedings.terms import filing_due, filing_start, last_said
from projections.sentences import scheme_words
from projections.years import FactEntry, YearView
from schemes.fact import Fact
from schemes.vocabulary import CodeAttribute, CodesAttribute, ItemAttribute, Vocabulary
from schemes.wording import day_phrase, fact_phrase

DAYS_AHEAD: Final = 7
_OUTCOMES: Final = {"upheld": "成立", "partly_upheld": "部分成立", "dismissed": "不成立"}
PROCEEDINGS: Final = {"appeal": "申诉", "claim": "不涉及认定"}
_CODES: Final = (CodeAttribute, CodesAttribute, ItemAttribute)
NoticeKind = Literal["recorded", "amended", "moved", "void", "rectified", "returned", "decided", "released", "due"]


class Notice(Answer):
    """One thing that a unit is told: a sentence, where it can be read, and what it comes from.

    `id` is unique among all notices of all ledgers. `position` is that of the entry in the ledger and `event` the
    stream it belongs to: an observation, an appeal or a claim; null for the year itself. `path` is null where there is
    nothing left to be read: the observation is another unit's now. `due` is the last day of what ends soon. `brief` is
    the sentence as it may leave the product (rule 6).
    """

    id: str
    kind: NoticeKind
    position: int
    event: str | None
    at: datetime
    sentence: str
    brief: str
    path: str | None
    due: date | None = None


class NoticesAnswer(Answer):
    """What those who speak for the units are told, newest first; `today` is the day that terms are counted from."""

    jurisdiction: str
    year: int
    units: list[str]
    today: date
    notices: list[Notice]


class Deadline(NamedTuple):
    """The last day to dispute what an entry says: of one observation, or (null) of the rows of a closed year."""

    due: date
    observation: str | None
    fact: Fact | None
    position: int
    begun: datetime


def notices(view: YearView, today: date) -> NoticesAnswer:
    """Return what the units of a restricted view are told on that day.

    Raises `LookupError` for a view that is not restricted: what nobody speaks for is nobody's notice.
    """
    if view.sight is None:
        raise LookupError("expected the view of those who speak for units")
    found = [*_of_observations(view), *_of_proceedings(view), *_of_the_year(view), *_of_terms(view, today)]
    found.sort(key=lambda one: (one.at, one.position, one.id), reverse=True)
    units = (unit for unit in view.state.units.values() if unit.key in view.sight.keys)
    return NoticesAnswer(
        jurisdiction=view.scheme.jurisdiction.code,
        year=view.state.year,
        units=[unit.name_on(view.as_of) for unit in units],
        today=today,
        notices=found,
    )


def filing_deadlines(view: YearView, today: date, within: int = DAYS_AHEAD) -> list[Deadline]:
    """Return the terms to appeal that end on the day or within days after it, the first to end first.

    Left out are observations that are void or that an appeal names already. In a closed year, the rows of a sheet and
    claims have a term of their own, from the close on.
    """
    named = {str(one) for proceeding in proceedings_of(view) for one in proceeding.state.observations}
    last = today + timedelta(days=within)
    found = [] if view.state.closed_at is None else [_deadline(view, view.state.closed_at)]
    for one in view.observed:
        if not (one.void or one.observation in named):
            said = last_said(view, one.observation)
            found.append(_deadline(view, said.recorded_at, said, one.fact))
    return sorted(
        (one for one in found if one is not None and today <= one.due <= last), key=lambda one: (one.due, one.position)
    )


def entry_sentence(entry: FactEntry, before: Fact | None, words: Vocabulary) -> str:
    """Return in words what an entry says of an observation; `before` is how that read until then."""
    fact = entry.said.fact
    match entry.entry:
        case "observe" if fact is not None:
            return f"登记：{_phrase(fact, words)}"
        case "amend" if fact is None:
            return "更正：一条记录经更正不再是本单位的事项"
        case "amend" if before is None:
            return f"更正：一条记录经更正记为本单位的事项，{_phrase(fact, words)}"
        case "amend":
            return f"更正：现为{_phrase(fact, words)}"
        case "void":
            return f"作废：{_phrase(before, words)}"
        case "rectify" if entry.said.rectified_on is not None:
            return f"整改：{day_phrase(entry.said.rectified_on)}已整改，{_phrase(before, words)}"
        case _:
            raise ValueError(f"expected an entry of an observation, got {entry.entry} at position {entry.position}")


def observation_path(observation: str) -> str:
    """Return where an observation is shown."""
    return f"observations/{observation}"


def proceeding_path(proceeding: Proceeding) -> str:
    """Return where an appeal or a claim is shown."""
    return f"{proceeding.state.kind}s/{proceeding.state.id}"


def readings_before(entries: Sequence[FactEntry]) -> Iterator[tuple[FactEntry, Fact | None]]:
    """Yield each entry of an observation with how that read until then; null where it was not shown."""
    standing: Fact | None = None
    for entry in entries:
        yield entry, standing
        if entry.entry in ("observe", "amend"):
            standing = entry.said.fact


def _closed(words: Vocabulary) -> Vocabulary:
    """Return the words without the attributes that somebody fills in freely."""
    kinds = {
        code: kind.model_copy(
            update={"attributes": {name: one for name, one in kind.attributes.items() if isinstance(one, _CODES)}}
        )
        for code, kind in words.kinds.items()
    }
    return words.model_copy(update={"kinds": kinds})


def _of_observations(view: YearView) -> Iterator[Notice]:
    readable, words = {one.observation for one in view.observed}, scheme_words(view.scheme)
    closed = _closed(words)
    for observation in view.by_observation:
        for entry, before in readings_before(view.entries_of(observation)):
            fact = entry.said.fact or before
            if fact is not None and fact.kind in WITHHELD:
                continue
            yield Notice(
                id=_id(view, entry.position),
                kind=_kind(entry),
                position=entry.position,
                event=observation,
                at=entry.recorded_at.astimezone(UTC),
                sentence=entry_sentence(entry, before, words),
                brief=entry_sentence(entry, before, closed),
                path=observation_path(observation) if observation in readable else None,
            )


def _kind(entry: FactEntry) -> NoticeKind:
    kinds: dict[str, NoticeKind] = {"observe": "recorded", "amend": "amended", "void": "void", "rectify": "rectified"}
    return "moved" if _moved(entry) else kinds[entry.entry]


def _moved(entry: FactEntry) -> bool:
    """Whether the entry made the observation another unit's."""
    return entry.entry == "amend" and entry.said.fact is None


def _of_proceedings(view: YearView) -> Iterator[Notice]:
    for proceeding in proceedings_of(view):
        for step in proceeding.steps:
            told = _step_told(PROCEEDINGS[proceeding.state.kind], step.event)
            if told is not None:
                yield Notice(
                    id=_id(view, step.position),
                    kind=told[0],
                    position=step.position,
                    event=str(proceeding.state.id),
                    at=step.event.recorded_at.astimezone(UTC),
                    sentence=told[1],
                    brief=told[2],
                    path=proceeding_path(proceeding),
                )


def _step_told(title: str, event: Event) -> tuple[NoticeKind, str, str] | None:
    """Return the kind of the notice, its sentence and its brief one; None for a step that is not told."""
    match event:
        case ProceedingReturned():
            brief = f"{title}被退回，请补正后再提交"
            return "returned", f"{brief}：{event.reason}", brief
        case AppealDecided():
            decided = f"{title}已决定：{_OUTCOMES[event.outcome]}"
        case ClaimDecided():
            decided = f"{title}已决定：{'准予' if event.granted else '不准予'}"
        case _:
            return None
    return "decided", decided, decided


def _of_the_year(view: YearView) -> Iterator[Notice]:
    for position, event in view.turns:
        if isinstance(event, SheetsReleased):
            sentence = f"考核得分已公布（截至{day_phrase(event.as_of)}的事项）"
            yield Notice(
                id=_id(view, position),
                kind="released",
                position=position,
                event=None,
                at=event.recorded_at.astimezone(UTC),
                sentence=sentence,
                brief=sentence,
                path="units",
            )


def _of_terms(view: YearView, today: date) -> Iterator[Notice]:
    words = scheme_words(view.scheme)
    closed = _closed(words)
    for one in filing_deadlines(view, today):
        told = datetime.combine(one.due - timedelta(days=DAYS_AHEAD), time(), CHINA)
        yield Notice(
            id=f"{_id(view, one.position)}/due",
            kind="due",
            position=one.position,
            event=one.observation,
            at=max(told, one.begun).astimezone(UTC),
            sentence=_term_sentence(one, words),
            brief=_term_sentence(one, closed),
            path="appeals" if one.observation is None else observation_path(one.observation),
            due=one.due,
        )


def _term_sentence(one: Deadline, words: Vocabulary) -> str:
    about = "对各行得分的申诉和不涉及认定" if one.fact is None else f"对“{fact_phrase(one.fact, words)}”的申诉"
    return f"{about}，提出期限到{day_phrase(one.due)}为止"


def _deadline(
    view: YearView, said_at: datetime, entry: FactEntry | None = None, fact: Fact | None = None
) -> Deadline | None:
    due, begun = filing_due(view, said_at), filing_start(view, said_at)
    if due is None:
        return None
    if entry is not None:
        return Deadline(due, entry.observation, fact, entry.position, begun)
    close = max(one.position for one in view.turns if isinstance(one.event, YearClosed))
    return Deadline(due, None, None, close, begun)


def _id(view: YearView, position: int) -> str:
    return f"{view.scheme.jurisdiction.code}/{position}"


def _phrase(fact: Fact | None, words: Vocabulary) -> str:
    """A fact in words; an entry that says nothing of an observation follows one that did."""
    if fact is None:
        raise ValueError("expected how the observation reads, got nothing")
    return fact_phrase(fact, words)
