"""A Debian kernel for a guest: the image, the modules that are wanted, and modules built out of tree.

Image, headers and source are of one version, the one that apt has when it is made.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from host_tools.image import command
from host_tools.image.archive import Archive
from host_tools.image.cache import ImageError

#: Debian's word for an architecture: the kernel's word, the compiler's prefix.
_KERNEL_WORDS = {"amd64": ("x86", "x86_64-linux-gnu-"), "arm64": ("arm64", "aarch64-linux-gnu-")}


class Kernel(NamedTuple):
    """A kernel in the archive.

    image    str  the package of the kernel, such as linux-image-6.1.0-1-amd64
    headers  str  the package to build modules with
    source   str  the package of the source
    release  str  what ``uname -r`` says
    version  str  of all three packages
    """

    image: str
    headers: str
    source: str
    release: str
    version: str


def resolve(archive: Archive) -> Kernel:
    """The suite's kernel as of now. Raises `ImageError` where its packages are not of one version."""
    image = archive.depends(f"linux-image-{archive.arch}", "linux-image-")
    headers = archive.depends(f"linux-headers-{archive.arch}", "linux-headers-")
    release = image.removeprefix("linux-image-")
    series = re.match(r"[0-9]+\.[0-9]+", release)
    source = f"linux-source-{series[0] if series else release}"
    versions = {package: archive.version(package) for package in (image, headers, source)}
    if len(set(versions.values())) != 1 or not headers.endswith(release):
        told = ", ".join(f"{package} {version}" for package, version in versions.items())
        raise ImageError(f"kernel: {told}; expected one version (the archive is being renewed)")
    return Kernel(image, headers, source, release, versions[image])


def unpack(archive: Archive, kernel: Kernel, folder: Path) -> None:
    """Put the image package into `folder`, with its list of what depends on what."""
    command.run(["dpkg-deb", "-x", archive.fetch(kernel.image), folder], 300)
    command.run(["depmod", "-b", folder, kernel.release], 120)


def wanted(folder: Path, kernel: Kernel, modules: Sequence[str]) -> list[Path]:
    """The files of modules and of what they need, in the order in which they load. Raises `ImageError`."""
    files: dict[Path, None] = {}
    for module in modules:
        words: list[str | Path] = [
            "modprobe",
            "-d",
            folder,
            "-S",
            kernel.release,
            "--show-depends",
            module,
        ]
        for line in command.run(words, 30).splitlines():
            kind, _, path = line.strip().partition(" ")
            if kind == "insmod":
                files[Path(path.split()[0])] = None
    return list(files)


def install(
    unpacked: Path, kernel: Kernel, modules: Sequence[str], built: Sequence[Path], root: Path
) -> None:
    """Put modules, and those of ours in `built`, into the root of a system."""
    folder = root / "lib/modules" / kernel.release
    folder.mkdir(parents=True, exist_ok=True)
    for path in wanted(unpacked, kernel, modules):
        target = root / path.relative_to(unpacked)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (folder / "extra").mkdir(exist_ok=True)
    for path in built:
        shutil.copyfile(path, folder / "extra" / path.name)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copyfile(unpacked / "lib/modules" / kernel.release / name, folder / name)
    command.run(["depmod", "-b", root, kernel.release], 120)


def read_source(archive: Archive, kernel: Kernel, names: Sequence[str], folder: Path) -> None:
    """Put files of the kernel's source into `folder`, without their folders. Raises `ImageError`."""
    package = folder / "source"
    command.run(["dpkg-deb", "-x", archive.fetch(kernel.source), package], 300)
    whole = package / "usr/src" / f"{kernel.source}.tar.xz"
    inside = [f"{kernel.source}/{name}" for name in names]
    command.run(["tar", "-C", package, "--occurrence", "-xf", whole, *inside], 300)
    for name in inside:
        shutil.move(package / name, folder / Path(name).name)
    shutil.rmtree(package)


def build(archive: Archive, tools: Archive, kernel: Kernel, folder: Path) -> list[Path]:
    """Build the modules that the Kbuild file in `folder` names, against the kernel's headers.

    archive  of the kernel's architecture
    tools    of this machine's: the programs with which Debian builds modules run here
    Raises `ImageError`.
    """
    headers = folder / "headers"
    common = archive.depends(
        kernel.headers, f"linux-headers-{kernel.release.rpartition('-')[0]}-common"
    )
    kbuild = archive.depends(kernel.headers, "linux-kbuild-")
    for source, package in ((archive, kernel.headers), (archive, common), (tools, kbuild)):
        command.run(["dpkg-deb", "-x", source.fetch(package), headers], 300)
    _relocate(headers, kernel)
    arch, prefix = _KERNEL_WORDS[archive.arch]
    words: list[str | Path] = [
        "make",
        f"ARCH={arch}",
        "-C",
        headers / "usr/src" / kernel.headers,
        f"M={folder}",
        "modules",
    ]
    if archive.arch != tools.arch:
        words.insert(1, f"CROSS_COMPILE={prefix}")
    command.run(words, 300)
    shutil.rmtree(headers)
    return sorted(folder.glob("*.ko"))


def _relocate(headers: Path, kernel: Kernel) -> None:
    """The headers say where they are when installed; here they are somewhere else."""
    for path in (headers / "usr/src").glob("linux-headers-*/Makefile"):
        text = path.read_text()
        if "include /usr/src/" in text:
            path.write_text(text.replace("include /usr/src/", f"include {headers}/usr/src/"))
