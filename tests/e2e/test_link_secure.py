"""The link and mosquitto with TLS, client certificates and passwords; what people are told when it fails."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from brokers import Mosquitto
from link_rig import door, link_config

CA_EXTENSIONS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign"
SERVER_EXTENSIONS = "subjectAltName=IP:127.0.0.1"


@dataclass
class Keys:
    """Paths of one authority's certificate, and of a certificate and key that it signed."""

    ca: str
    cert: str
    key: str


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _keys(folder: Path, name: str, extensions: str, authority: Keys | None = None) -> Keys:
    """A key and its certificate, signed by `authority` or by itself."""
    folder.mkdir(exist_ok=True)
    key, request, cert = (str(folder / f"{name}.{end}") for end in ("key", "csr", "pem"))
    wanted = folder / f"{name}.ext"
    wanted.write_text(extensions + "\n")
    _openssl(
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", key, "-out", request, "-subj", f"/CN={name}"),
    )
    signer = ("-signkey", key)
    if authority is not None:
        signer = ("-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial")  # type: ignore[assignment]
    _openssl(
        *("x509", "-req", "-in", request, "-out", cert, "-days", "1", "-extfile", str(wanted)),
        *signer,
    )
    return Keys(cert if authority is None else authority.cert, cert, key)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return _keys(tmp_path_factory.mktemp("authority"), "site", CA_EXTENSIONS)


@pytest.fixture(scope="module")
def client(authority: Keys, tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return _keys(tmp_path_factory.mktemp("client"), "c-01", "keyUsage=digitalSignature", authority)


@pytest.fixture
def broker(authority: Keys, tmp_path: Path) -> Iterator[Mosquitto]:
    server = _keys(tmp_path / "server", "broker", SERVER_EXTENSIONS, authority)
    one = Mosquitto(
        tmp_path,
        "allow_anonymous true",
        f"cafile {authority.cert}",
        f"certfile {server.cert}",
        f"keyfile {server.key}",
        "require_certificate true",
    )
    one.start()
    yield one
    one.kill()


def test_it_connects_with_its_own_certificate(
    broker: Mosquitto, client: Keys, tmp_path: Path
) -> None:
    link = link_config(broker.port, tls=True, ca=client.ca, cert=client.cert, key=client.key)
    with door(tmp_path, link) as one:
        assert one.wait_up()["protocol"] == "5"
        assert one.append(2) == 3
        assert one.stop()[-1] == {"modules": []}  # TLS is the child's alone


def test_a_broker_of_another_authority_is_not_trusted(
    broker: Mosquitto, client: Keys, tmp_path: Path
) -> None:
    other = _keys(tmp_path / "other", "other", CA_EXTENSIONS)
    link = link_config(broker.port, tls=True, ca=other.cert, cert=client.cert, key=client.key)
    with door(tmp_path, link) as one:
        said = one.wait_health("no TLS")
        where = f"127.0.0.1:{broker.port}"
        assert said["health"].startswith(f"link: no TLS with {where} (")
        assert said["health"].endswith(
            "); expected TLS there, and a certificate that ca vouches for; trying again"
        )
        assert not [line for line in one.said.items if line.get("up")]


def test_without_a_certificate_the_broker_refuses_and_the_line_says_so(
    broker: Mosquitto, client: Keys, tmp_path: Path
) -> None:
    with door(tmp_path, link_config(broker.port, tls=True, ca=client.ca)) as one:
        said = one.wait_health("certificate required")
        assert said["health"].startswith(f"link: no MQTT from 127.0.0.1:{broker.port} (")
        assert not [line for line in one.said.items if line.get("up")]


def test_plain_text_to_a_tls_port_is_one_clear_line(broker: Mosquitto, tmp_path: Path) -> None:
    with door(tmp_path, link_config(broker.port)) as one:
        said = one.wait_health("no MQTT from")
        assert "expected an MQTT broker there; trying again" in said["health"]


def test_tls_to_a_plain_port_is_one_clear_line(client: Keys, tmp_path: Path) -> None:
    plain = Mosquitto(tmp_path)
    plain.start()
    try:
        with door(tmp_path, link_config(plain.port, tls=True, ca=client.ca)) as one:
            one.wait_health(f"no TLS with 127.0.0.1:{plain.port}")
    finally:
        plain.kill()


def test_a_missing_file_is_named_with_what_it_should_hold(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    with door(tmp_path, link_config(1, tls=True, ca=missing)) as one:
        said = one.wait_health(missing)
        assert said["health"] == (
            f"link: {missing}: no such file or directory; "
            "expected a file with certificates; trying again"
        )


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("not a certificate")
    with door(tmp_path, link_config(1, tls=True, ca=str(wrong))) as one:
        assert "expected PEM files" in one.wait_health(str(wrong))["health"]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "c-01", "right word"], check=True)
    one = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}")
    one.start()
    yield one
    one.kill()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_password_comes_from_its_file(guarded: Mosquitto, tmp_path: Path, protocol: str) -> None:
    file = tmp_path / "password"
    file.write_text("right word\n")
    link = link_config(guarded.port, protocol=protocol, username="c-01", password_file=str(file))
    with door(tmp_path, link) as one:
        assert one.wait_up()["protocol"] == protocol


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_is_one_clear_line_without_it(
    guarded: Mosquitto, tmp_path: Path, protocol: str
) -> None:
    file = tmp_path / "password"
    file.write_text("wrong word\n")
    link = link_config(guarded.port, protocol=protocol, username="c-01", password_file=str(file))
    with door(tmp_path, link) as one:
        said = one.wait_health("refused this controller")["health"]
        assert said.startswith(f"link: 127.0.0.1:{guarded.port} refused this controller (")
        assert said.endswith(
            "); expected a broker that knows it (username, password_file, cert); trying again"
        )
        assert "word" not in said.replace("password_file", "")
