# portable
"""`firmware.runtime.operators`: who may sign, kept over restarts."""

from firmware.runtime import operators
from firmware.runtime.operators import Operators, is_key, is_name

A, B = "A" * 43 + "=", "B" * 42 + "A="
FIRST = {"ling": ("owner", A), "host": ("host", B)}


class Kept:
    """Operators, and what a journal would have kept of them."""

    def __init__(self) -> None:
        self.kept: dict[str, object] = {}
        self.all = Operators(FIRST, self.kept)

    def set(
        self,
        id: str,
        role: "str | None" = None,
        key: "str | None" = None,
        revoked: "bool | None" = None,
    ) -> "str | None":
        problem, effects = self.all.set(id, role, key, revoked)
        for effect in effects:
            self.kept[effect.key] = effect.value  # type: ignore[attr-defined]
        return problem

    def told(self, id: str) -> "tuple[str, str, bool] | None":
        """Role, key and whether revoked, which a restart must not change."""
        said = []
        for one in (self.all, Operators(FIRST, self.kept)):
            found = one.find(id)
            said.append(None if found is None else (found.role, found.key, found.revoked))
        assert said[0] == said[1]
        return said[0]


def test_a_new_one_needs_role_and_key() -> None:
    kept = Kept()
    for role, key in ((None, None), ("manager", None), (None, B)):
        assert "is unknown" in str(kept.set("fang", role, key))
        assert kept.told("fang") is None
    assert kept.set("fang", "manager", B) is None
    assert kept.told("fang") == ("manager", B, False)


def test_what_is_left_out_stays_as_it_was() -> None:
    kept = Kept()
    kept.set("fang", "manager", B)
    assert kept.set("fang", revoked=True) is None
    assert kept.told("fang") == ("manager", B, True)
    assert kept.set("fang", role="caretaker") is None
    assert kept.told("fang") == ("caretaker", B, True)
    assert kept.set("fang", key=A, revoked=False) is None
    assert kept.told("fang") == ("caretaker", A, False)


def test_the_last_owner_stays_an_owner() -> None:
    kept = Kept()
    kept.set("fang", "owner", B, True)
    for role, revoked in ((None, True), ("manager", None), ("host", False)):
        assert "last owner" in str(kept.set("ling", role, None, revoked))
        assert kept.told("ling") == ("owner", A, False)
    assert kept.set("ling", key=B) is None  # another key is no loss
    assert kept.set("fang", revoked=False) is None
    assert kept.set("ling", revoked=True) is None
    assert "last owner" in str(kept.set("fang", revoked=True))


def test_there_is_a_limit_to_them() -> None:
    kept = Kept()
    for number in range(operators.LIMIT - len(FIRST)):
        assert kept.set("op-%d" % number, "caretaker", A) is None
    assert len(kept.all) == operators.LIMIT
    assert "expected at most" in str(kept.set("one-more", "caretaker", A))
    assert kept.set("op-0", revoked=True) is None


def test_only_what_is_32_bytes_in_base64_is_a_key() -> None:
    assert is_key(A)
    assert is_key(B)
    for wrong in (None, 7, "", "A" * 44, "A" * 40, "B" * 43 + "=", "A" * 42 + "-=", "é" * 44):
        assert not is_key(wrong), wrong


def test_only_what_can_be_a_topic_is_a_name() -> None:
    assert is_name("op-ling")
    assert is_name("0" * 32)
    for wrong in (None, 7, "", "0" * 33, "Op", "op_ling", "op/ling", "+", "op\n"):
        assert not is_name(wrong), wrong
