"""Every word the contract can say is said in both languages, whole, and short enough."""

import re
from pathlib import Path

import pytest

from firmware.access import alarm, record
from host_tools import words

PAGE = Path(__file__).parents[2] / "sim" / "page"
MOST = {"en": 80, "zh": 40}
HOLE = re.compile(r"\{(\w+)\}")

# The contract's lists (sections 3 and 5), written out: a list that grows there grows here.
EVENTS = [
    "access.granted.card",
    "access.granted.pin",
    "access.granted.card+pin",
    "access.granted.qr",
    "access.granted.out",
    "access.granted.visit",
    "access.granted.passback",
    "access.granted.passback.out",
    "access.denied",
    "access.taken",
    "access.not_taken",
    "portal.released",
    "portal.secured",
    "portal.mode",
    "portal.opened",
    "portal.closed",
    "alarm.raised",
    "alarm.acknowledged",
    "alarm.repeated",
    "alarm.cleared",
    "alarm.silenced",
    "alarm.shelved",
    "alarm.unshelved",
    "intercom.called",
    "intercom.ringing",
    "intercom.answered",
    "intercom.missed",
    "intercom.ended",
    "intercom.released",
    "media.snapshot",
    "media.clip",
    "media.pruned",
    "credential.changed",
    "credential.synced",
    "operator.changed",
    "command.accepted",
    "command.rejected",
    "partition.armed",
    "partition.disarmed",
    "partition.refused",
    "partition.bypassed",
    "partition.entry",
    "passback.forgiven",
    "automation.done",
    "system.started",
    "system.stopping",
    "system.fault",
    "system.recovered",
    "system.journal_started",
    "system.checkpoint",
    "system.egress_test",
    "clock.changed",
    "update.started",
    "update.done",
    "update.failed",
    "update.rolled_back",
]
REASONS = [
    "bad_read",
    "reader_blocked",
    "unknown_credential",
    "credential_lost",
    "credential_cancelled",
    "credential_suspended",
    "uses_exhausted",
    "clock_untrusted",
    "not_yet_valid",
    "credential_expired",
    "no_right",
    "portal_blocked",
    "locked_down",
    "outside_schedule",
    "credential_blocked",
    "wrong_pin",
    "pin_timeout",
    "second_person_missing",
    "anti_passback",
    "occupancy_full",
    "interlock",
]
ALARMS = [
    "door_forced",
    "door_held",
    "tamper",
    "duress",
    "panic",
    "intrusion",
    "fire",
    "credential_misuse",
    "wrong_attempts",
    "reader_fault",
    "lock_fault",
    "camera_fault",
    "camera_covered",
    "power_fault",
    "battery_low",
    "storage_fault",
    "link_fault",
    "clock_fault",
    "certificate_expiring",
    "update_fault",
]
CAUSES = ["credential", "command", "schedule", "rex", "fire", "call", "override", "power"] + [
    "automation"
]
MODES = ["locked", "unlocked", "accessed", "blocked", "locked_down", "locked_open"]
OPS = [
    "portal.release",
    "portal.mode",
    "alarm.acknowledge",
    "alarm.silence",
    "alarm.shelve",
    "credential.upsert",
    "credential.remove",
    "credential.sync",
    "credential.enrol",
    "schedule.set",
    "level.set",
    "partition.arm",
    "partition.disarm",
    "partition.bypass",
    "passback.forgive",
    "media.fetch",
    "media.hold",
    "clip.record",
    "events.replay",
    "intercom.directory",
    "config.apply",
    "update.apply",
    "system.restart",
    "operator.set",
    "clock.set",
    "stored",
]
REFUSALS = [
    "expired",
    "not_yet",
    "replayed",
    "out_of_order",
    "wrong_controller",
    "unknown_operator",
    "revoked",
    "role",
    "bad_signature",
    "bad_command",
    "failed",
]
QUALITIES = ["trusted", "holdover", "untrusted"]

NEEDED = [
    *(f"event.{name}" for name in EVENTS),
    *(f"reason.{name}" for name in REASONS),
    *(f"alarm.{name}" for name in ALARMS),
    *(f"todo.{name}" for name in ALARMS),
    *(f"cause.{name}" for name in CAUSES),
    *(f"mode.{name}" for name in MODES),
    *(f"op.{name}" for name in OPS),
    *(f"refused.{name}" for name in REFUSALS),
    *(f"clock.{name}" for name in QUALITIES),
]


# What the deciding core can say today is in those lists.
SPOKEN = {
    "event": [
        value for name, value in vars(record).items() if name.isupper() and "." in str(value)
    ],
    "cause": list(record.CAUSES),
    "alarm": list(alarm.PRIORITY),
}


def holes(text: str) -> list[str]:
    return sorted(HOLE.findall(text))


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_word_of_the_contract_is_said(lang: str) -> None:
    said = words.load(lang)
    assert [key for key in NEEDED if not said.get(key)] == []


@pytest.mark.parametrize("group", SPOKEN)
def test_what_the_core_can_say_has_words(group: str) -> None:
    said = words.load("en")
    ways = ("", ".card")  # a grant has one sentence for each way
    spoken = SPOKEN[group]
    assert spoken
    assert [one for one in spoken if not any(f"{group}.{one}{way}" in said for way in ways)] == []


def test_both_languages_have_the_same_keys() -> None:
    assert list(words.load("en")) == list(words.load("zh"))


def test_both_languages_fill_the_same_placeholders() -> None:
    zh = words.load("zh")
    assert [key for key, text in words.load("en").items() if holes(text) != holes(zh[key])] == []


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_no_text_is_longer_than_a_line_may_be(lang: str) -> None:
    assert [key for key, text in words.load(lang).items() if len(text) > MOST[lang]] == []


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_a_plain_form_needs_less_than_its_elder(lang: str) -> None:
    said = words.load(lang)
    for key, text in said.items():
        if key.endswith(".plain"):
            elder = said[key.removesuffix(".plain")]
            assert set(holes(text)) < set(holes(elder)), key


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_the_form_for_one_has_no_number_to_fill_and_its_elder_has(lang: str) -> None:
    said = words.load(lang)
    ones = [key for key in said if key.endswith(".one")]
    assert len(ones) > 5
    for key in ones:
        assert "n" not in holes(said[key]), key
        assert words.form(said, key.removesuffix(".one"), 1) == key
        assert words.form(said, key.removesuffix(".one"), "2") == key.removesuffix(".one")


def test_no_english_is_left_in_the_chinese_file() -> None:
    allowed = {"page.language", "page.title", "page.row.curl", "page.alarm_title"}
    for key, text in words.load("zh").items():
        if key in allowed or key.startswith(("page.keys.", "page.row.")):
            continue
        assert re.search(r"[\u4e00-\u9fff]", text) or not re.search(
            "[A-Za-z]{2}", HOLE.sub("", text)
        ), key


def test_every_key_the_page_names_exists() -> None:
    said = words.load("en")
    groups = {key.split(".")[0] for key in said}
    for path in sorted(PAGE.glob("*.js")) + [PAGE / "index.html"]:
        for key in re.findall(r'"([a-z_]+(?:\.[a-z_0-9+]+)+)"', path.read_text(encoding="utf-8")):
            if key.split(".")[0] in groups - {
                "event",
                "alarm",
                "portal",
                "access",
                "system",
                "clock",
            }:
                assert key in said, f"{path.name}: {key}"


def test_a_loaded_dict_is_the_callers_own() -> None:
    words.load("en")["status.quiet"] = "changed"
    assert words.load("en")["status.quiet"] != "changed"


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(ValueError, match="'fr'.*en, zh"):
        words.load("fr")
