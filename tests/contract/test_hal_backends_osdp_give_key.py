"""`doorward --osdp-install` and what gives a reader its key, with libosdp's readers in other processes."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from osdp_rig import Rig, until

from firmware.services import osdp_install, osdp_keys
from hal.backends import osdp_give_key
from hal.backends.libosdp_readers import LibosdpBuses
from hal.backends.pyserial_port import PyserialPorts
from hal.errors import DeviceUnavailableError


@pytest.fixture
def rig() -> Iterator[Rig]:
    one = Rig()
    yield one
    one.close()


class _Installer:
    """Runs the install; what it said."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.folder = str(folder)
        self.rig = rig
        reader = {"driver": "osdp_reader", "bus": "bus", "address": 0}
        bus = {"driver": "osdp_bus", "port": rig.port, "baud": 115_200}
        self.config: dict[str, Any] = {"devices": {"bus": bus, "front": reader}}

    def run(self, reader: str = "front") -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        give = partial(osdp_give_key.give, PyserialPorts())
        code = osdp_install.run(self.config, reader, self.folder, give, out, err)
        return code, out.getvalue(), err.getvalue()

    def until_on_line(self) -> None:
        """As the controller would see it: only in its secure channel, with the key of the folder."""
        buses = LibosdpBuses(PyserialPorts(), partial(osdp_keys.of, self.folder))
        try:
            reader = buses.reader("front", self.rig.port, 115_200, 0)
            until(lambda: reader.up, reader.problem)
        finally:
            buses.close()


def test_a_new_reader_gets_a_key_and_later_another(rig: Rig, tmp_path: Path) -> None:
    installer = _Installer(rig, tmp_path)
    peer = rig.peer(0, key=None)
    code, said, wrong = installer.run()
    assert (code, wrong) == (0, "")
    assert said == (
        f"front: {rig.port} address 0: is being given its key\n"
        "front: has its key and answers in its secure channel\n"
    )
    first = osdp_keys.of(installer.folder, "front")
    assert first is not None
    installer.until_on_line()
    assert installer.run()[0] == 0
    second = osdp_keys.of(installer.folder, "front")
    assert second not in (None, first)
    installer.until_on_line()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["osdp-front.key"]
    assert (tmp_path / "osdp-front.key").stat().st_mode & 0o777 == 0o600
    for key in (first, second):
        assert key is not None
        assert key.hex() not in said
    assert peer.commands


def test_a_key_that_was_given_when_the_power_went_is_not_lost(rig: Rig, tmp_path: Path) -> None:
    key = osdp_keys.begin(str(tmp_path), "front")  # and no more: the reader has it
    rig.peer(0, key=key)
    installer = _Installer(rig, tmp_path)
    assert installer.run()[0] == 0
    installer.until_on_line()


def test_a_reader_with_a_key_of_somebody_else_is_refused_in_one_line(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osdp_give_key, "PATIENCE_S", 1.0)
    rig.peer(0, key=bytes(16))
    code, _, wrong = _Installer(rig, tmp_path).run()
    assert code == 1
    assert wrong == (
        f"front: {rig.port} address 0: takes neither its key nor the default one; expected it in "
        "its install mode (its manual says how)\n"
    )
    assert osdp_keys.of(str(tmp_path), "front") is None


def test_a_name_that_is_no_osdp_reader_is_wrong_use(rig: Rig, tmp_path: Path) -> None:
    code, said, wrong = _Installer(rig, tmp_path).run("bus")
    assert (code, said) == (2, "")
    assert wrong == "--osdp-install: bus is no osdp_reader; expected front\n"


def test_a_key_file_of_another_length_is_one_line_without_the_key(tmp_path: Path) -> None:
    (tmp_path / "osdp-front.key").write_bytes(b"secret")
    with pytest.raises(DeviceUnavailableError) as told:
        osdp_keys.of(str(tmp_path), "front")
    assert str(told.value) == (
        "osdp-front.key: has 6 bytes; expected 16, as --osdp-install writes them"
    )
