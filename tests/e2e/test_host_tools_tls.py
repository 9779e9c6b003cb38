"""`doorctl` and a real controller at the brokers of docs/brokers/, with the certificates its README makes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import Nats
from kill_rig import ROOT, SEEDS, TO, Controller
from link_rig import PATIENCE_S, host
from link_rig import ROOT as LINK_ROOT
from shipped_brokers import HOST, Shipped, ShippedMosquitto, ShippedNats, Site
from stalling_proxy import StallingProxy

from host_tools.site_link import Address, SiteLink

BOTH = [pytest.param(ShippedMosquitto, marks=pytest.mark.needs("mosquitto")), ShippedNats]
Ctl = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"), "my-site", ("c-03",))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The same names, signed by an authority of somebody else's."""
    return Site(tmp_path_factory.mktemp("strangers"), "my-site", ())


@pytest.fixture(scope="module", params=BOTH)
def broker(
    request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shipped]:
    """A broker with a controller."""
    folder = tmp_path_factory.mktemp("house")
    one: Shipped = request.param(folder / "broker", site)
    one.start()
    door = Controller(folder, one.port, keys=site.link("c-03"))
    door.start()
    door.wait_connected()
    yield one
    door.kill()
    one.kill()


@pytest.fixture
def ctl(broker: Shipped, tmp_path: Path) -> Ctl:
    """`doorctl` as its owner has it, but for what is said of TLS."""
    seed = tmp_path / "op-owner.key"
    seed.write_bytes(SEEDS["op-owner"])

    def run(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "host_tools", *words]
            + ["--broker", f"127.0.0.1:{broker.port}", "--site", TO]
            + ["--operator", "op-owner", "--operator-key", str(seed)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def tls(site: Site, name: str = HOST) -> list[str]:
    cert, key = site.keys(name)
    return ["--ca", site.ca, "--cert", cert, "--key", key]


def test_with_the_host_s_certificate_a_door_is_opened_and_its_records_come(
    ctl: Ctl, site: Site
) -> None:
    code, out, err = ctl("open", "yard", *tls(site))
    assert (code, err) == (0, "")
    assert out.startswith("✓ yard is open")
    code, out, err = ctl("events", "--from", "1", "--json", *tls(site))
    assert (code, err) == (0, "")
    told = [json.loads(line) for line in out.splitlines()]
    assert ("portal.released", "command") in {(e["type"], e.get("cause")) for e in told}
    code, out, err = ctl("status", *tls(site))
    assert (code, err) == (0, "")
    assert "yard" in out


@pytest.mark.parametrize("how", ["none", "strangers"])
def test_without_a_certificate_of_the_authority_nobody_is_let_in(
    how: str, ctl: Ctl, broker: Shipped, site: Site, strangers: Site
) -> None:
    words = ["--ca", site.ca] if how == "none" else ["--ca", site.ca, *tls(strangers)[2:]]
    code, out, err = ctl("open", "yard", *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"127.0.0.1:{broker.port}: did not let us in (")
    assert "ssl" not in err.lower()
    assert err.endswith("; expected --cert and --key that the broker's authority signed\n")


def test_a_broker_of_another_authority_is_not_believed(
    ctl: Ctl, broker: Shipped, site: Site, strangers: Site
) -> None:
    code, out, err = ctl("open", "yard", "--ca", strangers.ca, *tls(site)[2:])
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"127.0.0.1:{broker.port}: its certificate does not hold (")
    assert err.endswith("); expected --ca of its authority\n")


def test_plain_text_to_a_tls_port_says_what_to_give(ctl: Ctl, broker: Shipped) -> None:
    code, out, err = ctl("open", "yard")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"127.0.0.1:{broker.port}: did not let us in (")
    assert err.endswith("; expected the broker, or --ca FILE where it speaks TLS\n")


def test_a_controller_s_certificate_orders_nothing(ctl: Ctl, site: Site) -> None:
    """The signature is the owner's, but the broker lets a controller write no command."""
    code, out, _ = ctl("open", "yard", *tls(site, "c-03"))
    assert code == 1
    assert "is open" not in out


def test_whoever_watches_hears_on_after_the_connection_was_reset(tmp_path: Path) -> None:
    broker = Nats(tmp_path)
    broker.start()
    cable = StallingProxy("127.0.0.1", broker.port)
    try:
        with (
            SiteLink(Address("127.0.0.1", cable.port), LINK_ROOT) as link,
            host(broker.port) as one,
        ):
            link.listen("status")
            cable.reset()
            one.say('{"state":"online"}', "status", retain=True)
            said = next(link.messages(PATIENCE_S))
            assert said[:2] == ("status", {"state": "online"})
    finally:
        cable.close()
        broker.kill()
