"""Fixtures:

house: a database and a lake in a directory of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.lake.house import House


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.stop()
