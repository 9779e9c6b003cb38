# Doorward's commands. `make help` lists them; each sets up what it needs, once.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8080
MQTT_PORT ?= 1883
HOURS ?= 500
SEED ?= 1
JOBS ?= 1
WORKERS ?= 2
ARGS ?=

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-test demo test check bench fuzz hil hil-quick hil-pi hil-times hil-all hil-packages clean system-packages

export PYTHONUTF8 := 1
# Shows its progress to a person and says nothing but errors to a log.
PIP := quiet=; [ -t 1 ] || quiet=-qq; \
	.venv/bin/python -m pip install --disable-pip-version-check --no-input --require-hashes $$quiet
CODE := $(wildcard firmware hal sim host_tools bench tests)

# What the tests need of the system: Debian's package, and the file that shows it is there.
SYSTEM := mosquitto=/usr/sbin/mosquitto \
	chromium=/usr/bin/chromium \
	systemd=/usr/bin/systemd-analyze \
	udev=/usr/bin/udevadm \
	mtools=/usr/bin/mcopy \
	dosfstools=/usr/sbin/mkfs.vfat \
	e2fsprogs=/usr/sbin/mkfs.ext4 \
	fdisk=/usr/sbin/sfdisk \
	fonts-noto-cjk=/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
MISSING = $(foreach pair,$(SYSTEM),$(if $(wildcard $(lastword $(subst =, ,$(pair)))),,$(firstword $(subst =, ,$(pair)))))

help:
	@echo "make demo    a simulated building: controller, broker and web page, until Ctrl-C"
	@echo "             (PORT=$(PORT) MQTT_PORT=$(MQTT_PORT) HOST=$(HOST))"
	@echo "make test    every test that can run here (ARGS='-k portal' for some of them)"
	@echo "             (WORKERS=$(WORKERS): so many files side by side)"
	@echo "make check   format, lint, types, layers"
	@echo "make bench   how fast a card opens the door (ARGS=all: a million keys too)"
	@echo "make fuzz    $(HOURS) simulated hours of people and faults under the laws, then random input"
	@echo "             (HOURS=$(HOURS) SEED=$(SEED) JOBS=$(JOBS))"
	@echo "make hil     the drivers and the services on an emulated board: Debian's kernel, gpio-sim, systemd"
	@echo "make hil-quick    its quick half"
	@echo "make hil-pi    an emulated Pi 3 that starts from a card"
	@echo "make hil-times    the installed door's times beside a bare loop; hil-all: all of these"
	@echo "make setup   only the virtual environment, .venv/"
	@echo "make clean   remove .venv/ and the caches; state folders stay"

setup: .venv/stamp-run .venv/stamp-commands

setup-test: .venv/stamp-test .venv/stamp-commands

.venv/stamp-venv:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "make: $(PYTHON): not found; expected Python 3.11 or newer (apt install python3 python3-venv)" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON): is $$($(PYTHON) -V 2>&1); expected Python 3.11 or newer (make PYTHON=python3.11)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "make: $(PYTHON): has no venv; expected the package python3-venv (apt install python3-venv)" >&2; exit 2; }
	@echo "setting up: the virtual environment .venv"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@

# -I: whoever types one of them may stand in any folder, with a gpiod.py in it that is not ours.
.venv/stamp-commands: .venv/stamp-venv Makefile
	@echo "$(CURDIR)" > "$$(.venv/bin/python -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/doorward.pth"
	@for pair in doorward=firmware door-sim=sim doorctl=host_tools; do \
		printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -I -m %s "$$@"\n' "$${pair#*=}" > ".venv/bin/$${pair%%=*}"; \
		chmod +x ".venv/bin/$${pair%%=*}"; \
	done
	@touch $@

.venv/stamp-run: .venv/stamp-venv requirements/run.txt
	@echo "setting up: what the controller and the simulator need"
	@$(PIP) -r requirements/run.txt
	@touch $@

.venv/stamp-test: .venv/stamp-run requirements/test.txt
	@echo "setting up: what the tests need"
	@$(PIP) -r requirements/run.txt -r requirements/test.txt
	@touch $@

