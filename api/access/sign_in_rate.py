"""How often one address may try to sign in: 20 times in any minute, counted in this process's memory.

It bounds the work that strangers can cause; what keeps a password from being guessed is the lock of the account, which
all processes share (`api.access.access`). Behind a proxy the address is the one that the server is told.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import Final

MOST: Final = 20
WINDOW: Final = timedelta(minutes=1)
_MOST_ADDRESSES: Final = 10_000


class SignInRate:
    """The attempts of the last minute, by address; a network of one IPv6 customer (/64) counts as one."""

    def __init__(self) -> None:
        self._attempts: dict[str, deque[datetime]] = {}
        self._lock = Lock()

    def seconds_to_wait(self, address: str, now: datetime) -> int:
        """Count an attempt and return 0, or return after how many whole seconds the next one is taken."""
        with self._lock:
            if len(self._attempts) >= _MOST_ADDRESSES:
                self._attempts = {one: past for one, past in self._attempts.items() if past[-1] > now - WINDOW}
            past = self._attempts.setdefault(_network(address), deque())
            while past and past[0] <= now - WINDOW:
                past.popleft()
            if len(past) >= MOST:
                return -((now - WINDOW - past[0]) // timedelta(seconds=1))
            past.append(now)
            return 0


def _network(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False))
    return str(found)
