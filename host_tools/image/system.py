"""Doorward in a root system of Debian: the program, its Python packages, its units; nothing of one board.

What belongs to one controller is put on its card (`host_tools.image.card`). What is put into the system is
dated as its caller says, and is root's to write and all users' to read: neither when a checkout was made nor
with which umask is seen in it.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from host_tools.image import command, root
from host_tools.image.cache import ImageError

HOME = "opt/doorward"
_UNITS = "firmware/units"
_CODE = ("firmware", "hal", "board_configs", "docs")

#: Where a unit file goes; those that end in .service, .socket and .target go to systemd's own folder.
_PLACES = {
    "sysusers.conf": "usr/lib/sysusers.d/doorward.conf",
    "tmpfiles.conf": "usr/lib/tmpfiles.d/doorward.conf",
    "udev.rules": "usr/lib/udev/rules.d/60-doorward.rules",
}

#: What a person types on the board, from any folder: as isolated as the services are.
_COMMAND = "usr/local/bin/doorward"
_COMMAND_TEXT = f"""#!/bin/sh
exec /{HOME}/.venv/bin/python -I -X utf8 -m firmware "$@"
"""

_RPI_GPIO = "etc/systemd/system/doorward-door.service.d/rpi-gpio.conf"

#: Debian's own Python packages, beside those of the virtual environment.
_DEBIANS = "usr/lib/python3/dist-packages"


def packages(system: Path, arch: str, requirements: Sequence[Path], epoch_s: int) -> None:
    """Give a root system the virtual environment of /opt/doorward, dated `epoch_s`. Raises `ImageError`."""
    venv = f"{HOME}/.venv"
    site = f"{venv}/lib/python{root.python_version(system)}/site-packages"
    root.install_python(system, arch, requirements, site)
    (system / site / "doorward.pth").write_text(f"/{HOME}\n")
    (system / venv / "bin").mkdir(exist_ok=True)
    (system / venv / "bin/python").symlink_to("/usr/bin/python3")
    (system / venv / "pyvenv.cfg").write_text("home = /usr/bin\n")
    compile_python(system, venv)
    _settle(system / HOME, epoch_s)


def program(system: Path, project: Path, epoch_s: int, rpi_gpio: bool = False) -> None:
    """Put the program of `project`, compiled, and its units into a root system, to start with it.

    epoch_s   int   what its files are dated, s since 1970
    rpi_gpio  bool  for boards whose lines are driven through RPi.GPIO, Debian's package python3-rpi.gpio
    Raises `ImageError`.
    """
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in _CODE:
        if not (project / name).is_dir():
            raise ImageError(f"{project}: has no folder {name}; expected Doorward's sources")
        if (system / HOME / name).exists():
            raise ImageError(f"{system}: has /{HOME}/{name}; expected a root system without it")
    _folder(system / HOME)
    for name in _CODE:
        shutil.copytree(project / name, system / HOME / name, ignore=ignored)
        compile_python(system, f"{HOME}/{name}")
        _settle(system / HOME / name, epoch_s)
    for path in sorted((project / _UNITS).iterdir()):
        if path.suffix in (".service", ".socket", ".target"):
            _copy(path, system / "usr/lib/systemd/system" / path.name, epoch_s)
        elif path.name in _PLACES:
            _copy(path, system / _PLACES[path.name], epoch_s)
    _folder((system / _COMMAND).parent)
    (system / _COMMAND).write_text(_COMMAND_TEXT)
    (system / _COMMAND).chmod(0o755)
    root.date(system / _COMMAND, epoch_s)
    wants = system / "etc/systemd/system/multi-user.target.wants/doorward.target"
    _link(wants, "/usr/lib/systemd/system/doorward.target", epoch_s)
    if rpi_gpio:
        _copy(project / _UNITS / "rpi-gpio.conf", system / _RPI_GPIO, epoch_s)
        site = f"{HOME}/.venv/lib/python{root.python_version(system)}/site-packages"
        _link(system / site / "RPi", f"/{_DEBIANS}/RPi", epoch_s)


def compile_python(system: Path, folder: str) -> None:
    """Compile what is in a folder, once for all: the services may not write there. Raises `ImageError`.

    By their bytes, not their dates, since a card has dates of its own.
    """
    version = root.python_version(system)
    words: list[str | Path] = [
        "-I",
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    if version == f"3.{sys.version_info[1]}":
        words += ["-s", system, "-p", "/", system / folder]
        command.run([sys.executable, *words], 900)
    else:
        command.run(["chroot", system, f"/usr/bin/python{version}", *words, f"/{folder}"], 900)


def _copy(source: Path, target: Path, epoch_s: int) -> None:
    _folder(target.parent)
    shutil.copyfile(source, target)
    _settle(target, epoch_s)


def _link(link: Path, target: str, epoch_s: int) -> None:
    _folder(link.parent)
    link.symlink_to(target)
    root.date(link, epoch_s)


def _folder(folder: Path) -> None:
    if not folder.exists():
        _folder(folder.parent)
        folder.mkdir()
        let_all_read(folder)


def _settle(at: Path, epoch_s: int) -> None:
    let_all_read(at)
    root.date(at, epoch_s)


def let_all_read(at: Path) -> None:
    """Let every user read a file, or a folder with all in it, and its owner alone write.

    The services are other users than who makes the system; and the umask was anything when it was made.
    """
    for path in [at, *at.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
