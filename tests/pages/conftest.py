"""Pages through a real ASGI client, on SQLite and on PostgreSQL, as the tests of the API do it."""

from tests.api.conftest import (
    application,
    clerk,
    client,
    clock,
    colleague,
    county,
    new_county,
    settings,
    visitor,
)

__all__ = ["application", "clerk", "client", "clock", "colleague", "county", "new_county", "settings", "visitor"]
