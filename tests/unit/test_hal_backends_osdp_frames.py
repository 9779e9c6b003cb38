"""`hal.backends.osdp_frames`: whole replies out of torn and noisy bytes."""

import binascii

import pytest

from hal.backends import osdp_frames as frames

ACK, BUSY = 0x40, 0x79


def _reply(
    address: int, number: int, reply: int = ACK, data: bytes = b"", crc: bool = True
) -> bytes:
    size = 6 + len(data) + (2 if crc else 1)
    control = number | (4 if crc else 0)
    head = bytes((0x53, 0x80 | address, size, 0, control, reply)) + data
    if crc:
        return head + binascii.crc_hqx(head, 0x1D0F).to_bytes(2, "little")
    return head + bytes((-sum(head) & 0xFF,))


@pytest.mark.parametrize("crc", [True, False])
def test_a_reply_is_whole_with_its_last_byte_and_not_before(crc: bool) -> None:
    whole = _reply(5, 2, data=b"card", crc=crc)
    buffer = bytearray()
    for byte in b"\xff" + whole[:-1]:
        buffer.append(byte)
        assert frames.take_reply(buffer, 5, 2) is None
    buffer += whole[-1:] + b"next"
    assert frames.take_reply(buffer, 5, 2) == whole
    assert buffer == b"next"


def test_noise_a_torn_frame_and_late_replies_before_it_are_dropped() -> None:
    whole = _reply(5, 2)
    noise = b"\x53\x85\xff\x00" + _reply(5, 1) + _reply(4, 2) + whole[:4] + b"\x53\x53"
    assert frames.take_reply(bytearray(noise + whole), 5, 2) == whole


def test_every_wrong_byte_is_noticed() -> None:
    whole = _reply(5, 2, data=b"card")
    for at in range(len(whole)):
        for wrong in (0x01, 0x80, 0xFF):
            spoilt = whole[:at] + bytes([whole[at] ^ wrong]) + whole[at + 1 :]
            assert frames.take_reply(bytearray(spoilt), 5, 2) is None, (at, wrong)


def test_a_reply_that_has_begun_lacks_the_rest_of_its_length() -> None:
    whole = _reply(5, 2, data=b"card")
    for size in range(5, len(whole) + 1):
        buffer = bytearray(b"\x53\xff\x12" + whole[:size])
        assert frames.missing(buffer, 5) == len(whole) - size, size


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\xff\x12\x80",
        _reply(4, 2)[:5],
        b"\x53\x85\x06\0\0",
        b"\x53\x85\x01\x02",
        b"\x53\x05\x08",
    ],
)
def test_noise_and_whole_frames_lack_nothing(noise: bytes) -> None:
    assert frames.missing(bytearray(noise), 5) == 0


def test_our_own_command_heard_back_is_no_reply() -> None:
    command = bytearray(_reply(5, 2))
    command[1] = 5
    command[-2:] = binascii.crc_hqx(bytes(command[:-2]), 0x1D0F).to_bytes(2, "little")
    assert frames.take_reply(command, 5, 2) is None


def test_a_busy_reader_is_one_whatever_the_question_was() -> None:
    busy = _reply(5, 0, BUSY)
    assert frames.take_reply(bytearray(busy), 5, 3) == busy
    assert frames.is_busy(busy)
    assert not frames.is_busy(_reply(5, 1, BUSY))
    assert not frames.is_busy(_reply(5, 0, ACK))


def test_endless_noise_is_forgotten() -> None:
    buffer = bytearray(b"\x53\x85\x10" * 4000)
    assert frames.take_reply(buffer, 5, 1) is None
    assert len(buffer) <= frames.LONGEST


def test_a_command_tells_what_it_is_and_its_number() -> None:
    poll = bytes((0xFF, 0x53, 5, 8, 0, 4 | 3, 0x60, 0, 0))
    secure = bytes((0xFF, 0x53, 5, 11, 0, 8 | 4 | 1, 3, 0x11, 1, frames.CHALLENGE, 0, 0))
    assert (frames.command_of(poll), frames.sequence_of(poll)) == (0x60, 3)
    assert (frames.command_of(secure), frames.sequence_of(secure)) == (frames.CHALLENGE, 1)


def test_a_security_block_that_is_longer_than_its_frame_hides_no_reply() -> None:
    for length in range(256):
        frame = bytes((0x53, 0x80, 8, 0, 0x0C, length, 0, 0))
        assert frames.command_of(frame) == 0


def test_a_spoilt_reply_is_none() -> None:
    assert frames.take_reply(bytearray(frames.spoilt(5)), 5, 0) is None
