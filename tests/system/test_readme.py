"""The README is what a new user tries first: its lines work as they stand, as do the commands in deploy/."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _lines():
    block = re.search(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    return block.group(1).strip().splitlines()


@pytest.fixture
def _clients(needed):
    needed("mosquitto_pub", "mosquitto-clients")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")


@pytest.mark.usefixtures("_clients")
def test_the_five_lines_make_a_heater_heat(platform):
    lines = _lines()
    assert len(lines) == 5
    for line in lines:
        # The ports of the test stand for the usual ones; all else is as it stands.
        line = line.replace("mosquitto_pub ", f"mosquitto_pub -p {platform.mqtt} ")
        line = line.replace("localhost:8000", f"localhost:{platform.http}")
        done = subprocess.run(line, shell=True, check=True, capture_output=True, text=True, timeout=20)
    heating = [each for each in platform.rest.get("/actuations").json() if each["affordance"] == "heating"]
    assert [each["input"] for each in heating] == [True]
    assert heating[0]["id"] in done.stdout


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 80


@pytest.mark.parametrize("file", ["deploy/systemd/diat.service", "deploy/compose.yaml", "deploy/Dockerfile"])
def test_what_is_deployed_is_a_command_that_we_have(file):
    """Our command line takes every ``diat up …`` in deploy/: ``--help`` parses what stands before it."""
    text = (ROOT / file).read_text("utf-8")
    commands = re.findall(r"(?:ExecStart=\S*/|^\s*command:\s*|ENTRYPOINT |CMD )(.*)$", text, re.MULTILINE)
    found = [each for each in commands if "up" in each]
    if not found:
        assert "diat" in text
        return
    for each in found:
        words = [w for w in shlex.split(re.sub(r'[\[\],"]', " ", each)) if w]
        arguments = words[words.index("up") :]
        done = subprocess.run(
            [sys.executable, "-m", "diat", *arguments, "--help"],
            capture_output=True,
            text=True,
            timeout=20,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
