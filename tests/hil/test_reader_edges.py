"""Wiegand frames as a reader sends them, through the kernel's edges, to the right card numbers.

A busy machine may stop the guest in the midst of a frame. What the lines really did stands in the kernel's
log of them: a frame that no reader would send is sent again, and must only never have been another card.
"""

import random
import threading

import bits
import pytest
from guest import Done, Guest
from installed import D0, D1, LABEL, PYTHON, TRIES, as_sent, pulses

READY = "/run/reader-ready"
CARDS = 5


class Listener:
    """The driver in a process of its own."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._done: list[Done] = []
        guest.shell(f"rm -f {READY}")
        lines = [f"GPIO{D0}", f"GPIO{D1}"]
        words = [PYTHON, "/opt/doorward/tests/hil/rig/read_cards.py", LABEL, *lines, READY]
        self._thread = threading.Thread(
            target=lambda: self._done.append(guest.run(*words, limit_s=300))
        )
        self._thread.start()
        guest.until("the driver listens", lambda: guest.run("test", "-e", READY).code == 0)

    def close(self) -> list[str]:
        """End it; what it heard."""
        self._guest.run("pkill", "-TERM", "-f", "rig/read_cards.py")
        self._thread.join(60)
        assert self._done, "the driver does not end"
        return self._done[0].out.splitlines()


def send(guest: Guest, number: int, pulse_us: int, interval_us: int) -> bool:
    """Send a card; whether the lines did what a reader's would have done."""
    before = len(guest.settled())
    frame = bits.w26(number >> 16, number & 0xFFFF)
    steps = [list(step) for step in pulses(frame, pulse_us, interval_us)]
    guest.ask("drive", label=LABEL, steps=steps)
    return as_sent(guest.settled()[before:])


@pytest.mark.parametrize(("pulse_us", "interval_us"), [(50, 2000), (20, 200), (100, 3000)])
def test_frames_at_a_readers_pace_are_the_right_numbers(
    guest: Guest, pulse_us: int, interval_us: int
) -> None:
    listener = Listener(guest)
    given = random.Random(20).sample(range(1 << 24), CARDS)
    torn = 0
    for number in given:
        while not send(guest, number, pulse_us, interval_us):
            torn += 1
            assert torn < TRIES, "no frame goes out as a reader sends it: the machine is too busy"
    heard = listener.close()
    names = [f"w26:{number >> 16:03}:{number & 0xFFFF:05}" for number in given]
    cards = [line for line in heard if line.startswith("w26")]
    assert list(dict.fromkeys(cards)) == names, heard
    assert len(cards) <= len(names) + torn, f"a card was heard twice: {heard}"


def test_a_line_that_is_held_is_told_and_forgotten_when_it_is_let_go(guest: Guest) -> None:
    listener = Listener(guest)
    guest.ask("drive", label=LABEL, steps=[[D0, 0, 300_000], [D0, 1, 300_000]])
    assert any(send(guest, 0x010002, 50, 2000) for _ in range(TRIES))
    heard = listener.close()
    assert heard[:2] == ["stuck True", "stuck False"]
    assert heard[-1] == "w26:001:00002"
