"""The link through a cable that goes half open or breaks in the middle of a burst, to real brokers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import Broker, Mosquitto, Nats
from link_rig import ROOT, door, host, link_config, listening, once, wait_seqs
from stalling_proxy import StallingProxy

SILENCE_S = 2  #: the link's keep-alive here: what it takes to notice


@pytest.fixture(params=[Nats, Mosquitto])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    one: Broker = request.param(tmp_path)
    one.start()
    yield one
    one.kill()


@pytest.fixture
def cable(broker: Broker) -> Iterator[StallingProxy]:
    one = StallingProxy("127.0.0.1", broker.port)
    yield one
    one.close()


def test_a_half_open_connection_is_left_and_what_was_said_on_it_is_said_again(
    broker: Broker, cable: StallingProxy, tmp_path: Path
) -> None:
    link = link_config(cable.port, keepalive_s=SILENCE_S)
    with listening(broker.port) as seen, door(tmp_path, link) as one:
        one.wait_up()
        wait_seqs(seen, one.append(5))
        so_far, connections = len(one.said.items), len(cable.accepted.items)
        cable.abandon()  # the broker still takes the old connection for the controller
        last = one.append(20)
        one.wait_up(False, so_far)
        wait_seqs(seen, last)
        assert [event["seq"] for event in once(seen.items)] == list(range(1, last + 1))
        assert len(cable.accepted.items) == connections + 1


def test_a_half_open_connection_is_noticed_with_nothing_to_say_and_commands_come_again(
    broker: Broker, cable: StallingProxy, tmp_path: Path
) -> None:
    link = link_config(cable.port, keepalive_s=SILENCE_S)
    with door(tmp_path, link) as one, host(broker.port) as sender:
        one.wait_up()
        so_far = len(one.said.items)
        cable.abandon()
        sender.say('{"into":"the old connection"}')
        one.wait_up(after=so_far)
        came = one.wait_messages(1)
        assert [said["payload"] for said in came] == ['{"into":"the old connection"}']


def test_a_cable_that_takes_connections_and_carries_nothing_costs_no_record(
    broker: Broker, cable: StallingProxy, tmp_path: Path
) -> None:
    link = link_config(cable.port, keepalive_s=SILENCE_S)
    with listening(broker.port) as seen, door(tmp_path, link) as one:
        one.wait_up()
        so_far, connections = len(one.said.items), len(cable.accepted.items)
        cable.stall()
        last = one.append(20)
        one.wait_up(False, so_far)
        cable.accepted.wait("another attempt", lambda items: len(items) > connections)
        last = one.append(20)  # it goes on recording
        assert not [said for said in one.said.items[so_far:] if said.get("up")]
        cable.flow()
        wait_seqs(seen, last)
        assert [event["seq"] for event in once(seen.items)] == list(range(1, last + 1))


def test_resets_in_the_middle_of_a_burst_lose_nothing_and_keep_the_order(
    broker: Broker, cable: StallingProxy, tmp_path: Path
) -> None:
    with listening(broker.port) as seen, door(tmp_path, link_config(cable.port)) as one:
        one.wait_up()
        for number, carried in enumerate((700, 9_001, 40_003), start=1):
            so_far = len(one.said.items)
            cable.reset_after(toward_broker=carried)
            last = one.append(300)  # some 150 kB
            _wait_reset(cable, number)
            one.wait_up(after=so_far)
        wait_seqs(seen, last)
        assert [event["seq"] for event in once(seen.items)] == list(range(1, last + 1))
        assert all(topic.startswith(ROOT) for topic, _, _ in seen.items)


def _wait_reset(cable: StallingProxy, number: int) -> None:
    cable.resets.wait(f"reset {number}", lambda items: len(items) == number)
