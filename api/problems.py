"""Refusals and failures as problem details (RFC 9457): one shape for whatever goes wrong, with stable codes.

What the path of a request names and the ledger does not have is 404; what its query, headers or body say wrongly is
422; what is right but does not fit what was recorded before is 409; a ledger found damaged is 500. Nothing of a
refused request has been recorded, except that `commit-unknown` says that this is not known.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from eventsourcing.persistence import PersistenceError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.status import (
    HTTP_401_UNAUTHORIZED,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_405_METHOD_NOT_ALLOWED,
    HTTP_409_CONFLICT,
    HTTP_410_GONE,
    HTTP_413_CONTENT_TOO_LARGE,
    HTTP_422_UNPROCESSABLE_CONTENT,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)

from api.access.permissions import ROUTES
from api.invalid_fields import model_problems, parameter_problems
from api.refusals import reasons
from ledger.appends import CommitUnknown, LedgerUnavailable
from ledger.canonical import JsonProblem
from ledger.rejection import Rejection
from schemes.problem import InvalidInput, Problem

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5
MOST_ERRORS: Final = 1_000
"""Most errors of one body that are named; further ones are only counted."""

_CONFLICTS: Final = frozenset(
    {
        "account-name-taken",
        "appeal-decided",
        "appeal-late",
        "appeal-not-decided",
        "appeal-open",
        "appeal-step",
        "appeal-withdrawn",
        "bundle-not-reproducible",
        "claim-decided",
        "claim-granted",
        "claim-open",
        "claim-step",
        "claim-withdrawn",
        "erasure-proposed",
        "idempotency-key-reused",
        "indicator-not-applicable",
        "judgement-superseded",
        "last-administrator",
        "nothing-to-rectify",
        "observation-void",
        "order-changes-nothing",
        "order-not-in-dispute",
        "proposal-approved",
        "proposal-declined",
        "proposal-outdated",
        "roles-conflict",
        "scheme-in-force",
        "scheme-version-taken",
        "terms-unchanged",
        "token-without-grants",
        "unit-has-left",
        "unit-name-taken",
        "unknown-grant",
        "year-already-open",
        "year-closed",
        "year-not-closed",
    }
)
_ABSENT: Final = frozenset(
    {
        "unknown-account",
        "unknown-appeal",
        "unknown-claim",
        "unknown-clause",
        "unknown-closing",
        "unknown-document",
        "unknown-group",
        "unknown-indicator",
        "unknown-jurisdiction",
        "unknown-evidence",
        "unknown-observation",
        "unknown-position",
        "unknown-proposal",
        "unknown-scheme",
        "unknown-token",
        "unknown-unit",
        "year-not-open",
    }
)
_FORBIDDEN: Final = frozenset(
    {
        "approval-needs-person",
        "approval-own",
        "decline-own-only",
        "own-grant",
        "password-must-change",
        "scores-not-released",
    }
)
_DAMAGE: Final = frozenset(
    {
        "checkpoint-damaged",
        "checkpoint-not-consistent",
        "evidence-damaged",
        "evidence-key-permissions",
        "evidence-key-wrong",
        "ledger-damaged",
        "signing-key-damaged",
        "signing-key-missing",
        "signing-key-origin",
        "signing-key-permissions",
    }
)
"""What the operator has to put right: nobody who sends a request can."""
_UNAVAILABLE: Final = frozenset(
    {
        "document-fonts-missing",
        "evidence-store-unavailable",
        "ledger-busy",
        "template-braces",
        "template-not-readable",
        "template-not-word",
        "template-placeholder",
        "template-row",
    }
)
"""What may be asked for again: the operator's fonts and templates are put right without starting anew."""
_OF_KEYS: Final = "the server cannot use its keys; its log says more"
_logger = logging.getLogger("mingzhang.http")


class ErrorDetail(BaseModel):
    """One reason: a stable code, the field or thing it is about, what was found and what was expected."""

    model_config = ConfigDict(frozen=True)

    code: str
    where: str
    message: str


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457). `code` is the one code of all `errors`, or `several-errors`."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "attributes.level: found 'city', expected one of national, provincial, municipal, county",
                    "code": "invalid-attribute",
                    "errors": [
                        {
                            "code": "invalid-attribute",
                            "where": "attributes.level",
                            "message": "found 'city', expected one of national, provincial, municipal, county",
                        }
                    ],
                }
            ]
        },
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: list[ErrorDetail]


class RefusedRequest(HTTPException):
    """A request that is refused before any service is asked, with the reason."""

    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, str(problem), headers)
        self.problem = problem


def problem_response(status: int, problems: Sequence[Problem], headers: dict[str, str] | None = None) -> Response:
    """Return the response that states these problems."""
    codes = {one.code for one in problems}
    details = ProblemDetails(
        title=HTTPStatus(status).phrase,
        status=status,
        detail="; ".join(f"{one.where}: {one.message}" if one.where else one.message for one in problems[:10]),
        code=codes.pop() if len(codes) == 1 else "several-errors",
        errors=[ErrorDetail(code=one.code, where=one.where, message=one.message) for one in problems],
    )
    return Response(details.model_dump_json(), status, headers, MEDIA_TYPE)


class Failure(NamedTuple):
    """What a request is answered with instead: a status, the reasons, and headers."""

    status: int
    problems: Sequence[Problem]
    headers: dict[str, str] | None = None


RefusalPage = Callable[[Request, Failure], Awaitable[Response]]


def add_problem_handlers(app: FastAPI, page: RefusalPage) -> None:
    """Make the application answer every refusal and failure with problem details, or with a page where one is due."""

    async def answer(request: Request, error: Exception) -> Response:
        failure = failure_of(request, error)
        return await page(request, failure) if _is_for_page(request) else problem_response(*failure)

    for expected in (
        Rejection,
        InvalidInput,
        JsonProblem,
        RequestValidationError,
        HTTPException,
        PersistenceError,
        SQLAlchemyError,
    ):
        app.add_exception_handler(expected, answer)


