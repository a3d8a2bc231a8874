"""Evidence files that somebody was given, held against the commitments in a bundle.

In a folder, a file belongs to the commitment that its name begins with (`<64 hex digits>` and any ending); its salt, 64
hex digits, stands in `<64 hex digits>.salt`. Files that no commitment names are not looked at.
"""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

from ledger.evidence.commitments import SALT_SIZE, commitment_to
from projections.bundles.format import BundleProblem

_SALT = ".salt"


def check_file(folder: Path, commitment: str) -> bool:
    """Return whether the folder has the file and its salt; raises BundleProblem where they are not the commitment's."""
    salts = folder / f"{commitment}{_SALT}"
    found = sorted(one for one in folder.glob(f"{commitment}*") if one.name != salts.name and one.is_file())
    if not found or not salts.is_file():
        return False
    for path in found:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").digest()
        if commitment_to(_salt(salts), digest).hex() != commitment:
            raise BundleProblem("evidence-file-differs", f"文件{path.name}与记录中的承诺值不符：不是当时登记的文件")
    return True


def _salt(path: Path) -> bytes:
    try:
        salt = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        salt = b""
    if len(salt) != SALT_SIZE:
        raise BundleProblem("evidence-salt", f"文件{path.name}不是{SALT_SIZE}字节的十六进制盐值")
    return salt
