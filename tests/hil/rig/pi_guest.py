"""An emulated Raspberry Pi 3 B that starts from a card; its pins are read and driven from outside.

There is no agent in it: what it says comes over its broker and its console. Its pins are the registers of
its chip, through qemu's own test socket. The model of the chip knows levels; no edges and no pulls.
"""

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from emulator import FASTER, PATIENCE, GuestError, connect, yield_and_end_with_us

from host_tools.image import command
from host_tools.image.card import MB

#: BCM2835 ARM Peripherals, 6.1: registers of the pins 0 to 31.
_PINS = 0x3F200000
_DIRECTION, _SET, _CLEAR, _LEVEL = _PINS, _PINS + 0x1C, _PINS + 0x28, _PINS + 0x34
_CHIP = "/machine/soc/peripherals/gpio"  #: qemu's own path to it

_WORDS = (
    "console=ttyAMA0 quiet panic=-1 iomem=relaxed net.ifnames=0 "
    "rdev=/dev/mmcblk0p2 rinit=/sbin/init " + FASTER
)


class Pi:
    """A Pi that is starting; use as a context manager. What it writes to `card` stays there.

    rest  dict  levels that the world gives its inputs from the first moment, by pin
    """

    def __init__(
        self,
        kernel: Path,
        initramfs: Path,
        dtb: Path,
        card: Path,
        folder: Path,
        rest: dict[int, int],
    ) -> None:
        self.console = folder / "console.txt"
        self._said = folder / "qemu.txt"
        path = folder / "pins"
        options = ["-M", "raspi3b", "-display", "none", "-monitor", "none", "-no-reboot"]
        options += ["-serial", f"file:{self.console}", "-accel", "tcg"]
        options += ["-kernel", str(kernel), "-initrd", str(initramfs), "-dtb", str(dtb)]
        options += ["-append", _WORDS, "-drive", f"file={card},format=raw,if=sd"]
        options += ["-netdev", "user,id=net", "-device", "usb-net,netdev=net"]
        options += ["-qtest", f"unix:{path},server=on,wait=off", "-qtest-log", os.devnull]
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [command.path("qemu-system-aarch64"), *options],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=yield_and_end_with_us,
            )
        try:
            self._pins = connect(path, self.process, self._said)
            self._pins.settimeout(30 * PATIENCE)
            self._lines = self._pins.makefile("r")
            self._changes: list[str] = []
            self._ask(f"irq_intercept_out {_CHIP}")
            for pin, level in rest.items():
                self.drive(pin, level)
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> "Pi":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Cut its power."""
        self.process.kill()
        self.process.wait(30)

    # ---- pins ----------------------------------------------------------------------------------------

    def level(self, pin: int) -> int:
        """What a meter shows on a pin."""
        return self._ask(f"readl {_LEVEL:#x}") >> pin & 1

    def is_output(self, pin: int) -> bool:
        """Whether a pin is an output."""
        return self._ask(f"readl {_DIRECTION + pin // 10 * 4:#x}") >> pin % 10 * 3 & 7 == 1

    def rises(self, pin: int) -> int:
        """How often a pin went from low to high while it was an output, since the power came."""
        self.level(pin)  # what happened until now is told before the answer
        return self._changes.count(f"IRQ raise {pin}")

    def drive(self, pin: int, level: int) -> None:
        """The world gives an input a level: a pin that is none takes it from these registers too."""
        assert not self.is_output(pin), f"GPIO{pin} is an output"
        self._ask(f"writel {_SET if level else _CLEAR:#x} {1 << pin:#x}")

    def until(self, what: str, true: Callable[[], bool], limit_s: float = 60) -> None:
        """Look again and again until something is so. Raises `GuestError`."""
        end_s = time.monotonic() + limit_s * PATIENCE
        while not true():
            if time.monotonic() > end_s or self.process.poll() is not None:
                raise GuestError(f"{what}: not in {limit_s:.0f} s; {self.told()}")
            time.sleep(0.02)

    def told(self) -> str:
        """The end of its console."""
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return f"its console ends with:\n{text[-3000:]}"

    def _ask(self, order: str) -> int:
        self._pins.sendall(f"{order}\n".encode())
        while (line := self._lines.readline()).startswith("IRQ "):  # what a pin did meanwhile
            self._changes.append(line.strip())
        answer = line.split()
        if not answer or answer[0] != "OK":
            raise GuestError(f"{order}: {' '.join(answer) or 'no answer'}; {self.told()}")
        return int(answer[1], 16) if len(answer) > 1 else 0


class CutCard:
    """What is on a card whose board lost its power: the root file system, its journal replayed.

    boot_mb  int  the size of the partition before it
    """

    def __init__(self, card: Path, folder: Path, boot_mb: int = 128) -> None:
        self._root = folder / "root.ext4"
        source, target = f"if={card}", f"of={self._root}"
        command.run(["dd", source, target, "bs=1M", f"skip={boot_mb + 1}", "conv=sparse"], 300)
        self._root.open("ab").truncate(card.stat().st_size - (boot_mb + 1) * MB)
        words = [command.path("e2fsck"), "-f", "-y", str(self._root)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        #: bool  nothing but the journal had to be mended
        self.is_whole = done.returncode in (0, 1)
        self.said = done.stdout

    def names(self, folder: str) -> list[str]:
        """What is in a folder."""
        rows = command.run(["debugfs", "-R", f"ls -p {folder}", self._root], 60).splitlines()
        found = [row.split("/")[5] for row in rows if row.startswith("/")]
        return sorted(name for name in found if name not in (".", ".."))

    def mode(self, path: str) -> str:
        """The permissions of a file, octal, and its size."""
        said = command.run(["debugfs", "-R", f"stat {path}", self._root], 60)
        found = re.search(r"Mode: +0(\d+).*?Size: (\d+)", said, re.DOTALL)
        assert found, said
        return f"{found[1]} {found[2]}"

    def text(self, path: str) -> str:
        """What is in a file."""
        return command.run(["debugfs", "-R", f"cat {path}", self._root], 60)

    def data(self, path: str) -> bytes:
        """The bytes of a file."""
        copy = self._root.with_name("copy")
        command.run(["debugfs", "-R", f"dump {path} {copy}", self._root], 60)
        return copy.read_bytes()
