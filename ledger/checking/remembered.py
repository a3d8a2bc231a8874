"""What a check has to remember of all events, kept in a temporary database on disk: memory does not grow with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

_CACHE_KIBIBYTES: Final = 65_536


class Remembered:
    """Values by kind and key."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, kind: str, key: bytes) -> Any:
        """Return what was kept, or None."""
        found = self._connection.execute("SELECT value FROM seen WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return found[0] if found else None

    def put(self, kind: str, key: bytes, value: object) -> None:
        """Keep the value in place of what was kept before."""
        self._connection.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (kind, key, value))

    def first(self, kind: str, key: bytes, value: object) -> Any:
        """Keep the value unless there is one; return the one there was, or None."""
        added = self._connection.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (kind, key, value))
        return None if added.rowcount else self.get(kind, key)

    def take(self, kind: str, key: bytes) -> Any:
        """Return what was kept, or None, and forget it."""
        found = self.get(kind, key)
        self._connection.execute("DELETE FROM seen WHERE kind = ? AND key = ?", (kind, key))
        return found

    def left(self, kind: str) -> Iterator[tuple[bytes, Any]]:
        """Yield the keys and values of the kind that nobody took."""
        yield from self._connection.execute("SELECT key, value FROM seen WHERE kind = ? ORDER BY key", (kind,))


@contextmanager
def remembering() -> Iterator[Remembered]:
    """Give an empty memory; its file is gone at the end."""
    # An empty name is a private file on disk that SQLite deletes when the connection closes.
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
        connection.execute("CREATE TABLE seen (kind, key, value, PRIMARY KEY (kind, key)) WITHOUT ROWID")
        # One transaction for all: nothing of it is ever kept.
        connection.execute("BEGIN")
        yield Remembered(connection)
