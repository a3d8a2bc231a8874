"""A ledger's tree and its key as a witness meets them: signed heads, and requests to cosign them.

As a program it asks a witness's folder once it is told to, and says what size was cosigned, or with a minus sign what
size had been cosigned before.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from ledger.checkpoints import Checkpoint
from ledger.signed_notes import SignatureType, SigningKey, signed
from ledger.trees import TreeHashes
from ledger.witness_store import WitnessStore
from ledger.witnessing import Cosigned, SizeConflict, Submission, Witness

ORIGIN = "mingzhang/360982"
KEY = SigningKey.generate(ORIGIN, bytes(range(32)))
WITNESS_KEY = SigningKey.generate("witness.example.com/w1", bytes(range(32, 64)), SignatureType.COSIGNATURE)
WITNESS = Witness(WITNESS_KEY, (KEY.verifier,))
NOON = 1_640_000_000


class Log:
    """A ledger of made-up leaves; another `seed` makes another history from the first leaf that is not `shared`."""

    def __init__(self, leaves: int = 20, seed: str = "a", shared: int = 0, key: SigningKey = KEY) -> None:
        self.tree = TreeHashes()
        self.key = key
        names = [f"{'a' if number < shared else seed} {number}" for number in range(leaves)]
        self.tree.extend(sha256(name.encode()).digest() for name in names)

    def head(self, size: int) -> Checkpoint:
        return Checkpoint(self.key.name, size, self.tree.root(size))

    def note(self, size: int) -> bytes:
        return signed(self.head(size).text(), [self.key])

    def asks(self, old: int, size: int) -> Submission:
        proof = self.tree.consistency_proof(old, size) if 0 < old < size else []
        return Submission(old, tuple(proof), self.note(size))


def add(store: WitnessStore, asked: Submission) -> Cosigned:
    return store.add_checkpoint(store.witness((KEY.verifier,)), asked, NOON)


def main(folder: str, old: str, size: str) -> None:
    asked = Log().asks(int(old), int(size))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        said = add(WitnessStore(Path(folder)), asked).checkpoint.size
    except SizeConflict as conflict:
        said = -conflict.size
    sys.stdout.write(f"{said}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
