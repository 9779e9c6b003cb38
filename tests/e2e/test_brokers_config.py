"""The brokers' configurations of docs/brokers/: who may do what, and what is left after a SIGKILL."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from link_rig import (
    OFFLINE,
    ONLINE,
    ROOT,
    door,
    link_config,
    wait_seqs,
    wait_status,
)
from shipped_brokers import HOST, Party, Shipped, ShippedMosquitto, ShippedNats, Site, party

OTHER = "doorward/sunrise/c-02"
OWN_TOPICS = (
    *("status", "about", "health", "event", "portal/front"),
    *("alarm/front/door_forced", "reply/9f0c1e0000000000000000000000000a"),
)
MESSAGES = 300
BOTH = [pytest.param(ShippedMosquitto, marks=pytest.mark.needs("mosquitto")), ShippedNats]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same names, signed by an authority of somebody else's."""
    return Site(tmp_path_factory.mktemp("strangers"))


@pytest.fixture(params=BOTH)
def broker(request: pytest.FixtureRequest, site: Site, tmp_path: Path) -> Iterator[Shipped]:
    one: Shipped = request.param(tmp_path / "broker", site)
    one.start()
    yield one
    one.kill()


def heard(one: Party, last: str) -> list[tuple[str, str]]:
    """What it has seen by the time it has seen the payload `last`, that one left out."""
    one.seen.wait(last, lambda items: [item for item in items if item[1] == last])
    return [(topic, payload) for topic, payload, _ in one.seen.items if payload != last]


def test_nobody_connects_without_a_certificate_of_the_authority(
    broker: Shipped, site: Site, strangers: Site
) -> None:
    foreign = (strangers.keys(HOST), strangers.keys("c-01"))
    for keys in (None, *foreign, site.keys("broker")):
        assert not Party(broker, site.ca, keys).connect()
    with party(broker, site, HOST):
        pass


def test_a_controller_is_heard_on_its_own_topics(broker: Shipped, site: Site) -> None:
    with party(broker, site, HOST) as host, party(broker, site, "c-01") as one:
        assert host.subscribe("doorward/#") == [True]
        for topic in OWN_TOPICS:
            one.say(f"{ROOT}/{topic}", topic)
        one.say(f"{ROOT}/event", "last")
        assert sorted(heard(host, "last")) == sorted((f"{ROOT}/{t}", t) for t in OWN_TOPICS)


def test_a_controller_is_not_heard_anywhere_else(broker: Shipped, site: Site) -> None:
    elsewhere = [f"{OTHER}/{topic}" for topic in (*OWN_TOPICS, "command", "stored")]
    elsewhere += [f"{ROOT}/{topic}" for topic in ("command", "stored", "else", "event/more")]
    elsewhere += ["doorward/sunrise/event", "doorward/hill/c-01/event", ROOT, "doorward/host/event"]
    with party(broker, site, HOST) as host, party(broker, site, "c-01") as one:
        assert host.subscribe("doorward/#") == [True]
        for topic in elsewhere:
            one.try_to_say(topic, topic)
        one.say(f"{ROOT}/event", "last")
        assert heard(host, "last") == []


def test_a_controller_hears_its_own_commands_and_nothing_else(broker: Shipped, site: Site) -> None:
    own = [f"{ROOT}/command", f"{ROOT}/stored"]
    with (
        party(broker, site, HOST) as host,
        party(broker, site, "c-01") as one,
        party(broker, site, "c-02") as other,
    ):
        other.say(f"{OTHER}/portal/front", "kept", retain=True)
        assert other.subscribe(f"{OTHER}/command", f"{OTHER}/stored") == [True, True]
        wanted = (f"{OTHER}/command", f"{OTHER}/#", "doorward/+/+/stored", "doorward/#", "#")
        for qos in (0, 1):
            granted = one.subscribe(*wanted, "$MQTT/sub/#", "$MQTT/sub/x", "$MQTT/#", qos=qos)
            assert isinstance(broker, ShippedMosquitto) or not any(granted)
        assert one.subscribe(*own) == [True, True]
        for topic in ("command", "stored"):
            host.say(f"{OTHER}/{topic}", "for the other")
            host.say(f"{ROOT}/{topic}", "for one")
        heard(other, "for the other")
        host.say(own[0], "last")
        assert set(heard(one, "last")) <= {(topic, "for one") for topic in own}


