"""The root of a Debian system as a folder, and Python packages for it.

Needs root, since the files belong to root and to others. A root of another architecture needs
qemu-user-static and a kernel that runs it (binfmt_misc).
"""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from host_tools.image import command, foreign
from host_tools.image.archive import Archive
from host_tools.image.cache import ImageError
from host_tools.image.progress import Progress

#: What wheels are called that run on Debian, newest first.
_GLIBC = (
    *("manylinux_2_36", "manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27"),
    *("manylinux_2_24", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010"),
    *("manylinux_2_5", "manylinux1", "linux"),
)
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


#: A step, as mmdebstrap tells it.
_STEP = re.compile(r"^I: (.+)\.\.\.$", re.MULTILINE)

#: What mmdebstrap copies from the machine that it runs on.
_MACHINES_OWN = ("etc/resolv.conf", "etc/hostname", "etc/apt/sources.list")

#: What apt makes when it fetches: whose it is hangs on who may read the folder of the system.
_APTS = ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial")

#: The files of a package that say what pip put where; and how the line of a script begins there.
_RECORDS, _SCRIPT = "*.dist-info/RECORD", "../../bin/"


def make(archive: Archive, packages: Sequence[str], folder: Path, progress: Progress) -> None:
    """Fill the empty `folder` with the smallest system that has `packages`. Raises `ImageError`.

    The same packages give the same files and dates: what was made here and not packed by Debian is dated
    as the suite is. Nothing of this machine stays: no name, no name server, no mirror.
    """
    if os.getuid() != 0:
        raise ImageError("root: this user may not make files of others; expected root")
    # In a mount namespace of its own: what a chroot had mounted goes with it, however it ends.
    words = ["unshare", "--mount", "--propagation=private", "--"]
    words += ["mmdebstrap", "--variant=minbase", f"--architectures={archive.arch}"]
    words += ['--aptopt=Acquire::Languages "none"', '--aptopt=Acquire::Retries "3"']
    words += ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*"]
    words += ["--dpkgopt=path-exclude=/usr/share/locale/*", f"--include={','.join(packages)}"]
    epoch_s, begun_s = archive.date_s(), time.time()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch_s), "TZ": "UTC", "LC_ALL": "C"}
    steps = _Steps(progress)
    try:
        words += [archive.suite, str(folder), str(archive.sources)]
        command.run(words, 1800, None, environment, steps.said)
    except BaseException:
        progress.broken()
        raise
    steps.done()
    for name in ("var/cache/apt", "var/lib/apt/lists"):
        command.run(["find", folder / name, "-type", "f", "-delete"], 60)
    leave_out_the_machine(folder)
    date(folder, epoch_s, begun_s - 2)  # the kernel's dates are some ms late


class _Steps:
    """mmdebstrap's steps, as they come."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun = 0

    def said(self, text: str) -> None:
        """All that it has said until now."""
        for name in _STEP.findall(text)[self._begun :]:
            self.done()
            self._progress.begin(f"debian: {name}")
            self._begun += 1
        self._progress.at(0)

    def done(self) -> None:
        """The last step that began is done."""
        if self._begun:
            self._progress.end()


def leave_out_the_machine(root: Path) -> None:
    """Remove from a root system what mmdebstrap took from the machine that it ran on.

    A name server is the business of the network service: one that gives a resolv.conf makes a link of it.
    Where apt finds packages is the business of who maintains the system, and may name a password.
    """
    for name in _MACHINES_OWN:
        if not (root / name).is_symlink():
            (root / name).unlink(missing_ok=True)
    for path in (root / "etc/apt/sources.list.d").iterdir():
        path.unlink()
    for name in _APTS:
        shutil.rmtree(root / name, ignore_errors=True)


def date(at: Path, epoch_s: int, since_s: float = 0) -> None:
    """Date a file, or a folder with all in it, where it was changed after `since_s`, s since 1970."""
    inside = [] if at.is_symlink() else at.rglob("*")
    for path in [at, *inside]:
        if path.lstat().st_mtime >= since_s:
            os.utime(path, (epoch_s, epoch_s), follow_symlinks=False)


def python_version(root: Path) -> str:
    """The version of the root's python3, such as "3.11". Raises `ImageError`."""
    found = os.path.basename(os.path.realpath(root / "usr/bin/python3")).removeprefix("python")
    if not found.startswith("3."):
        raise ImageError(f"{root}: has no python3; expected the package python3")
    return found


def install_python(root: Path, arch: str, requirements: Sequence[Path], target: str) -> None:
    """Install hashed requirements for the root's Python into its folder `target`. Raises `ImageError`.

    Libraries alone: commands would begin with the path of the Python that runs this.
    """
    words: list[str | Path] = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
    ]
    words += ["--disable-pip-version-check", "--require-hashes", "--no-compile"]
    machine, version = _MACHINES[foreign.known(arch)], python_version(root)
    if machine != platform.machine() or version != f"3.{sys.version_info[1]}":
        # Another machine's: nothing can be compiled here.
        words += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}"]
        words += [f"--platform={glibc}_{machine}" for glibc in _GLIBC]
    words += [f"--target={root / target.lstrip('/')}"]
    for path in requirements:
        words += ["-r", path]
    command.run(words, 600)
    drop_scripts(root / target.lstrip("/"))


def drop_scripts(packages: Path) -> None:
    """Remove the commands that pip put beside the packages of its folder `--target`."""
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for record in packages.glob(_RECORDS):
        lines = record.read_text().splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not line.startswith(_SCRIPT)))
