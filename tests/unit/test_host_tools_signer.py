"""An operator's commands are signed, rise and end; a reply counts only if its controller signed it."""

import base64
import re
from typing import Any

import pytest

from firmware.trust import signing
from firmware.trust.identity import Identity
from firmware.trust.sealing import belongs_to
from host_tools.signer import ReplyError, Signer

SEED = bytes(range(32))
NOW_MS = 1_795_248_000_417
CONTROLLER = Identity.of(bytes(range(100, 164)))
TO = "sunrise/c-01"


def signer() -> Signer:
    return Signer("op-ling", SEED, TO, CONTROLLER.public_key)


def made(**more: Any) -> dict[str, Any]:
    return signer().command("portal.release", {"portal": "front"}, now_ms=NOW_MS, n=41, **more)


def test_a_command_is_signed_and_ends_after_half_a_minute() -> None:
    command = made()
    assert signing.is_signed(command, signing.public_of(SEED))
    assert re.fullmatch("[0-9a-f]{32}", command["id"])
    assert (command["issued"], command["expires"]) == (
        "2026-11-21T08:00:00Z",
        "2026-11-21T08:00:30Z",
    )
    assert (command["to"], command["by"], command["n"]) == (TO, "op-ling", 41)
    assert "nonce" not in command


def test_no_two_commands_have_the_same_id() -> None:
    assert made()["id"] != made()["id"]


def test_a_nonce_is_quoted_where_one_is_given() -> None:
    assert made(nonce="7f")["nonce"] == "7f"


def test_n_rises_although_the_clock_stands_or_falls_back() -> None:
    one = signer()
    given = [one.command("alarm.silence", {}, now_ms=NOW_MS, n=n)["n"] for n in (41, 41, 7, 90)]
    assert given == [41, 42, 43, 90]


def test_what_must_be_sealed_is_and_opens_for_the_controller_alone() -> None:
    command = signer().command("credential.remove", {"credential": 1}, now_ms=NOW_MS, n=1)
    assert "args" not in command
    belongs = belongs_to(command["id"], TO)
    assert CONTROLLER.unseal(command["sealed"], belongs) == b'{"credential": 1}'


def test_a_signed_reply_is_believed() -> None:
    command = made()
    done = CONTROLLER.signed({"id": command["id"], "ok": True, "result": {"seq": 188}})
    assert signer().answer(command, done) == (True, {"seq": 188}, None, None)
    error = {"code": "role", "message": "no"}
    refused = CONTROLLER.signed({"id": command["id"], "ok": False, "error": error})
    assert signer().answer(command, refused) == (False, {}, "role", "no")


def test_a_reply_that_is_not_the_controllers_own_is_not_believed() -> None:
    command = made()
    right = CONTROLLER.signed({"id": command["id"], "ok": True, "result": {}})
    stranger = Identity.of(bytes(64)).signed({"id": command["id"], "ok": True, "result": {}})
    other = CONTROLLER.signed({"id": "0" * 32, "ok": True, "result": {}})
    neither = CONTROLLER.signed({"id": command["id"], "ok": False})
    half: Any = {"id": command["id"]}
    replies: list[Any] = [{**right, "ok": False}, stranger, other, neither, half, [], None]
    for reply in replies:
        with pytest.raises(ReplyError):
            signer().answer(command, reply)


def test_the_seed_is_shown_nowhere() -> None:
    assert base64.b64encode(SEED).decode() not in repr(signer())
    assert repr(signer()) == "Signer('op-ling')"


def test_without_the_controllers_key_it_can_be_ordered_and_not_believed() -> None:
    one = Signer("op-ling", SEED, TO, {})
    command = one.command("alarm.silence", {}, now_ms=NOW_MS, n=1)
    assert signing.is_signed(command, signing.public_of(SEED))
    done = CONTROLLER.signed({"id": command["id"], "ok": True, "result": {}})
    with pytest.raises(ReplyError, match="signature is wrong"):
        one.answer(command, done)
    with pytest.raises(ValueError, match="no key to seal to"):
        one.command("credential.remove", {"credential": 1}, now_ms=NOW_MS, n=2)
