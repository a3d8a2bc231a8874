"""Which fonts a PDF is set in: the standard's own where a folder has them, else Noto CJK SC.

仿宋_GB2312, 方正小标宋简体, 黑体 and 楷体_GB2312 are licensed to each office and not shipped: an office names the
folder that has them. Without them Debian's package fonts-noto-cjk serves. No other font of the system is looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import typst

from schemes.problem import refuse

Role = Literal["title", "body", "level1", "level2", "page_number"]

NOTO_FOLDER: Final = Path("/usr/share/fonts/opentype/noto")
_SERIF: Final = "Noto Serif CJK SC"
_SANS: Final = "Noto Sans CJK SC"
_WANTED: Final[Mapping[Role, tuple[str, ...]]] = {
    "title": ("方正小标宋简体", "FZXiaoBiaoSong-B05S", _SERIF),
    "body": ("仿宋_GB2312", "FangSong_GB2312", "仿宋", "FangSong", _SERIF),
    "level1": ("黑体", "SimHei", _SANS),
    "level2": ("楷体_GB2312", "KaiTi_GB2312", "楷体", "KaiTi", _SERIF),
    "page_number": ("宋体", "SimSun", _SERIF),
}
_LATIN: Final = "Times New Roman"
_BOLD: Final = 600


@dataclass(frozen=True)
class DocumentFonts:
    """The fonts a document is set in.

    `families` gives each role's families: of those, the first that has a character is used. `latin` is None where
    Latin letters are the Chinese font's own. `characters` are the code points that can be shown in every role.
    `emboldened` says that the body font has no bold face, so that bold must be drawn.
    """

    files: typst.Fonts
    families: Mapping[Role, tuple[str, ...]]
    latin: str | None
    characters: frozenset[int]
    emboldened: bool


@cache
def document_fonts(folder: Path | None) -> DocumentFonts:
    """Return the fonts found in the folder, if one is given, and among Debian's.

    Raises `InvalidInput` (`document-fonts-missing`) naming what is missing and what to install.
    """
    files = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[*([folder] if folder else []), NOTO_FOLDER],
    )
    faces = files.fonts()
    found = {face.family for face in faces}
    first = {role: next((family for family in wanted if family in found), None) for role, wanted in _WANTED.items()}
    chosen = {role: family for role, family in first.items() if family is not None}
    missing = sorted({wanted[0] for role, wanted in _WANTED.items() if role not in chosen})
    if missing:
        raise refuse(
            "document-fonts-missing",
            str(folder) if folder else "",
            f"found no font for {', '.join(missing)}; install Debian's package fonts-noto-cjk"
            " or name a folder that has these fonts",
        )
    # Noto has rare characters (in names of people) that a GB2312 font lacks.
    spare = tuple(family for family in (_SERIF, _SANS) if family in found)
    families = {role: tuple(dict.fromkeys((family, *spare))) for role, family in chosen.items()}
    covered = {
        family: frozenset().union(*(_characters(face) for face in faces if face.family == family))
        for family in {family for stack in families.values() for family in stack}
    }
    return DocumentFonts(
        files=files,
        families=families,
        latin=_LATIN if _LATIN in found else None,
        characters=frozenset.intersection(
            *(frozenset().union(*(covered[family] for family in stack)) for stack in families.values())
        ),
        emboldened=not any(face.family == chosen["body"] and face.weight >= _BOLD for face in faces),
    )


def _characters(face: typst.FontInfo) -> frozenset[int]:
    """Return the code points a face has glyphs for, from its `cmap` table (OpenType 1.9, formats 4 and 12)."""
    if face.path is None:
        return frozenset()
    content = Path(face.path).read_bytes()
    start = struct.unpack_from(">I", content, 12 + 4 * face.index)[0] if content[:4] == b"ttcf" else 0
    tables = struct.unpack_from(">H", content, start + 4)[0]
    records = (struct.unpack_from(">4sIII", content, start + 12 + 16 * number) for number in range(tables))
    cmap = next((offset for tag, _, offset, _ in records if tag == b"cmap"), None)
    if cmap is None:
        return frozenset()
    points: set[int] = set()
    for number in range(struct.unpack_from(">H", content, cmap + 2)[0]):
        subtable = cmap + struct.unpack_from(">I", content, cmap + 8 + 8 * number)[0]
        for first, last in _ranges(content, subtable):
            points.update(range(first, last + 1))
    return frozenset(points)


def _ranges(content: bytes, subtable: int) -> Iterator[tuple[int, int]]:
    kind = struct.unpack_from(">H", content, subtable)[0]
    if kind == 12:
        for number in range(struct.unpack_from(">I", content, subtable + 12)[0]):
            first, last, _ = struct.unpack_from(">III", content, subtable + 16 + 12 * number)
            yield first, last
    elif kind == 4:
        segments = struct.unpack_from(">H", content, subtable + 6)[0] // 2
        for number in range(segments):
            last = struct.unpack_from(">H", content, subtable + 14 + 2 * number)[0]
            first = struct.unpack_from(">H", content, subtable + 16 + 2 * (segments + number))[0]
            # The last segment only ends the table.
            if last != 0xFFFF:
                yield first, last
