"""Doorward as it is installed, in a guest: its services, its users, its board, and people at its doors.

The people act from outside: they pull the lines of the simulated chip, a card as pulses of real length.
"""

import io
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bits
import state_folder
from guest import Guest, Row

LABEL = "pinctrl-bcm2711"  #: of the chip of a Pi 4
LINES = 58

STRIKE, MAGNET, SIREN = 5, 22, 23
#: The levels at which each output is safe: locked without current, open without current, silent.
SAFE = {STRIKE: 1, MAGNET: 0, SIREN: 0}
RELEASED, LOCKED = 0, 1  #: the strike's relay is active low
CONTACT, HANDLE, D0, D1 = 16, 20, 17, 27
YARD_CONTACT, YARD_EXIT, FIRE = 12, 21, 26
RESTING = {CONTACT: 0, HANDLE: 1, D0: 1, D1: 1, YARD_CONTACT: 0, YARD_EXIT: 1, FIRE: 0}

#: SIA AC-01: 20 to 100 us long; 1 or 2 ms from one to the next is what readers are shipped with.
PULSE_US, INTERVAL_US = 50, 1000
TORN_US = 24_000  #: the driver takes a pause of 25 of its whole ms for the end of a frame
TRIES = 60  #: a busy machine may stop the guest in the midst of a frame

DOOR, LINK = "doorward-door.service", "doorward-link.service"
TO = "hil/c-01"
OPERATOR, SEED = "op-hil", bytes(range(32))
BOARD, BOARD_FILE = Path(__file__).parent / "board.toml", "/etc/doorward/board.toml"
STATE = "/var/lib/doorward"
PYTHON = "/opt/doorward/.venv/bin/python"

#: The lines that the wires of the house hold high.
HIGH = [line for line in range(LINES) if RESTING.get(line, line in (STRIKE, *range(9)))]


def make_chip(guest: Guest) -> None:
    """The board's chip, as the wires of the house hold it; what its lines do is written down from now on."""
    guest.ask("chip", label=LABEL, count=LINES, high=HIGH)
    probes = guest.ask("watch")
    assert probes == ["out", "in", "set", "many", "free", "pull", "synced"], probes


def booted(guest: Guest) -> Guest:
    """A guest that goes on, and what its boot would have done with the project's files."""
    guest.go_on()
    guest.shell("systemd-sysusers")  # before udev looks for groups that its rules name
    return guest


@contextmanager
def beside(guest: Guest, script: str, *words: object) -> Iterator[None]:
    """A program of the rig that has lines of the chip, until the end of the block."""
    ready = f"/run/{script}-listens"
    begun = [PYTHON, f"/opt/doorward/tests/hil/rig/{script}", "/dev/gpiochip0"]
    begun += [*map(str, words), ready]
    guest.shell(f"rm -f {ready}")
    thread = threading.Thread(target=lambda: guest.run(*begun, limit_s=300), daemon=True)
    thread.start()
    try:
        guest.until("it listens", lambda: guest.run("test", "-e", ready).code == 0)
        yield
    finally:
        guest.run("pkill", "-KILL", "-f", f"rig/{script}")
        thread.join(30)


