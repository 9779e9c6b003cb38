"""`firmware.services.certificates`: real certificates, made here, on their way to their end."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firmware.runtime import aio
from firmware.services import certificates

DAY_S = 86400
NOW = datetime.datetime(2026, 11, 21, 8, tzinfo=datetime.UTC)
NOW_S = int(NOW.timestamp())


def certificate(ends: datetime.datetime) -> bytes:
    """A certificate that ends then, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sunrise/c-01")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(ends - datetime.timedelta(days=365))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def link(tmp_path: Path, cert: list[float], ca: list[float], **other: Any) -> dict[str, Any]:
    """A section [link]; each certificate is given by the days that it still has."""
    section: dict[str, Any] = {"enabled": True, "tls": True, "cert": None, "ca": None}
    for name, days in (("cert", cert), ("ca", ca)):
        if days:
            path = tmp_path / f"{name}.pem"
            ends = [NOW + datetime.timedelta(days=left) for left in days]
            path.write_bytes(b"".join(certificate(end) for end in ends))
            section[name] = str(path)
    return {**section, **other}


@pytest.mark.parametrize(
    ("cert", "ca", "told"),
    [
        ([31], [3000], False),
        ([30], [3000], True),
        ([30.01], [3000], False),
        ([-1], [3000], True),
        ([300], [29], True),
        ([300], [], False),
        ([], [29], True),
        ([], [], False),
        ([300, 20], [3000], True),  # a chain ends with its first
        ([300], [-400, 3000], False),  # a bundle holds old authorities beside new ones
    ],
)
def test_an_end_is_told_30_days_before(
    tmp_path: Path, cert: list[float], ca: list[float], told: bool
) -> None:
    assert certificates.expiring(link(tmp_path, cert, ca), NOW_S) is told


def test_a_link_that_uses_none_has_no_end(tmp_path: Path) -> None:
    assert not certificates.expiring(link(tmp_path, [1], [1], tls=False), NOW_S)
    assert not certificates.expiring(link(tmp_path, [1], [1], enabled=False), NOW_S)


def test_a_file_that_is_no_certificate_or_is_not_there_has_no_end(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for path in (str(broken), str(tmp_path / "none.pem"), str(tmp_path)):
        section = {**link(tmp_path, [], []), "cert": path}
        assert certificates.first_end(section) is None


def test_it_is_looked_at_each_day_and_told_each_time(tmp_path: Path) -> None:
    clock = aio.VirtualClock()
    loop = aio.Loop(clock, aio.JumpWaiter(clock))
    told: list[tuple[int, bool]] = []
    section = link(tmp_path, [32], [])

    def now_s() -> int | None:
        return NOW_S + clock.now_ms() // 1000 if clock.now_ms() >= 3_600_000 else None

    loop.spawn(
        certificates.watch(section, now_s, lambda soon: told.append((clock.now_ms(), soon))),
        "certificates",
    )
    loop.run(aio.sleep_ms(3 * DAY_S * 1000))
    hour = 3_600_000  # until then nobody knew the time
    assert told == [(hour, False), (hour + DAY_S * 1000, False), (hour + 2 * DAY_S * 1000, True)]
