"""How differences between versions of a scheme and findings about one are shown: for HTTP and for `--json`."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import JsonValue, TypeAdapter

from projections.answer_models import Answer
from projections.scheme_files import vocabulary
from schemes.comparing.changes import Change, ChangeKind, What
from schemes.comparing.differences import changes
from schemes.comparing.sentences import change_sentence
from schemes.conditions import Where
from schemes.exact import plain
from schemes.linting.finding import Finding
from schemes.linting.lint import lint
from schemes.reading import dotted
from schemes.rules import Model
from schemes.scheme import Scheme

_JSON: TypeAdapter[Any] = TypeAdapter(Any)


class ParameterAnswer(Answer):
    """A value that differs, under its name in the scheme file; null where a version states nothing."""

    name: str
    old: JsonValue
    new: JsonValue


class ChangeAnswer(Answer):
    """One difference: what it is of, where, from what to what, and in Chinese.

    `scoring` says whether a score or a grade can depend on it.
    """

    id: str
    what: What
    kind: ChangeKind
    group: str | None
    indicator: str | None
    clause: str | None
    titles: list[str]
    parameters: list[ParameterAnswer]
    scoring: bool
    sentence: str


class VersionAnswer(Answer):
    """A scheme and its version."""

    id: str
    version: str


class DifferenceAnswer(Answer):
    """What the new version says otherwise than the old one; order is no difference."""

    old: VersionAnswer
    new: VersionAnswer
    changes: list[ChangeAnswer]


class FindingAnswer(Answer):
    """What the lint found, in English and in Chinese; `accepted` is the reason the scheme gives, or null."""

    code: str
    group: str | None
    indicator: str | None
    path: str
    message: str
    sentence: str
    accepted: str | None


class LintAnswer(Answer):
    """The findings about a scheme, and how many of them it does not accept."""

    scheme: VersionAnswer
    findings: list[FindingAnswer]
    unaccepted: int


def difference_answer(old: Scheme, new: Scheme) -> DifferenceAnswer:
    """Return the differences of the new version from the old one."""
    words = vocabulary().extended({**old.items, **new.items})
    found = [change_answer(change, change_sentence(change, words)) for change in changes(old, new)]
    return DifferenceAnswer(old=_version(old), new=_version(new), changes=found)


def change_answer(change: Change, sentence: str) -> ChangeAnswer:
    """Return one difference with its sentence."""
    parameters = [ParameterAnswer(name=one.name, old=_json(one.old), new=_json(one.new)) for one in change.parameters]
    return ChangeAnswer(
        id=change.id,
        what=change.what,
        kind=change.kind,
        group=change.group,
        indicator=change.indicator,
        clause=change.clause,
        titles=list(change.titles),
        parameters=parameters,
        scoring=change.scoring,
        sentence=sentence,
    )


def lint_answer(scheme: Scheme) -> LintAnswer:
    """Return the findings about a scheme."""
    found = finding_answers(lint(scheme, vocabulary()))
    return LintAnswer(
        scheme=_version(scheme), findings=found, unaccepted=sum(finding.accepted is None for finding in found)
    )


def finding_answers(found: Iterable[Finding]) -> list[FindingAnswer]:
    """Return findings with their paths as people write them."""
    return [
        FindingAnswer(
            code=one.code,
            group=one.group,
            indicator=one.indicator,
            path=dotted(one.path),
            message=one.message,
            sentence=one.sentence,
            accepted=one.accepted,
        )
        for one in found
    ]


def _version(scheme: Scheme) -> VersionAnswer:
    return VersionAnswer(id=scheme.id, version=scheme.version)


def _json(value: object) -> Any:
    match value:
        case Decimal():
            return plain(value)
        case Where():
            return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        case Model():
            return {name: _json(getattr(value, name)) for name in type(value).model_fields}
        case tuple():
            return [_json(one) for one in value]
        case dict():
            return {name: _json(one) for name, one in value.items()}
        case _:
            return _JSON.dump_python(value, mode="json", by_alias=True)
