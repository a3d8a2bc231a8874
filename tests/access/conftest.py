from __future__ import annotations

import pytest
from sqlalchemy import Engine

from api.access.access import Access
from tests.access.office import Office


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)


@pytest.fixture
def access(office: Office) -> Access:
    return office.access
