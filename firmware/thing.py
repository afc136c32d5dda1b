"""A node: the office thermometer that also switches a heater. Change it to what yours is."""

from boards import esp32 as board
from diat_node.drivers.bme280 import Bme280
from diat_node.drivers.pins import Relay
from diat_node.node import Node

sensor, heater = Bme280(board.i2c()), Relay(board.RELAY)
node = Node(title="Office climate", place="hq/2/office-1")
node.property("temperature", sensor.temperature, unit="Cel", quantity="Temperature", every=30)
node.property("humidity", sensor.humidity, unit="%", quantity="RelativeHumidity", every=60)
heats = {"quantity": "Temperature", "direction": "increase"}
node.property("heating", heater.read, heater.write, type="boolean", affects=heats)
