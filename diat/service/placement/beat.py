"""A thread that looks after something every few seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from diat.kernel.errors import DiatError

_LOG = logging.getLogger("diat.placement")
Submit = Callable[[Callable[[], Any]], Future[Any]]
EVERY = 3.0
"""Seconds between two looks."""


class Beat:
    """Does something beside and then something within the writer, every few seconds."""

    def __init__(
        self,
        submit: Submit,
        within: Callable[[], Any],
        beside: Callable[[], Any] = lambda: None,
        every: float = EVERY,
    ) -> None:
        """``submit`` runs a change in the writer."""
        self._submit, self._within, self._beside, self._every = submit, within, beside, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="diat-placement")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            try:
                self._beside()
                self._submit(self._within).result()
            except DiatError as error:
                _LOG.warning("where steps run could not be looked at: %s", error)
            except Exception:  # noqa: BLE001 - the next look may find what this one could not
                if not self._over.is_set():
                    _LOG.exception("where steps run could not be looked at")
