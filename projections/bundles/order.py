"""What must hold between events, whoever they are about: no gaps, no going back, decisions and approvals. Pure.

1. Positions rise, and the moment of recording never goes back with them.
2. The versions of every stream are 1, 2, 3… in the order of positions; an amended reading follows from the changes it
   names, and nothing follows a void.
3. What an appeal's decision ordered stands directly behind it, in its order, and names it.
4. An approval names the hash of its proposal's exact bytes, is by another person, and what stands directly behind it
   is what was proposed.

Each check raises `BundleProblem` at the first thing that does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from ledger.decisions import ObservationState, fold_observation
from ledger.events import (
    AppealDecided,
    Event,
    ObservationAmended,
    ObservationObserved,
    ObservationVoided,
    ProposalApproved,
    ProposalMade,
)
from ledger.facts import ENTRIES
from projections.bundles.entries import LedgerEntry
from projections.bundles.format import BundleProblem

_RECORDED: Final[Mapping[str, str]] = {
    "observe": "observation.observed/1",
    "amend": "observation.amended/1",
    "void": "observation.voided/1",
    "decide_appeal": "appeal.decided/1",
    "decide_claim": "claim.decided/1",
    "erase_evidence": "evidence.erased/1",
}
"""What the first event behind an approval is, by what was proposed."""
_ABOUT: Final = frozenset({"amend", "void", "decide_appeal", "decide_claim"})
_MISSING: Final = object()


def check_moments(entries: Sequence[LedgerEntry]) -> None:
    """Check that positions rise and moments do not go back."""
    for before, after in pairwise(entries):
        if after.position <= before.position:
            raise BundleProblem("positions-not-rising", f"第{after.position}号记录排在第{before.position}号之后")
        if after.event.recorded_at < before.event.recorded_at:
            sentence = f"第{after.position}号记录的登记时刻早于第{before.position}号：时刻倒退"
            raise BundleProblem("moment-goes-back", sentence)


def check_streams(entries: Sequence[LedgerEntry]) -> int:
    """Check the versions of every stream, and how observations follow from their entries; return how many streams."""
    versions: dict[UUID, int] = {}
    observations: dict[UUID, ObservationState] = {}
    for one in entries:
        expected = versions.get(one.stream, 0) + 1
        if one.event.originator_version != expected:
            sentence = f"第{one.position}号记录是{one.stream}的第{one.event.originator_version}版，应为第{expected}版"
            raise BundleProblem("stream-gap", f"{sentence}：中间缺少记录，或顺序不对")
        versions[one.stream] = expected
        if one.event.wire in ENTRIES:
            observations[one.stream] = _followed(one, observations.get(one.stream))
    return len(versions)


def _followed(one: LedgerEntry, before: ObservationState | None) -> ObservationState:
    event = one.event
    if (before is None) != isinstance(event, ObservationObserved):
        raise BundleProblem("stream-order", f"第{one.position}号记录与它之前的记录不相衔接")
    if before is not None and before.void:
        raise BundleProblem("entry-after-void", f"第{one.position}号记录写在作废之后；作废是终局的")
    if isinstance(event, ObservationAmended) and before is not None:
        follows = event.changes.applied_to(before.reading) == event.reading
        if not follows:
            raise BundleProblem("amendment-not-following", f"第{one.position}号更正的内容与它写明的改动不符")
    return fold_observation(before, event)


def check_decisions(entries: Sequence[LedgerEntry], is_whole: bool) -> int:
    """Check that what decisions ordered stands behind them; return how many entries were ordered.

    Where not all entries are there (`is_whole` is false), an ordered one may be missing.
    """
    at_position = {one.position: one for one in entries}
    ordered: dict[int, UUID] = {}
    for one in entries:
        if not isinstance(one.event, AppealDecided):
            continue
        for at, order in enumerate(one.event.orders, start=1):
            found = at_position.get(one.position + at)
            ordered[one.position + at] = one.stream
            if (found is None and is_whole) or (found is not None and found.stream != order.observation):
                sentence = f"第{one.position}号申诉决定的第{at}项命令，没有紧随其后登记"
                raise BundleProblem("order-not-carried-out", sentence)
    for one in entries:
        decision = getattr(one.event, "decision", None)
        if decision != ordered.get(one.position):
            sentence = f"第{one.position}号记录所引的申诉决定，与紧在它之前的决定不符"
            raise BundleProblem("decision-not-there", sentence)
    return len(ordered)


def check_approvals(entries: Sequence[LedgerEntry]) -> frozenset[int]:
    """Check every approval against its proposal; return the positions of what was recorded with one."""
    proposals: dict[UUID, LedgerEntry] = {}
    at_position = {one.position: one for one in entries}
    covered: set[int] = set()
    last_covered = 0
    for one in entries:
        event = one.event
        if one.position <= last_covered:
            covered.add(one.position)
        if isinstance(event, ProposalMade):
            proposals[one.stream] = one
        if isinstance(event, ProposalApproved):
            _check_approval(one, event, proposals.get(one.stream), at_position.get(one.position + 1))
            last_covered = one.position + event.recorded
    return frozenset(covered)


def _check_approval(
    one: LedgerEntry, event: ProposalApproved, proposal: LedgerEntry | None, recorded: LedgerEntry | None
) -> None:
    made = None if proposal is None else proposal.event
    if proposal is None or not isinstance(made, ProposalMade) or proposal.leaf.hex() != event.leaf_hash:
        raise BundleProblem("approval-other-bytes", f"第{one.position}号批准所指的提议，字节与所批准的不符")
    if made.person == event.person:
        raise BundleProblem("approval-own", f"第{one.position}号批准与提议出自同一人")
    if recorded is not None and not _carries_out(made, recorded):
        sentence = f"第{one.position}号批准之后登记的第{recorded.position}号记录，与所提议的内容不符"
        raise BundleProblem("approval-other-content", sentence)


def _carries_out(made: ProposalMade, recorded: LedgerEntry) -> bool:
    """Whether the entry says what was proposed, as far as it says the same things."""
    data: dict[str, Any] = recorded.content["data"]
    said = {**data.get("reading", {}), **data} if made.action == "observe" else data
    same = all(
        said.get(name, _MISSING) in (value, _MISSING) for name, value in made.content.items() if name != "orders"
    )
    about = made.action not in _ABOUT or made.about == recorded.stream
    return same and about and recorded.event.wire == _RECORDED[made.action]


def alone(entries: Sequence[LedgerEntry], approved: frozenset[int]) -> list[int]:
    """Return the positions of voids, decided points and decisions that no second person is on record for."""
    return [one.position for one in entries if one.position not in approved and _weighs(one.event)]


def _weighs(event: Event) -> bool:
    if isinstance(event, ObservationObserved | ObservationAmended):
        return event.reading.kind == "discretion"
    return isinstance(event, ObservationVoided) or event.wire in ("appeal.decided/1", "claim.decided/1")
