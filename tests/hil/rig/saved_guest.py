"""A booted guest, saved: Debian is up and idle, the board's chip is there, its lines are written down.

Nothing of the project is in it, so one serves until Debian, qemu or the rig changes: kept in the cache.
"""

import shutil
import tempfile
from pathlib import Path

import emulator
import progress
import x86_guest
from emulator import PROJECT_MB, STATE_MB, Machine
from guest import Guest
from installed import HIGH, LABEL, LINES, make_chip

from host_tools.image import cache, command, disk
from host_tools.image.cache import Cache
from host_tools.image.system import let_all_read

RIG = Path(__file__).parent

#: The rig's code that is in a saved state.
_INSIDE = ("agent.py", "ready.py")

#: What programs are made of is in the memory then, as on a board that has been up for a while.
_WARM = "find /usr/bin /usr/sbin /usr/lib/python3* /opt -xdev -type f -exec cat {} + >/dev/null"
_NETWORK = "ip -4 -o address show dev eth0 | grep -q 10.0.2.15"


def saved() -> Machine:
    """A machine to start guests of, made where it is missing. Raises `ImageError`, `GuestError`."""
    parts = x86_guest.parts()
    of = (parts.kernel.parent.name, parts.root.parent.name, emulator.version())
    code = (cache.sources(__file__, *(RIG / name for name in _INSIDE)), LABEL, LINES, HIGH)
    made = Cache(x86_guest.folder(), progress.say)
    with made.lock():
        folder = made.get(
            "state",
            cache.name(*of, *code, *emulator.options()),
            lambda here: _save(_machine(parts, here), parts.root),
        )
    return _machine(parts, folder)


def _machine(parts: x86_guest.Parts, folder: Path) -> Machine:
    names = ("memory", "devices", "root.ext4", "rig.ext4", "project.ext4", "state.ext4")
    return Machine(parts.kernel, parts.initramfs, *(folder / name for name in names))


def _save(machine: Machine, root: Path) -> None:
    """Boot, wait until nothing more happens, save."""
    command.run(["cp", "--sparse=always", root, machine.root], 300)
    for image, size_mb in ((machine.project, PROJECT_MB), (machine.state, STATE_MB)):
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
    with tempfile.TemporaryDirectory() as work:
        stage = Path(work) / "rig"
        stage.mkdir()
        for name in _INSIDE:
            shutil.copy2(RIG / name, stage)
        let_all_read(stage)
        disk.ext4(machine.rig, 8, "rig", stage)
        with Guest(machine, Path(work)) as guest:
            guest.up()
            guest.shell("systemctl is-system-running --wait || true", 300)
            guest.until("the network", lambda: not guest.run("sh", "-c", _NETWORK).code)
            make_chip(guest)
            guest.ask("ready")
            guest.shell(f"udevadm settle; {_WARM}; sync", 300)
            guest.settled()
            guest.emulator.save(machine.devices)
