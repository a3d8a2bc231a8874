"""The whole OpenAPI document against the server, as every role and as nobody: no answer that it does not promise.

Every operation is asked by everybody: the document's examples, and a few requests made up from its schemas. The many
requests that go over each bound of a schema, one by one, are sent once for each operation, by one who may do it; all
roles have their share of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.engine import Status, events, from_schema
from schemathesis.schemas import BaseSchema
from starlette.status import HTTP_400_BAD_REQUEST, HTTP_422_UNPROCESSABLE_CONTENT

from api.access.permissions import MAY, ROUTES
from api.access.principals import Role
from tests.api.openapi.preparing import PASSWORD, ROLES, SESSION_ONLY, Prepared, prepare, serving_a_copy

FEW: Final = 2
"""Made-up requests of each operation and everybody."""
KNOWN: Final = 0.9
"""How many made-up requests name what is there: those that do not all end alike."""
KEY, EXAMPLE_KEY = "Idempotency-Key", "8f4c1c1e-2b1f-4c7e-9a57-6f1f8f1f0c11"
NOT_HERE: Final = frozenset({"GET /api/v1/oidc/login", "GET /api/v1/oidc/callback"})
"""What nobody succeeds in: there is no identity provider."""
HERE: Final = "/api/v1/jurisdictions/{jurisdiction}"
AS_IT_STANDS: Final = frozenset(
    {
        f"GET {HERE}/schemes/{{scheme_id}}/versions/{{version}}/clauses/{{group}}/{{indicator}}/open",
        "POST /api/v1/jurisdictions/{jurisdiction}/proposals/{proposal}/decline",
        "POST /api/v1/jurisdictions/{jurisdiction}/years",
        "POST /api/v1/jurisdictions/{jurisdiction}/years/{year}/claims/{proceeding}/decide",
        "POST /api/v1/jurisdictions/{jurisdiction}/years/{year}/schemes",
        "POST /api/v1/jurisdictions/{jurisdiction}/years/{year}/{kinds}/{proceeding}/complete",
        "POST /api/v1/jurisdictions/{jurisdiction}/years/{year}/{kinds}/{proceeding}/return",
        "POST /api/v1/schemes/validate",
    }
)
"""What the county as it stands, or the order of requests, leaves no success; `test_documentation` sees each succeed."""
SHAPE: Final = frozenset({"field-invalid", "field-missing", "field-unknown", "parameter-unknown"})
UNSAYABLE: Final = (
    "a text that is not blank and holds no control characters",
    "a text on one line that is not blank, without outer spaces, control or invisible characters",
    "either scheme or document",
    "one of scheme, document, and scheme_id with scheme_version",
    "at least one of unit, kind, occurred_on, count, attributes",
    "at least one of observations, indicators",
    "each observation and each indicator once",
    "exactly one of file, url, document",
    "no orders when the appeal is dismissed",
    "at least one order when the appeal is upheld or partly upheld",
    "at most one order for each observation and for each judged row",
    "evidence of its own, or the decision that ordered it",
    "a unit only together with its jurisdiction",
)
"""What texts are, and how fields depend on one another: the schemas do not say it, their descriptions do."""
CHECKS: Final[dict[str, Any]] = {
    # A schema bounds the shape of a request. Whether the unit, the row, the position that it names is there, the ledger
    # knows, and refuses with 422; `shape_is_as_the_schema_says` holds what such a refusal is for.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422", "429"]},
    "negative_data_rejection": {"expected-statuses": ["400", "401", "403", "404", "405", "409", "415", "422", "429"]},
}
_numbers = count(1)


@schemathesis.serializer("application/yaml", "application/pdf")
def as_it_is(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """A file is sent as it is: YAML, to the API, is a text that somebody wrote."""
    return value if isinstance(value, bytes) else str(getattr(value, "data", value)).encode(errors="replace")


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case[Any], **__: Any) -> None:
    """All examples have one key: what is another request gets another, or it would be refused for that alone."""
    if case.headers and case.headers.get(KEY) == EXAMPLE_KEY:
        case.headers[KEY] = f"{EXAMPLE_KEY}-{next(_numbers)}"


@schemathesis.check
def shape_is_as_the_schema_says(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    made_up = case.meta is not None and case.meta.generation.mode.is_positive
    if made_up and response.status_code == HTTP_422_UNPROCESSABLE_CONTENT:
        said = [one for one in response.json()["errors"] if one["code"] in SHAPE]
        assert [one for one in said if not any(words in one["message"] for words in UNSAYABLE)] == []


@dataclass
class Run:
    """What came of the requests of one who asks."""

    asked: set[str] = field(default_factory=set)
    succeeded: set[str] = field(default_factory=set)
    faults: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Operation, check and title of each fault, and how to see it."""

    def send(self, *schemas: BaseSchema) -> None:
        for one in schemas:
            for event in from_schema(one).execute():
                if isinstance(event, events.NonFatalError):
                    self.faults[event.label, "error", event.info.title] = repr(event.value)
                elif isinstance(event, events.FatalError):
                    raise event.exception
                elif isinstance(event, events.ScenarioFinished):
                    self._take(event)

    def _take(self, event: events.ScenarioFinished) -> None:
        told = event.recorder
        label = {identifier: node.value.operation.label for identifier, node in told.cases.items()}
        self.asked |= set(label.values())
        for identifier, interaction in told.interactions.items():
            if interaction.response is not None and interaction.response.status_code < HTTP_400_BAD_REQUEST:
                self.succeeded.add(label[identifier])
        for identifier, checks in told.checks.items():
            for check in checks:
                if check.status == Status.FAILURE and check.failure_info is not None:
                    found = check.failure_info
                    where = (label[identifier], check.name, found.failure.title)
                    self.faults.setdefault(where, f"{found.failure.message}\n{found.code_sample}")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("openapi"))


