"""What the controller says in the stories is as docs/asyncapi.yaml has it, and the document can say no."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from stories import STORIES, go

from tests.asyncapi_document import Flaw, document

ROOT = Path(__file__).parents[2]

#: Messages that no story brings forth: of later parts, and what only a real process says.
UNTOLD = ("intercom.", "media.", "update.", "system.egress_test")


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story names its board from the project's folder."""
    monkeypatch.chdir(ROOT)


@cache
def _samples() -> dict[str, tuple[str, dict[str, Any]]]:
    """Message: the topic and payload of the longest of its kind among all that the stories say."""
    api = document()
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for path in STORIES:
        for topic, body in go(path).published:
            name = api.check(topic, body)
            if name not in found or len(body) > len(json.dumps(found[name][1])):
                found[name] = (topic, json.loads(body))
    return found


def test_every_payload_of_every_story_is_one_of_the_document_s() -> None:
    assert {"online", "about", "portal", "alarm", "health"} <= set(_samples())


def test_a_payload_without_one_of_its_fields_is_refused() -> None:
    api = document()
    for name, (topic, body) in _samples().items():
        must = _required(name)
        assert must, name
        for key in must:
            rest = {other: value for other, value in body.items() if other != key}
            with pytest.raises(Flaw):
                api.check(topic, json.dumps(rest))


def test_a_payload_with_a_field_too_many_is_refused() -> None:
    api = document()
    for topic, body in _samples().values():
        with pytest.raises(Flaw):
            api.check(topic, json.dumps({**body, "colour": "red"}))


def test_a_value_of_another_kind_is_refused_in_every_field() -> None:
    api, tried = document(), 0
    for topic, body in _samples().values():
        for key, value in body.items():
            for wrong in _others(value):
                tried += 1
                with pytest.raises(Flaw):
                    api.check(topic, json.dumps({**body, key: wrong}))
    assert tried > 1000


def test_a_payload_on_another_topic_is_refused() -> None:
    api = document()
    topics = {topic for topic, _ in _samples().values()}
    for topic, body in _samples().values():
        for other in topics:
            if api.channel_of(other) != api.channel_of(topic):
                with pytest.raises(Flaw):
                    api.check(other, json.dumps(body))


def _required(name: str) -> list[str]:
    """What must stand in a message, its base included."""
    api = document()
    schema = api.resolve(api.messages[name]["payload"]["$ref"])
    parts = [schema, *(api.resolve(one["$ref"]) for one in schema.get("allOf", ()))]
    return [key for part in parts for key in part.get("required", ())]


def _others(value: Any) -> list[Any]:
    """Values that could never stand where `value` stands."""
    wrong: list[Any] = [[{}], -1.5, "", "no such\nword\x00", 2**70]
    if isinstance(value, dict):
        return wrong
    return [*wrong, {"no": {"such": "thing"}}]
