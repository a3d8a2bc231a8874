"""A year replayed under another version of its scheme: a shipped one, one the ledger keeps, or a draft.

Nothing of a replay is recorded: a draft is read, asked about, and forgotten. The version must be one of the year and
of its groups; it need not name the year's units, which are the ledger's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from ledger.rejection import rejected
from projections.answers import standing
from projections.jurisdictions import Jurisdictions, scheme_for
from projections.questions.models import (
    CausedAnswer,
    ReplayAnswer,
    ReplayChangeAnswer,
    ReplayChoice,
    ReplayGroupAnswer,
    ReplayRowAnswer,
    ReplayUnitAnswer,
    VersionAnswer,
)
from projections.questions.what_ifs import moved_phrase, plain_or_none, score_answer, unit_name
from projections.scheme_files import source, vocabulary
from projections.years import YearView
from schemes.comparing.changes import Change
from schemes.comparing.differences import changes
from schemes.comparing.sentences import change_sentence
from schemes.exact import ZERO, exact_arithmetic, plain
from schemes.questions.attribution import Attribution, UnitAttribution, attribution
from schemes.scheme import Scheme

MOST_NAMED = 10
"""How many units a sentence of the summary names."""


def chosen_version(jurisdictions: Jurisdictions, code: str, year: int, choice: ReplayChoice) -> Scheme:
    """Return the version to replay the year under.

    Raises `InvalidInput` with all errors of a draft; refuses a version of another jurisdiction or year, and one that
    the ledger does not keep.
    """
    if choice.scheme_id is not None:
        found = jurisdictions.registered_version(code, choice.scheme_id, str(choice.scheme_version))
        kept = jurisdictions.scheme(code, found.digest)
        if kept.year != year:
            raise rejected("scheme-year", "scheme_id", f"found a scheme of {kept.year}, expected one of {year}")
        return kept
    if choice.document is not None:
        return scheme_for(code, choice.document, "document", year)[0]
    return scheme_for(code, source(str(choice.scheme)), f"{choice.scheme}.yaml", year)[0]


def replay_answer(view: YearView, version: Scheme, kept: bool) -> ReplayAnswer:
    """Return the year under the version, held against the one in force; refuses one for other groups.

    `kept` says whether the ledger keeps the version.
    """
    revised = view.under(version)
    found = changes(view.situation.scheme, revised.scheme)
    attributed = attribution(view.situation, revised, found, view.sheets())
    words = vocabulary().extended(view.scheme.items | version.items)
    told = {change.id: change_sentence(change, words) for change in found}
    groups = [_group(view, version, group, attributed) for group in view.state.groups]
    return ReplayAnswer(
        **standing(view),
        revised=VersionAnswer(id=version.id, version=version.version, title=version.document.title, kept=kept),
        changes=[_change(change, told[change.id], attributed) for change in found],
        groups=groups,
        summary=list(_summary(groups, attributed, told)),
    )


def _change(change: Change, sentence: str, attributed: Attribution) -> ReplayChangeAnswer:
    alone = [unit.alone[attributed.changes.index(change)] for unit in attributed.units] if change.scoring else []
    return ReplayChangeAnswer(
        id=change.id,
        what=change.what,
        kind=change.kind,
        clause=change.clause,
        group=change.group,
        indicator=change.indicator,
        sentence=sentence,
        scoring=change.scoring,
        units=sum(bool(points) for points in alone),
        points=_summed(alone),
    )


def _summed(points: Iterable[Decimal]) -> str:
    with exact_arithmetic():
        return plain(sum(points, ZERO))


def _group(view: YearView, version: Scheme, group: str, attributed: Attribution) -> ReplayGroupAnswer:
    found = version.group(group)
    units = [unit for unit in attributed.units if unit.before.group == group]
    units.sort(key=lambda unit: unit.after.rank)
    return ReplayGroupAnswer(
        group=group,
        title=found.title if found else group,
        units=[_unit(view, unit, attributed.changes) for unit in units],
    )


def _unit(view: YearView, unit: UnitAttribution, scoring: Sequence[Change]) -> ReplayUnitAnswer:
    return ReplayUnitAnswer(
        unit=unit_name(view, unit.unit),
        key=unit.unit,
        before=score_answer(unit.before),
        after=score_answer(unit.after),
        difference=plain(unit.difference),
        alone=_caused(scoring, unit.alone),
        remainder=plain(unit.remainder),
        edge=unit.edge,
        rows=[
            ReplayRowAnswer(
                indicator=row.indicator.id,
                titles=list(row.indicator.titles),
                clause=row.indicator.clause,
                before=plain_or_none(row.before),
                after=plain_or_none(row.after),
                difference=plain(row.difference),
                alone=_caused(scoring, row.alone),
                remainder=plain(row.remainder),
            )
            for row in unit.rows
        ],
    )


def _caused(scoring: Sequence[Change], parts: Sequence[Decimal]) -> list[CausedAnswer]:
    pairs = zip(scoring, parts, strict=True)
    return [CausedAnswer(change=change.id, points=plain(points)) for change, points in pairs if points]


def _summary(groups: Sequence[ReplayGroupAnswer], attributed: Attribution, told: dict[str, str]) -> Iterator[str]:
    units = [unit for group in groups for unit in group.units]
    moved = [unit for unit in units if unit.before.total != unit.after.total]
    ranked = [unit for unit in units if unit.before.rank != unit.after.rank]
    if not told:
        yield "两个版本没有不同，所有单位的总分、名次、等次都不变。"
        return
    yield (
        f"两个版本有{len(told)}处不同，其中{len(attributed.changes)}处可能影响得分或等次；"
        f"{len(units)}个单位中，{len(moved)}个总分变动，{len(ranked)}个名次变动。"
    )
    for edge, phrase in (("up", "升入更好的等次"), ("down", "降到更低的等次"), ("other", "等次改换")):
        crossing = [unit for unit in units if unit.edge == edge]
        for unit in crossing[:MOST_NAMED]:
            yield f"{unit.unit}{phrase}：{moved_phrase(unit.before, unit.after, unit.difference)}。"
        if len(crossing) > MOST_NAMED:
            yield f"另有{len(crossing) - MOST_NAMED}个单位{phrase}。"
    for at, change in enumerate(attributed.changes):
        points = [unit.alone[at] for unit in attributed.units if unit.alone[at]]
        effect = f"单独使{len(points)}个单位的总分变动，合计{_summed(points)}分" if points else "单独不改变任何总分"
        yield f"{told[change.id].removesuffix('。')}：{effect}。"
    left = [unit for unit in attributed.units if unit.remainder]
    if left:
        total = _summed(unit.remainder for unit in left)
        yield f"另有{len(left)}个单位的变动不能由单项修改解释，是几处修改共同作用的结果，合计{total}分。"
