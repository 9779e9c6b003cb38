"""What the x86 guest is made of, in a cache outside the repository: its kernel and its root.

``DOORWARD_HIL_CACHE``  where; without it $XDG_CACHE_HOME/doorward-hil or ~/.cache/doorward-hil.

The kernel and the root (Debian, the hashed requirements, gpio-sim built out of tree) are made once for each
set of versions. The project's sources are no part of it (`project_disk`).
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import progress

from host_tools.image import cache, command, disk, initramfs, kernel, root
from host_tools.image.archive import Archive
from host_tools.image.cache import Cache, ImageError
from host_tools.image.system import let_all_read

ROOT = Path(__file__).parents[3]

PACKAGES = (
    "systemd-sysv",
    "udev",
    "kmod",
    "procps",
    "iproute2",
    "python3",
    "python3-evdev",
    "e2fsprogs",
    "dmsetup",
    "gpiod",
    "i2c-tools",
)

#: To find the disks and the agent's port.
FIRST_MODULES = ("virtio_pci", "virtio_blk", "virtio_console", "ext4")
MODULES = (
    *FIRST_MODULES,
    *("virtio_net", "virtio_rng", "configfs", "softdog", "i6300esb", "loop"),
    *("dm-mod", "dm-flakey", "dm-log-writes", "uinput", "evdev", "i2c-stub", "i2c-dev"),
    *("dummy_hcd", "g_serial", "usb_f_acm", "cdc_acm", "libcomposite"),
)

#: gpio-sim asks the core for interrupts that can be raised by hand; Debian's kernel has neither.
_GPIO_SIM = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
_NOT_EXPORTED = "handle_simple_irq(irq_to_desc(irqnum));"
_EXPORTED = "handle_simple_irq(irq_data_to_desc(irq_get_irq_data(irqnum)));"
_KBUILD = "obj-m := gpio-sim.o irq-sim.o\nirq-sim-y := irq_sim.o\n"

_NETWORK = """[Match]
Name=eth0
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
IPv6AcceptRA=no
[Link]
RequiredForOnline=no
"""
_AGENT = """[Unit]
Description=What drives this guest from outside
DefaultDependencies=no
[Service]
ExecStart=/usr/bin/python3 /opt/rig/agent.py
OOMScoreAdjust=-1000
[Install]
WantedBy=sysinit.target
"""


#: What takes time at boot and has nothing to do with a door.
_NOT_HERE = (
    "getty.target",
    "timers.target",
    "e2scrub_reap.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-random-seed.service",
    "systemd-journal-flush.service",
    "systemd-binfmt.service",
    "systemd-pstore.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "systemd-remount-fs.service",
    "systemd-boot-system-token.service",
    "systemd-user-sessions.service",
    "remote-fs.target",
    "systemd-ask-password-wall.path",
)


class Parts(NamedTuple):
    """The files of a guest."""

    kernel: Path
    initramfs: Path
    root: Path


def folder() -> Path:
    """Where things that take long to make are kept."""
    own = os.environ.get("DOORWARD_HIL_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doorward-hil"


def suite() -> str:
    """The machine's own Debian: its compiler and its Python fit. Raises `ImageError`."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise ImageError("/etc/os-release: names no suite; expected Debian")


def parts() -> Parts:
    """The guest's files, made where they are missing. Raises `ImageError`."""
    made = Cache(folder(), progress.say)
    with made.lock():
        archive = Archive(folder() / "apt", suite(), "amd64")
        archive.refresh()
        found = kernel.resolve(archive)
        how = cache.sources(
            __file__, *(str(one.__file__) for one in (kernel, root, initramfs, disk))
        )
        name = f"{found.version}-{how}"
        modules = made.get(
            "gpio-sim", name, lambda here: build_gpio_sim(archive, archive, found, here)
        )
        kernels = made.get("kernel", name, lambda here: _kernel(archive, found, modules, here))
        versions = archive.system(PACKAGES)
        wanted = [ROOT / "requirements/run.txt", ROOT / "requirements/hil.txt"]
        key = cache.name(
            archive.suite, archive.date_s(), *versions, how, cache.sources(*wanted), found.version
        )
        roots = made.get("root", key, lambda here: _root(archive, kernels, wanted, here))
    return Parts(kernels / "vmlinuz", kernels / "initramfs", roots / "root.ext4")


