#!/bin/sh
# A guest's first process where no systemd is wanted: up in a few seconds, with the agent and nothing else.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t tracefs tracefs /sys/kernel/tracing
ip link set lo up
if grep -q rnet /proc/cmdline; then
	modprobe virtio_net
	ip link set eth0 up
	ip address add 10.0.2.15/24 dev eth0
fi
exec /usr/bin/python3 /opt/doorward/tests/hil/rig/agent.py
