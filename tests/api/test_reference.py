"""The reference says what the code does; where it does not, a test names the command to run."""

from __future__ import annotations

import inspect
import json
import re
from importlib import resources
from pathlib import Path
from typing import get_args

import jsonschema_rs
import pytest
import yaml

from diat.api.reference import documents
from diat.vol.thing import Admission
from diat.wire import topics
from diat.wire.envelope import Garbled, Result, read_occurrences, read_reports, read_result

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.fixture(scope="module")
def asyncapi():
    return yaml.safe_load((REFERENCE / "asyncapi.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def table():
    """Topic to the other cells of its row in topics.md."""
    rows = re.findall(r"^\| `([^`]+)` \|(.+)\|$", (REFERENCE / "topics.md").read_text("utf-8"), re.MULTILINE)
    return {topic: [cell.strip() for cell in rest.split("|")] for topic, rest in rows}


@pytest.mark.parametrize("name", documents())
def test_what_is_made_from_the_code_is_up_to_date(name):
    kept = REFERENCE / name
    assert kept.exists(), "run: python -m diat.api.reference"
    assert kept.read_text("utf-8") == documents()[name], "run: python -m diat.api.reference"


class TestTopics:
    def test_every_topic_of_the_code_has_its_row_and_every_row_its_topic(self, table):
        made = {topics.CLOCK}
        for name, function in inspect.getmembers(topics, inspect.isfunction):
            takes = list(inspect.signature(function).parameters)
            if takes == ["thing", "name"]:
                made.add(function("{thing}", f"{{{name}}}"))
            elif takes and takes[0] in ("thing", "gateway"):
                made.add(function(*(f"{{{each}}}" for each in takes)))
        assert made == set(table)

    def test_what_comes_from_a_thing_is_what_the_code_takes_from_one(self, table):
        for topic, (sender, *_) in table.items():
            taken = topics.from_thing(re.sub(r"\{\w+\}", "th1", topic))
            if topic.startswith("diat/"):
                assert (taken is not None) == sender.startswith("thing"), topic


class TestAsyncApi:
    def test_its_channels_are_the_topics(self, asyncapi, table):
        assert [channel["address"] for channel in asyncapi["channels"].values()] == list(table)

    def test_its_operations_say_who_speaks_and_how(self, asyncapi, table):
        assert asyncapi["asyncapi"] == "3.0.0"
        spoken = {}
        for operation in asyncapi["operations"].values():
            address = resolve(asyncapi, operation["channel"])["address"]
            spoken[address] = operation
        assert set(spoken) == set(table)
        for topic, (sender, retained, qos, _) in table.items():
            mqtt = spoken[topic]["bindings"]["mqtt"]
            assert spoken[topic]["action"] == ("send" if sender == "platform" else "receive"), topic
            assert (mqtt["qos"], mqtt["retain"]) == (int(qos), retained == "yes"), topic

    def test_its_references_lead_somewhere(self, asyncapi):
        def walk(node):
            if isinstance(node, dict):
                if "$ref" in node:
                    assert resolve(asyncapi, node) is not None, node
                for each in node.values():
                    walk(each)
            elif isinstance(node, list):
                for each in node:
                    walk(each)

        walk(asyncapi)

    def test_its_parameters_are_those_of_the_address(self, asyncapi):
        for channel in asyncapi["channels"].values():
            assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel.get("parameters", {}))

    def test_its_examples_are_what_its_schemas_say(self, asyncapi):
        for name, message in asyncapi["components"]["messages"].items():
            schema = {"$defs": asyncapi["components"]["schemas"], **message["payload"]}
            text = json.dumps(schema).replace("#/components/schemas/", "#/$defs/")
            validator = jsonschema_rs.Draft202012Validator(json.loads(text))
            assert message["examples"], name
            for example in message["examples"]:
                assert list(validator.iter_errors(example["payload"])) == [], (name, example["name"])

    @pytest.mark.parametrize(
        ("message", "read"),
        [("report", read_reports), ("occurrence", read_occurrences), ("result", read_result)],
    )
    def test_its_examples_are_what_the_code_reads(self, asyncapi, message, read):
        for example in asyncapi["components"]["messages"][message]["examples"]:
            taken = read(json.dumps(example["payload"]).encode())
            assert not isinstance(taken, Garbled), (example["name"], taken)
            said = example["payload"] if isinstance(example["payload"], list) else [example["payload"]]
            for one, got in zip(said, taken if isinstance(taken, list) else [taken], strict=True):
                assert all(getattr(got, key) == value or key == "lost" for key, value in one.items())

    @pytest.mark.parametrize(
        ("message", "read", "payload"),
        [
            ("report", read_reports, {"b": 1, "n": 1}),
            ("report", read_reports, {"b": 1, "n": 0, "v": {}}),
            ("report", read_reports, {"b": 1, "n": 1, "u": -1, "v": {}}),
            ("report", read_reports, {"b": "x" * 65, "n": 1, "v": {}}),
            ("report", read_reports, {"b": 1, "lost": [1]}),
            ("report", read_reports, {"v": 5}),
            ("occurrence", read_occurrences, {"n": "1"}),
            ("result", read_result, {"status": "completed"}),
            ("result", read_result, {"id": "x", "status": "done"}),
        ],
    )
    def test_what_the_code_refuses_is_against_its_schema(self, asyncapi, message, read, payload):
        assert isinstance(read(json.dumps(payload).encode()), Garbled)
        schema = {
            "$defs": asyncapi["components"]["schemas"],
            **asyncapi["components"]["messages"][message]["payload"],
        }
        text = json.dumps(schema).replace("#/components/schemas/", "#/$defs/")
        assert not jsonschema_rs.Draft202012Validator(json.loads(text)).is_valid(payload)

    def test_its_words_are_those_of_the_code(self, asyncapi):
        schemas = asyncapi["components"]["schemas"]
        assert schemas["admission"]["properties"]["state"]["enum"] == list(get_args(Admission))
        statuses = list(get_args(inspect.get_annotations(Result, eval_str=True)["status"]))
        assert schemas["result"]["properties"]["status"]["enum"] == statuses


class TestTemplateSchema:
    def test_the_shipped_templates_are_valid_by_it(self):
        schema = json.loads((REFERENCE / "template.schema.json").read_text("utf-8"))
        jsonschema_rs.meta.validate(schema)
        validator = jsonschema_rs.Draft202012Validator(schema)
        for file in (resources.files("diat") / "templates").iterdir():
            template = yaml.safe_load(file.read_text("utf-8"))
            assert [error.message for error in validator.iter_errors(template)] == [], file.name


def resolve(document, node):
    """What a local reference leads to."""
    found = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_every_test_that_holds_an_assertion_of_the_directory_exists():
    rows = (REFERENCE / "directory.md").read_text("utf-8").split("## Assertions")[1].splitlines()
    named = [re.findall(r"`([\w./]+\.py)` `(\w+)`", row) for row in rows if row.startswith("| ")]
    held = [pair for row in named for pair in row]
    assert len(held) > 30
    for file, test in held:
        assert f"def {test}(" in (Path(__file__).parent / file).read_text("utf-8"), (file, test)
