"""What a row of a workbook of observations says: its fields by their headings, and the words a cell may hold.

The fields that every observation has stand first and last; between them are those of the kinds that the scheme's rows
ask for, one column for each label. What a column with such a label means depends on the kind in the row: 层级 is an
attribute of several kinds. Words are found by their label or code, whatever the width of their characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from ledger.decisions import Unit, YearState
from projections.workbooks.values import folded
from schemes.asking import asked_kinds
from schemes.scheme import Indicator, Scheme, Veto
from schemes.vocabulary import Attribute, Vocabulary

UNIT: Final = "单位"
INDICATOR: Final = "指标"
KIND: Final = "事实种类"
DAY: Final = "发生日期"
COUNT: Final = "次数"
NOTE: Final = "说明"
TITLE: Final = "依据标题"
DOCUMENT: Final = "文号"
URL: Final = "网址"
FIRST_FIELDS: Final = (UNIT, INDICATOR, KIND, DAY, COUNT)
LAST_FIELDS: Final = (NOTE, TITLE, DOCUMENT, URL)
EVIDENCE_FIELDS: Final = (TITLE, DOCUMENT, URL)
SYNONYMS: Final[Mapping[str, Sequence[str]]] = {
    UNIT: ("单位名称", "被考核单位", "考核对象", "责任单位", "被扣分单位", "部门", "部门名称", "乡镇街道", "unit"),
    INDICATOR: ("指标编号", "考核指标", "评分项", "考核项目", "考核内容", "三级指标", "indicator"),
    KIND: ("种类", "类型", "事项种类", "事项类型", "扣分事项", "加分事项", "加扣分事项", "问题类型", "kind"),
    DAY: ("日期", "时间", "发生时间", "通报日期", "通报时间", "检查日期", "检查时间", "occurred_on"),
    COUNT: ("数量", "件数", "个数", "条数", "问题数", "count"),
    NOTE: ("备注", "情况说明", "问题描述", "具体问题", "具体情况", "存在问题", "note"),
    TITLE: ("依据", "来源", "依据文件", "文件名称", "通报名称", "佐证材料", "title"),
    DOCUMENT: ("依据文号", "文件号", "发文字号", "文件文号", "document"),
    URL: ("链接", "网页地址", "链接地址", "url"),
}
"""What offices write over such columns."""
_MOST_NAMED: Final = 12


class WrongCellError(ValueError):
    """Raised for a cell that cannot be taken: a stable `code`, and in Chinese what was found and expected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Fields:
    """The words of one year: its units, the scheme's rows, and the vocabulary with the scheme's own items."""

    state: YearState
    scheme: Scheme
    vocabulary: Vocabulary

    @cached_property
    def asking(self) -> tuple[Indicator | Veto, ...]:
        """What asks for facts: the scheme's rows and its vetoes."""
        return (*(row for group in self.scheme.groups for row in group.indicators), *self.scheme.vetoes)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that the scheme's rows and vetoes ask for, in the vocabulary's order."""
        asked = {kind.kind for one in self.asking for kind in asked_kinds(one, self.vocabulary)}
        return tuple(kind for kind in self.vocabulary.kinds if kind in asked)

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """All headings of the template in their order."""
        named = (label for kind in self.kinds for label in self.attributes_of(kind))
        return (*FIRST_FIELDS, *dict.fromkeys(named), *LAST_FIELDS)

    @cached_property
    def known(self) -> Mapping[str, str]:
        """Each heading that a workbook may have, by what may stand for it: its own name, synonyms, codes."""
        found = {folded(word): heading for heading, words in SYNONYMS.items() for word in words}
        for kind in self.vocabulary.kinds:
            for label, (name, _) in self.attributes_of(kind).items():
                found |= {folded(label): label} | ({} if folded(name) in found else {folded(name): label})
        return found | {folded(one): one for one in (*FIRST_FIELDS, *LAST_FIELDS)}

    @cached_property
    def _attributes(self) -> dict[str, dict[str, tuple[str, Attribute]]]:
        found = {}
        for code, kind in self.vocabulary.kinds.items():
            # A judgement names its row, which the column 指标 says.
            others = (
                (name, one) for name, one in kind.attributes.items() if (code, name) != ("judgement", "indicator")
            )
            found[code] = {one.label: (name, one) for name, one in others}
        return found

    def attributes_of(self, kind: str) -> Mapping[str, tuple[str, Attribute]]:
        """Return the attributes of a kind by the heading of their column, each with its code."""
        return self._attributes[kind]

    @cached_property
    def attribute_headings(self) -> frozenset[str]:
        """The headings of all columns that only some kinds have."""
        return frozenset(heading for kind in self.vocabulary.kinds for heading in self.attributes_of(kind))

    @cached_property
    def _kind_words(self) -> dict[str, str]:
        words = {folded(code): code for code in self.vocabulary.kinds}
        return words | {folded(kind.label): code for code, kind in self.vocabulary.kinds.items()}

    def kind(self, text: str) -> str:
        """Return the code of a kind; raises `WrongCellError`."""
        return _found(text, self._kind_words, [self.vocabulary.kinds[kind].label for kind in self.kinds])

    @cached_property
    def _unit_words(self) -> dict[str, str]:
        units = self.state.units.values()
        names = [name for unit in units for name in (unit.key, *(name for _, name in unit.names))]
        return {folded(name): name for name in names}

    def unit(self, text: str) -> str:
        """Return a name of a unit of the year as the ledger has it; raises `WrongCellError`."""
        return _found(text, self._unit_words, list(self._unit_words.values()), "本年度的单位")

    def unit_named(self, name: str) -> Unit | None:
        """Return the unit that has or had this name this year."""
        return self.state.unit(name)

    @cached_property
    def rows(self) -> dict[str, dict[str, Indicator]]:
        """The rows of each group by every word that may stand for one: its id, its last title, both."""
        found: dict[str, dict[str, Indicator]] = {}
        for group in self.scheme.groups:
            titles = [row.titles[-1] for row in group.indicators]
            words = found.setdefault(group.id, {})
            for row in group.indicators:
                if titles.count(row.titles[-1]) == 1:
                    words[folded(row.titles[-1])] = row
                words |= {folded(row.id): row, folded(row_label(row)): row}
        return found

    def row(self, text: str, group: str) -> Indicator:
        """Return the row of the group's sheet; raises `WrongCellError`."""
        words = self.rows.get(group, {})
        row = words.get(folded(text))
        if row is None:
            labels = list(dict.fromkeys(row_label(one) for one in words.values()))
            raise _unknown(text, labels, "这个单位的指标")
        return row

    @cached_property
    def _asked(self) -> dict[tuple[str, str], tuple[str, ...]]:
        return {
            (group.id, row.id): tuple(kind.kind for kind in asked_kinds(row, self.vocabulary))
            for group in self.scheme.groups
            for row in group.indicators
        }

    def asked_by(self, group: str, row: Indicator) -> tuple[str, ...]:
        """Return the kinds that the row asks for."""
        return self._asked[group, row.id]

    @cached_property
    def _item_words(self) -> dict[str, str]:
        words: dict[str, str] = {}
        for code, label in self.vocabulary.items.items():
            words.setdefault(folded(label), code)
        return words | {folded(code): code for code in self.vocabulary.items}

    def item(self, text: str) -> str:
        """Return the code of an item; raises `WrongCellError`."""
        return _found(text, self._item_words, list(self.vocabulary.items.values()), "词汇中的事项")


