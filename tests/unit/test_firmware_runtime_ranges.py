# portable
"""`firmware.runtime.ranges`: what somebody asked for once more is sent whole, in the order asked."""

from firmware.runtime.ranges import RANGES_LIMIT, Ranges


def test_the_journal_is_asked_for_what_is_not_sent_yet_one_range_after_another() -> None:
    ranges = Ranges()
    assert ranges.ask() is None
    assert ranges.add(5, 7)
    assert ranges.add(1, 2)
    assert ranges.ask() == (5, 7)
    ranges.sent(-1, 5)
    assert ranges.ask() == (6, 7)
    ranges.sent(-2, 6)
    ranges.sent(-3, 7)
    assert ranges.ask() == (1, 2)


def test_what_another_will_still_send_is_not_sent_twice() -> None:
    ranges = Ranges()
    ranges.add(10, 20)
    ranges.add(12, 20)
    ranges.add(15, 30)
    ranges.add(31, 40)
    assert ranges.ask() == (10, 40)
    ranges.skip(40)
    assert ranges.ask() is None


def test_what_another_has_sent_already_is_sent_again() -> None:
    ranges = Ranges()
    ranges.add(1, 20)
    ranges.ask()
    ranges.sent(-1, 1)
    ranges.add(1, 20)
    ranges.skip(20)
    assert ranges.ask() == (1, 20)


def test_a_new_connection_begins_where_the_broker_s_word_ended() -> None:
    ranges = Ranges()
    ranges.add(1, 3)
    for number, seq in ((-1, 1), (-2, 2), (-3, 3)):
        ranges.ask()
        ranges.sent(number, seq)
    ranges.add(1, 2)
    ranges.ask()
    ranges.sent(-4, 1)
    ranges.taken(-1)
    ranges.taken(-3)
    ranges.begin_again()
    assert ranges.ask() == (2, 3)
    ranges.skip(3)
    assert ranges.ask() == (1, 2)


def test_a_range_makes_room_when_the_broker_has_all_of_it_and_not_before() -> None:
    ranges = Ranges()
    for number in range(RANGES_LIMIT):
        assert ranges.add(100 - 2 * number, 100 - 2 * number)
    ranges.ask()
    ranges.sent(-1, 100)
    assert not ranges.add(1, 1)
    ranges.taken(-77)
    assert not ranges.add(1, 1)
    ranges.taken(-1)
    assert ranges.add(1, 1)
    assert not ranges.add(200, 200)


def test_what_is_gone_makes_room_and_a_longer_wish_made_meanwhile_stays() -> None:
    ranges = Ranges()
    ranges.add(1, 5)
    ranges.ask()
    ranges.add(4, 9)
    ranges.skip(5)
    assert ranges.ask() == (6, 9)
