"""Published test vectors, which are no part of the project: collected only where their folder exists.

The folder is the one that MINGZHANG_VECTORS names, or `../shared/vectors` beside the project.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[3] / "shared" / "vectors"
VECTORS = Path(os.environ.get("MINGZHANG_VECTORS", BESIDE))

if "MINGZHANG_VECTORS" not in os.environ and not VECTORS.is_dir():
    collect_ignore = ["test_vectors.py"]


@pytest.fixture(scope="session")
def vectors() -> Path:
    return VECTORS
