# portable
"""`firmware.access.verification`: a card, a PIN, a card and then a PIN, each within its time."""

from firmware.access import verification
from firmware.access.verification import (
    ASK,
    CARD,
    CARD_AND_PIN,
    CARD_OR_PIN,
    CHECK_PIN,
    CLEAR,
    DIGIT,
    DISPLACED,
    ENTER,
    FIND_PIN,
    IDLE,
    KEYING,
    PIN,
    SHOWN,
    TOO_LATE,
    WANTED,
    Step,
    Verification,
)


def keyed(one: Verification, digits: str, now_ms: int) -> "list[Step]":
    steps: list[Step] = []
    for digit in digits:
        steps += one.handle(DIGIT, now_ms, digit)
    return steps


def test_a_pin_is_handed_over_at_its_end_and_forgotten() -> None:
    one = Verification(PIN, 10000)
    assert keyed(one, "4711", 0) == []
    assert one.state == KEYING
    assert one.handle(ENTER, 100) == [Step(FIND_PIN, "4711", None)]
    assert (one.state, one.deadline_ms) == (IDLE, None)
    assert one.handle(ENTER, 200) == []
    keyed(one, "12", 300)
    assert one.handle(ENTER, 400) == [Step(FIND_PIN, "12", None)]


def test_a_star_starts_over() -> None:
    one = Verification(PIN, 10000)
    keyed(one, "99", 0)
    assert one.handle(CLEAR, 100) == []
    assert (one.state, one.deadline_ms) == (IDLE, None)
    keyed(one, "4711", 200)
    assert one.handle(ENTER, 300) == [Step(FIND_PIN, "4711", None)]


def test_digits_that_are_not_ended_are_given_up_after_the_time_from_the_first() -> None:
    one = Verification(CARD_OR_PIN, 10000)
    one.handle(DIGIT, 1000, "4")
    one.handle(DIGIT, 9000, "7")
    assert (one.state, one.deadline_ms) == (KEYING, 11000)
    assert one.tick(10999) == []
    assert one.tick(11000) == [Step(TOO_LATE, "", None)]
    assert (one.state, one.deadline_ms) == (IDLE, None)
    assert one.tick(20000) == []


def test_a_digit_after_the_time_begins_a_new_pin() -> None:
    one = Verification(PIN, 10000)
    keyed(one, "99", 0)
    assert one.handle(DIGIT, 10000, "4") == [Step(TOO_LATE, "", None)]
    keyed(one, "711", 10001)
    assert one.handle(ENTER, 10002) == [Step(FIND_PIN, "4711", None)]


def test_a_card_that_waits_for_its_pin_gives_way_to_the_next_and_is_told() -> None:
    one = Verification(CARD_AND_PIN, 10000)
    one.handle(ASK, 0, "first")
    keyed(one, "47", 100)
    assert one.handle(SHOWN, 200) == [Step(DISPLACED, "", "first")]
    assert (one.state, one.key, one.deadline_ms) == (IDLE, None, None)
    one.handle(ASK, 300, "second")
    assert one.handle(ASK, 400, "third") == [Step(DISPLACED, "", "second")]
    keyed(one, "4711", 500)
    assert one.handle(ENTER, 600) == [Step(CHECK_PIN, "4711", "third")]


def test_a_card_drops_the_digits_that_were_begun() -> None:
    one = Verification(CARD_OR_PIN, 10000)
    keyed(one, "47", 0)
    assert one.handle(SHOWN, 100) == []
    assert (one.state, one.deadline_ms) == (IDLE, None)
    keyed(one, "11", 200)
    assert one.handle(ENTER, 300) == [Step(FIND_PIN, "11", None)]


def test_a_card_that_wants_its_pin_gets_it_together_with_the_card() -> None:
    one = Verification(CARD_AND_PIN, 10000)
    one.handle(SHOWN, 0)
    assert not one.takes_keys
    one.handle(ASK, 100, "the card")
    assert (one.state, one.deadline_ms, one.takes_keys) == (WANTED, 10100, True)
    keyed(one, "4711", 200)
    assert one.handle(ENTER, 300) == [Step(CHECK_PIN, "4711", "the card")]
    assert (one.state, one.key, one.takes_keys) == (IDLE, None, False)


def test_a_star_keeps_the_card_and_its_time() -> None:
    one = Verification(CARD_AND_PIN, 10000)
    one.handle(ASK, 100, "the card")
    keyed(one, "99", 200)
    one.handle(CLEAR, 5000)
    assert one.deadline_ms == 10100
    keyed(one, "4711", 5100)
    assert one.handle(ENTER, 5200) == [Step(CHECK_PIN, "4711", "the card")]


def test_a_pin_that_does_not_come_is_told_with_its_card() -> None:
    one = Verification(CARD_AND_PIN, 10000)
    one.handle(ASK, 100, "the card")
    keyed(one, "47", 200)
    assert one.tick(10100) == [Step(TOO_LATE, "", "the card")]
    assert one.key is None


def test_another_card_takes_the_place_of_the_one_that_waits() -> None:
    one = Verification(CARD_AND_PIN, 10000)
    one.handle(ASK, 100, "first")
    keyed(one, "47", 200)
    one.handle(SHOWN, 300)
    one.handle(ASK, 400, "second")
    assert one.deadline_ms == 10400
    keyed(one, "11", 500)
    assert one.handle(ENTER, 600) == [Step(CHECK_PIN, "11", "second")]


def test_a_card_asked_for_while_digits_are_pressed_begins_with_none() -> None:
    one = Verification(CARD_OR_PIN, 10000)
    keyed(one, "99", 0)
    one.handle(ASK, 100, "the card")
    assert one.handle(ENTER, 200) == [Step(CHECK_PIN, "", "the card")]


def test_more_digits_than_a_pin_has_fit_none_and_do_not_pile_up() -> None:
    one = Verification(PIN, 10000)
    keyed(one, "1" * 500, 0)
    steps = one.handle(ENTER, 100)
    assert steps == [Step(FIND_PIN, "1" * 13, None)]


def test_each_way_takes_what_it_names() -> None:
    taken = {
        way: (Verification(way, 1).takes_cards, Verification(way, 1).takes_keys)
        for way in verification.WAYS
    }
    assert taken == {
        CARD: (True, False),
        CARD_AND_PIN: (True, False),
        PIN: (False, True),
        CARD_OR_PIN: (True, True),
    }
