"""The card of the emulated Pi 3: Debian for arm64 and the kernel from the cache, the project as it stands."""

import shutil
from pathlib import Path
from typing import NamedTuple

from progress import say, steps
from x86_guest import ROOT, folder, suite

from host_tools.image import cache, card, command, foreign, initramfs, kernel, root, system
from host_tools.image.archive import Archive
from host_tools.image.cache import Cache
from host_tools.image.progress import Progress
from host_tools.image.tree import File, newest_s

PACKAGES = ("systemd-sysv", "udev", "kmod", "procps", "iproute2", "python3", "python3-rpi.gpio")

#: phy-generic first: without it the USB host appears some 10 s later.
FIRST_MODULES = ("bcm2835", "sdhci-iproc", "mmc_block", "ext4", "phy-generic", "dwc2")
MODULES = (*FIRST_MODULES, "cdc_ether", "rndis_host")
DTB = "bcm2837-rpi-3-b.dtb"
BOARD = Path(__file__).parent / "board_pi3.toml"
HOSTNAME = "c-01"

#: Where the host is for a guest of qemu's own network.
HOST = "10.0.2.2"

_NETWORK = """[Match]
Name=usb* eth*
[Network]
DHCP=ipv4
LinkLocalAddressing=no
"""

#: Debian's kernel has no /dev/gpiomem, as a Pi's own has: the registers are in /dev/mem, for root alone.
#: And an emulated processor is 20 times slower: its times say nothing, so no watch is kept on them.
_EMULATED = """[Service]
DeviceAllow=/dev/mem rw
CapabilityBoundingSet=CAP_SYS_RAWIO
AmbientCapabilities=CAP_SYS_RAWIO
TimeoutStartSec=10min
TimeoutStopSec=2min
WatchdogSec=1min
"""
_MEMORY_RULE = 'KERNEL=="mem", GROUP="gpio", MODE="0660"\n'

#: What it has said can be read from the card afterwards.
_JOURNAL = """[Journal]
Storage=persistent
SyncIntervalSec=2s
"""

#: What takes time at boot and has nothing to do with a door.
_NOT_HERE = (
    "getty.target",
    "timers.target",
    "e2scrub_reap.service",
    "systemd-pstore.service",
    "systemd-binfmt.service",
    "systemd-update-utmp.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "remote-fs.target",
    "systemd-update-utmp-runlevel.service",
    "systemd-user-sessions.service",
    "systemd-firstboot.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-tracing.mount",
)


class Parts(NamedTuple):
    """What a card is made of. `dtb` names the revision that a Pi's own firmware would put there."""

    kernel: Path
    initramfs: Path
    dtb: Path
    plain_dtb: Path
    system: Path
    python: Path


def parts() -> Parts:
    """Kernel and system, made where they are missing. Raises `ImageError`."""
    made = Cache(folder(), say)
    with made.lock():
        archive = Archive(folder() / "apt", suite(), "arm64")
        archive.refresh()
        found = kernel.resolve(archive)
        how = cache.sources(*(str(one.__file__) for one in (kernel, initramfs)))
        busybox = archive.version("busybox-static")
        name = cache.name(found.version, busybox, how, MODULES, FIRST_MODULES)
        kernels = made.get("pi-kernel", name, lambda here: _kernel(archive, found, here))
        versions = archive.system(PACKAGES)
        how = cache.sources(str(root.__file__))
        debian = cache.name(archive.suite, archive.date_s(), *versions, how)
        systems = made.get("pi-debian", debian, lambda here: _debian(archive, here))
        wanted = ROOT / "requirements/run.txt"
        key = cache.name(debian, cache.sources(str(system.__file__), wanted))
        pythons = made.get(
            "pi-python", key, lambda here: _python(systems / "root", archive.arch, wanted, here)
        )
    return Parts(
        kernels / "vmlinuz",
        kernels / "initramfs",
        kernels / "pi3.dtb",
        kernels / DTB,
        systems / "root",
        pythons / "root",
    )


