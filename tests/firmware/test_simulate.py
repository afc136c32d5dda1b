"""``diat simulate``: nodes of the firmware on CPython, against a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diat.cli.simulate import config_of, kind_of, run
from diat.kernel.errors import Invalid
from tests.firmware.conftest import until

SAID = ["--sensor", "co2=CarbonDioxideConcentration:ppm:400..900", "--switch", "fan", "--action", "blow"]


def simulate(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "diat", "simulate", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_nodes_with_what_was_asked_for_come_report_and_obey(mosquitto, hearing, tmp_path):
    heard = hearing(mosquitto.port)
    options = ("--broker", mosquitto.url, "-n", "12", "--name", "desk", "--event", "knock", "--every", "0.5")
    with simulate(*options, *SAID, "--place", "hq/2", "--folder", str(tmp_path)) as crowd:
        online = {f"diat/desk-{number}/status" for number in range(1, 13)}
        until(lambda: {topic for topic, said in heard.messages if said == b"online"} >= online, 30)
        td = next(json.loads(said) for topic, said in heard.messages if topic == "wot/td/desk-7")
        assert td["diat:place"] == "hq/2"
        assert set(td["properties"]) == {"co2", "fan"}
        heard.publish("diat/desk-7/set", {"id": "s", "v": {"fan": True}})
        heard.publish("diat/desk-7/actions/blow", {"id": "a"})
        until(lambda: {each["id"] for each in heard.on("desk-7/results")} == {"s", "a"})
        values = until(
            lambda: [each["v"]["co2"] for each in heard.on("desk-3/properties") if "co2" in each["v"]]
        )
        assert all(400 <= value <= 900 for value in values)
        until(lambda: heard.on("events/knock"))
        crowd.terminate()
        said, wrong = crowd.communicate(timeout=30)
    assert crowd.returncode == 0, wrong
    assert said.splitlines()[-1].startswith("12 of 12 on line")
    assert wrong == ""
    assert (tmp_path / "desk-7").is_dir()


def test_what_cannot_be_is_said_in_one_line():
    with simulate("--sensor", "x=1") as crowd:
        _, said = crowd.communicate(timeout=30)
    assert crowd.returncode == 2
    assert said == "diat: 'x=1' is not NAME or NAME=QUANTITY:UNIT:LOW..HIGH\n"
    kind = kind_of([], [], [], [], 1.0, "")
    assert kind.sensors[0].quantity == "Temperature"
    more = {"count": 2, "prefix": "sim", "folder": None, "seed": 1, "duration": 1.0}
    for call, why in (
        (lambda: kind_of(["x=T:Cel:9..1"], [], [], [], 1.0, ""), "is not NAME"),
        (lambda: kind_of([], ["a b"], [], [], 1.0, ""), "is no name"),
        (lambda: config_of(None, Path("/nowhere.pem")), "there is no file"),
        (lambda: run("nowhere", kind, {}, **more), "is not mqtt://host"),
        (lambda: run("mqtt://h", kind, {}, **{**more, "prefix": "a/b"}), "cannot begin names"),
    ):
        with pytest.raises(Invalid, match=why):
            call()