def build_gpio_sim(archive: Archive, tools: Archive, found: kernel.Kernel, here: Path) -> None:
    """Put gpio-sim.ko and irq-sim.ko, of the kernel's own source, into `here`. Raises `ImageError`."""
    kernel.read_source(archive, found, _GPIO_SIM, here)
    source = here / "irq_sim.c"
    text = source.read_text()
    if _NOT_EXPORTED not in text:
        raise ImageError("irq_sim.c: does not call irq_to_desc(); expected the source of Linux 6")
    text = text.replace(_NOT_EXPORTED, _EXPORTED)
    includes = "#include <linux/irq.h>\n#include <linux/irqdesc.h>\n#include <linux/module.h>\n"
    source.write_text(includes + text + '\nMODULE_LICENSE("GPL");\n')
    (here / "Kbuild").write_text(_KBUILD)
    kernel.build(archive, tools, found, here)


def _kernel(archive: Archive, found: kernel.Kernel, built: Path, here: Path) -> None:
    unpacked = here / "unpacked"
    kernel.unpack(archive, found, unpacked)
    shutil.copyfile(unpacked / f"boot/vmlinuz-{found.release}", here / "vmlinuz")
    kernel.install(unpacked, found, MODULES, sorted(built.glob("*.ko")), here / "root")
    busybox = here / "busybox"
    command.run(["dpkg-deb", "-x", archive.fetch("busybox-static"), busybox], 60)
    first = kernel.wanted(unpacked, found, FIRST_MODULES)
    initramfs.write(here / "initramfs", busybox / "bin/busybox", first)
    for path in (unpacked, busybox):
        shutil.rmtree(path)


def _root(archive: Archive, kernels: Path, wanted: Sequence[Path], here: Path) -> None:
    system = here / "root"
    system.mkdir(mode=0o755)
    with progress.steps() as steps:
        root.make(archive, PACKAGES, system, steps)
    shutil.copytree(kernels / "root/lib/modules", system / "lib/modules", dirs_exist_ok=True)
    _python(archive, wanted, system)
    _settings(system)
    disk.ext4(here / "root.ext4", 2048, "root", system)
    shutil.rmtree(system)


def _python(archive: Archive, wanted: Sequence[Path], system: Path) -> None:
    run, hil = wanted
    version = root.python_version(system)
    packages = f"opt/venv/lib/python{version}/site-packages"
    root.install_python(system, archive.arch, [run], packages)
    root.install_python(system, archive.arch, [hil], "opt/hil-python")
    (system / packages / "doorward.pth").write_text("/opt/doorward\n")
    (system / "opt/venv/bin").mkdir()
    (system / "opt/venv/bin/python").symlink_to("/usr/bin/python3")
    (system / "opt/venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    for name in ("doorward", "rig"):
        (system / "opt" / name).mkdir()
    python = f"/usr/bin/python{version}"
    subprocess.run(
        ["chroot", system, python, "-m", "compileall", "-q", "/opt/venv", "/opt/hil-python"],
        check=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    let_all_read(system / "opt")


def _settings(system: Path) -> None:
    units = "/opt/doorward/firmware/units"
    etc = system / "etc/systemd"
    links = {
        "etc/udev/rules.d/60-doorward.rules": f"{units}/udev.rules",
        "etc/sysusers.d/doorward.conf": f"{units}/sysusers.conf",
        "etc/tmpfiles.d/doorward.conf": f"{units}/tmpfiles.conf",
        "etc/systemd/system/sysinit.target.wants/hil-agent.service": "../hil-agent.service",
        "etc/systemd/system/multi-user.target.wants/systemd-networkd.service": (
            "/lib/systemd/system/systemd-networkd.service"
        ),
    }
    for name in (
        "doorward.target",
        "doorward-door.service",
        "doorward-door.socket",
        "doorward-link.service",
    ):
        links[f"etc/systemd/system/{name}"] = f"{units}/{name}"
    for name in _NOT_HERE:
        links[f"etc/systemd/system/{name}"] = "/dev/null"
    for link, target in links.items():
        path = system / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    (etc / "system/hil-agent.service").write_text(_AGENT)
    (etc / "network").mkdir(exist_ok=True)
    (etc / "network/eth0.network").write_text(_NETWORK)
    (system / "etc/fstab").write_text("")
    (system / "etc/hostname").write_text("doorward-hil\n")
    (system / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
