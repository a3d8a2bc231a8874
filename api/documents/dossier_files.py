"""A dossier as files: JSON for programs, Word to work on, PDF to hand over. Equal dossiers give equal bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Final

from api.documents.dossier import dossier_document
from api.documents.pdf import pdf
from api.documents.word import word
from projections.proceedings.dossier_models import DossierAnswer
from schemes.vocabulary import Vocabulary


class DossierFormat(StrEnum):
    """A form in which a dossier is written."""

    JSON = "json"
    DOCX = "docx"
    PDF = "pdf"


MEDIA_TYPES: Final[Mapping[str, str]] = {
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
_FIRST_MOMENT: Final = (1980, 1, 1, 0, 0, 0)


def dossier_file(
    dossier: DossierAnswer, written: DossierFormat, words: Vocabulary, today: date, fonts: Path | None
) -> bytes:
    """Return the dossier in one form; raises `InvalidInput` (`document-fonts-missing`) for a PDF without fonts."""
    if written is DossierFormat.JSON:
        return dossier.model_dump_json(indent=2).encode() + b"\n"
    document = dossier_document(dossier, words, today)
    return word(document) if written is DossierFormat.DOCX else pdf(document, fonts)


def dossier_files(dossier: DossierAnswer, words: Vocabulary, today: date, fonts: Path | None) -> dict[str, bytes]:
    """Return the dossier in every form, by file name."""
    name = dossier_name(dossier)
    return {f"{name}.{written}": dossier_file(dossier, written, words, today, fonts) for written in DossierFormat}


def dossier_name(dossier: DossierAnswer) -> str:
    """Return the name of the files, without what comes after the dot: which year, kind and proceeding."""
    told = dossier.proceeding
    return f"{told.jurisdiction}-{told.year}-{told.kind}-{told.id[:8]}"


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return the files in one archive."""
    held = BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _FIRST_MOMENT), content)
    return held.getvalue()
