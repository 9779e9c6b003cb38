"""`sim.virtual_broker`, `sim.virtual_link`: sessions and QoS 1 as MQTT has them, and each fault."""

import random
from typing import Any

import pytest

from firmware.runtime import aio
from firmware.runtime.ports import Message
from firmware.services.link_inbox import HELD
from sim.virtual_broker import FAULTS, VirtualBroker
from sim.virtual_channel import ReadyWaiter
from sim.virtual_link import VirtualLink

ROOT = "doorward/test/c-01"
OPEN = '{"op":"open"}'
LINK: dict[str, Any] = {
    "enabled": True,
    "host": "broker.test",
    "port": 1883,
    "protocol": "auto",
    "username": None,
    "password_file": None,
    "tls": False,
    "reconnect_max_ms": 1000,
    "keepalive_s": 10,
}


class Bench:
    """A broker, a controller's link that is up, and a host that listens."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = aio.VirtualClock()
        self.loop = aio.Loop(self.clock, ReadyWaiter(self.clock))
        self.broker = VirtualBroker(self.loop, random.Random(seed))
        self.heard: list[tuple[str, str, bool]] = []
        self.host = self.broker.client(
            "host", ROOT + "/#", lambda *said: self.heard.append((said[0], said[1], said[2]))
        )
        self.ups: list[tuple[int, bool]] = []
        self.taken: list[int] = []
        self.came: list[Message] = []
        self.link = self.start()
        self.run(100)

    def start(self) -> VirtualLink:
        link = VirtualLink(LINK, "test", "c-01", self.loop, "gone", self.broker, random.Random(3))
        link.on_up = lambda up: self.ups.append((self.clock.now_ms(), up))
        link.on_taken = self.taken.append
        link.on_message = self.came.append
        link.start()
        return link

    def run(self, ms: int) -> None:
        self.loop.run(aio.sleep_ms(ms))

    def send(self, *tokens: int) -> None:
        for token in tokens:
            self.link.send(token, ROOT + "/event", str(token), False)

    def events(self) -> list[str]:
        return [payload for topic, payload, _ in self.heard if topic == ROOT + "/event"]

    @property
    def up(self) -> bool:
        return self.ups[-1][1]


def test_what_is_sent_is_taken_in_order_and_reaches_the_host() -> None:
    bench = Bench()
    bench.send(1, 2, 3)
    bench.run(20)
    assert bench.taken == [1, 2, 3]
    assert bench.events() == ["1", "2", "3"]


def test_what_was_retained_is_told_to_a_host_that_comes_later() -> None:
    bench = Bench()
    bench.link.send(1, ROOT + "/status", "here", True)
    bench.run(20)
    late: list[Any] = []
    bench.broker.client("late", ROOT + "/#", lambda *said: late.append(said))
    assert late == [(ROOT + "/status", "here", True)]


def test_a_link_that_dies_leaves_its_last_will_and_one_that_stops_says_goodbye_itself() -> None:
    bench = Bench()
    bench.link.kill()
    bench.run(10)
    assert bench.broker.retained[ROOT + "/status"] == "gone"
    bench.broker.retained.clear()
    bench.link = bench.start()
    bench.run(100)
    bench.link.stop()
    bench.run(1000)
    said = [payload for topic, payload, _ in bench.heard if topic == ROOT + "/status"]
    assert said == ["gone", "gone"]


def test_a_command_waits_for_a_controller_that_is_away_and_comes_once() -> None:
    bench = Bench()
    bench.broker.set_network(False)
    bench.host.publish(ROOT + "/command", OPEN)
    bench.run(5000)
    assert bench.came == []
    bench.broker.set_network(True)
    bench.run(2000)
    assert [(one.topic, one.payload) for one in bench.came] == [("command", OPEN.encode())]


def test_one_message_of_a_topic_is_with_the_door_and_the_next_waits_until_it_is_heard() -> None:
    bench = Bench()
    for number in range(40):
        bench.host.publish(ROOT + "/command", f'{{"n":{number}}}')
    bench.host.publish(ROOT + "/stored", '{"seq":1}')
    bench.run(50)
    assert [one.topic for one in bench.came] == ["command"]  # behind a full window of the broker's
    assert len(bench.broker._sessions["test-c-01"].under_way) == HELD
    for number in range(41):
        assert len(bench.came) > number
        bench.link.heard(bench.came[number].token)
        bench.run(20)
    said = [one.payload for one in bench.came if one.topic == "command"]
    assert said == [f'{{"n":{number}}}'.encode() for number in range(40)]
    assert [one.payload for one in bench.came if one.topic == "stored"] == [b'{"seq":1}']


def test_what_was_not_heard_comes_again_after_a_reconnect() -> None:
    bench = Bench()
    bench.host.publish(ROOT + "/command", OPEN)
    bench.run(50)
    bench.link.crash()
    bench.run(3000)
    assert [(one.payload, one.again) for one in bench.came] == [
        (OPEN.encode(), False),
        (OPEN.encode(), True),
    ]
    bench.link.heard(bench.came[0].token)  # of a link that has ended: nobody's
    bench.run(100)
    assert bench.broker._sessions["test-c-01"].under_way
    bench.link.heard(bench.came[1].token)
    bench.run(100)
    assert not bench.broker._sessions["test-c-01"].under_way


def test_what_is_no_message_comes_as_a_flaw() -> None:
    bench = Bench()
    bench.host.publish(ROOT + "/command", "open the door")
    bench.run(50)
    assert [(one.payload, bool(one.flaw)) for one in bench.came] == [(b"", True)]


def test_the_link_takes_no_turn_without_a_reason() -> None:
    bench = Bench()
    bench.broker.set_network(False)
    bench.host.publish(ROOT + "/command", OPEN)
    bench.broker.fail(
        "slow", True
    )  # long between the message and the broker's word on what we hear
    bench.broker.set_network(True)
    turns = 0
    process: Any = bench.link._process
    real = process._go

    def counted(turn: Any) -> None:
        nonlocal turns
        turns += 1
        real(turn)

    process._go = counted
    bench.run(10_000)
    assert [one.payload for one in bench.came] == [OPEN.encode()]
    assert turns < 40


def test_a_broker_that_is_down_refuses_and_is_found_again_within_the_back_off() -> None:
    bench = Bench()
    bench.broker.fail("down", True)
    bench.run(20_000)
    assert not bench.up
    bench.broker.fail("down", False)
    bench.run(LINK["reconnect_max_ms"] + 100)
    assert bench.up


def test_a_slow_broker_keeps_the_order() -> None:
    bench = Bench()
    bench.broker.fail("slow", True)
    bench.send(1, 2, 3)
    bench.run(1000)
    assert bench.events() == []
    bench.run(4000)
    assert bench.events() == ["1", "2", "3"]
    assert bench.taken == [1, 2, 3]


def test_duplicates_come_and_nothing_is_lost() -> None:
    bench = Bench()
    bench.broker.fail("duplicate", True)
    bench.send(*range(1, 21))
    bench.run(1000)
    assert set(bench.events()) == {str(number) for number in range(1, 21)}
    assert len(bench.events()) > 25
    assert bench.taken == list(range(1, 21))


def test_a_broker_that_shuffles_loses_nothing() -> None:
    bench = Bench()
    bench.broker.fail("reorder", True)
    for number in range(1, 21):
        bench.send(number)
        bench.run(20)
    bench.run(1000)
    assert sorted(bench.events(), key=int) == [str(number) for number in range(1, 21)]
    assert bench.events() != sorted(bench.events(), key=int)


def test_a_half_open_connection_looks_up_until_keep_alive_notices() -> None:
    bench = Bench()
    bench.broker.fail("half_open", True)
    bench.send(1)
    bench.run(9000)
    assert bench.up
    assert bench.taken == []
    bench.run(7000)
    assert not bench.up
    assert bench.broker.retained[ROOT + "/status"] == "gone"


def test_what_stood_still_arrives_if_it_carries_again_in_time() -> None:
    bench = Bench()
    bench.broker.fail("half_open", True)
    bench.send(1)
    bench.run(5000)
    bench.broker.fail("half_open", False)
    bench.run(100)
    assert bench.taken == [1]
    assert bench.ups == [(bench.ups[0][0], True)]


def test_a_lost_puback_breaks_the_connection_after_the_message_was_taken() -> None:
    bench = Bench()
    bench.broker.fail("lose_puback", True)
    bench.send(*range(1, 41))
    bench.run(100)
    assert len(bench.events()) > len(bench.taken)
    assert (bench.ups[1][1], bench.up) in ((False, False), (False, True))


def test_a_broker_that_forgets_has_no_retained_topics_and_no_queues() -> None:
    bench = Bench()
    bench.link.send(1, ROOT + "/status", "here", True)
    bench.run(20)
    bench.broker.set_network(False)
    bench.host.publish(ROOT + "/command", OPEN)
    bench.run(100)
    bench.broker.fail("forget", True)
    assert bench.broker.retained == {}
    bench.broker.set_network(True)
    bench.run(3000)
    assert bench.up
    assert bench.came == []


def test_a_host_that_was_away_gets_what_came_meanwhile() -> None:
    bench = Bench()
    bench.host.set_online(False)
    bench.send(1, 2)
    bench.run(100)
    assert bench.events() == []
    bench.host.set_online(True)
    assert bench.events() == ["1", "2"]


@pytest.mark.parametrize("fault", FAULTS)
def test_after_any_fault_everything_is_as_before(fault: str) -> None:
    bench = Bench()
    bench.broker.fail(fault, True)
    bench.run(30_000)
    bench.broker.fail(fault, False)
    bench.run(15_000)
    assert bench.up
    bench.heard.clear()
    bench.taken.clear()
    bench.send(7)
    bench.run(50)
    assert (bench.taken, bench.events()) == ([7], ["7"])


def test_the_same_seed_falls_the_same() -> None:
    def story(seed: int) -> list[str]:
        bench = Bench(seed)
        for fault in ("duplicate", "reorder", "lose_puback"):
            bench.broker.fail(fault, True)
        for number in range(30):
            bench.send(number)
            bench.run(37)
        bench.run(2000)
        return bench.events()

    assert story(4) == story(4)
    assert story(4) != story(5)
