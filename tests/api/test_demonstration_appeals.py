"""One appeal in each demonstration year: filed, decided, and answered by files."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from decimal import Decimal

import pytest

from api.demonstration.appeals import appeal
from api.demonstration.loading import load
from api.documents.blocks import Heading
from api.documents.dossier import dossier_document
from api.documents.dossier_files import DossierFormat, dossier_files
from api.settings import Settings
from ledger.database import migrate, open_engine
from ledger.decisions import local_day
from projections.jurisdictions import Jurisdictions
from projections.proceedings.closings import closings_answer
from projections.proceedings.dossier_models import DossierAnswer
from projections.proceedings.dossiers import dossier_of
from projections.proceedings.proceedings import proceedings_of
from projections.scheme_files import load as load_scheme
from projections.scheme_files import shipped, vocabulary
from schemes.derivations.recomputing import disagreements

Dossiers = dict[str, DossierAnswer]


@pytest.fixture(scope="module")
def jurisdictions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jurisdictions]:
    folder = tmp_path_factory.mktemp("appeals")
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite3'}")
    migrate(engine)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    load(jurisdictions, Settings(key_folder=folder / "keys", evidence_folder=folder / "evidence"), lambda *_: None)
    yield jurisdictions
    jurisdictions.close()
    engine.dispose()


@pytest.fixture(scope="module")
def dossiers(jurisdictions: Jurisdictions) -> Dossiers:
    return {name: _dossier(jurisdictions, name) for name in shipped()}


def _dossier(jurisdictions: Jurisdictions, name: str) -> DossierAnswer:
    scheme = load_scheme(name)
    found = appeal(jurisdictions, scheme)
    view = jurisdictions.view(scheme.jurisdiction.code, scheme.year)
    return dossier_of(jurisdictions, view, found, local_day(found.steps[-1].event.recorded_at))


def test_every_county_decides_one_and_telling_it_again_changes_nothing(
    jurisdictions: Jurisdictions, dossiers: Dossiers
) -> None:
    sizes = jurisdictions.sizes()
    for name, dossier in dossiers.items():
        assert [step.step for step in dossier.proceeding.steps] == ["filed", "accepted", "reviewed", "decided"]
        assert _dossier(jurisdictions, name) == dossier
        scheme = load_scheme(name)
        view = jurisdictions.view(scheme.jurisdiction.code, scheme.year)
        assert len(proceedings_of(view)) == 1
    assert jurisdictions.sizes() == sizes


def test_those_upheld_raise_the_unit_and_the_one_dismissed_changes_nothing(dossiers: Dossiers) -> None:
    for dossier in dossiers.values():
        before, after = dossier.moved[0].before, dossier.moved[0].after
        if dossier.proceeding.outcome == "dismissed":
            assert before == after
            assert dossier.shares[0].why_not
        else:
            assert Decimal(after.total) > Decimal(before.total)
            assert after.rank < before.rank
    assert [one.proceeding.outcome for one in dossiers.values()].count("dismissed") == 1


def test_one_crosses_a_grade_edge_and_so_moves_others(dossiers: Dossiers) -> None:
    linyi = dossiers["linyi-2023"]
    assert (linyi.moved[0].before.grade, linyi.moved[0].after.grade) == ("良好", "优秀")
    assert len(linyi.moved) > 1


def test_all_trees_recompute_and_the_decision_changed_them_as_the_dossier_says(dossiers: Dossiers) -> None:
    for dossier in dossiers.values():
        assert dossier.after is not None
        for derived, standing in ((dossier.before, dossier.moved[0].before), (dossier.after, dossier.moved[0].after)):
            assert disagreements(derived.model_dump(mode="json")["tree"]) == []
            assert (derived.total, derived.rank, derived.grade) == (standing.total, standing.rank, standing.grade)


def test_a_closed_year_shows_what_was_frozen_beside_what_is_so_now(
    jurisdictions: Jurisdictions, dossiers: Dossiers
) -> None:
    linyi = dossiers["linyi-2023"]
    [closing] = closings_answer(jurisdictions, "140821", 2023).closings
    [unit] = [one for one in closing.units if one.key == linyi.proceeding.key]
    assert (unit.frozen_grade, unit.grade, unit.changed) == ("良好", "优秀", True)
    assert unit.decisions == [linyi.proceeding.id]


def test_each_is_answered_in_every_form(dossiers: Dossiers) -> None:
    for name, dossier in dossiers.items():
        words = vocabulary().extended(load_scheme(name).items)
        decided = local_day(dossier.proceeding.steps[-1].recorded_at)
        files = dossier_files(dossier, words, decided, None)
        assert {one.rpartition(".")[2] for one in files} == {one.value for one in DossierFormat}


def test_each_document_tells_the_course_of_every_row_in_question(dossiers: Dossiers) -> None:
    for name, dossier in dossiers.items():
        words = vocabulary().extended(load_scheme(name).items)
        document = dossier_document(dossier, words, local_day(dossier.proceeding.steps[-1].recorded_at))
        told = [block.text.split()[0] for block in document.blocks if isinstance(block, Heading) and block.level == 2]
        # Changshu's is scored account by account.
        assert set(told) == set(dossier.concerned), name