def row_label(row: Indicator) -> str:
    """Return how a row is named in a cell: its id and its last title on one line."""
    return " ".join(f"{row.id} {row.titles[-1]}".split())


def coded(text: str, values: Mapping[str, str]) -> str:
    """Return the code of a label or code; raises `WrongCellError`."""
    words = {folded(label): code for code, label in values.items()} | {folded(code): code for code in values}
    return _found(text, words, list(values.values()))


def _found(text: str, words: Mapping[str, str], labels: Sequence[str], what: str = "可填的内容") -> str:
    code = words.get(folded(text))
    if code is None:
        raise _unknown(text, labels, what)
    return code


def _unknown(text: str, labels: Sequence[str], what: str) -> WrongCellError:
    near = get_close_matches(text, labels, n=1, cutoff=0.5)
    hint = f"是否指“{near[0]}”？" if near else f"应为{one_of(labels)}"
    return WrongCellError("workbook-unknown-word", f"“{text}”不是{what}；{hint}")


def one_of(labels: Iterable[str]) -> str:
    """Return what may stand there, in Chinese; of many only the first."""
    listed = list(labels)
    more = f"等{len(listed)}项之一" if len(listed) > _MOST_NAMED else "之一" if len(listed) > 1 else ""
    return "、".join(listed[:_MOST_NAMED]) + more
