"""The one writer: everything that changes durable state goes through this loop, a batch at a time.

The rule it keeps (the durable rule of ARCHITECTURE.md): a batch's changes go down in ONE transaction; only
then are its messages acknowledged and its outgoing messages sent. So what was acknowledged is stored, and
what was not comes again.

Batches form by themselves: whatever arrived while the last one was being committed is the next one.

A batch that cannot be stored is of two kinds. If the database is out of order (``Unavailable``) the batch is
tried again until it goes through, and nothing is acknowledged meanwhile. Any other failure is a poisonous
message: the batch is halved until that message is alone, it is put into quarantine, and the rest goes on.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

from diat.kernel.clock import Clock
from diat.kernel.errors import DiatError, Unavailable
from diat.kernel.overlay import Ledger

M = TypeVar("M")
O = TypeVar("O")  # noqa: E741 - outgoing, beside M for message
Taken = TypeVar("Taken", contravariant=True)
Sent = TypeVar("Sent", contravariant=True)
Given = TypeVar("Given", covariant=True)
T = TypeVar("T")

_LOG = logging.getLogger("diat.writer")
BATCH = 2000
"""Messages in one batch at most: some 20 ms of work, so that REST writes do not wait long."""
_LONGEST_REST = 5.0


class Link(Protocol[M, Sent]):
    """The way to the broker, used by the writer's thread alone (but for ``wake``)."""

    def wait(self, timeout: float) -> None:
        """Return when a message may be there, ``wake`` was called, or after ``timeout`` seconds."""

    def wake(self) -> None:
        """Make ``wait`` return; any thread may call it."""

    def take(self, limit: int) -> list[M]:
        """At most ``limit`` messages that have arrived, oldest first."""

    def settle(self, messages: Sequence[M]) -> None:
        """Acknowledge messages: they are stored."""

    def send(self, outgoing: Sequence[Sent]) -> None:
        """Publish messages: what made them is stored."""

    def receipts(self) -> list[str]:
        """References of sent messages that the broker has acknowledged since the last call."""

    def fresh(self) -> bool:
        """Whether the connection was made anew since the last call."""

    def close(self) -> None:
        """Disconnect."""


class Handler(Protocol[Taken, Given]):
    """What the layers do with a batch; everything happens within one transaction."""

    def message(self, message: Taken) -> None:
        """Take one message."""

    def finish(self, now: int) -> None:
        """Settle what the batch's messages left to be done once at its end."""

    def quarantine(self, message: Taken, reason: str) -> None:
        """Note that the message cannot be stored, without repeating what is wrong with it."""

    def receipt(self, reference: str) -> None:
        """The broker has this outgoing message."""

    def connected(self) -> None:
        """The connection was made anew: send what was not sent."""

    def drain(self) -> Sequence[Given]:
        """Hand over, and forget, the messages to send once the batch is committed."""

    def due(self) -> int | None:
        """When ``tick`` is next needed, Unix milliseconds; None if never."""

    def tick(self, now: int) -> None:
        """Do what is due by now."""


class Store(Protocol):
    """Where the ledger goes."""

    def write(self, ledger: Ledger) -> None:
        """Write all uncommitted changes in one transaction.

        Raises:
            Unavailable: the database cannot take anything just now.
        """