def test_a_host_commands_and_says_nothing_in_a_controllers_name(
    broker: Shipped, site: Site
) -> None:
    with party(broker, site, HOST) as host:
        assert host.subscribe("doorward/#") == [True]
        for topic in OWN_TOPICS:
            host.try_to_say(f"{ROOT}/{topic}", topic)
        host.say(f"{ROOT}/stored", "stored")
        host.say(f"{ROOT}/command", "last")
        assert set(heard(host, "last")) <= {(f"{ROOT}/stored", "stored")}


def test_a_last_will_is_published_only_where_its_owner_may_write(
    broker: Shipped, site: Site
) -> None:
    with party(broker, site, HOST) as host:
        assert host.subscribe("doorward/#") == [True]
        for root in (OTHER, ROOT):
            one = Party(broker, site.ca, site.keys("c-01"))
            if one.connect(f"{root}/status"):
                one.break_off()
        assert host.seen.wait("a last will", lambda items: items)[0][0] == f"{ROOT}/status"


@pytest.mark.needs("mosquitto")
def test_a_client_id_of_another_ones_does_not_throw_it_out(site: Site, tmp_path: Path) -> None:
    broker = ShippedMosquitto(tmp_path / "broker", site)
    broker.start()
    try:
        with party(broker, site, HOST) as host, party(broker, site, "c-02", "sunrise-c-02") as one:
            assert one.subscribe(f"{OTHER}/command") == [True]
            with party(broker, site, "c-01", "sunrise-c-02"):
                host.say(f"{OTHER}/command", "last")
                heard(one, "last")
    finally:
        broker.kill()


def test_the_link_works_last_will_and_commands_included(
    broker: Shipped, site: Site, tmp_path: Path
) -> None:
    link = link_config(broker.port, **site.link("c-01"))
    with party(broker, site, HOST) as host:
        host.subscribe("doorward/#")
        with door(tmp_path, link) as one:
            assert one.wait_up()["protocol"] == broker.protocol
            wait_status(host.seen, ONLINE)
            wait_seqs(host.seen, one.append(5))
            for topic in ("command", "stored"):
                host.say(f"{ROOT}/{topic}", f'{{"to":"{topic}"}}')
            came = {said["message"]: said["payload"] for said in one.wait_messages(2)}
            assert came == {"command": '{"to":"command"}', "stored": '{"to":"stored"}'}
            assert not [line for line in one.health() if "does not let" in line]
            one.kill()
            wait_status(host.seen, ONLINE, OFFLINE)


def test_what_is_said_to_a_controller_that_is_away_waits_for_it(
    broker: Shipped, site: Site, tmp_path: Path
) -> None:
    link = link_config(broker.port, **site.link("c-01"))
    with party(broker, site, HOST) as host:
        with door(tmp_path, link) as one:
            one.wait_up()
            one.stop()
        said = [f'{{"n":{n}}}' for n in range(20)]
        host.say_all(f"{ROOT}/command", said)
        with door(tmp_path, link) as one:
            assert [m["payload"] for m in one.wait_messages(20)] == said


def test_a_killed_broker_still_has_what_it_acknowledged_for_a_host_that_was_away(
    broker: Shipped, site: Site
) -> None:
    with party(broker, site, HOST, client="host-1") as host:
        assert host.subscribe("doorward/#") == [True]
    said = [f"message {number}" for number in range(MESSAGES)]
    with party(broker, site, "c-01") as one:
        one.say_all(f"{ROOT}/event", said)
        if isinstance(broker, ShippedMosquitto):
            one.say(f"{ROOT}/event", "one round later")  # which itself may be lost: README.md
        broker.kill()
    broker.start()
    with party(broker, site, HOST, client="host-1") as host:
        host.seen.wait(
            "every message", lambda items: set(said) <= {payload for _, payload, _ in items}
        )


def test_every_line_of_mosquitto_conf_is_explained() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs" / "brokers"
    explained = set(re.findall(r"`(\w+)", (folder / "README.md").read_text()))
    for line in (folder / "mosquitto.conf").read_text().splitlines():
        if line and not line.startswith(("#", "listener ")):
            assert line.split()[0] in explained
