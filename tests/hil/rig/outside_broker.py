"""A real broker on the host, and what a guest tells it."""

import json
from pathlib import Path
from typing import Any

from brokers import Mosquitto
from installed import TO
from link_rig import Seen

from sim.observer import Observer


class Broker:
    """A real broker on a port of the host's loopback that the system chose, and what it was told.

    seen  Seen of (topic, text)
    """

    def __init__(self, folder: Path) -> None:
        self._server = Mosquitto(folder)
        self._server.start()
        self.port = self._server.port
        self.seen = Seen()
        self._observer = Observer(
            "127.0.0.1",
            self.port,
            f"doorward/{TO}",
            lambda topic, body, kept: self.seen.add((topic, body.decode())),
        )
        self._observer.start()
        assert self._observer.subscribed.wait(60)

    def close(self) -> None:
        """End it."""
        self._observer.stop()
        self._server.kill()

    def events(self) -> list[dict[str, Any]]:
        """The records that have come, each once, in the order of their arrival."""
        return list(_events(self.seen.items).values())

    def wait(self, after: int, type: str, **fields: object) -> dict[str, Any]:
        """Wait for a record of this type with these fields, later than the first `after` ones."""

        def holds(items: list[tuple[str, str]]) -> list[dict[str, Any]]:
            found = list(_events(items).values())[after:]
            return [one for one in found if one["type"] == type and fields.items() <= one.items()]

        return dict(self.seen.wait(f"{type} {fields}", holds)[0])


def _events(items: list[tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """The records among what was told, by their id."""
    found = [json.loads(body) for topic, body in items if topic == f"doorward/{TO}/event"]
    return {str(one["id"]): one for one in found}