# With root what is missing is installed; a broker installed for tests alone must not take the demo's port.
system-packages:
	@missing="$(strip $(MISSING))"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "MISSING: $$missing; expected the packages of that name (apt install $$missing)."; \
		echo "MISSING: the tests that need them are SKIPPED."; \
		exit 0; \
	fi; \
	echo "setting up: the system packages $$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -qq update && apt-get -qq -y --no-install-recommends install $$missing </dev/null || \
		echo "MISSING: apt could not install $$missing; the tests that need them are SKIPPED."; \
	case " $$missing " in *" mosquitto "*) \
		if [ -d /run/systemd/system ]; then systemctl --quiet disable --now mosquitto; fi;; \
	esac; true

demo: setup
	@exec .venv/bin/python -m sim serve --board board_configs/demo-sim.toml \
		--host $(HOST) --port $(PORT) --mqtt-port $(MQTT_PORT)

test: setup-test system-packages
	@missing=""; \
	for pair in $(SYSTEM); do [ -e "$${pair#*=}" ] || missing="$$missing $${pair%%=*}"; done; \
	DOORWARD_MISSING="$$missing" .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup-test
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/ruff check $(CODE)
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/lint

bench: setup
	@.venv/bin/python -m bench $(ARGS)

# A seed that breaks a law prints the shortest story that does. SEED=1 HOURS=8 tells one run again.
fuzz: setup-test
	@.venv/bin/python -m sim soak --seed $(SEED) --hours $(HOURS) --jobs $(JOBS)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-20000}; export FUZZ_EXAMPLES; \
	echo "random input: $$FUZZ_EXAMPLES examples a test (FUZZ_EXAMPLES)"; \
	.venv/bin/python -m pytest -q tests/fuzz \
		tests/model/test_site_model.py $(ARGS)

# What the emulated board is made with: Debian's package, and the file that shows it is there.
HIL_SYSTEM := qemu-system-x86=/usr/bin/qemu-system-x86_64 \
	mmdebstrap=/usr/bin/mmdebstrap \
	e2fsprogs=/usr/sbin/mkfs.ext4 \
	kmod=/usr/sbin/modprobe \
	make=/usr/bin/make \
	gcc-12=/usr/bin/gcc-12 \
	xz-utils=/usr/bin/xz \
	mosquitto=/usr/sbin/mosquitto
HIL_MISSING = $(foreach pair,$(HIL_SYSTEM),$(if $(wildcard $(lastword $(subst =, ,$(pair)))),,$(firstword $(subst =, ,$(pair)))))

# And for the emulated Pi besides.
HIL_PI_SYSTEM := qemu-system-arm=/usr/bin/qemu-system-aarch64 \
	qemu-user-static=/usr/bin/qemu-aarch64-static \
	arch-test=/usr/bin/arch-test \
	device-tree-compiler=/usr/bin/fdtput \
	mtools=/usr/bin/mcopy \
	dosfstools=/usr/sbin/mkfs.vfat
hil-pi: HIL_SYSTEM += $(HIL_PI_SYSTEM)

hil-packages:
	@missing="$(strip $(HIL_MISSING))"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "hil: missing: $$missing; expected the packages of that name (apt install $$missing)" >&2; exit 1; \
	fi; \
	echo "setting up: the system packages $$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -qq update && apt-get -qq -y --no-install-recommends install $$missing </dev/null || \
		{ echo "hil: apt could not install $$missing; expected Debian's packages" >&2; exit 1; }

# Four side by side (tests/hil/conftest.py). ARGS="-n 0": one after the other; -s: with all that is printed.
HIL_RUN = .venv/bin/python -m pytest tests/hil --no-loadscope-reorder
hil: setup-test hil-packages
	@$(HIL_RUN) -n 4 -m "not pi and not times" $(ARGS)

hil-quick: setup-test hil-packages
	@$(HIL_RUN) -n 4 -m "not long and not pi and not times" $(ARGS)

hil-pi: setup-test hil-packages
	@$(HIL_RUN) -n 0 -m pi $(ARGS)

# Instructions are counted, so that what the guest does takes as long on a busy machine; its disk does not.
hil-times: setup-test hil-packages
	@DOORWARD_HIL_ICOUNT=$${DOORWARD_HIL_ICOUNT:-2} $(HIL_RUN) -n 0 -m times -s $(ARGS)

hil-all:
	@status=0; for one in hil hil-pi hil-times; do $(MAKE) --no-print-directory $$one || status=1; done; exit $$status

clean:
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