@pytest.fixture
def application(prepared: Prepared, tmp_path: Path) -> Iterator[FastAPI]:
    with serving_a_copy(prepared, tmp_path) as application:
        yield application


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_surprises_a_role(prepared: Prepared, application: FastAPI, role: Role) -> None:
    document = with_examples(application.openapi(), prepared, prepared.prefixes[role])
    own = {label for label, who in shares(document).items() if who == role}
    token = {"token": {"bearer": prepared.tokens[role]}}
    run = Run()
    run.send(
        schema(document, application, prepared, token, "examples", "fuzzing"),
        schema(document, application, prepared, token, "coverage", only=own),
    )

    assert run.faults == {}
    assert run.asked == labels(document)
    assert own - run.succeeded <= AS_IT_STANDS


def test_no_answer_surprises_a_session(prepared: Prepared, application: FastAPI) -> None:
    document = with_examples(application.openapi(), prepared, prepared.prefixes["administrator"])
    others = {label for label in labels(document) if "/session" in label or "/tokens" in label} - {*SESSION_ONLY}
    run = Run()
    for use, session in prepared.sessions.items():
        only, phases = ({use}, ("coverage",)) if use in SESSION_ONLY else (others, ())
        credentials = {"session": {"api_key": session}}
        run.send(schema(document, application, prepared, credentials, "examples", "fuzzing", *phases, only=only))

    assert run.faults == {}
    assert {*SESSION_ONLY} - run.succeeded == set()


def test_no_answer_surprises_who_has_not_signed_in(prepared: Prepared, application: FastAPI) -> None:
    document = with_examples(application.openapi(), prepared, prepared.prefixes["administrator"])
    open_to_all = {label for label, who in shares(document).items() if who is None}
    run = Run()
    run.send(
        schema(document, application, prepared, {}, "examples", "fuzzing"),
        schema(document, application, prepared, {}, "coverage", only=open_to_all),
    )

    assert run.faults == {}
    assert run.asked == labels(document)
    assert run.succeeded == open_to_all - NOT_HERE


def schema(
    document: dict[str, Any],
    application: FastAPI,
    prepared: Prepared,
    credentials: dict[str, Any],
    *phases: str,
    only: set[str] | None = None,
) -> BaseSchema:
    """Return the document, or some of its operations, to be tried in these phases by who has the credentials."""
    # The same requests in each run: nothing is drawn from answers, which hold random ids.
    unit_phase = {"extra-data-sources": {"responses": False}}
    config: dict[str, Any] = {
        "seed": 20210329,
        "workers": 1,
        "continue-on-failure": True,
        "suppress-health-check": ["all"],
        "cache": {"enabled": False},
        "checks": CHECKS,
        "phases": {
            "examples": unit_phase | {"enabled": "examples" in phases},
            "coverage": unit_phase | {"enabled": "coverage" in phases},
            "fuzzing": unit_phase | {"enabled": "fuzzing" in phases, "error-feedback": {"enabled": False}},
            "stateful": {"enabled": False},
        },
        "generation": {
            "max-examples": FEW,
            "deterministic": True,
            "no-shrink": True,
            "database": "none",
            # The server refuses every parameter that it does not know.
            "allow-extra-parameters": False,
            # Who has signed in sends what they have; only who has nothing makes credentials up.
            "with-security-parameters": not credentials,
        },
        "dictionaries": {name: {"values": [value]} for name, value in prepared.parameters.items()},
        "parameters": {f"path.{name}": {"dictionary": name, "probability": KNOWN} for name in prepared.parameters},
    }
    if credentials:
        config["auth"] = {"openapi": credentials}
    found = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))
    found.app = application
    return found if only is None else found.include(lambda one: one.operation.label in only)


def with_examples(document: dict[str, Any], prepared: Prepared, prefix: str) -> dict[str, Any]:
    """Return the document with what is there as the examples of its paths, and of what only this county knows."""
    document = deepcopy(document)
    for path, item in document["paths"].items():
        known = {**prepared.parameters, "prefix": prefix}
        if "/claims/" in path:
            known["proceeding"] = prepared.claim
        for operation in item.values():
            for one in operation.get("parameters", []):
                if one["in"] in ("path", "query") and one["name"] in known:
                    one["examples"] = {"known": {"value": known[one["name"]]}}
                    one["schema"].pop("examples", None)
    for path, value in {
        "/api/v1/jurisdictions/{jurisdiction}/proposals/{proposal}/approve": {"leaf_hash": prepared.leaf_hash},
        "/api/v1/session/password": {"old": PASSWORD, "new": f"{PASSWORD}-二"},
    }.items():
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"] = {
            "known": {"value": value}
        }
    return document


def labels(document: dict[str, Any]) -> set[str]:
    return {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}


def shares(document: dict[str, Any]) -> dict[str, Role | None]:
    """Return who goes over the bounds of each operation: one who may do it, None where all may."""
    needed = {f"{method} {path.replace(':path', '')}": one for (method, path), one in ROUTES.items()}
    found: dict[str, Role | None] = {}
    for number, label in enumerate(sorted(labels(document) - {*SESSION_ONLY})):
        able = [role for role in ROLES if needed[label] in MAY[role]]
        found[label] = None if needed[label] == "open" else able[number % len(able)]
    return found
