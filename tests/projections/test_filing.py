"""What is seen before an appeal is filed or decided: other appeals about the fact, and orders that order nothing."""

from __future__ import annotations

import yaml

from ledger.commands import DecideAppeal, FileAppeal, OrderAmend, Withdraw
from ledger.events import Changes
from projections.jurisdictions import scheme_version
from projections.proceedings.deciding import decide_appeal, file_appeal
from projections.proceedings.proceedings import ProceedingsWanted, proceedings_answer
from projections.scheme_files import source
from tests.projections.conftest import CODE, County
from tests.projections.proceedings import UNIT, YEAR, accepted, filed, on_day, refused, view


def test_one_open_appeal_about_an_observation_is_enough(county: County) -> None:
    observation = county.observe()
    wish = FileAppeal(unit=UNIT, observations=(observation,), grounds="已按时公开")
    first = county.attempt()
    [receipt] = file_appeal(county.jurisdictions, CODE, YEAR, first, wish)
    with refused(county, "appeal-open"):
        file_appeal(county.jurisdictions, CODE, YEAR, county.attempt(), wish)
    assert file_appeal(county.jurisdictions, CODE, YEAR, first, wish) == [receipt]
    county.ledger.step(county.attempt(), YEAR, "appeal", receipt.event.originator_id, Withdraw(reason="已说明"))
    assert len(file_appeal(county.jurisdictions, CODE, YEAR, county.attempt(), wish)) == 1


def test_an_order_that_changes_nothing_is_refused(county: County) -> None:
    observation = county.observe()
    appeal = accepted(county, filed(county, observation))
    same = OrderAmend(amend=observation, changes=Changes(count=1))
    decision = DecideAppeal(outcome="upheld", reasons="更正", orders=(same,))
    with refused(county, "order-changes-nothing"):
        decide_appeal(county.jurisdictions, CODE, YEAR, county.attempt(), appeal, decision)


def test_what_is_listed_as_overdue_on_a_day_is_overdue_on_that_day(county: County) -> None:
    on_day(county, "2021-03-01")
    appeal = filed(county, county.observe())
    later = county.now.date().replace(month=4)
    listed = proceedings_answer(view(county), ProceedingsWanted("appeal", overdue_on=later), county.now.date())
    assert [(one.id, one.overdue) for one in listed.proceedings] == [(str(appeal), True)]


def test_groups_in_another_order_are_the_same_scheme(county: County) -> None:
    written = yaml.safe_load(source("zhangshu-2021"))
    written["groups"].reverse()
    written["version"] = "2"
    scheme, version = scheme_version(yaml.safe_dump(written, allow_unicode=True, sort_keys=False), "reversed.yaml")
    county.observe()
    assert view(county).under(scheme).scheme.id == scheme.id
    before = county.total()
    county.ledger.adopt_scheme(county.attempt(), YEAR, version, "各组调换次序")
    assert county.total() == before
