"""The board config of a simulated controller: the one it was given, or one that `config.apply` sent.

The files and their rules are the program's own (`firmware.services.board_files`). The building around the
controller stays as it was built, and so does its cable: a config with other wires is refused.
"""

import tempfile
from typing import Any

import hal.board
from firmware.services import board_files
from hal.errors import BoardConfigError

Config = dict[str, Any]

GIVEN = "the one it was started with"
#: section: the fields of each of its entries that the building, and who checks its verbs, are made of
_BUILT = {
    "portals": ("lock", "contact", "bond", "rex", "egress", "egress_ms"),
    "access_points": ("portal", "direction", "reader", "keypad", "led", "buzzer"),
    "partitions": (),
    "areas": (),
    "automation": (),
}
_POINT = ("input", "class", "normal")


class SentConfig:
    """What is kept of configs, over the starts of one controller.

    given   Config       what the building was built from
    folder  str or None  where sent ones are kept; None: in a new folder, until `close`
    """

    def __init__(self, given: Config, folder: str | None = None) -> None:
        self._given = given
        self._folder = folder
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._chosen = board_files.Chosen(given, GIVEN, False, [])

    @property
    def config(self) -> Config:
        """What the controller runs on, as `hal.board.load` returns it."""
        return self._chosen.config

    def choose(self) -> list[str]:
        """A start begins, with the config that is now its own; what was wrong with others, one line each."""
        if self._folder is not None:
            self._chosen = board_files.choose(self._folder, GIVEN, self._load, BoardConfigError)
        return self._chosen.problems

    def keep(self) -> bool:
        """The controller decides with it: whether it was on trial, and lasts from now on. Raises OSError."""
        if self._folder is None or not self._chosen.trial:
            return False
        board_files.keep(self._folder)
        self._chosen = self._chosen._replace(trial=False)
        return True

    def offer(self, text: str) -> str:
        """Have the config in `text` for the next start; what is wrong with it, "": nothing."""
        if self._folder is None:
            self._own = tempfile.TemporaryDirectory(prefix="door-sim-config-")
            self._folder = self._own.name
        return board_files.offer(self._folder, text, self.config, self._load, BoardConfigError)

    def close(self) -> None:
        """Remove the folder, if nobody gave one."""
        if self._own is not None:
            self._own.cleanup()

    def _load(self, path: str) -> Config:
        if path == GIVEN:
            return self._given
        config = {**hal.board.load(path), "link": self._given["link"]}
        before, after = _built(self._given), _built(config)
        for part in sorted({*before, *after}):
            if before.get(part) != after.get(part):
                problem = "differs; expected as the simulated building was built"
                raise BoardConfigError([f"{path}: {part}: {problem}"])
        return config


def _built(config: Config) -> Config:
    """What the building and its clock are made of, by path."""
    parts = {f"controller.{key}": config["controller"][key] for key in ("timezone", "rtc")}
    parts["alarms.acknowledge"] = config["alarms"]["acknowledge"]
    for name, point in config["alarms"]["points"].items():
        parts[f"alarms.{name}"] = [point[key] for key in _POINT]
    for name, device in config["devices"].items():
        parts[f"devices.{name}"] = {**device, "title": None}
    for section, fields in _BUILT.items():
        for name, entry in config[section].items():
            parts[f"{section}.{name}"] = [entry[key] for key in fields]
    return parts
