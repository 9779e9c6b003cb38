"""Programs of another machine, run here by qemu: a root system of another architecture is made with them."""

import os
import platform
import shutil
from pathlib import Path

from host_tools.image import command
from host_tools.image.cache import ImageError

_BINFMT = Path("/proc/sys/fs/binfmt_misc")

#: What an ELF file of a machine begins with, and which of its bits count (Linux, binfmt-misc.rst).
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_HEAD = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"
_MACHINES = {
    "amd64": ("x86_64", rf"{_HEAD}\x3e\x00"),
    "arm64": ("aarch64", rf"{_HEAD}\xb7\x00"),
}


def known(arch: str) -> str:
    """`arch` itself. Raises `ImageError` if it is none that is known here."""
    if arch not in _MACHINES:
        raise ImageError(f"{arch}: not known here; expected {' or '.join(_MACHINES)}")
    return arch


def enable(arch: str) -> None:
    """See that this kernel runs programs of `arch`, Debian's word. Raises `ImageError` if it cannot.

    What is registered stays until the machine starts again, as with Debian's own package.
    """
    machine, magic = _MACHINES[known(arch)]
    if machine == platform.machine():
        return
    program = f"qemu-{machine}"
    interpreter = shutil.which(f"{program}-static")
    if interpreter is None:
        raise ImageError(f"{program}-static: not found; expected the package qemu-user-static")
    if (_BINFMT / program).exists():
        return
    if not _BINFMT.joinpath("register").exists():
        command.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], 30)
    if (_BINFMT / program).exists():
        return
    # F: the interpreter is opened now, so that a root system needs none of its own.
    line = f":{program}:M::{magic}:{_MASK}:{os.path.realpath(interpreter)}:F"
    try:
        (_BINFMT / "register").write_text(line)
    except OSError as error:
        raise ImageError(
            f"{program}: the kernel does not take it ({error.strerror}); expected root and binfmt_misc"
        ) from None
