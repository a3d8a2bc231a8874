"""Where sealed files are kept: a folder here, an S3-compatible service in `ledger.evidence.s3`.

Rules kept here: an object is named by the SHA-256 of its bytes, and has its name only once all of it is on the disk:
temporary file, fsync, rename, fsync of the folders. A process that dies leaves at most a temporary file or an object
that nobody names. A store sees only encrypted bytes; what they are, and who may have them, is left to others.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from ledger.kept_files import synced
from ledger.rejection import Rejection, rejected

PRIVATE_FOLDER: Final = 0o700
_INCOMING: Final = "incoming"
_PREFIX: Final = 2


class ObjectMissing(LookupError):
    """The store has no object of that name."""


class NewObject(Protocol):
    """An object that is being written; `file` may be read and sought in."""

    file: BinaryIO

    def keep(self, name: str) -> None:
        """Give it its name: from then on it outlives a power cut. Nothing more may be written."""

    def discard(self) -> None:
        """Remove it, unless it has its name."""


class EvidenceStore(Protocol):
    """Objects by the SHA-256 of their bytes. Every method raises Rejection `evidence-store-unavailable`."""

    def begin(self) -> NewObject:
        """Return a new object without a name."""

    def open(self, name: str) -> BinaryIO:
        """Return an object, to read from anywhere. Raises ObjectMissing."""

    def delete(self, name: str) -> None:
        """Remove an object for good; one that is not there is no error."""

    def sweep(self, before: datetime) -> int:
        """Remove what was begun and last written to before a moment, and never got a name; return how many."""


@contextmanager
def store_errors(*, storing: bool = False) -> Iterator[None]:
    """Make what the operating system says a refusal; of a file that is being stored, it says that none was."""
    try:
        yield
    except OSError as error:
        raise store_unavailable(error.strerror or str(error), storing=storing) from error


def store_unavailable(reason: str, *, storing: bool) -> Rejection:
    """Return the refusal of what takes a store that cannot be used; of storing, it says that nothing was recorded."""
    nothing = "nothing was recorded; " if storing else ""
    message = f"the evidence store cannot be used ({reason}); {nothing}try again later"
    return rejected("evidence-store-unavailable", "file", message)


class FolderStore:
    """Objects in a folder that only this user may enter, made when the first is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / _INCOMING

    def begin(self) -> NewObject:
        """Return a new object without a name, in the same file system as those that have one."""
        with store_errors(storing=True):
            self._incoming.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            descriptor, path = tempfile.mkstemp(dir=self._incoming)
        return _NewFile(self._folder, os.fdopen(descriptor, "w+b"), Path(path))

    def open(self, name: str) -> BinaryIO:
        """Return an object, to read from anywhere. Raises ObjectMissing."""
        with store_errors():
            try:
                return _path(self._folder, name).open("rb")
            except FileNotFoundError:
                raise ObjectMissing(name) from None

    def delete(self, name: str) -> None:
        """Remove an object; once this returns it stays removed."""
        path = _path(self._folder, name)
        with store_errors():
            path.unlink(missing_ok=True)
            if path.parent.exists():
                synced(path.parent)

    def sweep(self, before: datetime) -> int:
        """Remove temporary files last written to before a moment; return how many."""
        with store_errors():
            old = [path for path in self._incoming.glob("*") if _written_before(path, before)]
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)


class _NewFile:
    def __init__(self, folder: Path, file: BinaryIO, path: Path) -> None:
        self._folder = folder
        self.file = file
        self._path = path
        self._kept = False

    def keep(self, name: str) -> None:
        final = _path(self._folder, name)
        with store_errors(storing=True):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            final.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
            self._path = self._path.replace(final)
            # Whoever made the folders, another thread or a process that died, may not have come to this.
            for folder in (final.parent, self._folder, self._folder.parent):
                synced(folder)
        self._kept = True

    def discard(self) -> None:
        # Closing writes what is buffered, which fails again where the disk is full.
        try:
            with store_errors(storing=True):
                self.file.close()
        finally:
            if not self._kept:
                self._path.unlink(missing_ok=True)


def _path(folder: Path, name: str) -> Path:
    return folder / name[:_PREFIX] / name


def _written_before(path: Path, before: datetime) -> bool:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < before
    except FileNotFoundError:
        # Another process has just named or removed it.
        return False
