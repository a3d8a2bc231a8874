"""The signed head of a ledger as a page for the minutes of a meeting: what people sign, and a code for machines.

Whoever keeps the signed page can tell later whether the ledger still begins with what it was on that day. The code
holds the note itself; where that is too long for a code of 80 columns, the checkpoint and the ledger's own signature.
"""

from __future__ import annotations

from datetime import datetime
from itertools import zip_longest
from typing import Final

import segno

from ledger.decisions import CHINA
from ledger.signed_notes import note_bytes, parse_note
from projections.proofs.heads import CosignatureAnswer, HeadAnswer

COLUMNS: Final = 80
_BORDER: Final = 4
_LARGEST_CONTENT: Final = 425
"""Bytes of the largest code that fits in 80 columns: version 13, 69 modules, level L (ISO/IEC 18004)."""
_GROUP: Final = 8
_GROUPS_OF_A_LINE: Final = 4
_DARK_DRAWN: Final = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
_LIGHT_DRAWN: Final = {(0, 0): "█", (1, 0): "▄", (0, 1): "▀", (1, 1): " "}


def minute(head: HeadAnswer, *, on_paper: bool) -> str:
    """Return the page as lines of text.

    `on_paper` draws the dark parts of the code dark; else the light ones are drawn, for a terminal of light letters.
    """
    shown = head.shown_at.astimezone(CHINA)
    code, whole = _code(head.note, _DARK_DRAWN if on_paper else _LIGHT_DRAWN)
    holds = "二维码内容：下列检查点原文全文" if whole else "二维码内容：检查点正文及第一个签名（全文过长）"
    return "\n".join(
        [
            "账本检查点".center(COLUMNS - len("账本检查点")).rstrip(),
            "",
            "截至出具时刻，账本的全部记录及其先后次序由下列条数和根哈希唯一确定。",
            "此后改动、删除、插入或者调换其中任何一条，均可凭本件查出。",
            "",
            f"行政区划代码  {head.jurisdiction}",
            f"账本（origin）{head.origin}",
            f"记录条数      {head.size}",
            "根哈希（SHA-256，十六进制，自左至右、自上而下）",
            *(f"    {line}" for line in groups(head.root)),
            f"出具日期      {shown:%Y}年{shown.month}月{shown.day}日",
            f"出具时刻      {_moment(head.shown_at)}",
            f"签名密钥      {head.origin}",
            "公钥（vkey）",
            f"    {head.verifier_key}",
            *_cosignature_lines(head.cosignatures),
            "",
            *code,
            holds,
            "",
            "检查点原文",
            "-" * COLUMNS,
            *head.note.rstrip("\n").split("\n"),
            "-" * COLUMNS,
            "",
            "经办人（签字）：________________    监督人（签字）：________________",
            "",
            "日期：________年____月____日",
            "",
        ]
    )


def groups(root: str) -> list[str]:
    """Return a root's hexadecimal digits in groups that can be read aloud, four a line."""
    found = [root[start : start + _GROUP] for start in range(0, len(root), _GROUP)]
    return ["  ".join(found[start : start + _GROUPS_OF_A_LINE]) for start in range(0, len(found), _GROUPS_OF_A_LINE)]


def _cosignature_lines(cosignatures: list[CosignatureAnswer]) -> list[str]:
    if not cosignatures:
        return ["见证签名      无"]
    return [
        "见证签名",
        *(
            f"    {one.witness}  {_moment(one.cosigned_at)}{'' if one.verified else '  本次未核验'}"
            for one in cosignatures
        ),
    ]


def _code(note: str, drawn: dict[tuple[int, int], str]) -> tuple[list[str], bool]:
    """Return the lines of the code, and whether it holds the whole note."""
    content = note.encode()
    whole = len(content) <= _LARGEST_CONTENT
    if not whole:
        text, signatures = parse_note(content)
        content = note_bytes(text, signatures[:1])
    rows = list(segno.make_qr(content, error="L", mode="byte", boost_error=False).matrix_iter(border=_BORDER))
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=[0] * len(rows))
    return ["".join(drawn[both] for both in zip(*pair, strict=True)) for pair in pairs], whole


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M:%S}（北京时间）"
