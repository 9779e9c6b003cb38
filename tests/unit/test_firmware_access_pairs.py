# portable
"""`firmware.access.pairs`: who waits for a second person, for how long, and who is one."""

from firmware.access.credential import UNUSED, Credential
from firmware.access.pairs import ANY, LEAVE, OTHER_GROUP, PARTNER, PERSON, Pair, Person


def key(id: int, holder: "int | None", group: "str | None" = None, visit: "str | None" = None):  # type: ignore[no-untyped-def]
    rest = (None, None, 1, None, None, group, False, False, visit)
    return Credential(id, holder, "active", None, None, None, None, (), False, False, *rest)


def person(id: int) -> Person:
    return Person(key(id, id), UNUSED, "card")


def test_one_waits_and_is_told_when_nobody_came() -> None:
    pair = Pair(ANY, 15000)
    assert pair.handle(PERSON, 1000, person(1)) == []
    assert pair.deadline_ms == 16000
    assert pair.tick(15999) == []
    assert pair.tick(16000) == [person(1)]
    assert [pair.first, pair.deadline_ms] == [None, None]


def test_who_does_not_complete_it_takes_the_place_of_the_first() -> None:
    pair = Pair(ANY, 15000)
    pair.handle(PERSON, 1000, person(1))
    assert pair.handle(PERSON, 9000, person(2)) == [person(1)]
    assert (pair.first, pair.deadline_ms) == (person(2), 24000)


def test_a_second_person_ends_the_waiting_without_a_word() -> None:
    pair = Pair(ANY, 15000)
    for what in (PARTNER, LEAVE):
        pair.handle(PERSON, 1000, person(1))
        assert pair.handle(what, 2000) == []
        assert [pair.first, pair.deadline_ms] == [None, None]
        assert pair.tick(99000) == []


def test_a_late_second_person_finds_nobody_waiting() -> None:
    pair = Pair(ANY, 15000)
    pair.handle(PERSON, 1000, person(1))
    assert pair.handle(PERSON, 16000, person(2)) == [person(1)]
    assert pair.first == person(2)


def test_a_second_person_is_another_holder() -> None:
    pair = Pair(ANY, 15000)
    assert not pair.completes(key(2, 22))
    pair.handle(PERSON, 0, Person(key(1, 11), UNUSED, "card"))
    assert not pair.completes(key(2, 11))
    assert pair.completes(key(2, 22))
    assert pair.completes(key(2, None))
    assert pair.completes(key(0, None, None, "v-1"))
    pair.handle(PERSON, 0, Person(key(0, None, None, "v-1"), UNUSED, "qr"))
    assert not pair.completes(key(0, None, None, "v-2"))  # two codes may be one person's


def test_a_second_person_of_another_group_has_a_group() -> None:
    pair = Pair(OTHER_GROUP, 15000)
    pair.handle(PERSON, 0, Person(key(1, 11, "guards"), UNUSED, "card"))
    assert not pair.completes(key(2, 22, "guards"))
    assert not pair.completes(key(2, 22))
    assert not pair.completes(key(2, 11, "clerks"))
    assert pair.completes(key(2, 22, "clerks"))
