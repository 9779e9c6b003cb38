#!/bin/sh
# own_systemd.sh PYTHON ROOT PACKAGES WORK GIVEN: a systemd of its own, as PID 1 of the namespaces that it is started in.
# PYTHON an interpreter that is not in anybody's home, ROOT the checkout, PACKAGES its Python packages, WORK an empty folder,
# GIVEN a folder with board.toml and operators.json. What it writes is in memory and goes
# with it: the machine's own files are only read. Runs the unit files of firmware/units as they are, but for
# where their output goes (WORK has no journald): /var/log/door and /var/log/link.
set -e
umask 022
python=$1 checkout=$2 packages=$3 work=$4 given=$5
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/temp" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/temp" "$work/root"
cd "$work/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs dev/shm
mkdir -p opt/doorward/packages var/log var/lib/doorward etc/doorward old
cp "$given/board.toml" etc/doorward/
chmod 644 etc/doorward/board.toml
cp "$given/operators.json" var/lib/doorward/
# A device that anybody may open, but for a process that is shown none.
mknod -m 666 dev/ttyUSB9 c 1 3
# show FOLDER PLACE: the folder as it is; one that was made under a umask that shuts others out, as a copy.
show() {
	if [ -z "$(find "$1" ! -perm -o+r -print -quit)" ]; then
		mount --bind "$1" "$2"
		mount -o remount,bind,ro "$2"
	else
		cp -r "$1/." "$2"
		chmod -R a+rX "$2"
	fi
}
for part in firmware hal board_configs; do
	mkdir "opt/doorward/$part"
	show "$checkout/$part" "opt/doorward/$part"
done
show "$packages" opt/doorward/packages
pivot_root . old
cd /
umount -l /old
"$python" -m venv --without-pip /opt/doorward/.venv
for found in /opt/doorward/.venv/lib/python3*/site-packages; do
	printf '/opt/doorward\n/opt/doorward/packages\n' > "$found/doorward.pth"
done
systemd-sysusers /opt/doorward/firmware/units/sysusers.conf
systemd-tmpfiles --create /opt/doorward/firmware/units/tmpfiles.conf
chown -R doorward-door: /var/lib/doorward
chmod 700 /var/lib/doorward
mkdir -p /run/units
cp /opt/doorward/firmware/units/doorward* /run/units
for name in sysinit basic shutdown sockets local-fs network network-online multi-user; do
	printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$name" > "/run/units/$name.target"
done
for name in door link; do
	mkdir "/run/units/doorward-$name.service.d"
	printf '[Service]\nStandardOutput=append:/var/log/%s\nStandardError=append:/var/log/%s\n' "$name" "$name" \
		> "/run/units/doorward-$name.service.d/output.conf"
done
# What each sandbox lets through, asked by a process in it before the service itself.
for name in door link; do
	printf '[Service]\nExecStartPre=/opt/doorward/.venv/bin/python -I /run/probe.py\n' \
		> "/run/units/doorward-$name.service.d/probe.conf"
done
# Here no name is looked up and no broker is far.
printf '[Service]\nWatchdogSec=4s\n' > /run/units/doorward-link.service.d/watchdog.conf
cat > /run/probe.py <<'PROBE'
import ctypes, json, os, socket
def reached(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "yes"
told = {
    "clock": ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256)) >= 0,
    "user": os.getuid() != 0,
    "internet": reached(lambda: socket.socket(socket.AF_INET)),
    "device": reached(lambda: open("/dev/ttyUSB9")),
    "made device": reached(lambda: os.mknod("/dev/shm/device", 0o20666, os.makedev(1, 3))),
    "program": reached(lambda: open("/opt/doorward/new", "w")),
    "state": reached(lambda: open("/var/lib/doorward/probe", "w")),
}
if told["state"] == "yes":
    os.unlink("/var/lib/doorward/probe")
print("probe", json.dumps(told), flush=True)
PROBE
export container=doorward-test SYSTEMD_UNIT_PATH=/run/units
exec /lib/systemd/systemd --system --unit=doorward.target --log-target=null --show-status=no
