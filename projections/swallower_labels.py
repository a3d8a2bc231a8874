"""What stood between the points that a rule names and those that count, in Chinese: pages, workbooks, terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemes.history import Swallower

SWALLOWER_LABELS: Final[Mapping[Swallower, str]] = {
    "maximum": "本条上限",
    "bounds": "本项上下限",
    "forfeit": "本项归零",
    "account": "非最低账号",
    "section": "加分封顶、门槛或扣分限额",
    "total": "总分封顶、下限或否决",
}
