"""A server's first start, as far as accounts go: prints the one-time password of the administrator it made, if any."""

import secrets
import sys

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from api.access.access import Access
from api.opening import now
from ledger.database import open_engine

if __name__ == "__main__":
    hasher = PasswordHasher.from_parameters(CHEAPEST)
    made = Access(open_engine(sys.argv[1]), now, secrets.token_bytes, 12, hasher).first_administrator()
    sys.stdout.write(f"{made.one_time_password}\n" if made else "")
