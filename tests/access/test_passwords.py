from __future__ import annotations

import secrets

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from api.access.passwords import Passwords, check_new_password, one_time_password, strong_hasher
from ledger.rejection import Rejection


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "樟树市政务公开办公室的猫",
        "t7-Kq2wPx9",
        "x8$" * 3 + "!Lm2qr",
        " leading and trailing ",
        "z" * 64 + "y" * 63 + "x",
    ],
)
def test_long_and_uncommon_passwords_are_taken(password: str) -> None:
    check_new_password(password, "recorder")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short-pw9",
        "x7k" * 43,
        "aaaaaaaaaaaa",
        "ＡＡＡＡＡＡＡＡＡＡ",
        "recorder-1",
        "Recorder2021",
        "recorderrecorder",
        "1234567890",
        "0987654321",
        "20211231235959",
        "abcdefghijkl",
        "qwertyuiop",
        "poiuytrewq",
        "1qaz2wsx3edc",
        "1q2w3e4r5t",
        "abc123def456",
        "password123",
        "Password2021!",
        "administrator1",
        "ABABABABAB",
        "12a12a12a12a",
        "with a tab\tinside",
        "with a NUL\0inside",
        "with a half \ud800 inside",
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(Rejection) as error:
        check_new_password(password, "recorder")
    [refusal] = error.value.refusals
    assert (refusal.code, refusal.where) == ("password-too-weak", "new")
    assert not password or password not in refusal.message


def test_hashes_are_argon2id_with_the_recommended_parameters_and_a_salt_each() -> None:
    passwords = Passwords(strong_hasher())
    first, second = (passwords.hashed("correct horse battery staple") for _ in range(2))
    assert first != second
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert extract_parameters(first) == RFC_9106_LOW_MEMORY
    assert passwords.matches(first, "correct horse battery staple")
    assert not passwords.matches(first, "correct horse battery stapler")
    assert not passwords.outdated(first)


def test_no_hash_is_verified_like_any_other_and_never_matches() -> None:
    for hasher in (strong_hasher(), PasswordHasher.from_parameters(CHEAPEST)):
        passwords = Passwords(hasher)
        assert not hasher.check_needs_rehash(passwords._decoy)
        assert not passwords.matches(None, "")


def test_one_time_passwords_are_readable_and_never_the_same() -> None:
    found = {one_time_password(secrets.token_bytes) for _ in range(200)}
    assert len(found) == 200
    for one in found:
        check_new_password(one, "recorder")
        assert not set(one) & set("01loIO")
        assert [len(group) for group in one.split("-")] == [5, 5, 5, 5]
