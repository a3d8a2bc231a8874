"""What each page needs: the part of the table of permissions that is about pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from api.access.permissions import Permission

_J: Final = "/jurisdictions/{jurisdiction}"
_Y: Final = f"{_J}/years/{{year}}"

PAGES: Final[Mapping[tuple[str, str], Permission]] = {
    # sign-in and home
    ("GET", "/"): "signed-in",
    ("GET", "/sign-in"): "open",
    ("POST", "/sign-in"): "open",
    ("GET", "/signed-in"): "open",
    ("POST", "/sign-out"): "signed-in",
    ("GET", "/password"): "signed-in",
    ("POST", "/password"): "signed-in",
    # overview
    ("GET", _Y): "years.read",
    ("GET", f"{_Y}/live"): "years.read",
    # record
    ("GET", f"{_Y}/record"): "observations.record",
    ("POST", f"{_Y}/record"): "observations.record",
    ("POST", f"{_Y}/record/choose"): "observations.record",
    ("POST", f"{_Y}/record/preview"): "observations.record",
    ("GET", f"{_Y}/record/batch"): "observations.record",
    ("POST", f"{_Y}/record/batch"): "observations.record",
    ("POST", f"{_Y}/record/batch/choose"): "observations.record",
    ("POST", f"{_Y}/record/batch/preview"): "observations.record",
    ("GET", f"{_Y}/observations/{{observation}}"): "items.read",
    ("POST", f"{_Y}/observations/{{observation}}/amend"): "observations.record",
    ("POST", f"{_Y}/observations/{{observation}}/void"): "observations.record",
    ("POST", f"{_Y}/observations/{{observation}}/rectify"): "observations.record",
    # units
    ("GET", f"{_Y}/units"): "own-scores.read",
    ("GET", f"{_Y}/units/{{unit:path}}"): "own-scores.read",
    ("GET", f"{_Y}/derivations/{{unit:path}}"): "own-scores.read",
    # proceedings
    ("GET", f"{_Y}/appeals"): "items.read",
    ("GET", f"{_Y}/appeals/file"): "appeals.file",
    ("POST", f"{_Y}/appeals/file"): "appeals.file",
    ("GET", f"{_Y}/appeals/{{proceeding}}"): "items.read",
    ("POST", f"{_Y}/appeals/{{proceeding}}/prospect"): "appeals.decide",
    ("POST", f"{_Y}/appeals/{{proceeding}}/decide"): "appeals.decide",
    ("GET", f"{_Y}/claims"): "items.read",
    ("GET", f"{_Y}/claims/file"): "appeals.file",
    ("POST", f"{_Y}/claims/file"): "appeals.file",
    ("GET", f"{_Y}/claims/{{proceeding}}"): "items.read",
    ("POST", f"{_Y}/claims/{{proceeding}}/decide"): "appeals.decide",
    ("POST", f"{_Y}/{{kinds}}/{{proceeding}}/return"): "appeals.handle",
    ("POST", f"{_Y}/{{kinds}}/{{proceeding}}/complete"): "appeals.file",
    ("POST", f"{_Y}/{{kinds}}/{{proceeding}}/accept"): "appeals.handle",
    ("POST", f"{_Y}/{{kinds}}/{{proceeding}}/review"): "appeals.handle",
    ("POST", f"{_Y}/{{kinds}}/{{proceeding}}/withdraw"): "appeals.file",
    # approvals
    ("GET", f"{_Y}/approvals"): "proposals.read",
    ("GET", f"{_Y}/approvals/{{proposal}}"): "proposals.read",
    ("POST", f"{_Y}/approvals/{{proposal}}/approve"): "proposals.approve",
    ("POST", f"{_Y}/approvals/{{proposal}}/decline"): "proposals.decline",
    # scheme
    ("GET", f"{_Y}/scheme"): "years.read",
    ("GET", f"{_Y}/scheme/file"): "years.read",
    ("GET", f"{_Y}/scheme/workbook"): "years.read",
    ("GET", f"{_Y}/scheme/difference"): "years.read",
    ("GET", f"{_Y}/scheme/replay"): "scores.read",
    ("POST", f"{_Y}/scheme/replay"): "scores.read",
    # manage
    ("GET", f"{_J}/open-year"): "years.manage",
    ("POST", f"{_J}/open-year"): "years.manage",
    ("GET", f"{_J}/open-year/template"): "years.manage",
    ("GET", f"{_Y}/manage"): "years.manage",
    ("POST", f"{_Y}/manage/join"): "years.manage",
    ("POST", f"{_Y}/manage/leave"): "years.manage",
    ("POST", f"{_Y}/manage/rename"): "years.manage",
    ("POST", f"{_Y}/manage/adopt"): "years.close",
    ("POST", f"{_Y}/manage/terms"): "years.manage",
    ("POST", f"{_Y}/manage/document"): "years.manage",
    ("POST", f"{_Y}/manage/release"): "years.close",
    ("POST", f"{_Y}/manage/close"): "years.close",
    ("POST", f"{_Y}/manage/reopen"): "years.close",
    ("GET", f"{_Y}/closings"): "scores.read",
    # ledger
    ("GET", f"{_Y}/ledger"): "items.read",
    ("GET", f"{_Y}/ledger/{{position}}"): "items.read",
    ("GET", f"{_Y}/ledger/{{position}}/receipt"): "proofs.read",
    ("GET", f"{_Y}/ledger/{{position}}/receipt.json"): "proofs.read",
    # verify
    ("GET", "/verify"): "signed-in",
    ("POST", "/verify"): "signed-in",
    # system
    ("GET", "/system/accounts"): "accounts.manage",
    ("POST", "/system/accounts"): "accounts.manage",
    ("GET", "/system/accounts/{name}"): "accounts.manage",
    ("POST", "/system/accounts/{name}/disable"): "accounts.manage",
    ("POST", "/system/accounts/{name}/enable"): "accounts.manage",
    ("POST", "/system/accounts/{name}/reset-password"): "accounts.manage",
    ("POST", "/system/accounts/{name}/grants"): "accounts.manage",
    ("POST", "/system/accounts/{name}/revoke"): "accounts.manage",
    ("POST", "/system/accounts/{name}/end-sessions"): "accounts.manage",
    ("GET", "/system/access-log"): "access-log.read",
    ("GET", "/system/settings"): "accounts.manage",
    ("GET", "/system/calendar"): "signed-in",
    ("GET", "/me"): "signed-in",
    ("POST", "/me/tokens"): "signed-in",
    ("POST", "/me/tokens/{prefix}/revoke"): "signed-in",
    ("POST", "/me/end-sessions"): "signed-in",
    # workbooks
    ("GET", f"{_Y}/workbooks"): "scores.read",
    ("GET", f"{_Y}/workbooks/template.xlsx"): "observations.record",
    ("GET", f"{_Y}/workbooks/sheets.xlsx"): "scores.read",
    ("GET", f"{_Y}/workbooks/sheets/{{unit:path}}.xlsx"): "own-scores.read",
    ("GET", f"{_Y}/workbooks/history/{{unit:path}}.xlsx"): "own-scores.read",
    ("GET", f"{_Y}/workbooks/ranking.xlsx"): "scores.read",
    ("GET", f"{_Y}/workbooks/ledger.xlsx"): "items.read",
    ("POST", f"{_Y}/workbooks/import"): "observations.record",
    ("GET", f"{_Y}/workbooks/import/{{job}}"): "observations.record",
    ("POST", f"{_Y}/workbooks/import/{{job}}/check"): "observations.record",
    ("POST", f"{_Y}/workbooks/import/{{job}}/record"): "observations.record",
    # papers
    ("GET", f"{_Y}/papers"): "scores.read",
    ("GET", f"{_Y}/papers/result.{{written}}"): "scores.read",
    ("GET", f"{_Y}/papers/rectification.{{written}}"): "scores.read",
    ("GET", f"{_Y}/papers/answer.{{written}}"): "scores.read",
    # notices
    ("GET", f"{_Y}/notices"): "items.read",
}
