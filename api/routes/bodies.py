"""Bodies of requests beyond the ledger's own commands, and the examples that the API's documentation shows."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from ledger import events
from ledger.commands import Observe
from ledger.events import GroupOfUnits, LongText, Text, Value

Day = Annotated[events.Day, Field(description="A day, local date.", examples=["2021-07-01"])]


class SchemeChoice(Value):
    """A scheme: one that is shipped, by its `scheme` id, or the text of a scheme file (YAML) as `document`."""

    scheme: Text | None = None
    document: str | None = None

    @model_validator(mode="after")
    def _one(self) -> SchemeChoice:
        if (self.scheme is None) == (self.document is None):
            raise ValueError("either scheme or document")
        return self


class OpenYear(SchemeChoice):
    """A year to open: the scheme says which; without `groups` its own unit lists are taken."""

    groups: tuple[GroupOfUnits, ...] | None = None


class AdoptScheme(SchemeChoice):
    """A scheme version to put in force from now on, and why."""

    reason: LongText


class JoinUnit(Value):
    """A unit that is assessed from a day on."""

    unit: Text
    group: Text
    on: Day
    reason: LongText


class LeaveUnit(Value):
    """The day from which the unit is not assessed any more, and why."""

    on: Day
    reason: LongText


class RenameUnit(Value):
    """The unit's name from a day on, and why."""

    name: Text
    on: Day
    reason: LongText


class Batch(Value):
    """Observations to record together, all or none."""

    observations: tuple[Observe, ...]


_BULLETIN: Final = {
    "title": "宜春市2021年第一季度政府网站与政务新媒体检查情况通报",
    "document": "宜府办字〔2021〕20号",
    "locator": "附件2第6行",
}
_CIRCULAR: Final = {
    "unit": "福城街道",
    "kind": "circular",
    "occurred_on": "2021-03-29",
    "count": 1,
    "attributes": {"level": "municipal", "subject": "new_media", "period": "quarterly"},
    "evidence": [_BULLETIN],
    "note": "监测时间点前2周内无更新，被市政府办公室通报",
}
_REQUEST: Final = {
    "unit": "大桥街道",
    "kind": "request_received",
    "occurred_on": "2021-04-06",
    "attributes": {"request": "依申请〔2021〕12号"},
    "evidence": [{"title": "政府信息公开申请登记表", "document": "登记表2021-12"}],
}
_ANSWER: Final = {
    "unit": "大桥街道",
    "kind": "request_answered",
    "occurred_on": "2021-05-28",
    "attributes": {"request": "依申请〔2021〕12号"},
    "evidence": [{"title": "政府信息公开告知书", "document": "桥街公开告〔2021〕3号"}],
    "note": "晚于20个工作日",
}
_EXAMPLE_SCHEME: Final = """\
id: zhangshu-2021-example
version: "{version}"
document: {{title: 政务公开工作考核方案（示例）, number: null, issuer: 示例县人民政府办公室, issued_on: null}}
jurisdiction: {{code: "360982", name: 江西省宜春市樟树市}}
year: 2021
period: {{first: 2021-01-01, last: 2021-12-31}}
full: 100
not_applicable: drop
groups:
  - id: township
    title: 乡镇（街道）
    units: [福城街道, 大桥街道]
    indicators:
      - id: "1"
        titles: [日常监管, 被通报]
        clause: 附件第1行
        points: 100
        start: full
        rules:
          - {{effect: deduct, kinds: [circular], each: {each}, max: 10}}
"""

Examples = dict[str, Any]


def _example(summary: str, value: object) -> dict[str, Any]:
    return {"summary": summary, "value": value}


OBSERVE: Final[Examples] = {
    "circular": _example("政务新媒体被市级月度通报", _CIRCULAR),
    "request_received": _example("收到公开申请（逾期未答复的，由系统推出超期答复）", _REQUEST),
    "defect": _example(
        "公开指南表述错误",
        {
            "unit": "大桥街道",
            "kind": "defect",
            "occurred_on": "2021-05-08",
            "count": 3,
            "attributes": {"item": "disclosure_guide", "nature": "expression_error", "channel": "website"},
            "evidence": [{"title": "公开指南页面", "url": "https://www.example.gov.cn/zfxxgk/zn/", "locator": "第2段"}],
        },
    ),
    "judgement": _example(
        "考评组评定",
        {
            "unit": "福城街道",
            "kind": "judgement",
            "occurred_on": "2021-12-20",
            "attributes": {"indicator": "1.2", "value": "4.5"},
            "evidence": [{"title": "考评组评分表", "document": "评分表2021-福城街道", "locator": "第2行"}],
        },
    ),
}
BATCH: Final[Examples] = {
    "late_request": _example("一件逾期答复的申请：收到与答复", {"observations": [_REQUEST, _ANSWER]})
}
AMEND: Final[Examples] = {
    "count": _example(
        "复核后更正为2次",
        {"changes": {"count": 2}, "reason": "复核通报附件，该单位两个账号均被点名", "evidence": [_BULLETIN]},
    )
}
VOID: Final[Examples] = {
    "withdrawn": _example(
        "通报撤销",
        {
            "reason": "市政府办公室撤销该项通报",
            "evidence": [{"title": "关于撤销通报的函", "document": "宜府办字〔2021〕31号"}],
        },
    )
}
RECTIFY: Final[Examples] = {
    "done": _example(
        "已整改",
        {
            "on": "2021-04-08",
            "note": "账号已恢复更新",
            "evidence": [{"title": "整改报告", "document": "福街函〔2021〕7号"}],
        },
    )
}
OPEN: Final[Examples] = {
    "shipped": _example("按随附方案开启年度", {"scheme": "zhangshu-2021"}),
    "document": _example("按自拟方案开启年度", {"document": _EXAMPLE_SCHEME.format(version=1, each=2)}),
}
ADOPT: Final[Examples] = {
    "revised": _example(
        "改用修订后的方案",
        {"document": _EXAMPLE_SCHEME.format(version=2, each=3), "reason": "市政府办公室印发修订方案"},
    )
}
JOIN: Final[Examples] = {
    "new_unit": _example(
        "年中新设单位", {"unit": "城北新区管委会", "group": "township", "on": "2021-07-01", "reason": "机构设立批复"}
    )
}
LEAVE: Final[Examples] = {"merged": _example("年中撤并", {"on": "2021-07-01", "reason": "并入其他街道，不再单独考核"})}
RENAME: Final[Examples] = {
    "new_name": _example("年中更名", {"name": "福城街道办事处", "on": "2021-07-01", "reason": "机构更名批复"})
}
SCHEME_TEXT: Final[Examples] = {"small": _example("一份最小的方案", _EXAMPLE_SCHEME.format(version=1, each=2))}
