"""`firmware.trust.signing`: Ed25519 over canonical JSON, held to the vectors of RFC 8032."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.trust import signing

#: RFC 8032, 7.1: seed, public key, message, signature
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_it_is_the_ed25519_of_the_standard(
    seed: str, public: str, message: str, signature: str
) -> None:
    assert signing.public_of(bytes.fromhex(seed)).hex() == public
    made = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
    assert made.sign(bytes.fromhex(message)).hex() == signature


SEED = bytes(range(32))
SIGNED = {"b": 1, "a": "é"}


def test_what_is_signed_is_the_canonical_form_without_sig() -> None:
    text = '{"a":"é","b":1}'.encode()
    expected = Ed25519PrivateKey.from_private_bytes(SEED).sign(text)
    assert base64.b64decode(signing.sign({**SIGNED, "sig": "x"}, SEED)) == expected
    assert signing.is_signed({**SIGNED, "sig": signing.sign(SIGNED, SEED)}, signing.public_of(SEED))


@pytest.mark.parametrize(
    "sig",
    [None, 7, "", "x", "é", "A" * 88, "A" * 86 + "==", "A" * 44],
)
def test_what_is_no_signature_is_none(sig: object) -> None:
    assert not signing.is_signed({**SIGNED, "sig": sig}, signing.public_of(SEED))


def test_a_signature_is_of_one_object_by_one_key_in_one_spelling() -> None:
    sig, public = signing.sign(SIGNED, SEED), signing.public_of(SEED)
    assert not signing.is_signed({**SIGNED, "b": 2, "sig": sig}, public)
    assert not signing.is_signed({**SIGNED, "c": 1, "sig": sig}, public)
    assert not signing.is_signed({**SIGNED, "sig": sig}, signing.public_of(bytes(32)))
    assert not signing.is_signed({**SIGNED, "sig": sig}, b"short")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = sig[:85] + letters[letters.index(sig[85]) ^ 1] + "=="
    assert base64.b64decode(other) == base64.b64decode(sig)
    assert not signing.is_signed({**SIGNED, "sig": other}, public)


def test_what_has_no_canonical_form_is_signed_by_nobody() -> None:
    assert not signing.is_signed({"a": float("nan"), "sig": "A" * 86 + "=="}, bytes(32))


@pytest.mark.parametrize("text", [None, 7, "", "AAAA", "A" * 44, "A" * 43 + "=\n", "é" * 44])
def test_what_is_no_key_is_told_without_repeating_it(text: object) -> None:
    with pytest.raises(signing.KeyTextError, match="^is no key; expected 32 bytes in base64$"):
        signing.key_bytes(text)