class Writer(Generic[M, O]):
    """The loop. It runs in a thread of its own; ``submit`` is how others take part."""

    def __init__(
        self,
        link: Link[M, O],
        handler: Handler[M, O],
        ledger: Ledger,
        store: Store,
        clock: Clock,
        on_crash: Callable[[], None] = lambda: None,
        batch: int = BATCH,
    ) -> None:
        """A loop that does not run yet; a batch has so many messages at most."""
        self._link = link
        self._batch = batch
        self._handler = handler
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._inbox: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._on_crash = on_crash
        self._thread = threading.Thread(target=self._run, name="diat-writer")
        self.trouble: str | None = None
        """Why nothing can be stored just now; None when all is well."""
        self.crashed: BaseException | None = None
        """What ended the loop against its will."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand; what waits in the inbox is refused."""
        self._stopping.set()
        self._link.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._refuse_the_rest()

    def submit(self, change: Callable[[], T]) -> Future[T]:
        """Run ``change`` in the writer's thread, in a transaction of its own.

        The future is done once the change is durable; it carries what ``change`` returned or raised. A
        change that raises leaves nothing behind.
        """
        future: Future[T] = Future()
        if self._stopping.is_set() or self.crashed is not None:
            future.set_exception(Unavailable("the platform is stopping"))
            return future
        self._inbox.append((change, future))
        self._link.wake()
        if self._ended.is_set():
            self._refuse_the_rest()  # it ended between the look above and the append
        return future

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._link.wait(0.0 if self._inbox else self._patience())
                self._cycle()
        except Unavailable as error:
            # Only when stopping; what is not stored is not acknowledged either, and comes again.
            _LOG.warning("stopped before everything was stored: %s", error)
        except BaseException as error:
            self.crashed = error
            _LOG.exception("the writer ended against its will")
            raise
        finally:
            self._link.close()
            self._ended.set()
            self._refuse_the_rest()
            if self.crashed is not None:
                self._on_crash()

    def _refuse_the_rest(self) -> None:
        while self._inbox:
            _, future = self._inbox.popleft()
            if future.set_running_or_notify_cancel():
                future.set_exception(Unavailable("the platform is stopping"))

    def _patience(self) -> float:
        due = self._handler.due()
        return 1.0 if due is None else min(1.0, max(0.0, (due - self._clock()) / 1000))

    def _cycle(self) -> None:
        messages = self._link.take(self._batch)
        receipts = self._link.receipts()
        fresh = self._link.fresh()
        due = self._handler.due()
        now = self._clock()
        turn = bool(receipts or fresh or (due is not None and due <= now))
        if messages and turn and self._together(messages, receipts, fresh, now):
            pass
        else:
            if turn:
                self._persist(lambda: self._turn(receipts, fresh, now))
            if messages:
                self._take(messages)
        for _ in range(len(self._inbox)):
            self._answer(*self._inbox.popleft())

    def _together(self, messages: Sequence[M], receipts: list[str], fresh: bool, now: int) -> bool:
        """Do what is due and take the messages in one transaction, which saves a flush; whether it worked.

        If it did not, each is done in its own, so that a poisonous message cannot take the rest with it.
        """

        def both() -> None:
            self._turn(receipts, fresh, now)
            self._read(messages)

        try:
            self._persist(both)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - what is wrong shows when they are done one by one
            return False
        self._link.settle(messages)
        return True

    def _turn(self, receipts: list[str], fresh: bool, now: int) -> None:
        for reference in receipts:
            self._handler.receipt(reference)
        if fresh:
            self._handler.connected()
        self._handler.tick(now)

    def _take(self, messages: Sequence[M]) -> None:
        try:
            self._persist(lambda: self._read(messages))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a message brings about must not stop the rest
            if len(messages) > 1:
                middle = len(messages) // 2
                self._take(messages[:middle])
                self._take(messages[middle:])
                return
            _LOG.warning("quarantined a message: %s", error)
            reason = f"{type(error).__name__}: {error}"[:500]
            self._persist(lambda: self._handler.quarantine(messages[0], reason))
        self._link.settle(messages)

    def _read(self, messages: Sequence[M]) -> None:
        take = self._handler.message
        for message in messages:
            take(message)
        self._handler.finish(self._clock())

    def _answer(self, change: Callable[[], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = self._persist(change)
        except DiatError as refusal:
            future.set_exception(refusal)
        except Exception as error:  # noqa: BLE001 - it is the caller's to hear of, the loop goes on
            _LOG.exception("a change failed")
            future.set_exception(error)
        else:
            future.set_result(result)

    def _persist(self, change: Callable[[], T]) -> T:
        """Apply the change, store it, show it and send what it wants sent; or leave no trace and raise."""
        rest = 0.05
        while True:
            try:
                result = change()
                self._store.write(self._ledger)
            except Unavailable as error:
                self._drop()
                if self._stopping.is_set():
                    raise
                if self.trouble is None:
                    _LOG.error("nothing can be stored: %s", error)
                self.trouble = str(error)
                self._stopping.wait(rest)
                rest = min(rest * 2, _LONGEST_REST)
            except BaseException:
                self._drop()
                raise
            else:
                self.trouble = None
                self._ledger.commit()
                outgoing = self._handler.drain()
                if outgoing:
                    self._link.send(outgoing)
                return result

    def _drop(self) -> None:
        self._ledger.rollback()
        self._handler.drain()
