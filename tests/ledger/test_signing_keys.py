"""The key of a ledger is a matter of files: one database is enough."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.database import migrate, open_engine
from ledger.signed_notes import SigningKey
from ledger.signing import LedgerProofs
from tests.ledger.signed_ledgers import ORIGIN, WITNESS, kept, refused
from tests.ledger.store import LANGXI, ZHANGSHU

Prove = Callable[..., LedgerProofs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


@pytest.fixture
def prove(tmp_path: Path, folder: Path) -> Iterator[Prove]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    migrate(engine)

    def proofs(code: str = ZHANGSHU, origin: str = "mingzhang") -> LedgerProofs:
        return LedgerProofs(engine, code, folder, origin, secrets.token_bytes)

    yield proofs
    engine.dispose()


def test_the_first_use_makes_a_key_that_only_its_owner_reads(prove: Prove, folder: Path) -> None:
    vkey = prove().verifier_key()
    path = folder / f"{ZHANGSHU}.signing-key"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    key = SigningKey.parse(path.read_text(encoding="ascii").removesuffix("\n"))
    assert (key.name, key.verifier.text()) == (ORIGIN, vkey)
    assert prove().verifier_key() == vkey
    assert prove(LANGXI).verifier_key() != vkey


def test_a_key_open_to_others_is_refused(prove: Prove, folder: Path) -> None:
    prove().checkpoint()
    for mode in (0o640, 0o604, 0o610, 0o602):
        (folder / f"{ZHANGSHU}.signing-key").chmod(mode)
        for ask in (prove().verifier_key, prove().checkpoint, prove().check_continuation):
            with refused("signing-key-permissions", f"{mode:04o}", "chmod 600"):
                ask()


def test_a_key_in_a_folder_where_others_write_is_refused(prove: Prove, folder: Path) -> None:
    prove().verifier_key()
    folder.chmod(0o770)
    with refused("signing-key-permissions", "0770", "chmod 700"):
        prove().verifier_key()


def test_a_key_of_another_origin_is_refused(prove: Prove, folder: Path) -> None:
    prove().checkpoint()
    before = kept(folder)
    renamed = prove(origin="example.gov.cn")
    for ask in (renamed.verifier_key, renamed.checkpoint, renamed.check_continuation):
        with refused("signing-key-origin", ORIGIN, f"example.gov.cn/{ZHANGSHU}"):
            ask()
    assert kept(folder) == before


def test_a_lost_key_is_not_replaced(prove: Prove, folder: Path) -> None:
    prove().checkpoint()
    (folder / f"{ZHANGSHU}.signing-key").unlink()
    for ask in (prove().verifier_key, prove().checkpoint, prove().check_continuation):
        with refused("signing-key-missing", "restore the key"):
            ask()
    assert not (folder / f"{ZHANGSHU}.signing-key").exists()


def test_a_damaged_key_is_refused_and_not_replaced(prove: Prove, folder: Path) -> None:
    prove().verifier_key()
    for damaged in (b"", b"no key\n", b"\xff", WITNESS.text().encode()):
        (folder / f"{ZHANGSHU}.signing-key").write_bytes(damaged)
        with refused("signing-key-damaged", "restore it"):
            prove().checkpoint()
        assert (folder / f"{ZHANGSHU}.signing-key").read_bytes() == damaged


def test_a_file_left_by_a_crash_is_not_taken_for_a_key(prove: Prove, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / f"{ZHANGSHU}.signing-key.new").write_bytes(b"PRIVATE+KEY+")
    assert prove().verifier_key() == prove().verifier_key()
    assert not (folder / f"{ZHANGSHU}.signing-key.new").exists()


def test_no_file_is_named_after_what_is_no_code(prove: Prove) -> None:
    for code in ("", "../360982", "36/0982", "36.0982", "３６０９８２"):
        with pytest.raises(ValueError, match="no file can be named"):
            prove(code)
