"""The first file system of a guest: busybox, the modules that find its disks, and a script that mounts them.

The kernel's command line says what the script does: ``rdev=/dev/vda`` the root, ``rinit=/sbin/init`` what
runs there, ``also=/dev/vdb:/opt/doorward:ro`` more file systems (comma between two).
"""

import gzip
from collections.abc import Sequence
from pathlib import Path

_INIT = r"""#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do $b insmod $module; done
rdev=/dev/vda rinit=/sbin/init also=
for word in $($b cat /proc/cmdline); do
	case $word in rdev=*|rinit=*|also=*) eval "${word%%=*}='${word#*=}'";; esac
done
wait_for() {
	tries=0
	while [ ! -b $1 ] && [ $tries -lt 600 ]; do $b sleep 0.1; tries=$((tries+1)); done
}
fail() {
	echo "initramfs: $1" > /dev/console
	$b poweroff -f
}
wait_for $rdev
$b mount -t ext4 -o rw,noatime $rdev /root || fail "$rdev cannot be mounted"
IFS=,
for one in $also; do
	device=${one%%:*} rest=${one#*:}
	wait_for $device
	$b mount -t ext4 -o ${rest#*:},noatime $device /root${rest%%:*} || fail "$device cannot be mounted"
done
unset IFS
$b mount --move /dev /root/dev
$b umount /proc
$b umount /sys
exec $b switch_root /root $rinit
"""


def write(path: Path, busybox: Path, modules: Sequence[Path]) -> None:
    """Write it to `path`; `modules` are loaded in their order. The same input gives the same bytes."""
    entries = [_entry("init", 0o100755, _INIT.encode())]
    for folder in ("bin", "dev", "modules", "proc", "root", "sys"):
        entries.append(_entry(folder, 0o040755))
    entries.append(_entry("bin/busybox", 0o100755, busybox.read_bytes()))
    for number, module in enumerate(modules):
        entries.append(_entry(f"modules/{number:03}-{module.name}", 0o100644, module.read_bytes()))
    entries.append(_entry("TRAILER!!!", 0))
    path.write_bytes(gzip.compress(b"".join(entries), 1, mtime=0))


def _entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """One file of a cpio archive in the "newc" form (Linux, Documentation/driver-api/early-userspace)."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(head + name.encode() + b"\0") + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
