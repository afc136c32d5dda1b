"""What native things say: reports, events, status and results on ``diat/{thing}/…``."""

from __future__ import annotations

from msgspec import UNSET

from diat.vol.diagnostics import Diagnostics
from diat.vol.intake import Intake
from diat.vol.interaction import Interaction
from diat.vol.observers import Observers
from diat.vol.pushdown import PushDown
from diat.vol.thing import VirtualObject
from diat.vol.twin import Quality, Status, Twin
from diat.wire import topics
from diat.wire.envelope import (
    Garbled,
    Message,
    Occurrence,
    Report,
    read_occurrences,
    read_reports,
    read_result,
)

AHEAD = 60_000
"""Milliseconds by which a thing's clock may be ahead of ours before we stop believing it."""

_STATUS: dict[bytes, Status] = {b"online": "online", b"offline": "offline", b"sleeping": "sleeping"}


class NativeMessages:
    """Reads the messages of native things; used by the writer alone."""

    def __init__(
        self,
        intake: Intake,
        interaction: Interaction,
        observers: Observers,
        diagnostics: Diagnostics,
        pushdown: PushDown,
    ) -> None:
        self._intake = intake
        self._interaction = interaction
        self._observers = observers
        self._diagnostics = diagnostics
        self._pushdown = pushdown

    def take(self, each: VirtualObject, channel: str, message: Message) -> None:
        """Take a message of a thing that takes part."""
        if len(message.payload) > topics.NATIVE_LIMIT:
            self._reject(each.id, f"{channel}: larger than {topics.NATIVE_LIMIT} bytes", message)
        elif channel == "properties":
            self._report(each, message)
        elif channel == "status":
            self._status(each, message)
        elif channel == "results":
            self._result(each, message)
        else:
            self._occurrence(each, channel.removeprefix("events/"), message)

    def _report(self, each: VirtualObject, message: Message) -> None:
        reports = read_reports(message.payload)
        if isinstance(reports, Garbled):
            self._reject(each.id, f"properties: {reports.reason}", message)
            return
        twin = self._intake.heard(each.id, message.received)
        self._pushdown.count(each.id, len(message.payload), message.received)
        if each.id in self._intake.meters.by:
            names = [name for report in reports if report.v is not UNSET for name in report.v]
            self._intake.meters.said(each.id, message, (each.record.renames.get(one, one) for one in names))
        for report in reports:
            boot = None if report.b is None else str(report.b)
            if report.lost is not None and boot is not None:
                twin.give_up(boot, *report.lost)
                self._given_up(each.id, boot, report, message.received)
            values = report.v
            if values is UNSET or not self._first_time(each, twin, boot, report.n, message):
                continue
            if renames := each.record.renames:
                values = {renames.get(name, name): value for name, value in values.items()}
            observed, quality = self._date(each, twin, report, boot, message.received)
            self._intake.keep(
                each, twin, values, observed, message.received, quality=quality, boot=boot, n=report.n
            )

    def _given_up(self, thing: str, boot: str, report: Report, received: int) -> None:
        """Note what a thing gave up; of what was thinned within a bound, only the bound."""
        if report.within:
            off = ", ".join(f"{name} {bound:g}" for name, bound in sorted(report.within.items()))
            line = f"its readings were thinned; what stands is right within: {off}"
        else:
            first, last = report.lost or (0, 0)
            line = f"boot {boot}: gave up messages {first} to {last}"
        self._diagnostics.note(thing, line[:300], received)

    def _occurrence(self, each: VirtualObject, name: str, message: Message) -> None:
        occurrences = read_occurrences(message.payload)
        if isinstance(occurrences, Garbled):
            self._reject(each.id, f"event {name}: {occurrences.reason}", message)
            return
        twin = self._intake.heard(each.id, message.received)
        self._intake.meters.said(each.id, message, [name] * len(occurrences))
        for said in occurrences:
            boot = None if said.b is None else str(said.b)
            if not self._first_time(each, twin, boot, said.n, message):
                continue
            observed, _ = self._date(each, twin, said, boot, message.received)
            self._intake.occur(each, name, said.data, observed, message.received, boot, said.n)

    def _first_time(
        self, each: VirtualObject, twin: Twin, boot: str | None, n: int | None, message: Message
    ) -> bool:
        if boot is None or n is None:
            return not message.retained
        if twin.first_time(boot, n):
            return True
        self._intake.counts.repeats += 1
        return False

    def _date(
        self, each: VirtualObject, twin: Twin, said: Report | Occurrence, boot: str | None, received: int
    ) -> tuple[int, Quality]:
        if said.t is not None:
            observed = int(said.t)
            if not 0 <= observed <= received + AHEAD:
                wrong = "before 1970" if observed < 0 else "ahead of ours"
                self._diagnostics.note(
                    each.id, f"its clock is {wrong}: readings are dated on arrival", received
                )
                return received, "uncertain"
            return observed, "good"
        if said.u is not None and boot is not None:
            return max(0, twin.date(boot, said.u, received)), "good"
        return received, "good"

    def _status(self, each: VirtualObject, message: Message) -> None:
        status = _STATUS.get(message.payload)
        if status is None:
            if message.payload:
                self._reject(each.id, "status: neither online, offline nor sleeping", message)
            return
        self._intake.turn(each.id, status, message.received)

    def _result(self, each: VirtualObject, message: Message) -> None:
        result = read_result(message.payload)
        if isinstance(result, Garbled):
            self._reject(each.id, f"results: {result.reason}", message)
            return
        self._intake.heard(each.id, message.received)
        if not self._interaction.result(each.id, result, message.received):
            self._pushdown.answered(each.id, result)

    def _reject(self, thing: str, text: str, message: Message) -> None:
        self._intake.reject(thing, text, message.received)
