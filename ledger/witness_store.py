"""What a witness keeps: its key, and for each ledger the checkpoint it cosigned last, in a folder of its own.

Rules kept here:

1. A request is decided, and its outcome kept, while the ledger's file is locked (flock): two requests at once, of one
   process or of several, are decided one after the other.
2. What was cosigned is written, synced and renamed into place before the cosignature goes out.
3. A file is believed only when the witness's own key has signed it and it is of that ledger; a damaged one stops the
   witness for this ledger, and is never taken for 'nothing seen yet'.
4. No name in the folder comes from a request: a ledger's files are named by the SHA-256 of its origin.

A folder restored from an older copy forgets what was cosigned since: that no file can know. Keep it out of backups
that are ever put back.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.checkpoints import Checkpoint
from ledger.kept_files import locked, put_in_place
from ledger.rejection import Rejection, rejected
from ledger.signed_notes import NoteRejected, SignatureType, SigningKey, VerifierKey
from ledger.witnessing import Cosigned, Forked, Submission, Witness

KEY_FILE: Final = "witness.signing-key"
_SEED_SIZE: Final = 32
_OTHERS: Final = 0o077


class WitnessStore:
    """The folder of one witness; made, for its owner only, when the key is. Safe to share between processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self) -> SigningKey:
        """Return the witness's key.

        Raises Rejection: `witness-key-missing`, `witness-key-file` for one that others can read or that is no key of a
        witness. Raises OSError where the file cannot be read.
        """
        path = self._folder / KEY_FILE
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                written = file.read()
        except FileNotFoundError:
            message = "there is no key of a witness; make one: mingzhang witness key --state FOLDER --name NAME"
            raise rejected("witness-key-missing", str(path), message) from None
        if mode & _OTHERS:
            message = f"found file mode {mode & 0o777:03o}, expected 600: others may have read the key; make a new one"
            raise rejected("witness-key-file", str(path), message)
        try:
            key = SigningKey.parse(written.decode("utf-8").removesuffix("\n"))
        except (UnicodeDecodeError, NoteRejected) as error:
            raise rejected("witness-key-file", str(path), f"is no signing key: {error}") from None
        if key.type is not SignatureType.COSIGNATURE:
            raise rejected("witness-key-file", str(path), "is the key of a ledger, expected the key of a witness")
        return key

    def made_key(self, name: str, random_bytes: Callable[[int], bytes]) -> SigningKey:
        """Make a key of that name, or return the one there is.

        Raises what `key` raises, and Rejection `witness-key-name` for a name that no key can have or where the key
        there is has another.
        """
        path = self._folder / KEY_FILE
        if not path.exists():
            try:
                key = SigningKey.generate(name, random_bytes(_SEED_SIZE), SignatureType.COSIGNATURE)
            except NoteRejected as error:
                raise rejected("witness-key-name", "name", str(error)) from None
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked("key"):
                if not path.exists():
                    put_in_place(path, f"{key.text()}\n".encode())
        found = self.key()
        if found.name != name:
            message = f"found {name!r}, but the key of this folder is that of {found.name!r}; take another folder"
            raise rejected("witness-key-name", "name", message)
        return found

    def witness(self, logs: tuple[VerifierKey, ...]) -> Witness:
        """Return the witness of these ledgers. Raises what `key` raises, and Rejection `witness-logs`."""
        try:
            return Witness(self.key(), logs)
        except NoteRejected as error:
            raise rejected("witness-logs", "log", str(error)) from None

    def add_checkpoint(self, witness: Witness, submission: Submission, timestamp: int) -> Cosigned:
        """Cosign a checkpoint at the moment (seconds since 1970 UTC), and keep it before returning.

        Raises what `Witness.cosign` raises, and Rejection `witness-state-damaged`; OSError where nothing can be kept.
        The first fork of a ledger is kept too, as `<SHA-256 of the origin>.fork`: it proves what the ledger did.
        """
        origin = witness.open(submission)[0].origin
        name = sha256(origin.encode()).hexdigest()
        with self._locked(name):
            path = self._folder / f"{name}.checkpoint"
            seen = self._seen(path, witness, origin)
            try:
                cosigned = witness.cosign(submission, seen, timestamp)
            except Forked:
                fork = path.with_suffix(".fork")
                if not fork.exists():
                    put_in_place(fork, submission.note)
                raise
            put_in_place(path, cosigned.note)
            return cosigned

    def _seen(self, path: Path, witness: Witness, origin: str) -> Checkpoint | None:
        try:
            return witness.seen(path.read_bytes(), origin)
        except FileNotFoundError:
            return None
        except NoteRejected as error:
            raise _damaged(path, error) from None

    def _locked(self, name: str) -> AbstractContextManager[None]:
        return locked(self._folder / f"{name}.lock")


def _damaged(path: Path, error: NoteRejected) -> Rejection:
    message = f"what this witness cosigned last cannot be read ({error}); restore the file before it cosigns again"
    return rejected("witness-state-damaged", str(path), message)
