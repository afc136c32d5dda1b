"""Metrics in Prometheus text format, taken from the layers' own counts when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from diat.cvol.execution import CompositeLayer
from diat.vol.layer import VirtualObjectLayer


class _Layers(Collector):
    def __init__(self, things: VirtualObjectLayer, composites: CompositeLayer, ready: bool) -> None:
        self._things = things
        self._composites = composites
        self._ready = ready

    def collect(self) -> Iterator[Metric]:
        counts = self._things.intake.counts
        for name, help_text in (
            ("messages", "MQTT messages taken"),
            ("readings", "messages that made a row of history"),
            ("events", "events stored"),
            ("repeats", "native messages that had been seen before"),
            ("rejected", "messages or values that were turned away with a diagnostic"),
            ("unclaimed", "messages on topics of no thing"),
            ("echoes", "messages of our own that came back"),
            ("over_ration", "messages dropped because their sender sent too many"),
        ):
            yield CounterMetricFamily(f"diat_{name}", help_text, value=getattr(counts, name))
        yield CounterMetricFamily(
            "diat_diagnostics", "diagnostics noted", value=self._things.diagnostics.total
        )
        yield GaugeMetricFamily(
            "diat_ready", "whether messages are taken and stored", value=float(self._ready)
        )
        twins = Counter(twin.status for twin in list(self._things.intake.twins.committed.values()))
        things = GaugeMetricFamily("diat_things", "things by status", labels=["status"])
        for status, number in sorted(twins.items()):
            things.add_metric([status], number)
        yield things
        states = Counter(state.state for state in list(self._composites.states.committed.values()))
        services = GaugeMetricFamily("diat_services", "services by state", labels=["state"])
        for state, number in sorted(states.items()):
            services.add_metric([state], number)
        yield services
        yield CounterMetricFamily(
            "diat_commands_dropped",
            "commands sent at most once of which nobody knows that they arrived",
            value=self._things.interaction.dropped,
        )
        yield GaugeMetricFamily(
            "diat_commands_open",
            "commands that wait for their end",
            value=len(self._things.interaction.outbox.committed),
        )


def render(things: VirtualObjectLayer, composites: CompositeLayer, ready: bool) -> tuple[bytes, str]:
    """All metrics, and their content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Layers(things, composites, ready))
    return generate_latest(registry), CONTENT_TYPE_LATEST
