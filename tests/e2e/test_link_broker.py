"""The link against real brokers: connect, last will, restarts, and an outage with kill -9 in the middle."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import Broker, Mosquitto, Nats
from link_rig import (
    OFFLINE,
    ONLINE,
    ROOT,
    STATUS,
    child_of,
    door,
    events,
    link_config,
    listening,
    once,
    wait_gone,
    wait_seqs,
    wait_status,
)

from sim.network import Cable

MEMORY_KB = 22_000


@pytest.fixture(params=[Nats, Mosquitto])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    one: Broker = request.param(tmp_path)
    one.start()
    yield one
    one.kill()


def test_it_connects_in_the_best_version_and_tells_what_is(broker: Broker, tmp_path: Path) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        up = one.wait_up()
        assert up["protocol"] == broker.protocol
        wait_status(seen, ONLINE)
        last = one.append(3)
        wait_seqs(seen, last)
        assert [event["seq"] for event in once(seen.items)] == list(range(1, last + 1))
        said = one.wait_health("connected")
        assert said["health"] == (
            f"link: connected to 127.0.0.1:{broker.port} (MQTT {broker.protocol})"
        )
        assert said["ok"] is True
    with listening(broker.port) as seen:  # what is retained comes to those who come later
        seen.wait("about", lambda items: [m for m in items if m[0] == ROOT + "/about" and m[2]])


def test_the_door_process_imports_nothing_that_parses_what_strangers_send(
    broker: Broker, tmp_path: Path
) -> None:
    with door(tmp_path, link_config(broker.port)) as one:
        one.wait_up()
        assert one.stop()[-1] == {"modules": []}


def test_the_links_process_is_small(broker: Broker, tmp_path: Path) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        pid = child_of(one.wait_up())
        wait_seqs(seen, one.append(200))
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        resident_kb = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        assert resident_kb < MEMORY_KB


def test_a_clean_stop_says_offline_and_leaves_no_process(broker: Broker, tmp_path: Path) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        pid = child_of(one.wait_up())
        wait_status(seen, ONLINE)
        one.stop()
        wait_status(seen, ONLINE, OFFLINE)
        assert not Path(f"/proc/{pid}").exists()


def test_a_link_that_is_told_to_end_by_the_system_waits_for_its_door(
    broker: Broker, tmp_path: Path
) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        pid = child_of(one.wait_up())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)  # as Ctrl-C and a service's stop reach the whole group
        wait_seqs(seen, one.append(3))
        assert not [said for said in one.stop() if said.get("up") is False]
        wait_status(seen, ONLINE, OFFLINE)


def test_a_killed_link_leaves_its_last_will_and_comes_back(broker: Broker, tmp_path: Path) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        pid = child_of(one.wait_up())
        wait_status(seen, ONLINE)
        so_far = len(one.said.items)
        os.kill(pid, signal.SIGKILL)
        wait_status(seen, ONLINE, OFFLINE, ONLINE)
        assert child_of(one.wait_up(after=so_far)) != pid
        wait_seqs(seen, one.append(2))


def test_a_killed_door_takes_its_link_along(broker: Broker, tmp_path: Path) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        pid = child_of(one.wait_up())
        wait_status(seen, ONLINE)
        one.kill()
        wait_gone(pid)
        wait_status(seen, ONLINE, OFFLINE)
    with listening(broker.port) as seen:  # and those who come later are told too
        seen.wait("offline", lambda items: (STATUS, OFFLINE, True) in items)


def test_a_killed_door_takes_along_even_a_link_that_hangs(broker: Broker, tmp_path: Path) -> None:
    with door(tmp_path, link_config(broker.port)) as one:
        pid = child_of(one.wait_up())
        os.kill(pid, signal.SIGSTOP)
        one.kill()
        wait_gone(pid)


def test_a_broker_that_forgot_everything_is_told_again(broker: Broker, tmp_path: Path) -> None:
    with door(tmp_path, link_config(broker.port)) as one:
        one.wait_up()
        so_far = len(one.said.items)
        broker.kill()
        one.wait_up(False, so_far)
        broker.forget()
        so_far = len(one.said.items)
        broker.start()
        one.wait_up(after=so_far)
        with listening(broker.port) as seen:
            seen.wait("status", lambda items: [m for m in items if m[:2] == (STATUS, ONLINE)])
            seen.wait("about", lambda items: [m for m in items if m[0] == ROOT + "/about"])


def test_fifty_events_without_a_broker_and_two_kills_all_arrive_alarms_first(
    broker: Broker, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    link = link_config(broker.port)
    broker.stop()
    with door(state, link) as one:
        one.append(25, (20,))
        one.kill()
    with door(state, link) as one:
        last = one.append(25, (7, 24))
        one.kill()
    broker.start()
    with listening(broker.port) as seen, door(state, link):
        wait_seqs(seen, last)
        arrived = once(seen.items)
    alarms = [e["seq"] for e in arrived if e["type"] == "alarm.raised"]
    others = [e["seq"] for e in arrived if e["type"] != "alarm.raised"]
    assert [event["seq"] for event in arrived] == alarms + others
    assert len(alarms) == 3
    assert alarms == sorted(alarms)
    assert others == sorted(others)
    assert sorted(alarms + others) == list(range(1, last + 1))
    assert last >= 50


def test_a_cable_that_is_cut_in_a_backlog_loses_nothing_and_keeps_the_order(
    broker: Broker, tmp_path: Path
) -> None:
    cable = Cable("127.0.0.1", broker.port)
    try:
        with listening(broker.port) as seen, door(tmp_path, link_config(cable.port)) as one:
            one.wait_up()
            for _ in range(3):
                so_far = len(one.said.items)
                last = one.append(300)
                cable.cut()
                one.wait_up(False, so_far)
                so_far = len(one.said.items)
                cable.restore()
                one.wait_up(after=so_far)
            wait_seqs(seen, last)
            assert [event["seq"] for event in once(seen.items)] == list(range(1, last + 1))
            assert (
                one.health().count(
                    f"link: connected to 127.0.0.1:{cable.port} (MQTT {broker.protocol})"
                )
                == 4
            )
    finally:
        cable.close()


def test_events_carry_the_chain_that_the_journal_gave_them(broker: Broker, tmp_path: Path) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(broker.port)) as one:
        last = one.append(40)
        wait_seqs(seen, last)
        arrived = sorted(once(seen.items), key=lambda event: event["seq"])
        assert [e["prev"] for e in arrived] == ["0" * 64] + [e["hash"] for e in arrived[:-1]]
        assert len(events(seen.items)) == last  # and without an outage none comes twice
