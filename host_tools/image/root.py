"""The root of a Debian system as a folder, and Python packages for it.

Needs root, since the files belong to root and to others. A root of another architecture needs
qemu-user-static and a kernel that runs it (binfmt_misc).
"""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from host_tools.image import command
from host_tools.image.archive import Archive
from host_tools.image.cache import ImageError

#: What wheels are called that run on Debian, newest first.
_GLIBC = (
    *("manylinux_2_36", "manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27"),
    *("manylinux_2_24", "manylinux_2_17", "manylinux2014", "manylinux_2_12", "manylinux2010"),
    *("manylinux_2_5", "manylinux1", "linux"),
)
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def make(archive: Archive, packages: Sequence[str], folder: Path) -> None:
    """Fill the empty `folder` with the smallest system that has `packages`. Raises `ImageError`."""
    if os.getuid() != 0:
        raise ImageError("root: this user may not make files of others; expected root")
    # In a mount namespace of its own: what a chroot had mounted goes with it, however it ends.
    words = ["unshare", "--mount", "--propagation=private", "--"]
    words += ["mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={archive.arch}"]
    words += ['--aptopt=Acquire::Languages "none"', '--aptopt=Acquire::Retries "3"']
    words += ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*"]
    words += ["--dpkgopt=path-exclude=/usr/share/locale/*", f"--include={','.join(packages)}"]
    command.run([*words, archive.suite, folder, archive.sources], 1800)
    for name in ("var/cache/apt", "var/lib/apt/lists"):
        command.run(["find", folder / name, "-type", "f", "-delete"], 60)


def python_version(root: Path) -> str:
    """The version of the root's python3, such as "3.11". Raises `ImageError`."""
    found = os.path.basename(os.path.realpath(root / "usr/bin/python3")).removeprefix("python")
    if not found.startswith("3."):
        raise ImageError(f"{root}: has no python3; expected the package python3")
    return found


def install_python(root: Path, arch: str, requirements: Sequence[Path], target: str) -> None:
    """Install hashed requirements for the root's Python into its folder `target`. Raises `ImageError`."""
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
    machine, version = _MACHINES[arch], python_version(root)
    if machine != platform.machine() or version != f"3.{sys.version_info[1]}":
        # Another machine's: nothing can be compiled here.
        words += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}"]
        words += [f"--platform={glibc}_{machine}" for glibc in _GLIBC]
    words += [f"--target={root / target.lstrip('/')}"]
    for path in requirements:
        words += ["-r", path]
    command.run(words, 600)
