"""Other people's programs, run with a time limit; one that fails is one line."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from host_tools.image.cache import ImageError

#: How the first line of a complaint looks that says what was wrong.
_ERROR = re.compile(r"^E: |(?i:\berror: )")

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
) -> str:
    """What a program says on its standard output. Raises `ImageError` with the last line of its complaint."""
    try:
        done = subprocess.run(
            [path(str(words[0])), *(str(word) for word in words[1:])],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageError(f"{words[0]}: not done after {limit_s:.0f} s; expected less") from None
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip() or "said nothing").splitlines()
        wrong = next((line for line in told if _ERROR.search(line)), told[-1])
        raise ImageError(f"{words[0]}: {wrong.strip()}; expected it to succeed")
    return done.stdout
