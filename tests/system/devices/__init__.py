"""Devices of every dialect, as their firmware behaves, with what must be seen of them over REST."""

from tests.system.devices.device import NOTHING, Device
from tests.system.devices.esphome import ESPHOME
from tests.system.devices.homie import HOMIE_4, HOMIE_5
from tests.system.devices.tasmota import TASMOTA_FAN, TASMOTA_LIGHT, TASMOTA_PLUG, TASMOTA_SHUTTER
from tests.system.devices.zigbee import (
    ZIGBEE_BLIND,
    ZIGBEE_FAN,
    ZIGBEE_LIGHT,
    ZIGBEE_LOCK,
    ZIGBEE_SIREN,
    ZIGBEE_STRIP,
    ZIGBEE_VALVE,
    ZIGBEE_WATER,
)

__all__ = ["ALL", "NOTHING", "Device"]

ALL = (
    *(ZIGBEE_LIGHT, ZIGBEE_VALVE, ZIGBEE_LOCK, ZIGBEE_BLIND),
    *(ZIGBEE_STRIP, ZIGBEE_WATER, ZIGBEE_SIREN, ZIGBEE_FAN),
    *(TASMOTA_PLUG, TASMOTA_LIGHT, TASMOTA_SHUTTER, TASMOTA_FAN),
    *(HOMIE_4, HOMIE_5),
    ESPHOME,
)
