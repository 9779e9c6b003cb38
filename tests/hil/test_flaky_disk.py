"""A disk that fails under the controller: dm-flakey refuses or forgets writes, and the door goes on.

The state folder is on a device of its own; the tests follow each other.
"""

import json
from collections.abc import Iterator

import pytest
from emulator import GuestError
from guest import Guest
from installed import PYTHON, STATE, STRIKE, TO, House, shown
from outside_broker import Broker
from state_folder import CARDS

FILE, NAME = "/var/tmp/state.img", "flaky"
DEVICE = f"/dev/mapper/{NAME}"
COPY = "/var/tmp/found"

_CHECK = (
    "import sqlite3, sys; base = sqlite3.connect(sys.argv[1]); "
    "print(base.execute('PRAGMA integrity_check').fetchone()[0], "
    "base.execute('SELECT count(*) FROM events').fetchone()[0])"
)

pytestmark = pytest.mark.long


class Flaky:
    """The device under the state folder of a house whose services are stopped."""

    def __init__(self, house: House) -> None:
        self._guest: Guest = house.guest
        self.house = house
        self.closed = False
        self.loop = self._guest.shell(
            "systemctl stop doorward.target; modprobe loop; modprobe dm-flakey; "
            f"truncate -s 64M {FILE}; losetup -f --show {FILE}"
        ).strip()
        self.sectors = self._guest.shell(f"blockdev --getsz {self.loop}").strip()
        self._guest.shell(
            f"mkfs.ext4 -q {self.loop}; {self._dm('create')}; mkdir -p {COPY}; "
            f"cp -a {STATE}/. {COPY}/; mount {DEVICE} {STATE}; cp -a {COPY}/. {STATE}/; "
            f"chown doorward-door: {STATE}; chmod 700 {STATE}; sync",
            environment={"DM_DISABLE_UDEV": "1"},
        )

    def fail(self, how: str) -> None:
        """From now on every write fails (error_writes) or is forgotten (drop_writes)."""
        table = f"0 {self.sectors} flakey {self.loop} 0 0 3600 1 {how}"
        self._guest.shell(
            f"dmsetup suspend --nolockfs {NAME}; dmsetup load {NAME} --table '{table}'; "
            f"dmsetup resume {NAME}",
            environment={"DM_DISABLE_UDEV": "1"},
        )

    def close(self) -> list[str]:
        """Take the power from it: (what the database's own check says, how many records there are)."""
        self.closed = True
        said = self._guest.shell(
            "systemctl kill --signal=KILL doorward-door; systemctl stop doorward.target; "
            f"umount -l {STATE}; dmsetup remove --force --retry {NAME}; sleep 1; "
            f"e2fsck -fy {self.loop} >/dev/null || test $? -le 1; mount {self.loop} {STATE}; "
            f"rm -rf {COPY}; cp -a {STATE} {COPY}; umount {STATE}; losetup -d {self.loop}; "
            f'rm {FILE}; python3 -c "{_CHECK}" {COPY}/journal.db',
            120,
            environment={"DM_DISABLE_UDEV": "1"},
        )
        return said.splitlines()[-1].split()

    def chain(self) -> str:
        """What the verifier says of the records that were left."""
        return self._guest.shell(
            f"cd /; {PYTHON} -m host_tools audit verify {COPY}/journal.db 2>&1"
        )

    def _dm(self, verb: str) -> str:
        return f"dmsetup {verb} {NAME} --table '0 {self.sectors} flakey {self.loop} 0 3600 0'"


@pytest.fixture
def flaky(house: House) -> Iterator[Flaky]:
    """Its device goes with it, however a test ends."""
    one = Flaky(house)
    yield one
    if not one.closed:
        one.close()


@pytest.mark.parametrize("how", ["error_writes", "drop_writes"])
def test_a_disk_that_fails_or_forgets_stops_no_door_and_breaks_no_journal(
    house: House, broker: Broker, flaky: Flaky, how: str
) -> None:
    house.start()
    opens(house, 1)
    flaky.fail(how)
    for _ in range(2):
        opens(house, 2)
    if how == "error_writes":  # what forgets says nothing
        broker.seen.wait("a storage fault", storage_faults)
    whole, count = flaky.close()
    assert whole == "ok"
    assert int(count) > 0
    flaky.chain()


def storage_faults(items: list[tuple[str, str]]) -> list[str]:
    """What was said of a controller whose storage is not well, if that is what was said last."""
    said = [body for topic, body in items if topic == f"doorward/{TO}/health"][-1:]
    return [body for body in said if not json.loads(body)["journal"]["ok"]]


def opens(house: House, card: int) -> None:
    """Hold a card to the reader and wait until the strike was released and rests again."""
    before = len(house.rows(STRIKE))
    house.badge(*CARDS[card])

    def so() -> bool:
        levels = [level for _, level in shown(house.rows(STRIKE)[before:], STRIKE)]
        return 0 in levels and levels[-1] == 1

    try:
        house.guest.until("the strike opens and rests", so, 60)
    except GuestError as error:
        raise AssertionError(f"{error}\n{house.log()}") from error
