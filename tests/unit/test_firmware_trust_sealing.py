"""`firmware.trust.sealing`: HPKE in base mode, held to a vector of RFC 9180."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.trust import sealing
from firmware.trust.identity import LENGTH, Identity

#: RFC 9180, A.2.1 (DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base), first message;
#: its `info` is not empty, so the parts are checked: the key pair, and what the suite makes of them.
PRIVATE = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"
PUBLIC = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
ENCAPSULATED = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
INFO = "4f6465206f6e2061204772656369616e2055726e"
CIPHER = (
    "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
)
PLAIN = b"Beauty is truth, truth beauty"

KEY = bytes(range(32))
PUB = sealing.public_of(KEY)
BELONGS = sealing.belongs_to("0" * 32, "sunrise/c-01")


def test_it_is_the_hpke_of_the_standard() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from pyhpke import KEMKey

    private = bytes.fromhex(PRIVATE)
    assert sealing.public_of(private).hex() == PUBLIC
    reader = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(private))
    context = sealing.prepare().create_recipient_context(
        bytes.fromhex(ENCAPSULATED), reader, info=bytes.fromhex(INFO)
    )
    assert context.open(bytes.fromhex(CIPHER), aad=b"Count-0") == PLAIN


def test_what_belongs_to_a_command_is_its_id_a_newline_and_its_controller() -> None:
    assert BELONGS == b"0" * 32 + b"\nsunrise/c-01"


@given(st.binary(max_size=200))
def test_what_was_sealed_is_opened_by_its_reader_and_stands_behind_its_key(plain: bytes) -> None:
    sealed = sealing.seal(plain, PUB, BELONGS)
    assert len(base64.b64decode(sealed)) == 32 + len(plain) + 16
    assert sealing.unseal(sealed, KEY, BELONGS) == plain


def test_it_fits_into_no_other_message_and_opens_for_nobody_else() -> None:
    sealed = sealing.seal(PLAIN, PUB, BELONGS)
    raw = base64.b64decode(sealed)
    changed = base64.b64encode(raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]).decode()
    for text, key, belongs in (
        (sealed, KEY, sealing.belongs_to("1" * 32, "sunrise/c-01")),
        (sealed, KEY, sealing.belongs_to("0" * 32, "sunrise/c-02")),
        (sealed, bytes(32), BELONGS),
        (changed, KEY, BELONGS),
        (sealed[:40], KEY, BELONGS),
        (base64.b64encode(bytes(80)).decode(), KEY, BELONGS),  # a key of zeros
        ("", KEY, BELONGS),
        ("no base64", KEY, BELONGS),
        (None, KEY, BELONGS),
        ([sealed], KEY, BELONGS),
    ):
        with pytest.raises(sealing.SealError, match="^cannot be opened; expected HPKE"):
            sealing.unseal(text, key, belongs)


def test_a_key_that_is_none_is_told() -> None:
    for public in (b"", bytes(31), bytes(32)):
        with pytest.raises(sealing.SealError, match="^cannot be sealed; expected"):
            sealing.seal(PLAIN, public, BELONGS)


def test_who_a_controller_is_shows_nothing_of_its_keys() -> None:
    secret = bytes(range(LENGTH))
    identity = Identity.of(secret)
    assert repr(identity) == "Identity(...)"
    assert base64.b64decode(identity.public_key["seal"]) == sealing.public_of(secret[32:])
    sealed = sealing.seal(PLAIN, sealing.public_of(secret[32:]), BELONGS)
    assert identity.unseal(sealed, BELONGS) == PLAIN
