"""What the tests of signing share: names, a witness, the files of a key folder, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.rejection import Rejection
from ledger.signed_notes import SignatureType, SigningKey
from tests.ledger.store import ZHANGSHU

ORIGIN = f"mingzhang/{ZHANGSHU}"
WITNESS = SigningKey.generate("example.com/witness", b"w" * 32, SignatureType.COSIGNATURE)


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    with pytest.raises(Rejection) as rejection:
        yield
    [refusal] = rejection.value.refusals
    assert refusal.code == code
    assert [word for word in words if word not in refusal.message] == []
