"""The background step: once a day what is old is moved, and what is no longer wanted is dropped."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from diat.adapters.lake.beside import Beside, Orders
from diat.adapters.lake.days import day_of
from diat.adapters.lake.history import Lake
from diat.adapters.lake.mover import Mover, Stopped, Submit
from diat.adapters.lake.retention import Retention, drop, first_kept
from diat.kernel.clock import Clock
from diat.kernel.errors import DiatError
from diat.kernel.lazy import Lazy
from diat.kernel.overlay import Ledger

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
else:
    pa = Lazy("pyarrow")
    duckdb = Lazy("duckdb")

_LOG = logging.getLogger("diat.lake")
_LOOK = 60.0
"""Seconds between two looks at the date."""
_AGAIN = 600.0
"""Seconds until another attempt after one that failed."""


class Keeper:
    """A thread that works through the retention policy, at the start and whenever a day in UTC has begun.

    Args:
        engine: the database.
        lake: where old days go to.
        ledger: the writer's; must not be in use yet.
        submit: runs a change in the writer, in a transaction of its own.
        retention: what is kept how long.
        clock: answers with Unix milliseconds.
        beside: the data directory, if steps are to run in processes of their own; None for here.

    Attributes:
        retention: what is kept how long; another one holds from the next step on.
        trouble: why the last attempt failed; None if it did not.
    """

    def __init__(
        self,
        engine: Engine,
        lake: Lake,
        ledger: Ledger,
        submit: Submit,
        retention: Retention,
        clock: Clock,
        beside: Path | None = None,
    ) -> None:
        self._lake = lake
        self.retention = retention
        self._clock = clock
        self._stopping = threading.Event()
        self._mover = Mover(engine, lake, ledger, submit, self._stopping)
        self._data = beside
        self._beside = Beside(lake, self._mover.logs, submit, self._stopping)
        self._thread = threading.Thread(target=self._run, name="diat-lake")
        self.trouble: str | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what is half done is taken up at the next start. To be called before the writer stops."""
        self._stopping.set()
        self._beside.end()
        if self._thread.ident is not None:
            self._thread.join()

    def step(self) -> None:
        """Move and drop what is due by now.

        Raises:
            Stopped: the daemon stops.
            Unavailable: the database or the disk cannot take it.
        """
        now = self._clock()
        before = first_kept(now, self.retention.hot_days)
        if self._data is None:
            self._mover.move(before)
            drop(self._lake, self.retention, now)
        elif self._mover.has_work(before) or self._lake.catalog.holdings().high:
            self._beside.step(Orders(str(self._data), before, now, self.retention))

    def _run(self) -> None:
        done: int | None = None
        while not self._stopping.is_set():
            today = day_of(self._clock())
            rest = _LOOK
            if today != done:
                try:
                    self.step()
                    done, self.trouble = today, None
                except Stopped:
                    return
                except (DiatError, OSError) as error:
                    rest = self._failed(error)
                except (duckdb.Error, pa.ArrowException) as error:
                    rest = self._failed(error)
            self._stopping.wait(rest)

    def _failed(self, error: Exception) -> float:
        """Say what was in the way; how long to wait until the next attempt."""
        if not self._stopping.is_set():
            self.trouble = f"old readings cannot be moved: {error}"
            _LOG.error("%s", self.trouble)
        return _AGAIN
