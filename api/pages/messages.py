"""Refusals in Chinese, for pages: what was found wrong, where, and what to do, by the refusal's stable code.

The program's own words are English and name what was found and expected; a page shows them folded, for those who look
after the system. What people can put right themselves has a sentence of its own here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from projections.scheme_files import vocabulary
from schemes.problem import Problem

_SENTENCES: Final[Mapping[str, str]] = {
    # who may
    "sign-in-needed": "请先登录。",
    "sign-in-refused": "用户名或口令不正确，或账户暂时不能登录。连续输错会锁定一段时间。",
    "too-many-requests": "登录过于频繁，请稍候再试。",
    "token-not-valid": "访问令牌无效或已失效。",
    "session-needed": "此操作须用用户名和口令登录，不能使用访问令牌。",
    "session-ended": "登录已失效，请重新登录。",
    "not-allowed": "您的账户没有此项权限。如需办理，请联系系统管理员。",
    "other-site": "请求来自其他网站的页面，已拒绝。请在本系统的页面上操作。",
    "password-must-change": "当前是一次性口令，请先设置自己的口令。",
    "password-too-weak": "新口令过于简单：请用不少于十二个字符、不常见、不含用户名的口令。",
    "passwords-differ": "两次输入的新口令不一致。",
    "account-name-form": "用户名不符合要求：请用一至四十个汉字、字母或数字，首尾不留空格。",
    "account-name-reserved": "这个用户名由系统保留，请换一个。",
    "account-name-taken": "这个用户名已被使用（或与已有用户名极相似），请换一个。",
    "unknown-account": "没有这个账户。",
    "unknown-grant": "该账户没有这项角色，可能已被他人收回。",
    "grant-form": "角色填写不完整：除系统管理员外都要选地区，被考核单位还要选单位。",
    "own-grant": "不能给自己授予或收回角色，请另一位管理员办理。",
    "last-administrator": "这是最后一个可用的系统管理员，不能停用或收回。",
    "roles-conflict": "同一个人不能兼任这些角色。",
    "token-without-grants": "按这样的范围，令牌什么也做不了；请放宽范围。",
    "unknown-token": "没有这个令牌，或已撤销。",
    "identity-not-linked": "统一身份认证成功，但该身份没有与本系统账户绑定，请联系系统管理员。",
    "oidc-sign-in-refused": "统一身份认证未通过。",
    "oidc-provider-failed": "统一身份认证服务暂时不可用，请改用口令登录或稍后再试。",
    # requests
    "not-found": "没有这个页面。",
    "method-not-allowed": "这个地址不支持这样的操作。",
    "parameter-unknown": "地址中有本页不认识的参数，请从菜单重新进入。",
    "parameter-twice": "地址中有参数重复，请从菜单重新进入。",
    "field-missing": "有必填项没有填写。",
    "field-invalid": "有一项填写不符合要求。",
    "field-unknown": "提交了本页没有的栏目，请刷新页面后重新填写。",
    "cursor-invalid": "翻页位置无效，请回到第一页。",
    "body-too-large": "提交的内容过大，请精简或分次提交。",
    "body-too-many-values": "提交的内容过多，请分次提交。",
    "json-too-large": "提交的内容过大：一条记录连同说明不能超过约六万字节，请把长文作为附件。",
    "json-nul": "内容中有看不见的控制字符，请删除后重新提交。",
    "json-surrogate": "内容中有损坏的字符，请删除后重新提交。",
    "media-type": "文件类型不对。",
    "host-unknown": "请用系统正式的网址访问。",
    "internal-error": "服务器出错，未记录任何内容。请把请求编号告诉系统管理员。",
    "ledger-unavailable": "暂时连接不上数据库，未记录任何内容，请稍后重试。",
    "ledger-busy": "系统正忙，未记录任何内容，请稍后重试。",
    "ledger-failed": "数据库出错，未记录任何内容，请联系系统管理员。",
    "commit-unknown": "写入时连接中断，不能确定是否已记录。请用同一页面再提交一次：不会重复记录。",
    "ledger-damaged": "台账与原始记录不一致，已停止写入。请立即联系系统管理员。",
    "checkpoint-not-consistent": "台账与签署过的检查点不一致，已停止服务。请立即联系系统管理员。",
    "clock-behind": "服务器时钟早于台账最后一条记录，请系统管理员校准时钟。",
    "idempotency-key-invalid": "表单已失效，请刷新页面后重新填写。",
    "idempotency-key-reused": "这张表单已经提交过，而这次的内容不同。上次的已经记录；要再记一条，请打开新的表单。",
    "page-outdated": "打开本页之后，这条记录已被他人更改。下面是最新内容，您填写的仍然保留，请核对后再提交。",
    # years, units, schemes
    "unknown-jurisdiction": "没有这个地区的台账。",
    "jurisdiction-code": "地区代码应为六位数字（GB/T 2260）。",
    "year-not-open": "该年度尚未开启，或当时尚未开启。",
    "year-already-open": "该年度已经开启。",
    "year-closed": "该年度已办结，不能再记录；确需更改，请由分管领导重新开启。",
    "year-not-closed": "该年度尚未办结。",
    "year-groups": "分组与方案不一致：每个分组都要在方案中。",
    "year-group-empty": "有的分组没有单位，请至少列一个。",
    "year-unit-twice": "同一单位名称出现了两次。",
    "unknown-unit": "该年度没有这个单位，请从列表中选择。",
    "unknown-group": "方案中没有这个分组。",
    "unit-has-left": "该单位已退出本年度考核。",
    "unit-leaves-before-joining": "退出日期早于加入日期。",
    "unit-name-taken": "这个名称已被其他单位使用。",
    "unit-name-unchanged": "新名称与现名称相同。",
    "unknown-scheme": "没有这个方案或版本。",
    "scheme-in-force": "这个版本正在执行，无需再次启用。",
    "scheme-version-taken": "台账中已有同一版本号而内容不同的方案，请改用新的版本号。",
    "scheme-jurisdiction": "这是其他地区的方案。",
    "scheme-year": "这是其他年度的方案。",
    "scheme-not-yaml": "文件不是有效的方案文件（YAML 格式有误）。",
    "scheme-not-readable": "方案文件不能读取。",
    "replay-groups": "草案的分组与本年度不同，不能逐个单位比较。",
    "terms-unchanged": "期限与现行的相同，没有更改。",
    "unknown-closing": "没有这次办结。",
    "overdue-day-missing": "请填写逾期日。",
    "calendar-unknown-year": "该年份的放假安排尚未公布，工作日不能推算。",
    "scores-not-released": "得分尚未公布。公布后可在本页查看；已登记的事项现在就能看到。",
    "unknown-document": "这个版本没有登记原文件。",
    "unknown-clause": "原文件中没有找到这一条款。",
    "document-fonts-missing": "服务器上没有可用的中文字体，不能生成 PDF；可先下载 Word，或请管理员安装字体。",
    "document-not-pdf": "文件不是有效的 PDF。",
    "document-not-text": "文件不是 UTF-8 文本，或 PDF 中没有文字（扫描件）。",
    "document-encrypted": "PDF 有密码，请先去除密码。",
    "document-empty": "文件是空的。",
    "document-too-large": "文件过大。",
    "document-broken": "PDF 已损坏，不能读取。",
    # observations
    "unknown-kind": "没有这种事项，请从列表中选择。",
    "unknown-attribute": "这种事项没有这一栏。",
    "missing-attribute": "有必填的栏目没有填写。",
    "invalid-attribute": "有一栏填写的内容不在可选范围内。",
    "unknown-indicator": "方案中没有这一行（指标），或不属于该单位的分组。",
    "indicator-not-applicable": "这一行不适用于该单位。",
    "not-a-judged-indicator": "这一行不是评定打分的。",
    "judgement-out-of-range": "评定分值超出该行允许的范围。",
    "rank-out-of-range": "名次超出该组单位数。",
    "date-outside-year": "日期不在本年度考核期内。",
    "unknown-observation": "没有这条记录。",
    "observation-void": "这条记录已作废，不能再更改。",
    "rectified-before-fact": "整改日期早于事项发生日期。",
    "batch-size": "一次提交的条数过多或为零。",
    # evidence
    "unknown-evidence": "附件没有存入，请重新上传。",
    "evidence-empty": "附件是空文件。",
    "evidence-too-large": "附件过大。",
    "evidence-incomplete": "附件没有传完，请重新上传。",
    "evidence-erased": "这个附件已依法销毁，只保留销毁记录。",
    "evidence-damaged": "附件已损坏，与记录不符。请联系系统管理员。",
    "evidence-store-unavailable": "附件存储暂时不可用，未记录任何内容，请稍后重试。",
    "evidence-image-too-large": "图片像素过大，请缩小后再上传。",
    "evidence-archive-too-large": "压缩包解开后过大，请拆分后再上传。",
    "erasure-proposed": "已有人提请销毁这个附件，正等待审批。",
    # proposals
    "unknown-proposal": "没有这项审批。",
    "approval-needs-person": "审批须由登录的人员办理。",
    "approval-own": "不能审批自己提出的事项，请另一位有权限的人员办理。",
    "approval-other-bytes": "审批的内容与提交的不一致，请刷新后核对。",
    "decline-own-only": "只能撤回自己提出的事项；退回他人提出的须有审批权限。",
    "proposal-approved": "这项审批已由他人批准。",
    "proposal-declined": "这项审批已被退回或撤回。",
    "proposal-outdated": "提出之后情况有变，这项审批已不适用，请退回后重新提出。",
    # appeals and claims
    "unknown-appeal": "没有这件申诉。",
    "unknown-claim": "没有这件认定申请。",
    "appeal-late": "已过申诉期限。",
    "appeal-open": "同一事项已有申诉正在办理。",
    "appeal-other-unit": "所申诉的记录不是该单位的。",
    "appeal-other-year": "所申诉的记录不属于本年度。",
    "appeal-decided": "这件申诉已有决定。",
    "appeal-withdrawn": "这件申诉已撤回。",
    "appeal-step": "按办理程序，现在不能进行这一步，请刷新查看最新进展。",
    "claim-open": "同一事项的认定申请正在办理。",
    "claim-granted": "这一行已认定不涉及该单位。",
    "claim-decided": "这件认定申请已有决定。",
    "claim-withdrawn": "这件认定申请已撤回。",
    "claim-step": "按办理程序，现在不能进行这一步，请刷新查看最新进展。",
    "order-form": "决定的处理内容填写不完整。",
    "order-changes-nothing": "这样的处理不会改变任何记录，请核对。",
    "order-not-in-dispute": "年度已办结，决定只能处理申诉所涉及的记录。",
    "judgement-superseded": "之后已有新的评定，按此处理不起作用。",
    "observation-supposed-twice": "同一条记录选了两次。",
    "indicator-supposed-twice": "同一行选了两次。",
    # proofs
    "unknown-position": "台账中没有这一条，或不涉及您的单位。",
    "proof-size": "台账没有这么长，请核对回执。",
    "bundle-format": "文件不是本系统的核验包。",
    "bundle-shape": "核验包的内容不完整或多出内容。",
    "bundle-not-canonical": "核验包被改写过，不是原样。",
    "bundle-too-large": "核验包过大。",
    "bundle-not-reproducible": "这个得分现在不能重现，不能生成核验包。",
    "verifier-key-form": "公钥格式不对，请从会议纪要上完整抄录。",
    "json-malformed": "文件不是有效的 JSON。",
    "json-duplicate-key": "文件中同一名称出现两次，不予采用。",
    # workbooks
    "workbook-type": "请上传 .xlsx 工作簿（旧版 .xls 请另存为 .xlsx）。",
    "workbook-damaged": "工作簿已损坏，不能读取。",
    "workbook-encrypted": "工作簿有密码，请先去除密码。",
    "workbook-too-large": "工作簿过大。",
    "workbook-beyond": "工作簿的行列超出范围。",
    "workbook-formula": "单元格中有公式，请改为数值。",
    "workbook-error-value": "单元格中是错误值（如 #N/A），请改正。",
    "workbook-merged-cells": "此处的合并单元格不能读取，请取消合并。",
    "missing-sheet": "缺少工作表。",
    "unknown-sheet": "有不认识的工作表。",
    "missing-column": "缺少必要的列。",
    "unknown-column": "有不认识的列。",
    "several-errors": "有多处需要改正，逐条列在下面。",
    "too-many-errors": "错误过多，其余未列出，请先改正这些。",
}
_UNKNOWN: Final = "提交的内容未被接受。"
_PLACES: Final[Mapping[str, str]] = {
    "unit": "单位",
    "units": "单位",
    "kind": "事项",
    "occurred_on": "发生日期",
    "count": "次数",
    "note": "说明",
    "evidence": "依据",
    "reason": "理由",
    "grounds": "申诉理由",
    "indicator": "指标",
    "observation": "记录",
    "rectified_on": "整改日期",
    "name": "名称",
    "group": "分组",
    "password": "口令",
    "new": "新口令",
    "old": "现口令",
    "as_of": "截至日期",
    "known_at": "所知时点",
    "year": "年度",
    "jurisdiction": "地区",
    "title": "标题",
    "document": "文号",
    "url": "网址",
    "file": "附件",
    "scheme": "方案",
    "version": "版本",
    "day": "日期",
    "since": "起始日期",
    "value": "分值",
}


class Told(NamedTuple):
    """A refusal for people: its code, where it is, a sentence, and what the program says itself."""

    code: str
    where: str
    text: str
    detail: str


def told(problem: Problem) -> Told:
    """Return the refusal in Chinese; `detail` is the English text, for those who look after the system."""
    sentence = _SENTENCES.get(problem.code, _UNKNOWN)
    return Told(problem.code, place_title(problem.where), sentence, problem.message)


def place_title(where: str) -> str:
    """Return what the place of a refusal is called on pages: the field's title where it has one, else the place."""
    last = where.rpartition(".")[2].partition("[")[0]
    if where.startswith("attributes.") or ".attributes." in where:
        return next(
            (kind.attributes[last].label for kind in vocabulary().kinds.values() if last in kind.attributes), where
        )
    return _PLACES.get(last, where)
