"""The emulated PC: a process of qemu's, its disks, its monitor.

It boots, and its state can be saved; or it goes on from a saved state, which takes a second. Nothing that a
guest does is kept, but for the disk of a state folder that a test gives it.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

from children import end_with_us

from host_tools.image import command

#: How much slower a busy machine may be than an idle one; for the limits of waits, never for judgements.
PATIENCE = float(os.environ.get("DOORWARD_HIL_PATIENCE", "1"))

MEMORY_MB = 1024
PROJECT_MB, STATE_MB = 64, 128  #: sizes of the disks that are put in: those of the saved state's
PROJECT, STATE = "/dev/vdc", "/dev/vdd"

YIELDS = 5  #: a third of the share that the others have

#: Words for a kernel that nobody attacks: emulated, its defences cost a tenth of the time.
FASTER = "mitigations=off init_on_alloc=0 hardened_usercopy=off apparmor=0 audit=0"

#: /dev/vdb is the rig's own code. With one processor the kernel has handed an edge over before the program
#: that made it goes on, so that gpio-sim never merges two.
_WORDS = "console=ttyS0 quiet panic=-1 net.ifnames=0 also=/dev/vdb:/opt/rig:ro " + FASTER


class GuestError(Exception):
    """The guest did not do what it was asked, in time or at all."""


class Machine(NamedTuple):
    """The files of an emulated PC.

    memory   Path  its memory, as it was when its state was saved
    devices  Path  the rest of that state; not there yet: it boots
    state    Path  the disk of a state folder
    """

    kernel: Path
    initramfs: Path
    memory: Path
    devices: Path
    root: Path
    rig: Path
    project: Path
    state: Path


def options() -> list[str]:
    """Those of qemu's options that a saved state depends on."""
    found = ["-machine", "q35,memory-backend=memory", "-m", str(MEMORY_MB), "-cpu", "max,-la57"]
    if shift := os.environ.get("DOORWARD_HIL_ICOUNT"):
        found += ["-accel", "tcg,thread=single", "-icount", f"shift={shift}"]
    else:
        found += ["-accel", "tcg,thread=multi"]
    found += ["-smp", "1", "-nodefaults", "-display", "none", "-no-reboot", "-append", _WORDS]
    found += ["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]
    found += ["-device", "virtserialport,chardev=agent,name=doorward.agent"]
    return [*found, "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]


def version() -> str:
    """What qemu says it is."""
    return command.run(["qemu-system-x86_64", "--version"], 30).splitlines()[0]


def yield_and_end_with_us() -> None:
    """And until then the guests whose times are told or waited for come first."""
    end_with_us()
    os.nice(YIELDS)
    with contextlib.suppress(OSError):  # a session has its own share where the kernel groups them
        Path("/proc/self/autogroup").write_text(str(YIELDS))


def connect(path: Path, process: subprocess.Popen[bytes], said: Path) -> socket.socket:
    """A socket of qemu's, once it is there. Raises `GuestError`.

    said  Path  what qemu has said
    """
    end_s = time.monotonic() + 30 * PATIENCE
    while True:
        one = socket.socket(socket.AF_UNIX)
        try:
            one.connect(str(path))
            return one
        except OSError as error:
            one.close()
            if process.poll() is not None or time.monotonic() > end_s:
                raise GuestError(_broken(said)) from error
            time.sleep(0.02)


def _broken(said: Path) -> str:
    words = " ".join(said.read_text(errors="replace").split())
    return f"qemu: {words or 'ended, saying nothing'}"


class Emulator:
    """A running PC.

    machine  Machine
    folder   Path     where its console (``console.txt``) and its sockets are kept
    keeps    bool     what is written to the disk of the state folder stays there
    yields   bool     whoever else runs on the host comes first
    """

    def __init__(
        self, machine: Machine, folder: Path, keeps: bool = False, yields: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._boots = not machine.devices.exists()
        self.console = folder / "console.txt"
        self._said = folder / "qemu.txt"
        agent, monitor = folder / "agent", folder / "monitor"
        words = [command.path("qemu-system-x86_64")]
        words += ["-chardev", f"socket,id=agent,path={agent},server=on,wait=off"]
        words += ["-qmp", f"unix:{monitor},server=on,wait=off"]
        words += ["-serial", f"file:{self.console}"]
        words += ["-kernel", str(machine.kernel), "-initrd", str(machine.initramfs)]
        share = "on" if self._boots else "off"
        memory = f"id=memory,size={MEMORY_MB}M,mem-path={machine.memory},share={share}"
        words += ["-object", f"memory-backend-file,{memory}"]
        disks = {machine.root: self._boots, machine.rig: False, machine.project: False}
        for image, kept in {**disks, machine.state: keeps}.items():
            snapshot = "off" if kept else "on"
            words += ["-drive", f"file={image},format=raw,if=virtio,snapshot={snapshot}"]
        if not self._boots:
            words += ["-incoming", "defer"]
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [*words, *options()],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=yield_and_end_with_us if yields else end_with_us,
            )
        try:
            self._monitor = connect(monitor, self.process, self._said)
            self._monitor.settimeout(60 * PATIENCE)
            self._lines = self._monitor.makefile("r")
            self._lines.readline()
            self._order("qmp_capabilities")
            # The memory is in a file of its own that a guest which goes on maps: nothing of it is copied.
            apart = {"capability": "x-ignore-shared", "state": True}
            self._order("migrate-set-capabilities", capabilities=[apart])
            if not self._boots:
                self._order("migrate-incoming", uri=f"exec:cat '{machine.devices}'")
                self._until("query-status", "paused", ("inmigrate",))
                self._order("cont")
            self.agent = connect(agent, self.process, self._said)
        except (OSError, GuestError) as error:
            self.kill()
            problem = str(error) if isinstance(error, GuestError) else _broken(self._said)
            if not self._boots:
                folder = machine.devices.parent
                problem += f"; expected {folder} to go on (remove it, and it is made anew)"
            raise GuestError(problem) from error
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Cut its power."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def save(self, devices: Path) -> None:
        """Write its state, all but the memory, and end it. Raises `GuestError`."""
        self._order("stop")
        self._order("migrate", uri=f"exec:cat > '{devices}'")
        self._until("query-migrate", "completed", ("none", "setup", "active", "device"))
        self.kill()

    def told(self, problem: str) -> str:
        """A problem, and what the guest said last."""
        said = self._said.read_text(errors="replace").strip()
        tail = self.console.read_text(errors="replace")[-1500:] if self.console.exists() else ""
        return (
            f"{problem}; {f'qemu: {said}; ' if said else ''}the guest's console ends with:\n{tail}"
        )

    def _order(self, name: str, **arguments: Any) -> dict[str, Any]:
        order = json.dumps({"execute": name, "arguments": arguments})
        self._monitor.sendall(order.encode())
        for line in self._lines:
            said: dict[str, Any] = json.loads(line)
            if "return" in said:
                return dict(said["return"])
            if "error" in said:
                raise GuestError(f"qemu: {name}: {said['error']['desc']}")
        raise GuestError(_broken(self._said))

    def _until(self, query: str, wanted: str, meanwhile: tuple[str, ...]) -> None:
        end_s = time.monotonic() + 60 * PATIENCE
        while (status := self._order(query).get("status", "none")) != wanted:
            if status not in meanwhile or time.monotonic() > end_s:
                raise GuestError(f"qemu: {query}: {status}; expected {wanted}")
            time.sleep(0.02)
