"""A small right board config for tests, and the problems of one that was made wrong."""

from pathlib import Path

import pytest

from hal import board
from hal.errors import BoardConfigError

FILE = "house.toml"

#: One door on a Raspberry Pi 4: relay board active low on lines that are pulled up at boot.
SMALL = """
schema = 1
board = "rpi4"

[controller]
site = "site"
name = "c-01"
timezone = "Asia/Shanghai"

[portals.front]
lock = "strike"
contact = "door"
egress = "handle"

[access_points.front-in]
portal = "front"
direction = "in"
reader = "reader"

[devices.strike]
driver = "lock"
line = "GPIO5"
active = "low"
fail_mode = "fail_secure"

[devices.door]
driver = "contact"
line = "GPIO16"

[devices.reader]
driver = "wiegand_reader"
d0 = "GPIO17"
d1 = "GPIO27"
interface = "level_converter"
"""


def problems(
    folder: Path, text: str = SMALL, override: dict[str, object] | None = None
) -> list[str]:
    """Every problem of the config `text`, without the file's name."""
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BoardConfigError) as caught:
        board.load(str(path), override)
    prefix = f"{path}: "
    assert all(line.startswith(prefix) and "\n" not in line for line in caught.value.problems)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return [line.removeprefix(prefix) for line in caught.value.problems]