def failure_of(request: Request, error: Exception) -> Failure:
    """Return what a refusal, an invalid request or a database that failed is answered with."""
    match error:
        case RequestValidationError():
            return _invalid(request, error)
        case HTTPException():
            return _http_error(request, error)
        case PersistenceError() | SQLAlchemyError():
            return _not_available(error)
        case _:
            return _refused(request, error)


def _is_for_page(request: Request) -> bool:
    """Whether a page was asked for, or anything else by a browser that will show the answer to somebody."""
    route = request.scope.get("route")
    if getattr(route, "is_page", False) or request.headers.get("sec-fetch-dest") == "document":
        return True
    if route is not None:
        return False
    return not request.url.path.startswith(("/api/", "/static/")) and "text/html" in request.headers.get("accept", "")


def failed(request_id: str, error: Exception) -> Response:
    """Log an error nobody expected and return the response that tells nothing of it but its request id."""
    _logger.error("request %s failed", request_id, exc_info=error)
    message = f"the server failed; its log says more under request id {request_id}"
    return problem_response(HTTP_500_INTERNAL_SERVER_ERROR, [Problem("internal-error", "", message)])


def _refused(request: Request, error: Exception) -> Failure:
    problems = reasons(error)
    status = _status(problems[0], request.path_params)
    if status == HTTP_500_INTERNAL_SERVER_ERROR:
        _logger.error("the operator has to put this right: %s", error)
        # What is wrong with a file that the server keeps names its path: that is for the log, not for who asks.
        kept = ("checkpoint-damaged", "signing-key", "evidence-key")
        problems = [
            replace(one, where="server", message=_OF_KEYS) if one.code.startswith(kept) else one for one in problems
        ]
    return Failure(status, problems, _retry() if status == HTTP_503_SERVICE_UNAVAILABLE else None)


def _status(problem: Problem, path: dict[str, Any]) -> int:
    if problem.code in _UNAVAILABLE:
        return HTTP_503_SERVICE_UNAVAILABLE
    if problem.code in _DAMAGE:
        return HTTP_500_INTERNAL_SERVER_ERROR
    if problem.code in ("json-too-large", "document-too-large", "evidence-too-large"):
        return HTTP_413_CONTENT_TOO_LARGE
    if problem.code == "sign-in-refused":
        return HTTP_401_UNAUTHORIZED
    if problem.code == "evidence-erased" and problem.where in path:
        return HTTP_410_GONE
    if problem.code in _FORBIDDEN:
        return HTTP_403_FORBIDDEN
    if problem.code in _CONFLICTS:
        return HTTP_409_CONFLICT
    named_in_path = problem.code in _ABSENT and problem.where in path
    return HTTP_404_NOT_FOUND if named_in_path else HTTP_422_UNPROCESSABLE_CONTENT


def _invalid(request: Request, error: RequestValidationError) -> Failure:
    found = error.errors()
    errors = found[:MOST_ERRORS]
    body = [{**one, "loc": one["loc"][1:]} for one in errors if one["loc"][0] == "body"]
    problems = parameter_problems(one for one in errors if one["loc"][0] != "body")
    problems += model_problems(body, error.body, getattr(request.state, "body_type", None))
    if len(found) > MOST_ERRORS:
        more = f"{len(found) - MOST_ERRORS} more errors are not named; put these right first"
        problems.append(Problem("too-many-errors", "body", more))
    return Failure(HTTP_422_UNPROCESSABLE_CONTENT, problems)


def _http_error(request: Request, error: HTTPException) -> Failure:
    headers = dict(error.headers or {})
    if isinstance(error, RefusedRequest):
        return Failure(error.status_code, [error.problem], headers)
    if error.status_code == HTTP_404_NOT_FOUND:
        problem = Problem("not-found", request.url.path, "there is nothing here; /docs lists what there is")
    elif error.status_code == HTTP_405_METHOD_NOT_ALLOWED:
        # The router tells the methods of the first route at the address only.
        route = getattr(request.scope.get("route"), "path", None)
        methods = {method for method, path in ROUTES if path == route}
        methods |= {"HEAD"} if "GET" in methods else set()
        allowed = headers["Allow"] = ", ".join(sorted(methods)) or headers["Allow"]
        problem = Problem("method-not-allowed", request.url.path, f"found {request.method}, expected {allowed}")
    else:
        problem = Problem("http-error", "", str(error.detail))
    return Failure(error.status_code, [problem], headers)


def _not_available(error: Exception) -> Failure:
    """Whether the ledger cannot be had, or a commit's outcome is unknown: the same request may be sent again."""
    _logger.error("the ledger's database failed", exc_info=error)
    if isinstance(error, CommitUnknown):
        message = "the commit failed, so it is not known whether this was recorded; send it again with the same key"
        return Failure(HTTP_503_SERVICE_UNAVAILABLE, [Problem(error.code, "", message)], _retry())
    if isinstance(error, LedgerUnavailable | OperationalError | PoolTimeout):
        message = "the ledger's database cannot be reached; nothing was recorded; try again later"
        return Failure(HTTP_503_SERVICE_UNAVAILABLE, [Problem(LedgerUnavailable.code, "", message)], _retry())
    message = "the ledger's database failed; nothing was recorded; the server's log says more"
    return Failure(HTTP_500_INTERNAL_SERVER_ERROR, [Problem("ledger-failed", "", message)])


def _retry() -> dict[str, str]:
    return {"Retry-After": str(RETRY_SECONDS)}
