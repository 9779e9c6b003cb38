"""Any levels at any times into a supervised contact: no exception, no state twice, and it ends honest."""

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from hal.drivers.supervised_contact import HYSTERESIS, SupervisedContact
from hal.errors import DeviceUnavailableError
from hal.ports import BACK, LOST, STATE, AnalogInput, Reading

EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
fuzz = settings(
    max_examples=int(EXAMPLES or 200),
    deadline=None,
    derandomize=EXAMPLES is None,  # the same ones at every test run, new ones when hunting
)

BOUNDS = (150, 500, 850)
BANDS = ("short", "normal", "active", "cut")

# after so many milliseconds the level is this; None: the converter does not answer
steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 40), st.integers(0, 2000)),
        st.one_of(st.none(), st.integers(0, 1000), st.sampled_from((0, 149, 150, 500, 850, 1000))),
    ),
    max_size=80,
)


class Channel(AnalogInput):
    """A level, or no answer."""

    level: int | None = 325

    def read(self) -> int:
        if self.level is None:
            raise DeviceUnavailableError("adc0: no answer; expected the converter")
        return self.level


def _poll_until(contact: SupervisedContact, now_ms: int, until_ms: int) -> list[Reading]:
    """Poll each 20 ms and at each deadline, as the runtime does."""
    readings = list(contact.poll(now_ms))
    while now_ms < until_ms:
        due_ms = contact.deadline_ms
        next_ms = now_ms + 20 if due_ms is None else min(now_ms + 20, max(due_ms, now_ms + 1))
        now_ms = min(next_ms, until_ms)
        readings += contact.poll(now_ms)
    return readings


@fuzz
@given(steps)
def test_every_reading_says_something_new_in_order_of_time_and_the_last_is_so(
    script: list[tuple[int, int | None]],
) -> None:
    channel = Channel()
    contact = SupervisedContact(channel, list(BOUNDS), 30)
    readings, now_ms = [], 0
    for after_ms, level in script:
        readings += _poll_until(contact, now_ms, now_ms + after_ms)
        now_ms += after_ms
        channel.level = level
    readings += _poll_until(contact, now_ms, now_ms + 1000)

    states = ["normal"] + [reading.data for reading in readings if reading.kind == STATE]
    assert all(one != other for one, other in zip(states, states[1:]))
    assert set(states) <= {*BANDS, "unknown"}
    gone = [reading.kind for reading in readings if reading.kind in (LOST, BACK)]
    assert gone == [LOST, BACK] * (len(gone) // 2) + [LOST] * (len(gone) % 2)
    times = [reading.at_ms for reading in readings]
    assert times == sorted(times)
    assert times == [] or times[-1] <= now_ms + 1000

    assert contact.state == states[-1]
    if channel.level is None:
        assert contact.state == "unknown"
        return
    band = sum(channel.level >= bound for bound in BOUNDS)
    near = {
        sum(channel.level + off >= bound for bound in BOUNDS) for off in (-HYSTERESIS, HYSTERESIS)
    }
    assert contact.state in {BANDS[one] for one in {band, *near}}
