"""How many bad inputs are tried, family by family, counted from the tables themselves."""

from __future__ import annotations

from tests.access.test_oidc_refusals import BAD_PROVIDERS, BAD_TOKENS
from tests.access.test_tokens import MALFORMED
from tests.api.bad_inputs import (
    test_files,
    test_identifiers,
    test_json,
    test_parameters,
    test_proofs,
    test_scheme_texts,
    test_texts,
    test_tokens,
)

FAMILIES: dict[str, tuple[int, int]] = {
    "JSON": (len(test_json.BODIES) + len(test_json.MEDIA_TYPES) + len(test_json.ENCODINGS), 100),
    "fields of the server's": (
        len(test_json.SERVER_FIELDS) + len(test_json.ELSEWHERE) * len(test_json.FORGED) + len(test_json.INSIDE),
        60,
    ),
    "identifiers": (
        len(test_identifiers.NAMES)
        + len(test_identifiers.ALIKE)
        + len(test_parameters.SEGMENTS)
        + len(test_scheme_texts.SHIPPED),
        80,
    ),
    "parameters and headers": (
        sum(
            len(one)
            for one in (
                test_parameters.FORGED,
                test_parameters.PARAMETERS,
                test_parameters.FAR,
                test_parameters.KEYS,
                test_parameters.TAGS,
            )
        ),
        80,
    ),
    "schemes": (
        sum(
            len(one)
            for one in (
                test_scheme_texts.SCHEMES,
                test_scheme_texts.TAGS,
                test_scheme_texts.NUMBERS,
                test_scheme_texts.CELLS,
                test_scheme_texts.FORMULAS,
                test_scheme_texts.WORKBOOKS,
            )
        ),
        55,
    ),
    "files": (
        sum(
            len(one)
            for one in (
                test_files.REFUSED,
                test_files.SAVED,
                test_files.BEHIND,
                test_files.DOCUMENTS,
                test_files.DRAWN,
                test_files.REGISTERED,
            )
        ),
        60,
    ),
    "tokens": (
        sum(
            len(one)
            for one in (
                test_tokens.AUTHORIZATIONS,
                test_tokens.COOKIES,
                test_tokens.SPOILT,
                test_tokens.WISHES,
                MALFORMED,
                BAD_TOKENS,
                BAD_PROVIDERS,
            )
        ),
        150,
    ),
    "proofs": (
        sum(
            len(one)
            for one in (
                test_proofs.INCLUSIONS,
                test_proofs.CONSISTENCIES,
                test_proofs.CHECKPOINTS,
                test_proofs.KEYS,
                test_proofs.ASKED,
            )
        ),
        110,
    ),
    "HTML and code in text": (len(test_texts.TEXTS) + len(test_texts.ADDRESSES), 35),
}


def test_at_least_a_hundred_bad_inputs_are_tried_and_each_family_has_its_share() -> None:
    assert {family: (found, least) for family, (found, least) in FAMILIES.items() if found < least} == {}
    assert sum(found for found, _ in FAMILIES.values()) >= 100
