"""A node performs a command once, whatever ends its process."""

import pytest

from diat.simulation.memory import CommandMemory, Outcome

DONE = Outcome("c1", "completed", output=3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "commands.jsonl"


def test_remembers_without_a_file():
    memory = CommandMemory()
    assert memory.outcome("c1") is None
    memory.begin("c1")
    memory.finish(DONE)
    assert memory.outcome("c1") == DONE


def test_remembers_in_its_file(path):
    memory = CommandMemory(path)
    memory.begin("c1")
    memory.finish(DONE)
    assert CommandMemory(path).outcome("c1") == DONE
    assert CommandMemory(path).outcome("c1") == DONE, "reading it does not use it up"


def test_what_was_begun_and_not_finished_is_in_doubt(path):
    CommandMemory(path).begin("c1")
    assert CommandMemory(path).outcome("c1").status == "in-doubt"
    assert CommandMemory(path).outcome("c1").status == "in-doubt"


@pytest.mark.parametrize("torn", [b'{"id":"c2","stat', b'{"begun":', b"\xff\x00", b"[1]", b'{"id":7}'])
def test_a_torn_line_costs_only_itself(path, torn):
    CommandMemory(path).finish(DONE)
    with path.open("ab") as file:
        file.write(torn)
    memory = CommandMemory(path)
    assert memory.outcome("c1") == DONE
    memory.finish(Outcome("c3", "failed", error="why"))
    assert CommandMemory(path).outcome("c3").error == "why"


def test_forgets_the_oldest_and_keeps_its_file_short(path):
    memory = CommandMemory(path, limit=10)
    for number in range(200):
        memory.begin(f"c{number}")
        memory.finish(Outcome(f"c{number}", "completed"))
    assert memory.outcome("c189") is None
    assert memory.outcome("c190") is not None
    assert len(path.read_bytes().splitlines()) <= 50
    again = CommandMemory(path, limit=10)
    assert again.outcome("c199") is not None
    assert again.outcome("c189") is None
