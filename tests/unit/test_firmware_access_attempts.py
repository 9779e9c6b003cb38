# portable
"""`firmware.access.attempts`: five wrong ones within ten minutes block for 30 s."""

from firmware.access.attempts import Attempts

WINDOW_MS = 600000
BLOCK_MS = 30000


def attempts() -> Attempts:
    return Attempts(5, WINDOW_MS, BLOCK_MS)


def wrong_at(one: Attempts, times: "tuple[int, ...]") -> "list[bool]":
    return [one.wrong(at_ms) for at_ms in times]


def test_the_fifth_wrong_attempt_blocks_and_no_earlier_one() -> None:
    one = attempts()
    assert wrong_at(one, (0, 1, 2, 3)) == [False] * 4
    assert not one.blocked(3)
    assert one.wrong(4)
    assert one.blocked(4)


def test_a_block_ends_to_the_millisecond() -> None:
    one = attempts()
    wrong_at(one, (0, 1, 2, 3, 4))
    assert one.blocked_until_ms == 30004
    assert one.blocked(30003)
    assert not one.blocked(30004)


def test_after_a_block_five_more_are_needed() -> None:
    one = attempts()
    wrong_at(one, (0, 1, 2, 3, 4))
    assert wrong_at(one, (30004, 30005, 30006, 30007, 30008)) == [False] * 4 + [True]


def test_an_attempt_counts_for_less_than_the_window() -> None:
    one = attempts()
    wrong_at(one, (0, 1000, 2000, 3000))
    assert one.wrong(WINDOW_MS - 1)
    other = attempts()
    wrong_at(other, (0, 1000, 2000, 3000))
    assert not other.wrong(WINDOW_MS)
    assert other.wrong(WINDOW_MS + 999)  # the window slides: 1000 still counts


def test_a_grant_forgets_what_went_wrong_before() -> None:
    one = attempts()
    wrong_at(one, (0, 1, 2, 3))
    one.granted()
    assert wrong_at(one, (4, 5, 6, 7)) == [False] * 4
    assert one.wrong(8)


def test_a_grant_does_not_end_a_block() -> None:
    one = attempts()
    wrong_at(one, (0, 1, 2, 3, 4))
    one.granted()
    assert one.blocked(100)


def test_a_block_that_is_put_back_lasts_no_longer_than_a_block() -> None:
    one = attempts()
    one.block(1000, 12000)
    assert one.blocked_until_ms == 13000
    one.block(1000, 86400000)
    assert one.blocked_until_ms == 1000 + BLOCK_MS


def test_nothing_is_blocked_at_first() -> None:
    assert not attempts().blocked(0)


def test_wrong_attempts_are_forgotten_and_do_not_pile_up() -> None:
    one = Attempts(1000000, WINDOW_MS, BLOCK_MS)
    for i in range(2000):
        one.wrong(i * 1000)
    assert len(one._wrong) == WINDOW_MS // 1000


def test_the_end_of_a_block_is_a_deadline_until_it_has_come() -> None:
    one = attempts()
    assert one.deadline_ms is None
    one.block(1000, 12000)
    one.tick(12999)
    assert one.deadline_ms == 13000
    one.tick(13000)
    assert one.deadline_ms is None
    assert not one.blocked(13000)
