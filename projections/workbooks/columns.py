"""The sheets of a scheme workbook: their columns, the Chinese words they take, and where each goes in a scheme.

This is the one table between the workbook and the scheme format; reading, writing and the template all follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from projections.workbooks.conditions import AttributeName, Conditions
from projections.workbooks.values import Bound, Day, Item, Kinds, Name, Names, Note, Number, Table, Value, Words
from projections.workbooks.values import Whole as WholeNumber

GUIDE_SHEET: Final = "填写说明"
VOCABULARY_SHEET: Final = "词汇"
SCHEME_SHEET: Final = "方案"
EXPLANATION: Final = "说明："
FIRST_ROW: Final = 3

YES_NO: Final = Words({"是": True, "否": False})
SECTIONS: Final = Words({"基础": "base", "加分": "bonus", "扣分": "penalty"})
STARTS: Final = Words({"满分起扣": "full", "零分起加": "zero"})
CAP_AFTER: Final = Words({"加分后封顶": "bonus", "加减后封顶": "all"})
NOT_APPLICABLE: Final = Words({"减少满分": "drop", "按比例折算": "rescale", "给满分": "full_credit"})
_BASIS = {
    "基础分": "base",
    "基础分+加分": "base+bonus",
    "基础分-扣分": "base-penalty",
    "基础分+加分-扣分": "base+bonus-penalty",
}
BASIS: Final = Words(_BASIS)
VETO_BASIS: Final = Words({**_BASIS, "总分": "total"})
ORDER: Final = Words({"高者在前": "highest_first", "低者在前": "lowest_first"})
AMONG: Final = Words({"本组": "group", "全部单位": "all"})


class Column(NamedTuple):
    """A column, or a line of the sheet 方案: its heading, its place in the scheme format, and how it is filled in."""

    heading: str
    field: str
    value: Value
    required: bool
    explanation: str
    width: int = 12


class SheetOf(NamedTuple):
    """A sheet of rows; `list_field` is where its rows go in the scheme, None where reading puts them elsewhere."""

    name: str
    columns: tuple[Column, ...]
    list_field: str | None = None
    required: bool = False


class Parameter(NamedTuple):
    """What a way of scoring needs: the column it stands in, and its place in the rule."""

    heading: str
    field: str
    value: Value
    required: bool = True


class Way(NamedTuple):
    """A way of scoring as the column 计分方式 says it: what its word fixes, what other columns say, when to use it."""

    fixed: Mapping[str, Any]
    parameters: tuple[Parameter, ...]
    meaning: str


SCHEME_LINES: Final = (
    Column("方案编号", "id", Name(), True, "小写字母、数字和连字符，如 shili-2024"),
    Column("版本", "version", Value(), True, "如 1；修订时改为 2"),
    Column("文件标题", "document.title", Value(), True, "考核文件的标题"),
    Column("文号", "document.number", Value(), False, "文件未印文号则留空"),
    Column("发文机关", "document.issuer", Value(), True, "发文机关全称"),
    Column("发文日期", "document.issued_on", Day(), False, "如 2024-03-01；未印则留空"),
    Column("区划代码", "jurisdiction.code", Name(), True, "六位行政区划代码（GB/T 2260）"),
    Column("区划名称", "jurisdiction.name", Value(), True, "省市县全称"),
    Column("年度", "year", WholeNumber(), True, "考核年度，如 2024"),
    Column("起始日", "period.first", Day(), True, "事实从这一天起计"),
    Column("截止日", "period.last", Day(), True, "事实到这一天止（含）"),
    Column("满分", "full", Number(), True, "如 100"),
    Column("总分封顶", "cap", Number(), False, "总分最高多少；不封顶则留空"),
    Column("封顶时机", "cap_after", CAP_AFTER, False, "先封顶再扣分，填“加分后封顶”；留空同此"),
    Column("总分下限", "floor", Bound(), False, "留空为 0；没有下限填“不设”"),
    Column("加分上限", "bonus_cap", Number(), False, "加分合计最多多少；不限则留空"),
    Column("加分门槛依据", "bonus_gate.basis", BASIS, False, "达到门槛才计加分时填，与下一行同填"),
    Column("加分门槛分值", "bonus_gate.at_least", Number(), False, "与上一行同填"),
    Column("扣分上限", "penalty_cap", Number(), False, "扣分合计最多多少；不限则留空"),
    Column("不适用时", "not_applicable", NOT_APPLICABLE, True, "某项不适用于某单位时，分数怎么办"),
)

_GROUP = Column("组", "group", Name(), True, "组编号", 14)
_GROUPS = Column("组", "group", Names(), True, "组编号；几组同用一行时用逗号隔开", 18)
_TITLES = (
    Column("一级指标", "titles.0", Value(), True, "表中最左一级的名称", 16),
    Column("二级指标", "titles.1", Value(), False, "没有则留空", 16),
    Column("三级指标", "titles.2", Value(), False, "没有则留空", 16),
    Column("四级指标", "titles.3", Value(), False, "没有则留空", 16),
)

GROUPS: Final = SheetOf(
    "分组",
    (
        Column("组编号", "id", Name(), True, "其他表用它指这一组，如 township", 14),
        Column("组名称", "title", Value(), True, "如 乡镇街道", 14),
        Column("名单是示例", "example_units", YES_NO, False, "文件没有单位名单时填“是”"),
        Column("前列等次", "quotas.top.grade", Value(), False, "按名次比例定等次时填这五列"),
        Column("前列比例", "quotas.top.share", Number(), False, "如 0.2"),
        Column("中间等次", "quotas.middle", Value(), False, "其余单位的等次"),
        Column("末尾等次", "quotas.bottom.grade", Value(), False, "最后几名的等次"),
        Column("末尾比例", "quotas.bottom.share", Number(), False, "如 0.1"),
    ),
    "groups",
    required=True,
)
UNITS: Final = SheetOf(
    "单位",
    (_GROUP, Column("单位", "unit", Name(), True, "单位名称，一行一个；以后登记事实用这个名称", 28)),
    required=True,
)
STAGES: Final = SheetOf(
    "阶段",
    (
        Column("阶段编号", "id", Name(), True, "几张表按权重合成总分时才填本表"),
        Column("阶段名称", "title", Value(), True, "如 日常测评", 18),
        Column("权重", "weight", Number(), True, "如 0.3"),
        Column("满分", "full", Number(), True, "这张表的满分"),
        Column("起始日", "window.first", Day(), False, "只计这段日子的事实时填"),
        Column("截止日", "window.last", Day(), False, "与起始日同填"),
    ),
    "stages",
)
INDICATORS: Final = SheetOf(
    "评分项",
    (
        _GROUPS,
        Column("编号", "id", Name(), True, "组内不重复，如 1.1（单元格为文本格式）", 8),
        *_TITLES,
        Column("依据", "clause", Value(), True, "在文件的什么地方，如 附件1 第3行", 20),
        Column("分值", "points", Number(), True, "本项满分；只加不计满分的填 0", 8),
        Column("板块", "section", SECTIONS, False, "留空为“基础”", 8),
        Column("阶段", "stage", Name(), False, "分阶段的方案才填阶段编号", 10),
        Column("起评", "start", STARTS, False, "扣分板块留空，其余必填", 10),
        Column("下限", "floor", Bound(), False, "留空为 0（扣分板块为不设）", 8),
        Column("上限", "ceiling", Bound(), False, "留空为分值（扣分板块为 0）", 8),
        Column("按账号计分", "per_account", YES_NO, False, "每个新媒体账号单独算，取最低，填“是”", 10),
        Column("仅适用", "applies_to.only", Names(), False, "只考核这些单位；一个也不考核填“无”", 20),
        Column("不适用于", "applies_to.all_but", Names(), False, "除这些单位外都考核", 20),
        Column("备注", "note", Note(), False, "怎么理解这一项", 40),
    ),
    required=True,
)
LABELS: Final = SheetOf(
    "印刷分",
    (
        _GROUPS,
        *_TITLES,
        Column("分值", "points", Number(), True, "文件标题旁印的分数，用来核对各行之和", 10),
        Column("加分占比", "bonus_share", Number(), False, "文件限定行内加分不超过它的几成时填，如 0.5；用来核对", 10),
    ),
)
BANDS: Final = SheetOf(
    "等次",
    (
        Column("等次", "grade", Value(), True, "从高到低，一行一个；按分数定等次时填"),
        Column("最低分", "at_least", Number(), False, "达到多少分；最后一档留空"),
    ),
    "bands",
)
VETOES: Final = SheetOf(
    "否决",
    (
        Column("编号", "id", Name(), True, "如 v1", 8),
        Column("名称", "title", Value(), True, "如 弄虚作假", 20),
        Column("依据", "clause", Value(), True, "在文件的什么地方", 18),
        Column("事实种类", "when.kinds", Kinds(), False, "出现这些事实就否决；或填右边的小计和低于", 20),
        Column("条件", "when.where", Conditions(), False, "如 层级=省,设区市", 28),
        Column("至少次数", "when.min_count", WholeNumber(), False, "留空为 1", 10),
        Column("同一属性", "when.same", AttributeName(), False, "要求几次有同一个值，如 问题标识", 12),
        Column("小计", "when.basis", VETO_BASIS, False, "低于及格线否决：看哪个小计", 16),
        Column("低于", "when.below", Number(), False, "低于多少分", 8),
        Column("定为等次", "grade", Value(), False, "这两列至少填一列", 12),
        Column("总分定为", "total", Number(), False, "如 0", 10),
    ),
    "vetoes",
)
OUTPUTS: Final = SheetOf(
    "只报数值",
    (
        Column("编号", "id", Name(), True, "与得分一起报告、但不计分的数值", 8),
        *_TITLES,
        Column("依据", "clause", Value(), True, "在文件的什么地方", 18),
        Column("数值名称", "metric", Item(), True, "词汇中的事项", 24),
        Column("系数", "factor", Number(), True, "数值乘以多少", 8),
    ),
    "outputs",
)
ITEMS: Final = SheetOf(
    "自定义事项",
    (
        Column("代码", "code", Name(), True, "词汇表没有的事项：小写英文和下划线，如 village_affairs", 28),
        Column("名称", "label", Value(), True, "如 村务公开", 28),
    ),
)
ACCEPTED: Final = SheetOf(
    "保留意见",
    (
        Column("检查代码", "code", Name(), True, "scheme lint 报告的代码，如 lint-label-sum", 28),
        Column("组", "group", Name(), False, "只对这一组；留空为全部", 14),
        Column("编号", "indicator", Name(), False, "只对这一项；留空为全部", 10),
        Column("理由", "reason", Value(), True, "为什么照文件保留", 50),
    ),
    "accepted",
)

_KINDS = Parameter("事实种类", "kinds", Kinds())
_WHERE = Parameter("条件", "where", Conditions(), required=False)
_FACTS = (_KINDS, _WHERE)
_EACH = Parameter("分值", "each", Number())
_ONCE = Parameter("分值", "points", Number())
_AMOUNT = (*_FACTS, _EACH, Parameter("最多", "max", Number(), False), Parameter("合用上限", "pool", Name(), False))
_TIMES = Parameter("分档", "steps", Table(WholeNumber(), ("times", "points")))
_ITEMS = Parameter("分档", "items", Table(Item(), None))
_PLACES = Parameter("分档", "places", Table(WholeNumber(), ("rank", "points")))
_VALUES = Parameter("分档", "steps", Table(Number(), ("at_least", "points")))
_METRIC = Parameter("数值名称", "metric", Item())
_AMONG = Parameter("范围", "among", AMONG)
_ORDER = Parameter("排序", "source.order", ORDER)
_RANKED = (_AMONG, Parameter("倒数名次", "from_bottom", YES_NO, False), _PLACES)
_BY_RANKING = (Parameter("数值名称", "source.ranking", Item()), *_RANKED)
_BY_METRIC = (Parameter("数值名称", "source.metric", Item()), _ORDER, *_RANKED)
_BY_COUNT = (
    _KINDS._replace(field="source.count.kinds"),
    _WHERE._replace(field="source.count.where"),
    _ORDER,
    *_RANKED,
)
_THRESHOLDS = (
    Parameter("至少次数", "at_least", WholeNumber(), False),
    Parameter("至多次数", "at_most", WholeNumber(), False),
)
MILESTONE: Final = "达标加分"
CONTINUED: Final = "并且"
CONDITION: Final = Way({}, (*_FACTS, *_THRESHOLDS), "接在达标加分下面：还要成立的条件")
WAYS: Final[Mapping[str, Way]] = {
    "扣分": Way({"effect": "deduct"}, _AMOUNT, "出现一件扣几分"),
    "加分": Way({"effect": "award"}, _AMOUNT, "出现一件加几分"),
    "不得分": Way({"effect": "forfeit"}, _FACTS, "出现就整项归零"),
    "阶梯扣分": Way({"effect": "tiers", "direction": "deduct"}, (*_FACTS, _TIMES), "按累计次数查表扣分"),
    "阶梯加分": Way({"effect": "tiers", "direction": "award"}, (*_FACTS, _TIMES), "按累计次数查表加分"),
    "清单得分": Way({"effect": "checklist", "mode": "earn"}, (*_FACTS, _ITEMS), "清单上的每样事项，有就得一次分"),
    "清单扣分": Way({"effect": "checklist", "mode": "lose"}, (*_FACTS, _ITEMS), "清单上的每样事项，缺就扣一次分"),
    "评定": Way(
        {"effect": "judged"},
        (
            Parameter("评定最低", "min", Number()),
            Parameter("评定最高", "max", Number()),
            Parameter("评定前", "default", Number()),
        ),
        "考评组打分，分值在最低与最高之间",
    ),
    "外部名次加分": Way({"effect": "by_rank", "direction": "award"}, _BY_RANKING, "上级公布的名次，按名次查表加分"),
    "外部名次扣分": Way({"effect": "by_rank", "direction": "deduct"}, _BY_RANKING, "上级公布的名次，按名次查表扣分"),
    "数值排名加分": Way({"effect": "by_rank", "direction": "award"}, _BY_METRIC, "按数值排名，按名次查表加分"),
    "数值排名扣分": Way({"effect": "by_rank", "direction": "deduct"}, _BY_METRIC, "按数值排名，按名次查表扣分"),
    "件数排名加分": Way({"effect": "by_rank", "direction": "award"}, _BY_COUNT, "按件数排名，按名次查表加分"),
    "件数排名扣分": Way({"effect": "by_rank", "direction": "deduct"}, _BY_COUNT, "按件数排名，按名次查表扣分"),
    "低于均值扣分": Way(
        {"effect": "shortfall"},
        (_METRIC, Parameter("步长", "step", Number()), _EACH, _AMONG),
        "数值比平均值每低若干成，扣几分",
    ),
    "互评均分": Way({"effect": "mean_rating"}, (), "其他组单位打分的平均值"),
    MILESTONE: Way(
        {"effect": "milestone"},
        (
            _ONCE,
            _KINDS._replace(field="conditions.0.kinds"),
            _WHERE._replace(field="conditions.0.where"),
            *(one._replace(field=f"conditions.0.{one.field}") for one in _THRESHOLDS),
        ),
        "几个条件都成立时加一次分；第二个条件起用“并且”另写一行",
    ),
    "小计达标加分": Way(
        {"effect": "if_total"},
        (Parameter("小计", "basis", BASIS), Parameter("达到", "at_least", Number()), _ONCE),
        "某个小计达到多少分，加一次分",
    ),
    "上年等次加分": Way(
        {"effect": "prior_grade"}, (Parameter("等次", "grade", Value()), _ONCE), "上年是某等次，加一次分"
    ),
    "酌情加分": Way({"effect": "discretion", "section": "bonus"}, (), "领导小组决定的加分，决定了多少就是多少"),
    "酌情扣分": Way({"effect": "discretion", "section": "penalty"}, (), "领导小组决定的扣分"),
    "仅供参考": Way({"effect": "inform"}, _FACTS, "不计分，把有关事实列给考评组看"),
    "完成率": Way(
        {"effect": "proportional"},
        (_METRIC, Parameter("目标值", "target", Number())),
        "分值 × 实际数值 ÷ 目标值，最多得满分",
    ),
    "数值分档": Way({"effect": "by_value"}, (_METRIC, _VALUES), "数值达到哪一档得哪一档的分"),
}
WAY_WORDS: Final = Words({name: name for name in (*WAYS, CONTINUED)})
RULES: Final = SheetOf(
    "规则",
    (
        _GROUPS,
        Column("编号", "id", Name(), True, "评分项的编号；一项几条规则就写几行", 8),
        Column("计分方式", "way", WAY_WORDS, True, "从下拉列表中选；“并且”接在达标加分下面", 14),
        Column("事实种类", "kinds", Kinds(), False, "词汇表中的种类；几种用逗号隔开", 22),
        Column("条件", "where", Conditions(), False, "如 层级=省,设区市; 未更新天数>=14; 已整改=否", 36),
        Column("分值", "each", Number(), False, "每件多少分，或达到后一次多少分", 8),
        Column("最多", "max", Number(), False, "本条合计最多多少分", 8),
        Column("合用上限", "pool", Name(), False, "几条规则合用“最多”时填同一个字母", 10),
        Column("分档", "steps", Note(), False, "如 1=7; 2=10（次数、名次、数值或事项=分值）", 28),
        Column("评定最低", "min", Number(), False, "评定：最低分", 9),
        Column("评定最高", "max_judged", Number(), False, "评定：最高分", 9),
        Column("评定前", "default", Number(), False, "评定：评定之前先显示多少分", 9),
        Column("数值名称", "metric", Item(), False, "指标或排名的名称，词汇中的事项", 22),
        Column("排序", "order", ORDER, False, "排名：谁在前", 10),
        Column("范围", "among", AMONG, False, "排名、均值的范围", 10),
        Column("倒数名次", "from_bottom", YES_NO, False, "名次从最后一名数起填“是”", 10),
        Column("步长", "step", Number(), False, "低于均值扣分：每低均值的几分之几，如 0.2", 8),
        Column("目标值", "target", Number(), False, "完成率：目标是多少", 8),
        Column("小计", "basis", BASIS, False, "小计达标加分：看哪个小计", 14),
        Column("达到", "at_least", Number(), False, "小计达标加分：达到多少分", 8),
        Column("等次", "grade", Value(), False, "上年等次加分：上年是什么等次", 8),
        Column("至少次数", "times_at_least", WholeNumber(), False, "达标加分：至少几次", 10),
        Column("至多次数", "times_at_most", WholeNumber(), False, "达标加分：至多几次", 10),
    ),
    required=True,
)
SHEETS: Final = (GROUPS, UNITS, STAGES, INDICATORS, RULES, LABELS, BANDS, VETOES, OUTPUTS, ITEMS, ACCEPTED)
