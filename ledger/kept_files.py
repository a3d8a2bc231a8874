"""Files that are there whole or not at all, whatever happens: written, synced and renamed into place, under a lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PRIVATE: Final = 0o600


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a lock file, made where there is none, against other threads and processes (flock)."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def put_in_place(path: Path, data: bytes, mode: int = _PRIVATE) -> None:
    """Make a file of that mode hold the data; after a power cut it is there whole, old or new.

    Whoever calls holds a lock against others that write it. Raises OSError, and leaves the old file then.
    """
    written = path.with_name(f"{path.name}.new")
    # One left behind by a crash was never in place.
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    synced(path.parent)


def synced(folder: Path) -> None:
    """Return once the names in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
