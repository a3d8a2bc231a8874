from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from api.access.sign_in_rate import MOST, SignInRate

NOON = datetime(2021, 3, 1, 12, tzinfo=UTC)


def test_an_address_has_twenty_attempts_in_any_minute() -> None:
    rate = SignInRate()
    assert [rate.seconds_to_wait("10.0.0.1", NOON + timedelta(seconds=at)) for at in range(MOST)] == [0] * 20
    assert rate.seconds_to_wait("10.0.0.1", NOON + timedelta(seconds=30)) == 30
    assert rate.seconds_to_wait("10.0.0.1", NOON + timedelta(seconds=59, milliseconds=500)) == 1
    assert rate.seconds_to_wait("10.0.0.1", NOON + timedelta(seconds=60)) == 0
    assert rate.seconds_to_wait("10.0.0.1", NOON + timedelta(seconds=60)) == 1


def test_addresses_do_not_share_their_attempts() -> None:
    rate = SignInRate()
    for number in range(MOST + 1):
        assert rate.seconds_to_wait(f"10.0.0.{number}", NOON) == 0


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("testclient", "testclient", True),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str, shared: bool) -> None:
    rate = SignInRate()
    for _ in range(MOST):
        rate.seconds_to_wait(one, NOON)
    assert (rate.seconds_to_wait(other, NOON) > 0) is shared


def test_addresses_that_have_been_quiet_are_forgotten() -> None:
    rate = SignInRate()
    for number in range(10_000):
        rate.seconds_to_wait(str(number), NOON)
    rate.seconds_to_wait("10.0.0.1", NOON + timedelta(minutes=2))
    assert len(rate._attempts) == 1
