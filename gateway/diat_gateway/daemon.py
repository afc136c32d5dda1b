"""The daemon of a gateway: a whole one, with a line to the daemon above."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from sqlalchemy import Engine

from diat.daemon import Daemon
from diat.kernel.clock import Clock, system_clock
from diat.kernel.ids import random_id
from diat.kernel.overlay import Ledger
from diat.security.principal import Grant, Principal
from diat.service.placement.beat import Beat
from diat.settings import Settings
from diat.vol.pushdown import Rule
from diat_gateway.buses import HOME, Buses, Networks
from diat_gateway.buses.networks import Network
from diat_gateway.buses.platform import serve
from diat_gateway.credential import Joined
from diat_gateway.downlink import Downlink
from diat_gateway.drain import Drain
from diat_gateway.figures import Figures
from diat_gateway.keeping import Keeping
from diat_gateway.kept import hosted, kept
from diat_gateway.leaving import Leaving
from diat_gateway.pace import Pace
from diat_gateway.parts import Parts
from diat_gateway.restoring import Restoring
from diat_gateway.session import Session
from diat_gateway.settings import LineSettings
from diat_gateway.spool import Spool
from diat_gateway.thinning import Thinning
from diat_gateway.uplink import Uplink
from diat_gateway.withheld import Withheld

ABOVE = Principal(kind="daemon", name="above", grants=(Grant(role="engineer"),))
"""As whom policies know the daemon above: who joins a gateway lets it have what no policy keeps here."""


class Gateway(Daemon):
    """A running gateway.

    Attributes:
        uplink: what goes up, within the writer.
        session: the line itself.
        buses: what local buses have.
        parts: those of services of the daemon above that run here.
    """

    page_cache = 8_000
    templates_at_hand = False
    batch = 300

    def __init__(
        self,
        settings: Settings,
        line: LineSettings,
        clock: Clock = system_clock,
        on_crash: Callable[[], None] = lambda: None,
        on_restart: Callable[[], None] | None = None,
        *,
        allowed: Sequence[Network] = (),
    ) -> None:
        """A gateway that is not started yet; arguments as of ``Daemon``.

        Networks that are ``allowed`` are those, besides private ones, in which buses may look for devices.
        """
        self.buses = Buses(Networks([*HOME, *allowed]))
        super().__init__(settings, clock, on_crash, on_restart, bridge=self.buses)
        self.line = line

    def _extend(self, engine: Engine, ledger: Ledger, stack: ExitStack) -> None:
        line, life = self.line, random_id()[:12]
        # One connection reads within the writer, the other in the session's thread.
        within, beside = Spool(engine), Spool(engine)
        stack.callback(within.close)
        self.uplink = Uplink(
            ledger,
            self.things,
            within,
            kept(engine, within, life),
            Leaving(self.decider, ABOVE, self.pseudonyms),
            self.clock,
            line.name,
            Rule(every=line.every) if line.every else Rule(),
        )
        self.things.tap(self.uplink)
        placings = self.services.placings
        placings.needed.wanted_above = self.uplink.whole
        self.uplink.on_asked = placings.again
        self.uplink.begin()
        self._down = Downlink(self.uplink, self.things, self.clock, life)
        self._down.renumber = Restoring(ledger, self.uplink, within, random_id).renumber
        self._life = life
        withheld = Withheld(self.uplink, self.things, self.record)
        self.parts = Parts(ledger, self.composites, line.name, self.uplink.say, withheld, hosted(engine))
        self.uplink.on_told = self.parts.told
        self.services.acting.elsewhere = self.parts.acts_as
        self.parts.begin()
        self._drain = Drain(beside, self.uplink, line.budget, line.linger)
        self._thinning = Thinning(ledger, self.uplink, self._drain, Spool(engine), line, self.submit)

    def _begin(self, stack: ExitStack) -> None:
        line = self.line
        self._keeping = Keeping(self.uplink, self.things, self.decisions, ABOVE, self.submit, self.clock)
        pace = Pace(line.budget)
        figures = Figures(self.uplink, self._life, line, pace)
        self.session = Session(
            Joined(self.settings.data, line.above),
            self.uplink,
            self._drain,
            self._down.take,
            self.submit,
            self.clock,
            figures,
            pace,
            line.title or line.name,
        )
        self._down.on_welcome = self._welcomed
        self.uplink.on_urgent = self.session.wake
        figures.thinned = lambda: self._thinning.given
        stack.callback(self._thinning.stop)
        stack.callback(self.session.stop)
        self.session.start()
        self._thinning.start()
        things = self.settings.data / "things"
        things.mkdir(exist_ok=True)
        stack.callback(self.buses.stop)
        serve(self.buses, self, [things])
        beat = Beat(self.submit, self.parts.look, self._keeping.look)
        stack.callback(beat.stop)
        beat.start()

    def _welcomed(self) -> None:
        self.session.welcomed()
        self._keeping.again()
        self.parts.look(again=True)