class House:
    """The installed services in one guest.

    broker_port  int  of the broker on the host's loopback; 0: there is none
    """

    def __init__(self, guest: Guest, broker_port: int) -> None:
        self.guest = guest
        self._port = broker_port

    def install(self) -> None:
        """What an installer does: users, rules, board, keys, the operator who may command."""
        link = "[link]\nenabled = false\n"
        if self._port:
            link = (
                f'[link]\nhost = "10.0.2.2"\nport = {self._port}\ntls = false\nhost_ack = false\n'
            )
            link += "keepalive_s = 5\nreconnect_max_ms = 1000\n"
        write = self.guest.write
        board = BOARD.read_text() + "\n" + link
        with tempfile.TemporaryDirectory() as folder:
            state = state_folder.make(Path(folder), board, {OPERATOR: ("owner", SEED)})
            files = io.BytesIO()
            with tarfile.open(fileobj=files, mode="w") as archive:
                archive.add(state, ".")
        write("/run/state.tar", files.getvalue())
        self.guest.shell("systemd-sysusers; systemd-tmpfiles --create doorward.conf", 120)
        write(BOARD_FILE, board)
        # How long a stop may take is the one limit that is no law, and a busy machine's guest is late for it.
        for unit in (DOOR, LINK):
            write(f"/run/systemd/system/{unit}.d/busy.conf", "[Service]\nTimeoutStopSec=60s\n")
        self.guest.shell(
            "systemctl daemon-reload; udevadm control --reload; udevadm trigger --settle -s gpio; "
            f"install -d -m 700 {STATE}; tar -x -C {STATE} -f /run/state.tar; "
            f"chown -R doorward-door:doorward-door {STATE}",
            180,
        )

    def start(self) -> None:
        """Start it and wait until it decides and its reader listens."""
        begun = len(self.guest.settled())
        self.guest.shell("systemctl start doorward.target", 120)
        self.until_it_decides()

        def listens() -> bool:
            return any(row[2] == "in" and row[3] == D1 for row in self.guest.rows()[begun:])

        self.guest.until("the reader listens", listens)

    def stop(self) -> None:
        """Stop it: its lines are free for others."""
        self.guest.shell("systemctl stop doorward.target", 120)

    def until_it_decides(self, restarts: int | None = None) -> None:
        """Wait until the door decides, having been started again so often at least."""

        def decides() -> bool:
            state = self.show("ActiveState", "NRestarts")
            return state[0] == "active" and (restarts is None or int(state[1]) >= restarts)

        try:
            self.guest.until("the door decides", decides, 120, every_s=0.5)
        except Exception as error:
            raise AssertionError(f"{error}\n{self.log()}") from error

    def show(self, *names: str, unit: str = DOOR) -> list[str]:
        """Properties of a unit."""
        said = self.guest.shell(f"systemctl show -p {','.join(names)} {unit}")
        values = dict(line.split("=", 1) for line in said.splitlines())
        return [values[name] for name in names]

    def log(self, unit: str = DOOR) -> str:
        """What a service has said."""
        return self.guest.shell(f"journalctl -b --no-pager -o cat -u {unit}")

    def strike(self, blow: str, unit: str = DOOR) -> None:
        """Send a signal to a service's own process alone."""
        self.guest.shell(f"systemctl kill --kill-who=main --signal={blow} {unit}")

    def hang(self) -> None:
        """The door's loop comes to a stop; its process and the other threads in it live."""
        pid = self.show("MainPID")[0]
        script = f"{PYTHON} /opt/doorward/tests/hil/rig/freeze.py {pid}"
        self.guest.shell(f"{script} </dev/null >/dev/null 2>&1 &")
        self.guest.until(
            "the loop has stopped",
            lambda: "tracing stop" in self.guest.shell(f"grep State /proc/{pid}/task/{pid}/status"),
        )

    # ---- people --------------------------------------------------------------------------------------

    def drive(self, *steps: tuple[int, int, int]) -> None:
        """Pull lines: (line, level, how many us until the next)."""
        self.guest.ask("drive", label=LABEL, steps=[list(step) for step in steps])

    def badge(
        self, place: int, number: int, pulse_us: int = PULSE_US, interval_us: int = INTERVAL_US
    ) -> None:
        """Somebody holds a card to the front reader, until the frame went out whole or moved the strike.

        What is judged torn may have been read all the same: held again, the card would release it again.
        """
        for _ in range(TRIES):
            before = len(self.guest.settled())
            self.drive(*pulses(bits.w26(place, number), pulse_us, interval_us))
            rows = self.guest.settled()[before:]
            if as_sent(rows) or ("set", STRIKE, RELEASED) in [row[2:] for row in rows]:
                return
        raise AssertionError("no frame went out as a reader sends it: the machine is too busy")

    def press(self, line: int, ms: int = 200) -> None:
        """Somebody presses a button, or the handle."""
        self.drive((line, 0, ms * 1000), (line, 1, 0))

    def levels(self, *lines: int) -> list[int]:
        """What a meter shows on lines."""
        found: list[int] = self.guest.ask("levels", label=LABEL, lines=list(lines))
        return found

    def rows(self, *lines: int) -> list[Row]:
        """What happened to lines, everything up to now."""
        return [row for row in self.guest.settled() if row[1] == LABEL and row[3] in lines]


def as_sent(rows: list[Row]) -> bool:
    """Whether a frame had no pause in it that no reader makes, and the driver takes for its end.

    A guest that is stopped between a pull and its edge has the edge later than its row, but before the next
    row: two pulls on, nothing of the pause is hidden.
    """
    ours = [row for row in rows if row[1] == LABEL and row[2] == "pull" and row[3] in (D0, D1)]
    pauses = [later[0] - earlier[0] for earlier, later in zip(ours, ours[2:-1])]
    return max(pauses) < TORN_US


def pulses(burst: str, pulse_us: int, interval_us: int) -> list[tuple[int, int, int]]:
    """A burst of bits on D0 and D1, and the time until the next that a person leaves at least."""
    steps = []
    for bit in burst:
        line = D1 if bit == "1" else D0
        steps += [(line, 0, pulse_us), (line, 1, interval_us - pulse_us)]
    return [*steps, (line, 1, 100_000)]


def shown(rows: list[Row], line: int) -> list[tuple[int, int]]:
    """Every level that an output has shown as (time in us, level), oldest first, from the log of its line.

    A line that is let go shows what its pull says.
    """
    found: list[tuple[int, int]] = []
    pull = 1 if line in range(9) else 0
    for at_us, _, what, where, level in rows:
        if where == line and what != "in":
            if what == "pull":
                pull = level
            found.append((at_us, pull if what == "free" else level))
    return found
