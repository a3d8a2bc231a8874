"""Vaults on each database and each store: a folder, and a bucket of a real S3-compatible server."""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.evidence.s3 import S3Store
from ledger.evidence.stores import EvidenceStore, FolderStore
from ledger.evidence.vault import EvidenceVault

MASTER_KEY = bytes(range(32))


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3-compatible server on loopback, with credentials for it in the environment."""
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server,
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        assert server.stderr
        lines = iter(server.stderr.readline, "")
        yield next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        server.terminate()


@pytest.fixture(scope="session")
def bucket_names() -> Iterator[str]:
    return (f"evidence-{number}" for number in count(1))


@pytest.fixture
def bucket_store(s3_endpoint: str, bucket_names: Iterator[str]) -> Iterator[S3Store]:
    name = next(bucket_names)
    store = S3Store(name, s3_endpoint)
    store._client.create_bucket(Bucket=name)
    yield store
    store._client.close()


@pytest.fixture
def folder_store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "evidence")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> EvidenceStore:
    found: EvidenceStore = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
def vault(engine: Engine, store: EvidenceStore) -> EvidenceVault:
    return EvidenceVault(engine, store, MASTER_KEY, secrets.token_bytes)


@pytest.fixture
def folder_vault(engine: Engine, folder_store: FolderStore) -> EvidenceVault:
    return EvidenceVault(engine, folder_store, MASTER_KEY, secrets.token_bytes)