def write(of: Parts, broker_port: int, work: Path) -> card.Card:
    """The card, whose controller reports to a broker on the host's loopback. Raises `ImageError`."""
    stage = work / "system"
    for source in (of.system, of.python, of.kernel.parent / "root"):
        command.run(["cp", "-a", "--link", f"{source}/.", stage], 300)
    # Dated as its input is: what was put together just now would make each run another card.
    epoch_s = newest_s(of.system)
    system.program(stage, ROOT, epoch_s, rpi_gpio=True)
    link = f'[link]\nhost = "{HOST}"\nport = {broker_port}\ntls = false\nhost_ack = false\n'
    link += "keepalive_s = 30\nreconnect_max_ms = 1000\n"
    drop_in = "etc/systemd/system/doorward-door.service.d/zz-emulated.conf"
    units = "etc/systemd/system/multi-user.target.wants"
    files = [
        File("etc/hostname", f"{HOSTNAME}\n".encode()),
        File("etc/fstab"),
        File("etc/doorward/board.toml", f"{BOARD.read_text()}\n{link}".encode()),
        File("etc/systemd/network/wired.network", _NETWORK.encode()),
        File(
            f"{units}/systemd-networkd.service", link="/lib/systemd/system/systemd-networkd.service"
        ),
        File(drop_in, _EMULATED.encode()),
        File("etc/udev/rules.d/61-memory.rules", _MEMORY_RULE.encode()),
        File("etc/systemd/journald.conf.d/kept.conf", _JOURNAL.encode()),
    ]
    for name in _NOT_HERE:
        files.append(File(f"etc/systemd/system/{name}", link="/dev/null"))
    boot = {"kernel8.img": of.kernel, "initramfs8": of.initramfs, DTB: of.plain_dtb}
    recipe = card.Recipe(stage, boot, files, HOSTNAME, size_mb=1024, epoch_s=epoch_s)
    with (work / "made.txt").open("w") as told:
        made = card.write(recipe, work / "card.img", Progress(told))
    shutil.rmtree(stage)
    return made


def _kernel(archive: Archive, found: kernel.Kernel, here: Path) -> None:
    unpacked = here / "unpacked"
    kernel.unpack(archive, found, unpacked)
    shutil.copyfile(unpacked / f"boot/vmlinuz-{found.release}", here / "vmlinuz")
    kernel.install(unpacked, found, MODULES, (), here / "root/usr")
    busybox = here / "busybox"
    command.run(["dpkg-deb", "-x", archive.fetch("busybox-static"), busybox], 60)
    initramfs.write(
        here / "initramfs",
        busybox / "bin/busybox",
        kernel.wanted(unpacked, found, FIRST_MODULES),
    )
    shutil.copyfile(unpacked / f"usr/lib/{found.image}/broadcom/{DTB}", here / DTB)
    shutil.copyfile(here / DTB, here / "pi3.dtb")
    command.run(["fdtput", "-c", here / "pi3.dtb", "/system"], 30)
    command.run(["fdtput", "-t", "x", here / "pi3.dtb", "/system", "linux,revision", "a02082"], 30)
    for path in (unpacked, busybox):
        shutil.rmtree(path)


def _debian(archive: Archive, here: Path) -> None:
    foreign.enable(archive.arch)
    target = here / "root"
    target.mkdir(mode=0o755)
    with steps() as told:
        root.make(archive, PACKAGES, target, told)


def _python(debian: Path, arch: str, wanted: Path, here: Path) -> None:
    """The virtual environment alone, for a system whose Python is that of `debian`."""
    stage = here / "root"
    (stage / "usr/bin").mkdir(parents=True)
    version = root.python_version(debian)
    (stage / f"usr/bin/python{version}").touch()
    (stage / "usr/bin/python3").symlink_to(f"python{version}")
    system.packages(stage, arch, [wanted], newest_s(debian))
    shutil.rmtree(stage / "usr")
