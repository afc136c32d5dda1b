"""Notices of what became of things, read back for those who were away. Any thread may ask."""

from __future__ import annotations

import json

from sqlalchemy import Engine, func, select

from diat.adapters.sql.tables import NOTICES
from diat.vol.notices import KEPT, Notice


class KeptNotices:
    """Reads the notices that are kept."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, position: int, limit: int) -> list[Notice]:
        """Notices behind a position, oldest first."""
        wanted = (
            select(NOTICES.c.position, NOTICES.c.kind, NOTICES.c.thing, NOTICES.c.patch)
            .where(NOTICES.c.position > position)
            .order_by(NOTICES.c.position)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                Notice(at, kind, thing, None if patch is None else json.loads(patch))
                for at, kind, thing, patch in connection.execute(wanted)
            ]

    def last(self) -> int:
        """The position of the newest; 0 if there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(NOTICES.c.position))).scalar() or 0

    def reach_back_to(self, position: int) -> bool:
        """Whether none of those behind a position was dropped for its age."""
        with self._engine.connect() as connection:
            oldest, kept = connection.execute(
                select(func.min(NOTICES.c.position), func.count(NOTICES.c.position))
            ).one()
        # Fewer than are kept at the least: none was ever dropped.
        return bool(kept < KEPT or oldest <= position)
