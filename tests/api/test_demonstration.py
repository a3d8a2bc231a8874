"""The demonstration is a year one can believe: enough of everything that the five documents name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes

import pytest

from api.demonstration.generator import SEED, DemoEntry, Reference, entries
from api.demonstration.issues import SHANGHAI
from api.demonstration.loading import load
from api.settings import Settings
from ledger.commands import Amend, Observe, Rectify, Void
from ledger.database import migrate, open_engine
from ledger.rejection import Rejection
from projections.jurisdictions import Jurisdictions
from projections.overviews import overview
from projections.papers import rectification_notice
from projections.scheme_files import load as scheme_of
from projections.scheme_files import shipped
from projections.years import YearView
from schemes.rules import kinds_of
from schemes.scheme import Scheme
from schemes.sheets import counting_facts
from schemes.working_days import is_working_day

SCHEMES = shipped()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("demonstration")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    return Settings(database_url=url, key_folder=folder / "keys", evidence_folder=folder / "evidence")


@pytest.fixture(scope="module")
def jurisdictions(settings: Settings) -> Iterator[Jurisdictions]:
    engine = open_engine(settings.database_url)
    migrate(engine)
    service = Jurisdictions(engine, token_bytes)
    load(service, settings, lambda *_: None)
    yield service
    service.close()
    engine.dispose()


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> Scheme:
    return scheme_of(request.param)


@pytest.fixture
def view(jurisdictions: Jurisdictions, scheme: Scheme) -> YearView:
    return jurisdictions.view(scheme.jurisdiction.code, scheme.year)


def sizes(jurisdictions: Jurisdictions) -> dict[str, int]:
    return {code: jurisdictions.ledger(code).ledger_recorder.head().size for code in jurisdictions.codes()}


def test_five_counties_are_loaded_and_loading_again_changes_nothing(
    jurisdictions: Jurisdictions, settings: Settings
) -> None:
    before = sizes(jurisdictions)
    assert len(before) == len(SCHEMES) == 5
    told: list[tuple[str, int, int]] = []
    load(jurisdictions, settings, lambda county, done, of: told.append((county, done, of)))
    assert sizes(jurisdictions) == before
    ends = {county: (done, of) for county, done, of in told}
    # The scheme and the opening of the year stand before the entries.
    assert sorted(done + 2 for done, _ in ends.values()) == sorted(before.values())
    assert all(done == of for done, of in ends.values())


def test_the_same_seed_tells_the_same_year(scheme: Scheme) -> None:
    assert entries(scheme, SEED) == entries(scheme)
    assert entries(scheme, SEED + 1) != entries(scheme)


def test_entries_are_recorded_in_office_hours_each_append_after_the_one_before(scheme: Scheme) -> None:
    year = entries(scheme)
    moments = [entry.recorded_at.astimezone(SHANGHAI) for entry in year]
    assert all(is_working_day(moment.date()) and 9 <= moment.hour < 18 for moment in moments)
    appends = {entry.key: entry.recorded_at for entry in year}
    assert list(appends.values()) == sorted(set(appends.values()))
    assert {(entry.key, entry.recorded_at) for entry in year} == set(appends.items())


def test_later_entries_refer_to_earlier_observations_and_nothing_follows_a_void(scheme: Scheme) -> None:
    observed: dict[Reference, DemoEntry] = {}
    for entry in entries(scheme):
        if isinstance(entry.command, Observe):
            observed[Reference(entry.key, entry.place)] = entry
        else:
            assert entry.about is not None
            assert entry.recorded_at > observed.pop(entry.about).recorded_at


def test_evidence_is_of_all_three_types_and_marked_as_invented(scheme: Scheme) -> None:
    evidence = [one for entry in entries(scheme) for one in entry.command.evidence]
    documents = [one.document for one in evidence if one.document is not None]
    urls = [one.url for one in evidence if one.url is not None]
    assert documents
    assert all("演" in document for document in documents)
    assert urls
    assert all(".example/" in url for url in urls)
    assert any(one.file is not None for one in evidence)


def test_a_year_has_hundreds_of_observations_and_all_sorts_of_later_entries(scheme: Scheme) -> None:
    counts = Counter(type(entry.command) for entry in entries(scheme))
    assert 300 <= counts[Observe] <= 1500
    assert counts[Void] >= 5
    assert counts[Amend] >= 5
    assert counts[Rectify] >= 10


def test_every_kind_that_the_rows_name_occurs(scheme: Scheme, view: YearView) -> None:
    named = {
        kind for group in scheme.groups for row in group.indicators for rule in row.rules for kind in kinds_of(rule)
    }
    assert (
        named - {fact.kind for fact in counting_facts(scheme, view.facts, view.as_of)} - voided_kinds(scheme) == set()
    )


def voided_kinds(scheme: Scheme) -> set[str]:
    year = entries(scheme)
    voided = {entry.about for entry in year if isinstance(entry.command, Void)}
    return {
        entry.command.kind
        for entry in year
        if isinstance(entry.command, Observe) and Reference(entry.key, entry.place) in voided
    }


def test_several_late_replies_are_derived(scheme: Scheme, view: YearView) -> None:
    derived = [fact for fact in counting_facts(scheme, view.facts, view.as_of) if fact.sources]
    assert len(derived) >= 3
    assert {fact.kind for fact in derived} == {"late_reply"}


def test_totals_differ_and_some_are_equal(view: YearView) -> None:
    totals = Counter((sheet.group, sheet.total) for sheet in view.sheets().values())
    assert len(totals) > len(view.units) / 2
    assert max(totals.values()) > 1


def test_judgements_are_given_but_for_a_few(view: YearView) -> None:
    judged = sum(row.indicator.judged is not None for sheet in view.sheets().values() for row in sheet.score.rows)
    pending = sum(len(sheet.pending) for sheet in view.sheets().values())
    assert 0 < pending < judged / 10


def test_histories_add_up_and_caps_bind(view: YearView) -> None:
    swallowers: set[str] = set()
    for unit in view.units:
        history = view.history(unit)
        assert sum(line.effective for line in history.lines) == history.total == view.sheets()[unit.key].total
        swallowers |= {name for line in history.lines for name in line.swallowed_by}
    assert swallowers & {"maximum", "bounds"}


def test_the_overview_counts_what_the_rectification_notices_list(view: YearView) -> None:
    told = overview(view, view, view, (), view.as_of).unrectified
    counts = {one.unit: one.count for one in told}
    for unit in view.units:
        count = counts.pop(unit.name_on(view.as_of), 0)
        if count:
            assert len(rectification_notice(view, unit).findings) == count
        else:
            with pytest.raises(Rejection, match="nothing-to-rectify"):
                rectification_notice(view, unit)
    assert counts == {}
    assert len(told) > len(view.units) / 4


def test_a_unit_reported_twice_for_the_same_problem_fails(jurisdictions: Jurisdictions) -> None:
    sheet = jurisdictions.view("320581", 2020).sheets()["海虞镇"]
    assert [veto.id for veto in sheet.score.vetoes] == ["v1"]
    assert sheet.grade == "不合格"


def test_a_void_accusation_of_fraud_does_not_fail_a_unit(jurisdictions: Jurisdictions) -> None:
    view = jurisdictions.view("320581", 2020)
    assert "v2" not in {veto.id for sheet in view.sheets().values() for veto in sheet.score.vetoes}
    accused = jurisdictions.view(
        "320581", 2020, known_at=voiding(scheme_of("changshu-2020")).recorded_at.replace(hour=0)
    )
    assert accused.sheets()["市交通运输局"].grade == "不合格"


def voiding(scheme: Scheme) -> DemoEntry:
    return next(
        entry for entry in entries(scheme) if isinstance(entry.command, Void) and "弄虚作假" in entry.command.reason
    )


def test_third_party_ranks_are_permutations() -> None:
    scheme = scheme_of("zhangshu-2021")
    ranks: dict[object, list[object]] = {}
    for entry in entries(scheme):
        if isinstance(entry.command, Observe) and entry.command.kind == "ranking":
            ranks.setdefault(entry.command.attributes["name"], []).append(entry.command.attributes["rank"])
    assert {name: sorted(map(str, given)) for name, given in ranks.items()} == {
        f"third_party_q{quarter}": sorted(map(str, range(1, 36))) for quarter in range(1, 5)
    }


def test_ratings_come_from_the_other_group_in_january(jurisdictions: Jurisdictions) -> None:
    view = jurisdictions.view("341821", 2019)
    group_of = {unit: group for group, units in view.roster.items() for unit in units}
    ratings = [fact for fact in view.facts if fact.kind == "rating"]
    assert {fact.unit for fact in ratings} == set(group_of)
    assert all(group_of[fact.unit] != group_of[str(fact.attributes["rater"])] for fact in ratings)
    assert all((fact.occurred_on.year, fact.occurred_on.month) == (2020, 1) for fact in ratings)


def test_a_scheme_without_a_plan_is_refused() -> None:
    unknown = scheme_of(SCHEMES[0]).model_copy(update={"id": "nowhere-2021"})
    with pytest.raises(FileNotFoundError, match="nowhere-2021"):
        entries(unknown)


def test_the_plans_stand_beside_the_generator() -> None:
    folder = Path(__file__).parents[2] / "api" / "demonstration" / "plans"
    assert {path.stem for path in folder.glob("*.yaml")} == {"common", *SCHEMES}
