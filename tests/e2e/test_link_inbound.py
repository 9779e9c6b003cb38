"""What hosts send to a controller, through real brokers: it arrives once, in order, bounded and looked at."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import Broker, Mosquitto, Nats
from link_rig import child_of, door, host, link_config, listening, wait_seqs

from sim.network import Cable

TOPICS = ("command", "stored")


@pytest.fixture(params=[Nats, Mosquitto])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    one: Broker = request.param(tmp_path)
    one.start()
    yield one
    one.kill()


def payloads(messages: list[dict[str, object]], topic: str = "command") -> list[object]:
    return [said["payload"] for said in messages if said["message"] == topic]


def test_commands_and_acknowledgements_arrive_as_they_were_said(
    broker: Broker, tmp_path: Path
) -> None:
    said = ['{"v":1,"text":"大门"}', '{"v":2}', '{"v":3}']
    with door(tmp_path, link_config(broker.port)) as one, host(broker.port) as sender:
        one.wait_up()
        for text in said:
            for topic in TOPICS:
                sender.say(text, topic)
        came = one.wait_messages(6)
        for topic in TOPICS:
            assert payloads(came, topic) == said
        assert {(m["retained"], m["flaw"]) for m in came} == {(False, "")}


def test_what_is_not_for_us_does_not_reach_the_door(broker: Broker, tmp_path: Path) -> None:
    with door(tmp_path, link_config(broker.port)) as one, host(broker.port) as sender:
        one.wait_up()
        for topic in ("commands", "command/more", "reply/1", "event", "status", "portal/front"):
            sender.say("{}", topic)
        sender.say('{"last":1}')
        assert payloads(one.wait_messages(1)) == ['{"last":1}']


def test_commands_sent_while_the_door_was_away_arrive_when_it_is_back(
    broker: Broker, tmp_path: Path
) -> None:
    link = link_config(broker.port)
    said = [json.dumps({"n": n}) for n in range(40)]
    with door(tmp_path, link) as one, host(broker.port) as sender:
        one.wait_up()
        sender.say('{"n":"before"}')  # the subscription is there
        one.wait_messages(1)
        one.stop()
        for text in said:
            sender.say(text)
    with door(tmp_path, link) as one:
        assert payloads(one.wait_messages(40)) == said


def test_garbage_is_told_as_a_flaw_and_never_shown_to_the_door(
    broker: Broker, tmp_path: Path
) -> None:
    garbage = [b"\xff\xfe", b"[1]", b'{"a":1,"a":2}', b'{"a":' * 40, b"", b'{"a":NaN}']
    with door(tmp_path, link_config(broker.port)) as one, host(broker.port) as sender:
        one.wait_up()
        for payload in garbage:
            sender.say(payload)
        came = one.wait_messages(len(garbage))
        assert {said["payload"] for said in came} == {""}
        assert all(said["flaw"] for said in came)


def test_a_message_may_be_as_long_as_the_limit_and_a_longer_one_is_told_as_too_long(
    broker: Broker, tmp_path: Path
) -> None:
    longest = '{"a":"%s"}' % ("x" * (262_144 - 8))
    with door(tmp_path, link_config(broker.port)) as one, host(broker.port) as sender:
        one.wait_up()
        most = 900_000 if isinstance(broker, Nats) else 16_000_000  # what the broker takes itself
        for payload in (longest, longest + " ", " " * 300_000, " " * most, '{"last":1}'):
            sender.say(payload)
        came = one.wait_messages(5)
        assert payloads(came) == [longest, "", "", "", '{"last":1}']
        assert [said["flaw"] for said in came] == ["", "too_long", "too_long", "too_long", ""]
        assert len({said["pid"] for said in one.said.items if "pid" in said}) == 1


def test_a_broker_hears_of_a_message_only_when_the_door_has_dealt_with_it(
    broker: Broker, tmp_path: Path
) -> None:
    said = [json.dumps({"n": n}) for n in range(60)]
    with door(tmp_path, link_config(broker.port)) as one, host(broker.port) as sender:
        one.wait_up()
        one.listen(False)
        for text in said:
            sender.say(text)
        one.wait_messages(1)
        so_far = len(one.said.items)
        os.kill(child_of(one.wait_up()), signal.SIGKILL)  # what it held is gone
        one.wait_up(after=so_far)
        one.listen(True)
        came = payloads(one.wait_messages(61))
        assert came == [said[0], *said]  # the one that the door had comes again; none is missing


def test_a_door_that_does_not_listen_stays_connected_and_is_sent_nothing_more(
    broker: Broker, tmp_path: Path
) -> None:
    count = 200
    with (
        listening(broker.port) as seen,
        door(tmp_path, link_config(broker.port)) as one,
        host(broker.port) as sender,
    ):
        one.wait_up()
        one.listen(False)
        for number in range(count):
            sender.say(json.dumps({"n": number}))
        one.wait_messages(1)
        wait_seqs(seen, one.append(20))  # what goes out goes on
        assert len(one.messages()) == 1
        one.listen(True)
        came = payloads(one.wait_messages(count))
        assert came == [json.dumps({"n": number}) for number in range(count)]
        assert not [said for said in one.said.items if said.get("up") is False]


def test_records_leave_while_many_commands_wait_for_the_door(tmp_path: Path) -> None:
    """More than may be on their way at once, so the broker's word for them must be read, too."""
    count = 400
    flooding = Mosquitto(tmp_path, "allow_anonymous true", "max_inflight_messages 0")
    flooding.start()
    try:
        with (
            listening(flooding.port) as seen,
            door(tmp_path, link_config(flooding.port, protocol="3.1.1")) as one,
            host(flooding.port) as sender,
        ):
            one.wait_up()
            one.listen(False)
            for number in range(count):
                sender.say(json.dumps({"n": number}))
            one.wait_messages(1)
            wait_seqs(seen, one.append(count))
            assert len(one.messages()) == 1
            one.listen(True)
            one.wait_messages(count)
            assert not [said for said in one.said.items if said.get("up") is False]
    finally:
        flooding.kill()


def test_nothing_is_lost_when_the_cable_is_cut_while_commands_come(
    broker: Broker, tmp_path: Path
) -> None:
    cable = Cable("127.0.0.1", broker.port)
    try:
        with door(tmp_path, link_config(cable.port)) as one, host(broker.port) as sender:
            one.wait_up()
            for part in range(3):
                so_far = len(one.said.items)
                for number in range(30):
                    sender.say(json.dumps([{"part": part, "n": number}])[1:-1])
                cable.cut()
                one.wait_up(False, so_far)
                so_far = len(one.said.items)
                cable.restore()
                one.wait_up(after=so_far)
            every = {json.dumps({"part": p, "n": n}) for p in range(3) for n in range(30)}
            one.said.wait(
                "every command",
                lambda items: every <= {said.get("payload") for said in items},
            )
    finally:
        cable.close()


def test_a_retained_command_says_so(broker: Broker, tmp_path: Path) -> None:
    with host(broker.port) as sender:
        sender.say('{"kept":1}', retain=True)
        with door(tmp_path, link_config(broker.port)) as one:
            came = one.wait_messages(1)
            assert (came[0]["payload"], came[0]["retained"]) == ('{"kept":1}', True)
            sender.say('{"last":1}')
            assert payloads(one.wait_messages(2)) == ['{"kept":1}', '{"last":1}']  # told once
        sender.say("", retain=True)
