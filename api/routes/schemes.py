"""Questions about schemes as such: how two versions differ, and what the lint finds in one. Nothing is recorded."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Body

from api.edge import API, problems
from api.routes.bodies import SchemeChoice
from api.scheme_answers import DifferenceAnswer, LintAnswer, difference_answer, lint_answer
from api.strict_bodies import StrictRoute
from ledger.events import Value
from projections.scheme_files import load, shipped, vocabulary
from schemes.problem import refuse
from schemes.reading import read_scheme
from schemes.scheme import Scheme

ASKED: Final = problems(400, 413, 415, 422)
LINT: Final = {"shipped": {"summary": "检查随附方案", "value": {"scheme": "zhangshu-2021"}}}
DIFFERENCE: Final = {
    "shipped": {
        "summary": "比较两个随附方案",
        "value": {"old": {"scheme": "zhangshu-2021"}, "new": {"scheme": "yanjiang-2021"}},
    }
}
router = APIRouter(route_class=StrictRoute, tags=["schemes"])


class TwoSchemes(Value):
    """Two versions of a scheme, each one that is shipped or the text of a file."""

    old: SchemeChoice
    new: SchemeChoice


@router.post(f"{API}/schemes/difference", response_model=DifferenceAnswer, responses=ASKED)
def compare_schemes(body: Annotated[TwoSchemes, Body(openapi_examples=DIFFERENCE)]) -> DifferenceAnswer:
    """Return every added, removed and changed row, rule and parameter, by clause; reordering is no difference."""
    return difference_answer(_chosen(body.old, "old."), _chosen(body.new, "new."))


@router.post(f"{API}/schemes/lint", response_model=LintAnswer, responses=ASKED)
def lint_scheme(body: Annotated[SchemeChoice, Body(openapi_examples=LINT)]) -> LintAnswer:
    """Return what can be used as it is but should be looked at: sums that differ, rules that can never matter."""
    return lint_answer(_chosen(body))


def _chosen(choice: SchemeChoice, within: str = "") -> Scheme:
    """Return the scheme a body names; `within` is the path of the choice in the body, for what is refused."""
    if choice.document is not None:
        return read_scheme(choice.document, f"{within}document", vocabulary())
    if choice.scheme not in shipped():
        message = f"found {choice.scheme!r}, expected one of {', '.join(shipped())}"
        raise refuse("unknown-scheme", f"{within}scheme", message)
    return load(choice.scheme)
