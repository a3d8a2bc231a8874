"""The lint of schemes: what can be used as it is, but that its authors should look at again.

What makes a scheme unusable is refused when it is read (`schemes.consistency`). What is found here changes no score,
and may be as the document has it; then the scheme accepts it with a reason, which is kept with the version.

The codes:

- of points (`schemes.linting.points`): `lint-label-sum`, `lint-full-sum`, `lint-points-over-full`, `lint-bonus-share`,
  `lint-weights-sum`, `lint-judged-without-range`, `lint-default-outside-range`, `lint-range-outside-points`;
- of the sheet's bounds (`schemes.linting.bounds`): `lint-cap-never-binds`, `lint-threshold-out-of-reach`,
  `lint-unknown-grade`;
- of a row's rules (`schemes.linting.rules`): `lint-cap-never-binds`, `lint-ceiling-out-of-reach`,
  `lint-floor-out-of-reach`, `lint-deduction-out-of-reach`, `lint-award-out-of-reach`, `lint-step-without-effect`,
  `lint-shortfall-step`, `lint-rule-never-matches`;
- of facts and units (`schemes.linting.facts`): `lint-fact-hits-two-rows`, `lint-row-without-unit`,
  `lint-rows-for-some-units`, `lint-kinds-unused`, `lint-item-unused`;
- here: `lint-accepted-nothing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schemes.exact import exact_arithmetic
from schemes.linting.bounds import bounds_findings
from schemes.linting.facts import facts_findings
from schemes.linting.finding import Finding, Spot
from schemes.linting.points import points_findings
from schemes.linting.rules import rules_findings
from schemes.scheme import Accepted, Scheme
from schemes.vocabulary import Vocabulary


def lint(scheme: Scheme, vocabulary: Vocabulary) -> list[Finding]:
    """Return every finding, those the scheme accepts with their reason, and acceptances of what is not found."""
    words = vocabulary.extended(scheme.items)
    with exact_arithmetic():
        found = [
            *points_findings(scheme),
            *bounds_findings(scheme),
            *rules_findings(scheme, words),
            *facts_findings(scheme, words),
        ]
    judged = [replace(one, accepted=_reason(one, scheme.accepted)) for one in found]
    return [*judged, *_accepting_nothing(scheme, found)]


def accepts(acceptance: Accepted, finding: Finding) -> bool:
    """Whether the acceptance is of this finding: its code, and its group and a row of its sentence where stated."""
    return (
        acceptance.code == finding.code
        and acceptance.group in (None, finding.group)
        and acceptance.indicator in (None, finding.indicator, finding.also_of)
    )


def _reason(finding: Finding, acceptances: Sequence[Accepted]) -> str | None:
    return next((one.reason for one in acceptances if accepts(one, finding)), None)


def _accepting_nothing(scheme: Scheme, found: Sequence[Finding]) -> list[Finding]:
    return [
        Spot().finding(
            "lint-accepted-nothing",
            f"{_place(one)} is accepted but not found any more; take the acceptance out",
            f"方案接受了{_place(one)}，但已没有这一检查结果，请删去这条接受",
            "accepted",
            at,
        )
        for at, one in enumerate(scheme.accepted)
        if not any(accepts(one, finding) for finding in found)
    ]


def _place(one: Accepted) -> str:
    return " ".join(filter(None, (one.code, one.group, one.indicator)))
