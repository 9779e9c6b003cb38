"""How fast the installed door is, beside the least that a program can do in the same guest: a table.

Every time is the kernel's, from one log: the world pulls a line, another line is set. The guest is
emulated, so only what stands side by side means anything, and nothing is judged.
"""

import statistics
from collections.abc import Callable

import bits
import progress
import pytest
from guest import Guest, Row
from installed import D0, D1, FIRE, HANDLE, LABEL, PYTHON, STRIKE, House, beside
from state_folder import CARDS

ROUNDS = 15
CARD_ROUNDS = (
    45  #: a card waits for the host's own disk, which is quicker at one time than at another
)
ECHO_IN, ECHO_OUT = 30, 31
IDLE_S = 20
GAP_MS = 25  #: the driver's: a frame is over when the lines have been quiet for so long


def delays(rows: list[Row], sources: tuple[int, ...], target: int, level: int) -> list[float]:
    """From the last edge of `sources` until `target` is set to `level`, ms, each time."""
    found = []
    since_us: int | None = None
    shown: dict[int, int] = {}
    for at_us, label, what, line, now in rows:
        if label == LABEL and what == "pull" and line in sources:
            if shown.get(line, 1) != now and (now == 0 or line in (D0, D1)):
                since_us = at_us  # a pull that changes nothing is no edge
            shown[line] = now
        elif (
            label == LABEL
            and what == "set"
            and (line, now) == (target, level)
            and since_us is not None
        ):
            found.append((at_us - since_us) / 1000)
            since_us = None
    return found


def measured(
    guest: Guest,
    deed: Callable[[], None],
    sources: tuple[int, ...],
    target: int,
    rounds: int = ROUNDS,
) -> list[float]:
    """The delays of a deed that is done so many times."""
    before = len(guest.settled())
    for _ in range(rounds):
        deed()
    return delays(guest.settled()[before:], sources, target, 0)


@pytest.mark.times
def test_the_table_of_the_doors_times_beside_a_bare_loop(house: House) -> None:
    guest = house.guest
    house.guest.shell("systemctl stop doorward.target")
    echo = _echo(guest)
    plain_ms = _python(guest)
    commit = _commits(guest)
    floor = _without_us(house)
    began = len(guest.settled())
    started_us = guest.ask("hello")["mono_us"]
    house.start()
    service_us = int(house.show("InactiveExitTimestampMonotonic")[0])
    first = next(row for row in guest.settled()[began:] if row[2:] == ("set", STRIKE, 1))

    def leave() -> None:
        house.press(HANDLE, 50)
        house.drive((HANDLE, 1, 1_300_000))  # the release is over

    rex = measured(guest, leave, (HANDLE,), STRIKE)
    card = measured(guest, lambda: _enter(house), (D0, D1), STRIKE, CARD_ROUNDS)
    share = _idle(house)
    house.stop()
    commit += _commits(guest)
    echo_ms, commit_ms = statistics.median(echo), statistics.median(commit)
    rex_ms, card_ms = statistics.median(rex), statistics.median(card)
    asked_ms, decided_ms = (first[0] - started_us) / 1000, (first[0] - service_us) / 1000
    left, least = (
        (statistics.median(times) - GAP_MS - commit_ms) / echo_ms for times in (card, floor)
    )
    for name, figure in (
        ("a line echoed by a bare gpiod loop, p50", f"{echo_ms:.2f} ms"),
        ("one commit, bare, p50", f"{commit_ms:.2f} ms"),
        ("exit button to strike, p50", f"{rex_ms:.2f} ms, {rex_ms / echo_ms:.1f} times the echo"),
        ("card's last edge to strike, p50", f"{card_ms:.2f} ms, of it {GAP_MS} ms the frame's gap"),
        ("the card without gap and commit", f"{left:.1f} times the echo"),
        ("the least that a card can be, likewise", f"{least:.1f} times the echo"),
        ("the service's start to its first decision", f"{decided_ms:.0f} ms"),
        ("systemctl start to the first decision", f"{asked_ms:.0f} ms"),
        ("python -c pass, p50", f"{plain_ms:.0f} ms"),
        (f"the door's process, idle for {IDLE_S} s", f"{100 * share:.2f} % of the core"),
    ):
        progress.say(f"{name:48}{figure}")
    # A frame that was torn is sent again, and a second card within the release moves nothing.
    assert min(len(rex), len(card), len(floor)) >= ROUNDS // 2, (
        "the door hardly moved: nothing was measured"
    )


def _enter(house: House) -> None:
    house.badge(*CARDS[1])
    house.drive((FIRE, 0, 1_300_000))  # the release is over


def _echo(guest: Guest) -> list[float]:
    guest.ask("drive", label=LABEL, steps=[[ECHO_IN, 1, 0]])
    steps = [[ECHO_IN, 0, 100_000], [ECHO_IN, 1, 100_000]]
    with beside(guest, "echo_loop.py", ECHO_IN, ECHO_OUT):
        return measured(
            guest,
            lambda: guest.ask("drive", label=LABEL, steps=steps),
            (ECHO_IN,),
            ECHO_OUT,
        )


def _without_us(house: House) -> list[float]:
    """The same card, and the same commit, by a program that does nothing else."""
    folder = "/var/lib/floor-state"
    house.guest.shell(f"rm -rf {folder}; mkdir {folder}")
    with beside(house.guest, "card_floor.py", D0, D1, STRIKE, bits.w26(*CARDS[1]), folder):
        return measured(house.guest, lambda: _enter(house), (D0, D1), STRIKE)


def _python(guest: Guest) -> float:
    said = guest.shell(
        "for i in 1 2 3 4 5; do a=$(cut -d' ' -f1 /proc/uptime); "
        f"{PYTHON} -c pass; b=$(cut -d' ' -f1 /proc/uptime); echo $a $b; done"
    )
    pairs = [line.split() for line in said.splitlines()]
    return statistics.median(1000 * (float(end) - float(start)) for start, end in pairs)


def _commits(guest: Guest) -> list[float]:
    script = "/opt/doorward/tests/hil/rig/commits.py"
    said = guest.shell(
        f"rm -f /var/lib/commits.db*; {PYTHON} {script} /var/lib/commits.db 100", 120
    )
    return [float(line) for line in said.split()]


def _idle(house: House) -> float:
    """The share of one core that the door's process takes while nothing happens."""
    pid = house.show("MainPID")[0]

    def ticks() -> int:
        fields = house.guest.read(f"/proc/{pid}/stat").decode().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    since_us: int = house.guest.ask("hello")["mono_us"]
    before = ticks()
    assert house.guest.run("sleep", str(IDLE_S), limit_s=IDLE_S + 60).code == 0
    spent_s = (ticks() - before) / 100
    until_us: int = house.guest.ask("hello")["mono_us"]
    return spent_s / ((until_us - since_us) / 1e6)
