"""Home Assistant's MQTT discovery, as Zigbee2MQTT, Tasmota, ESPHome and many others announce themselves."""

from diat.vol.dialects.homeassistant.dialect import HomeAssistant

__all__ = ["HomeAssistant"]
