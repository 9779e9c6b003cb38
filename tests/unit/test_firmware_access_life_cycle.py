# portable
"""`firmware.access.life_cycle`: which word may follow which."""

from firmware.access import life_cycle as life


def _after(verbs: "list[str]") -> "tuple[str, str | None]":
    state = life.NONE
    for verb in verbs:
        assert life.refusal(state, verb) is None, (state, verb)
        state = life.TRANSITIONS[(state, verb)][0]
    return life.stored(state)


def test_a_key_that_is_found_is_what_it_was_before_it_was_lost() -> None:
    lost = ["issue", "report_lost"]
    assert _after(lost) == ("lost", "active")
    assert _after(lost + ["report_found"]) == ("active", None)
    suspended = ["issue", "suspend", "report_lost"]
    assert _after(suspended) == ("lost", "suspended")
    assert _after(suspended + ["report_found"]) == ("suspended", None)
    assert _after(suspended + ["report_found", "resume"]) == ("active", None)


def test_what_is_decided_while_a_key_is_lost_holds_when_it_is_found() -> None:
    assert _after(["issue", "report_lost", "suspend", "report_found"]) == ("suspended", None)
    assert _after(["issue", "suspend", "report_lost", "resume", "report_found"])[0] == "active"
    assert _after(["issue", "report_lost", "extend"])[0] == "lost"


def test_a_cancelled_key_is_cancelled_for_good() -> None:
    for verbs in (["issue"], ["issue", "suspend"], ["issue", "report_lost"]):
        assert _after(verbs + ["cancel"]) == ("cancelled", None)
    for verb in life.VERBS:
        assert life.refusal(life.CANCELLED, verb) == "is cancelled for good; expected another key"


def test_a_refused_word_changes_nothing_and_says_what_could_be_done() -> None:
    for state in life.STATES:
        for verb in life.VERBS:
            after, told = life.TRANSITIONS[(state, verb)]
            assert (told is None) == (life.refusal(state, verb) is not None)
            if told is None:
                assert after == state
    assert life.refusal("active", "resume") == (
        "is active; expected extend, suspend, report_lost, cancel"
    )
    assert life.refusal(life.NONE, "cancel") == "is not there; expected issue"


def test_each_state_is_stored_as_one_of_a_key_and_read_again() -> None:
    for state in life.STATES[1:]:
        assert life.state_of(*life.stored(state)) == state
    assert life.state_of(None, None) == life.NONE
    assert life.state_of("lost", None) == "lost"  # of a time when it was not written down
