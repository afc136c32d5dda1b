"""Zigbee2MQTT's own description of its devices (``zigbee2mqtt/bridge/devices``)."""

from diat.vol.dialects.zigbee2mqtt.dialect import Zigbee2Mqtt

__all__ = ["Zigbee2Mqtt"]
