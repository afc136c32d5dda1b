"""Drivers of pins, on MicroPython with the pins of the simulated board and on a Pi with those of gpiozero."""

from __future__ import annotations

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

PINS = "from diat_node.drivers.pins import Contact, Relay, Analogue, Dimmer, Servo"
WIRES = "from diat_node.drivers.wires import Dht22, Ds18b20, NeoPixel"


def test_pins_of_a_chip(boards, tmp_path):
    board = boards(heap=64, folder=tmp_path)
    board.run(PINS)
    board.tell(host={"pins": {"4": 1, "5": 0}, "adc": {"34": 32768}})
    assert board.give("[Contact(4).read(), Contact(5, low=True).read(), Contact(4, low=True).read()]") == [
        1,
        1,
        0,
    ]
    board.run("relay = Relay(26, low=True)")
    assert board.tell(look=True)["host"]["pins"]["26"] == 1
    board.run("relay.write(True)")
    assert board.tell(look=True)["host"]["pins"]["26"] == 0
    assert board.give("relay.read()") is True
    assert board.give("Analogue(34, scale=3.3).read()") == pytest.approx(1.65, abs=0.01)
    board.run("dimmer, servo = Dimmer(12), Servo(18)")
    assert board.give("[dimmer.write(50), dimmer.write(400), servo.write(90), servo.read()]") == [
        50,
        100,
        90,
        90,
    ]
    pins = board.tell(look=True)["host"]["pins"]
    assert pins["12"] == 65535
    assert pins["18"] == pytest.approx(65535 * 1.5 / 20, abs=1)


def test_sensors_and_lights_on_one_wire(boards, tmp_path):
    board = boards(heap=64, folder=tmp_path)
    board.run(WIRES)
    board.tell(host={"adc": {"4": 215, "17": 340}})
    assert board.give("[(s := Dht22(4)).temperature(), s.humidity()]") == [21.5, 43.0]
    board.run("got = []\nasync def ask():\n    got.append(await Ds18b20(17, 1).temperature())")
    board.run("import asyncio; asyncio.create_task(ask())")
    while not board.give("got"):
        pass
    assert board.give("got") == [22.25]
    board.run("strip = NeoPixel(13, 2); strip.write('#ff8000')")
    assert "strip [(255, 128, 0), (255, 128, 0)]" in board.tell(look=True)["host"]["events"]


def test_pins_of_a_raspberry_pi():
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory(pin_class=MockPWMPin)
    try:
        from diat_node.drivers.raspberry import Contact, Dimmer, Relay, Servo

        pins = gpiozero.Device.pin_factory
        relay, contact = Relay(26, low=True), Contact(17, low=True)
        assert pins.pin(26).state == 1
        relay.write(True)
        assert pins.pin(26).state == 0
        assert relay.read()
        assert not contact.read()
        pins.pin(17).drive_low()
        assert contact.read()
        assert Dimmer(12).write(400) == 100
        servo = Servo(18)
        assert servo.read() is None
        assert servo.write(90) == 90
    finally:
        gpiozero.Device.pin_factory.reset()
        gpiozero.Device.pin_factory = before
