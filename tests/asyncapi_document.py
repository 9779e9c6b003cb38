"""docs/asyncapi.yaml as a check: which channel a topic is, which message a payload is, whether it is one."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

FILE = Path(__file__).parents[1] / "docs" / "asyncapi.yaml"


class Flaw(AssertionError):
    """A message is none of the document's."""


class Document:
    """The document, and a validator for each of its messages."""

    def __init__(self, file: Path = FILE) -> None:
        self.root: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.channels: dict[str, Any] = self.root["channels"]
        #: message's key among the components: the message
        self.messages: dict[str, Any] = self.root["components"]["messages"]
        self.schemas: dict[str, Any] = self.root["components"]["schemas"]
        self._validators: dict[str, Draft7Validator] = {}

    def resolve(self, ref: str) -> Any:
        """What a local reference points to. Raises `KeyError`."""
        found: Any = self.root
        for part in ref.removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found

    def channel_of(self, topic: str) -> str:
        """The key of the channel that a topic is. Raises `Flaw`."""
        found = [key for key in self.channels if self._address(key).fullmatch(topic)]
        if len(found) != 1:
            raise Flaw(f"{topic}: is {found}; expected one channel")
        return found[0]

    def names_of(self, channel: str) -> list[str]:
        """The messages of a channel, by their keys among the components."""
        refs = [one["$ref"] for one in self.channels[channel]["messages"].values()]
        return [ref.rpartition("/")[2] for ref in refs]

    def validator(self, message: str) -> Draft7Validator:
        """The check of one message's payload."""
        if message not in self._validators:
            schema = {"$ref": self.messages[message]["payload"]["$ref"], **self.root}
            self._validators[message] = Draft7Validator(schema)
        return self._validators[message]

    def check(self, topic: str, payload: str | bytes) -> str:
        """Which message this is, by its key. Raises `Flaw`: none of that channel's, and why not."""
        channel, body = self.channel_of(topic), json.loads(payload)
        candidates = self._candidates(channel, body)
        if not candidates:
            raise Flaw(f"{topic}: {body}: no message of this name; expected one of {channel}")
        fits = [name for name in candidates if self.validator(name).is_valid(body)]
        if len(fits) != 1:
            why = [self._why(name, body) for name in candidates]
            raise Flaw(f"{topic}: {body}: fits {fits}; expected one. {why}")
        return fits[0]

    def fits(self, schema: str, value: Any) -> bool:
        """Whether `value` is what a schema of the components says."""
        whole = {"$ref": f"#/components/schemas/{schema}", **self.root}
        return Draft7Validator(whole).is_valid(value)

    def _candidates(self, channel: str, body: Any) -> list[str]:
        """Those of the channel that it could be: of an event or a command only that of its name."""
        names = self.names_of(channel)
        key = {"event": "type", "command": "op"}.get(channel)
        if key is None or not isinstance(body, dict):
            return names
        return [name for name in names if self.messages[name]["name"] == body.get(key)]

    def _why(self, name: str, body: Any) -> str:
        return f"{name}: " + "; ".join(e.message for e in self.validator(name).iter_errors(body))

    @cache  # noqa: B019  one document lives as long as its tests
    def _address(self, channel: str) -> "re.Pattern[str]":
        parts = re.split(r"\{\w+\}", self.channels[channel]["address"])
        return re.compile("[a-z0-9_-]{1,64}".join(map(re.escape, parts)))


@cache
def document() -> Document:
    """The document as it is shipped."""
    return Document()
