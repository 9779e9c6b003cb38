# portable
"""`firmware.access.pin`: HMAC-SHA256 as RFC 4231 has it, indexes and salted hashes of PINs."""

import binascii

from firmware.access import pin

#: RFC 4231, test cases 1 to 4, 6 and 7: key, message, HMAC-SHA-256.
RFC_4231 = (
    (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data."
        b" The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)

KEY = b"k" * 32


def test_keyed_is_the_hmac_of_rfc_4231() -> None:
    for key, message, expected in RFC_4231:
        assert binascii.hexlify(pin.keyed(key, message)).decode() == expected


def test_a_key_of_exactly_one_block_is_not_hashed_first() -> None:
    expected = "b65ca3a3235f948bc0e6bd747532c54a983b54ddad1a4d1bd8b958e065b1cab4"
    assert binascii.hexlify(pin.keyed(b"a" * 64, b"x")).decode() == expected


def test_an_index_is_32_hex_digits_and_differs_by_key_and_by_digits() -> None:
    one = pin.index(KEY, "4711")
    assert len(one) == 32
    assert set(one) <= set("0123456789abcdef")
    assert one == pin.index(KEY, "4711")
    assert one != pin.index(KEY, "4712")
    assert one != pin.index(b"j" * 32, "4711")


def test_leading_zeros_make_another_pin() -> None:
    assert len({pin.index(KEY, digits) for digits in ("0000", "00000", "000000")}) == 3


def test_a_code_with_a_pins_digits_is_found_elsewhere() -> None:
    assert pin.code_index(KEY, "4711") != pin.index(KEY, "4711")
    assert len(pin.code_index(KEY, "käse 门")) == 32


def test_an_index_does_not_show_the_digits() -> None:
    assert "12345678" not in pin.index(KEY, "12345678")


def test_a_salted_hash_differs_by_salt_and_by_digits() -> None:
    one = pin.salted(b"salt-1", "4711")
    assert len(one) == 32
    assert one == pin.salted(b"salt-1", "4711")
    assert one != pin.salted(b"salt-2", "4711")
    assert one != pin.salted(b"salt-1", "4712")


def test_same_compares_every_byte_and_the_length() -> None:
    assert pin.same(b"", b"")
    assert pin.same(b"abc", b"abc")
    assert not pin.same(b"abc", b"abd")
    assert not pin.same(b"abc", b"bbc")
    assert not pin.same(b"abc", b"abcd")
    assert not pin.same(b"abc", b"")
