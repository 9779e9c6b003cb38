"""`sim.virtual_socket` with the firmware's link and paho at one end: both versions of MQTT, odd packets."""

from typing import Any

import pytest
from test_sim_virtual_broker import LINK, OPEN, ROOT, Bench

from sim.virtual_socket import VirtualSocket


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_either_version_carries_what_is_said_both_ways(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LINK, "protocol", protocol)
    bench = Bench()
    assert (bench.up, bench.link.protocol) == (True, protocol)
    long = "x" * 20_000
    bench.link.send(1, ROOT + "/event", long, False)
    bench.host.publish(ROOT + "/command", f'{{"op":"{long}"}}')
    bench.run(50)
    assert bench.events() == [long]
    assert bench.taken == [1]
    assert [one.payload for one in bench.came] == [f'{{"op":"{long}"}}'.encode()]
    bench.link.heard(bench.came[0].token)
    bench.run(50)
    assert not bench.broker._sessions["test-c-01"].under_way


def test_what_the_broker_keeps_says_that_it_is_kept_and_is_told_once() -> None:
    bench = Bench()
    bench.host.publish(ROOT + "/command", OPEN, True)
    bench.run(50)
    bench.link.heard(bench.came[0].token)
    bench.broker.set_network(False)
    bench.run(50)
    bench.broker.set_network(True)
    bench.run(5000)
    assert bench.up
    assert [(one.payload, one.retained) for one in bench.came] == [(OPEN.encode(), True)]


def test_an_idle_connection_stays_for_its_pings_are_answered() -> None:
    bench = Bench()
    bench.run(100 * LINK["keepalive_s"] * 1000)
    assert len(bench.ups) == 1


def test_a_payload_that_is_no_utf_8_reaches_the_link_as_it_was() -> None:
    bench = Bench()
    bench.host.publish(ROOT + "/command", b'{"op":"\xff"}'.decode("utf-8", "surrogateescape"))
    bench.run(50)
    assert [bool(one.flaw) for one in bench.came] == [True]


def test_a_process_that_dies_in_the_middle_of_its_word_leaves_nothing_behind() -> None:
    bench = Bench()
    bench.send(1)
    bench.link.crash()
    bench.run(3000)
    assert bench.up
    assert len(bench.broker._connections) == 1
    bench.send(2)
    bench.run(50)
    assert bench.taken[-1] == 2


def test_a_packet_that_no_link_sends_is_an_error() -> None:
    bench = Bench()
    one = VirtualSocket(bench.broker, 99, lambda: None)
    with pytest.raises(ValueError, match="0x62"):
        one._packet(0x62, b"\x00\x01")  # PUBREL


def test_a_door_that_hangs_is_told_nothing_and_loses_nothing() -> None:
    bench = Bench()
    process: Any = bench.link._process
    bench.link.freeze()
    bench.host.publish(ROOT + "/command", OPEN)
    bench.run(1000)
    assert bench.came == []
    assert bench.broker._sessions["test-c-01"].under_way
    assert process is bench.link._process
    bench.link.kill()
    bench.link = bench.start()
    bench.run(1000)
    assert [one.payload for one in bench.came] == [OPEN.encode()]
