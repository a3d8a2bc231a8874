"""The one key that opens the keys of all stored files, kept in a file apart from the database and the store.

Rules kept here: the file appears whole or not at all, belongs to one user alone (mode 0600), and is never replaced.
A copy of it belongs in a safe: without it no stored file can be read again.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ledger.evidence.sealing import KEY_SIZE
from ledger.evidence.stores import PRIVATE_FOLDER
from ledger.kept_files import locked, put_in_place
from ledger.rejection import rejected

FILE: Final = "evidence.key"
_PRIVATE_FILE: Final = 0o600
_FORM: Final = re.compile(rf"[0-9a-f]{{{2 * KEY_SIZE}}}\n")


def read_master_key(folder: Path) -> bytes | None:
    """Return the key kept in a folder, or None where there is no file.

    Raises Rejection: `evidence-key-permissions` where others may read it, `evidence-key-wrong` where it is no key.
    """
    path = folder / FILE
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(4 * KEY_SIZE)
    except FileNotFoundError:
        return None
    if mode & ~_PRIVATE_FILE:
        message = f"found mode {mode:04o}, expected 0600: others may read the key of the evidence; chmod 600 {path}"
        raise rejected("evidence-key-permissions", str(path), message)
    if not _FORM.fullmatch(text):
        message = f"expected {2 * KEY_SIZE} hexadecimal digits and a line feed: restore the file from its copy"
        raise rejected("evidence-key-wrong", str(path), message)
    return bytes.fromhex(text)


def make_master_key(folder: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Make a key in a folder, made too if it is not there, and return it; or the one another process made first."""
    folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    with locked(folder / f"{FILE}.lock"):
        # Another process may have made one before this one had the lock: it is never replaced.
        if not (folder / FILE).exists():
            put_in_place(folder / FILE, f"{random_bytes(KEY_SIZE).hex()}\n".encode("ascii"))
    key = read_master_key(folder)
    if key is None:
        raise rejected("evidence-key-wrong", str(folder / FILE), "the key was removed while it was made; start again")
    return key
