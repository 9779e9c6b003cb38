"""Doorward in a root system: where its program and its units are, and that nothing must be compiled later."""

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from host_tools.image import foreign, root, system
from host_tools.image.cache import ImageError

ROOT = Path(__file__).parents[2]
EPOCH_S = 1_000_000_000
VERSION = f"3.{sys.version_info[1]}"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root system with nothing but a Python in it, and Doorward."""
    of_who_makes_it = os.umask(0o022)
    folder = tmp_path_factory.mktemp("system")
    (folder / "usr/bin").mkdir(parents=True)
    (folder / f"usr/bin/python{VERSION}").touch()
    (folder / "usr/bin/python3").symlink_to(f"python{VERSION}")
    (folder / f"opt/doorward/.venv/lib/python{VERSION}/site-packages").mkdir(parents=True)
    os.umask(0o077)
    system.program(folder, ROOT, EPOCH_S, rpi_gpio=True)
    os.umask(of_who_makes_it)
    return folder


def test_every_unit_file_of_the_project_has_a_place(installed: Path) -> None:
    placed = {
        path.read_text()
        for path in installed.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and not {"opt", "local"} & set(path.relative_to(installed).parts)
        and path.stat().st_size
    }
    assert {path.read_text() for path in (ROOT / "firmware/units").iterdir()} == placed


def test_what_is_no_project_and_a_system_that_has_one_are_told(
    installed: Path, tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match="has no folder firmware; expected Doorward's sources"):
        system.program(tmp_path, tmp_path, EPOCH_S)
    with pytest.raises(ImageError, match="has /opt/doorward/firmware; expected a root system"):
        system.program(installed, ROOT, EPOCH_S)


def test_whatever_the_umask_was_the_services_may_read_all_of_it(installed: Path) -> None:
    made = [installed / "opt/doorward", installed / "opt/doorward/firmware"]
    for name in ("opt/doorward/firmware", "usr/lib", "etc"):
        made += (installed / name).rglob("*")
    for path in made:
        if not path.is_symlink():
            mode = path.stat().st_mode
            assert mode & 0o444 == 0o444, path
            assert not path.is_dir() or mode & 0o111 == 0o111, path


def test_what_is_put_in_carries_neither_the_dates_nor_the_modes_of_a_checkout(
    installed: Path,
) -> None:
    files = [path for path in installed.rglob("*") if not path.is_dir() or path.is_symlink()]
    files = [path for path in files if path.parent != installed / "usr/bin"]
    assert len(files) > 100
    for path in files:
        found = path.lstat()
        assert found.st_mtime == EPOCH_S, path
        assert path.is_symlink() or found.st_mode & 0o777 in (0o644, 0o755), path


def test_what_a_careless_umask_gave_to_the_group_is_taken_back(tmp_path: Path) -> None:
    for name, mode in (("text", 0o666), ("program", 0o775)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    tmp_path.chmod(0o775)
    system.let_all_read(tmp_path)
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path, *sorted(tmp_path.iterdir()))]
    assert modes == [0o755, 0o755, 0o644]


def test_the_services_start_with_the_system(installed: Path) -> None:
    link = installed / "etc/systemd/system/multi-user.target.wants/doorward.target"
    assert (installed / link.readlink().relative_to("/")).is_file()


def test_each_program_that_a_unit_starts_is_there(installed: Path) -> None:
    for path in (installed / "usr/lib/systemd/system").glob("*.service"):
        for name in re.findall(r"-m (firmware[a-z_.]*)", path.read_text()):
            file = installed / "opt/doorward" / name.replace(".", "/")
            assert file.with_suffix(".py").is_file() or (file / "__main__.py").is_file()


def test_what_is_compiled_holds_whatever_date_a_card_gives_it(installed: Path) -> None:
    source = installed / "opt/doorward/firmware/main.py"
    compiled = Path(importlib.util.cache_from_source(str(source)))
    # PEP 552: the second word says by hash (1) and that it need not be checked (not 2).
    assert compiled.read_bytes()[4:8] == b"\1\0\0\0"
    assert b"/opt/doorward/firmware/main.py" in compiled.read_bytes()
    assert str(installed).encode() not in compiled.read_bytes()


def test_a_board_without_rpi_gpio_keeps_the_stricter_service(
    tmp_path: Path, installed: Path
) -> None:
    shutil.copytree(installed / "usr/bin", tmp_path / "usr/bin", symlinks=True)
    system.program(tmp_path, ROOT, EPOCH_S)
    assert not list(tmp_path.rglob("rpi-gpio.conf.d")) + list(
        (tmp_path / "etc").rglob("rpi-gpio.conf")
    )
    assert list((installed / "etc").rglob("rpi-gpio.conf"))


def test_another_machines_programs_need_a_package_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(
        ImageError, match="^qemu-aarch64-static: not found; expected the package qemu-user-static$"
    ):
        foreign.enable("arm64")


def test_its_own_programs_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    foreign.enable("arm64")


def test_doorward_can_be_typed_on_the_board_and_is_as_isolated_as_its_services(
    installed: Path,
) -> None:
    command = installed / "usr/local/bin/doorward"
    units = (installed / "usr/lib/systemd/system/doorward-door.service").read_text()
    begins = re.search(r"^ExecStart=(.* -m firmware) ", units, re.MULTILINE)
    assert begins is not None
    assert command.read_text() == f'#!/bin/sh\nexec {begins[1]} "$@"\n'
    assert command.stat().st_mode & 0o777 == 0o755


def test_an_architecture_that_nobody_knows_is_told(tmp_path: Path) -> None:
    told = "^riscv64: not known here; expected amd64 or arm64$"
    with pytest.raises(ImageError, match=told):
        foreign.enable("riscv64")
    with pytest.raises(ImageError, match=told):
        root.install_python(tmp_path, "riscv64", [], "opt")
