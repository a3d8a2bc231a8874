"""The scheme and vocabulary files shipped with the product, and schemes from files of a user's own."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from schemes.problem import refuse
from schemes.reading import read_scheme, read_vocabulary
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary

_PACKAGE = files("schemes")


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary of kinds, attributes and items that the product ships."""
    return read_vocabulary((_PACKAGE / "vocabulary.yaml").read_text("utf-8"), "vocabulary.yaml")


def shipped() -> tuple[str, ...]:
    """Return the ids of the shipped schemes, sorted."""
    names = [entry.name for entry in _PACKAGE.iterdir() if entry.name.endswith(".yaml")]
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name != "vocabulary.yaml"))


def source(scheme_id: str) -> str:
    """Return the text of a shipped scheme's file; raises `InvalidInput` for an unknown id."""
    if scheme_id not in shipped():
        raise refuse("unknown-scheme", "scheme", f"found {scheme_id!r}, expected one of {', '.join(shipped())}")
    return (_PACKAGE / f"{scheme_id}.yaml").read_text("utf-8")


@cache
def load(scheme_id: str) -> Scheme:
    """Return a shipped scheme; raises `InvalidInput` for an unknown id."""
    return read_scheme(source(scheme_id), f"{scheme_id}.yaml", vocabulary())


def load_file(path: Path) -> Scheme:
    """Return the scheme in a file; raises `InvalidInput` with all its errors."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise refuse("scheme-not-readable", str(path), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise refuse("scheme-not-readable", str(path), "expected UTF-8 text") from None
    return read_scheme(text, path.name, vocabulary())
