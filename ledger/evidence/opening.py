"""The vault as settings describe it: its store and its master key."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Engine

from ledger.evidence.master_key import FILE, make_master_key, read_master_key
from ledger.evidence.stores import EvidenceStore, FolderStore
from ledger.evidence.vault import EvidenceVault, RandomBytes
from ledger.rejection import rejected

if TYPE_CHECKING:
    from types import ModuleType


def open_store(folder: Path, bucket: str | None, endpoint: str | None) -> EvidenceStore:
    """Return the bucket's store where one is named, else the folder's; nothing is written or connected to yet.

    Raises Rejection `evidence-store-unavailable` where a bucket is named and boto3 is not installed.
    """
    if bucket is None:
        return FolderStore(folder)
    try:
        module: ModuleType = import_module("ledger.evidence.s3")
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; pip install 'mingzhang[s3]', or keep evidence in a folder"
        raise rejected("evidence-store-unavailable", "evidence_bucket", message) from None
    return cast(EvidenceStore, module.S3Store(bucket, endpoint))


def open_vault(engine: Engine, store: EvidenceStore, key_folder: Path, random_bytes: RandomBytes) -> EvidenceVault:
    """Return the vault; its master key is made where there is none and no stored file needs one.

    Raises Rejection: `evidence-key-wrong` where the key was lost or is another than files were stored under,
    `evidence-key-permissions` where others may read it.
    """
    kept = read_master_key(key_folder)
    # Without a key, no row can be opened: any row says that there was one.
    vault = EvidenceVault(engine, store, kept or bytes(32), random_bytes)
    if not vault.opens_any_key():
        found = "opens none of the stored files" if kept else "is not there, and files were stored under it"
        message = f"the key of the evidence {found}; restore it from its copy"
        raise rejected("evidence-key-wrong", str(key_folder / FILE), message)
    return vault if kept else EvidenceVault(engine, store, make_master_key(key_folder, random_bytes), random_bytes)
