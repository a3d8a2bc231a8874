from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DatabaseError, OperationalError

import api.access.oidc_tables  # the tables of who is who: they stand in the same schema
import api.notices.tables  # noqa: F401  # and those of delivering notices
from ledger.database import DatabaseAddressError, migrate, open_engine, schema_is_current
from ledger.tables import metadata

MIGRATE = "import sys; from ledger.database import migrate, open_engine; migrate(open_engine(sys.argv[1]))"


def test_an_empty_database_is_not_current_until_it_is_migrated(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    assert not schema_is_current(engine)
    migrate(engine)
    assert schema_is_current(engine)
    migrate(engine)
    assert schema_is_current(engine)
    engine.dispose()


def test_the_migrations_lead_to_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_and_the_tables_make_the_same_database(engine: Engine) -> None:
    def shape(of: Engine) -> dict[str, object]:
        found = inspect(of)
        return {
            name: [found.get_pk_constraint(name), found.get_unique_constraints(name), found.get_check_constraints(name)]
            for name in metadata.tables
        }

    migrated = shape(engine)
    metadata.drop_all(engine)
    metadata.create_all(engine)
    assert shape(engine) == migrated


def test_several_processes_migrate_at_once(empty_database_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, empty_database_url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    complaints = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], complaints
    engine = open_engine(empty_database_url)
    assert schema_is_current(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "url", ["ledger.sqlite3", "sqlite://", "sqlite:///:memory:", "mysql://localhost/ledger", "postgresql+asyncpg://h/d"]
)
def test_an_address_that_cannot_hold_a_ledger_is_refused(url: str) -> None:
    with pytest.raises(DatabaseAddressError, match="expected sqlite:///FILE or postgresql://HOST/NAME"):
        open_engine(url)


def test_a_refused_address_keeps_its_password() -> None:
    with pytest.raises(DatabaseAddressError) as error:
        open_engine("mysql://clerk:secret@localhost/ledger")
    assert "secret" not in str(error.value)


def test_sqlite_commits_reach_the_disk(tmp_path: object) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.sqlite3")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    engine.dispose()


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    file.write_text("樟树市" * 1000)
    engine = open_engine(f"sqlite:///{file}")
    for use in (migrate, schema_is_current):
        with pytest.raises(DatabaseError, match="not a database"):
            use(engine)
    engine.dispose()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_file_that_cannot_be_written_is_an_error_at_once(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "ledger.sqlite3"
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE kept (word TEXT)")
    connection.close()
    engine = open_engine(f"sqlite:///file:{file}?mode=ro&uri=true")
    with pytest.raises(OperationalError, match=r"readonly database|no write-ahead log"):
        migrate(engine)
    engine.dispose()


def test_a_locked_file_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite3"
    engine = open_engine(f"sqlite:///{file}")
    holder = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    holder.execute("CREATE TABLE kept (word TEXT)")
    holder.execute("BEGIN EXCLUSIVE")
    release = Timer(0.2, lambda: holder.execute("COMMIT"))
    release.start()
    migrate(engine)
    release.join()
    holder.close()
    assert schema_is_current(engine)
    engine.dispose()


def test_a_reader_on_sqlite_lets_a_writer_write(tmp_path: object) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.sqlite3")
    migrate(engine)
    count = "SELECT count(*) FROM documents"
    with engine.connect() as reader:
        assert reader.exec_driver_sql(count).scalar_one() == 0
        with engine.begin() as writer:
            writer.exec_driver_sql("INSERT INTO documents VALUES ('1', x'00', x'00')")
        assert reader.exec_driver_sql(count).scalar_one() == 0
    with engine.connect() as reader:
        assert reader.exec_driver_sql(count).scalar_one() == 1
    engine.dispose()
