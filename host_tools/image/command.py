"""Other people's programs, run with a time limit; one that fails is one line."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from host_tools.image.cache import ImageError

#: How the first line of a complaint looks that says what was wrong.
_ERROR = re.compile(r"^E: |(?i:\berror: )|^\S*\btar: (?!Skipping|Exiting)")

#: The Debian package that a program is in, where it is not the program's name.
PACKAGES = {
    "mkfs.ext4": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "depmod": "kmod",
    "modprobe": "kmod",
    "dpkg-deb": "dpkg",
    "unshare": "util-linux",
    "apt-get": "apt",
    "apt-cache": "apt",
    "busybox": "busybox-static",
    "mcopy": "mtools",
    "mmd": "mtools",
    "mkfs.vfat": "dosfstools",
    "fdtput": "device-tree-compiler",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-system-x86_64": "qemu-system-x86",
}


def path(program: str) -> str:
    """Where a program is. Raises `ImageError`, which names the package, if it is not there."""
    found = shutil.which(
        program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    )
    if found is None:
        package = PACKAGES.get(program, program)
        raise ImageError(f"{program}: not found; expected the package {package}")
    return found


def run(
    words: Sequence[str | Path],
    limit_s: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[[str], None] | None = None,
) -> str:
    """What a program says on its standard output. Raises `ImageError` with the last line of its complaint.

    meanwhile  called several times a second while it works, and when it is done, with all that it has
               said on its standard error
    """
    end_s = time.monotonic() + limit_s
    with subprocess.Popen(
        [path(str(words[0])), *(str(word) for word in words[1:])],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            said, complaint = _wait(process, end_s, meanwhile)
        except subprocess.TimeoutExpired:
            raise ImageError(f"{words[0]}: not done after {limit_s:.0f} s; expected less") from None
        finally:
            process.kill()
    if process.returncode:
        told = (complaint.strip() or said.strip() or "said nothing").splitlines()
        wrong = next((line for line in told if _ERROR.search(line)), told[-1])
        raise ImageError(f"{words[0]}: {wrong.strip()}; expected it to succeed")
    return said


def _wait(
    process: "subprocess.Popen[str]", end_s: float, meanwhile: Callable[[str], None] | None
) -> tuple[str, str]:
    while True:
        left_s = max(end_s - time.monotonic(), 0)
        try:
            done = process.communicate(timeout=left_s if meanwhile is None else min(left_s, 0.2))
        except subprocess.TimeoutExpired as error:
            if time.monotonic() >= end_s or meanwhile is None:
                raise
            meanwhile((error.stderr or b"").decode(errors="replace"))  # bytes, text or not
        else:
            if meanwhile is not None:
                meanwhile(done[1])
            return done
