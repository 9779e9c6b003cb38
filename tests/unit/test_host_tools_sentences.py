"""Events, alarms and doors as sentences: right in both languages, and whole when something is not known."""

from typing import Any

import pytest

from host_tools.sentences import Sentences, alarms_by_weight

WORLD: dict[str, Any] = {
    "clock": {"utc": "2026-11-21T08:00:00Z", "timezone": "Asia/Shanghai"},
    "power": True,
    "network": True,
    "records": 184,
    "waiting": 0,
    "portals": {"front": {"title": {"en": "Front door", "zh": "大门"}}},
    "access_points": {
        "front-in": {"portal": "front", "direction": "in", "title": None},
        "front-out": {"portal": "front", "direction": "out", "title": None},
    },
    "points": {"hall": {"class": "intrusion", "title": {"en": "Hall", "zh": "走廊"}}},
    "devices": {
        "wire": {"driver": "supervised_contact", "title": {"en": "Contact", "zh": "门磁"}},
        "box": {"driver": "relay", "title": {"en": "Box", "zh": "箱"}},
    },
    "partitions": {"cellar": {"title": {"en": "Cellar", "zh": "地下室"}}},
    "automation": {"light": {"title": {"en": "Light", "zh": "开灯"}}},
    "areas": {"lobby": {"title": {"en": "Lobby", "zh": "大堂"}}},
    "people": [{"credential": 1001, "name": "resident"}],
    "alarms": [],
}
SAID: list[tuple[dict[str, Any], str, str]] = [
    (
        {"type": "access.granted", "verification": "card", "credential": 1001},
        "Front door: Resident let in with a card.",
        "大门：住户刷卡，准许通行。",
    ),
    (
        {"type": "access.granted", "credential": 1001, "passback": "violated"},
        "Front door: Resident let in again without having gone out.",
        "大门：住户未出先进，仍准许通行。",
    ),
    (
        {"type": "access.granted", "verification": "qr", "visit": "7f"},
        "Front door: a visitor let in with a code.",
        "大门：访客出示访客码，准许通行。",
    ),
    (
        {"type": "access.granted", "visit": "7f", "access_point": "front-out"},
        "Front door: a visitor let out.",
        "大门：访客准许离开。",
    ),
    (
        {"type": "portal.mode", "mode": "locked_down", "cause": "automation"},
        "Front door: now “lockdown; the way out is free”, by a rule.",
        "大门：切换为“紧急封锁（出门不受限）”（联动规则）。",
    ),
    (
        {"type": "portal.released", "cause": "command"},
        "Front door: unlocked, from the desk.",
        "大门：已开锁（远程开门）。",
    ),
    ({"type": "alarm.silenced", "by": "ling"}, "The siren was silenced by ling.", "ling已消音。"),
    (
        {"type": "alarm.shelved", "point": "hall", "by": "wu", "until": "2026-11-21T09:00:00Z"},
        "Hall: wu set the alarm aside until 17:00:00.",
        "走廊：wu已将报警搁置至17:00:00。",
    ),
    (
        {"type": "alarm.shelved", "point": "hall", "by": "wu", "until": "2026-11-22T09:00:00Z"},
        "Hall: wu set the alarm aside until 2026-11-22 17:00:00.",
        "走廊：wu已将报警搁置至2026-11-22 17:00:00。",
    ),
    (
        {"type": "system.started", "gap_ms": 20_000},
        "Controller started; at most 20 s without power or program.",
        "控制器已启动，此前停机最多20秒。",
    ),
    (
        {"type": "alarm.repeated", "point": "wire", "class": "tamper"},
        "Contact: still not seen: its wire was cut or shorted.",
        "门磁：报警未确认：线路被剪断或短接。",
    ),
    (
        {"type": "alarm.raised", "point": "box", "class": "tamper"},
        "Box: a housing was opened or torn off.",
        "箱：设备外壳被打开或拆动。",
    ),
    (
        {"type": "partition.refused", "partition": "cellar", "points": ["hall", "wire"]},
        "Cellar: cannot be watched yet; still open: Hall, Contact.",
        "地下室：暂不能布防，未关闭：走廊、门磁。",
    ),
    (
        {
            "type": "partition.refused",
            "partition": "cellar",
            "reason": "sensor_unavailable",
            "points": ["hall"],
        },
        "Cellar: cannot be watched yet; no word from: Hall.",
        "地下室：暂不能布防，无信号：走廊。",
    ),
    (
        {"type": "partition.armed", "partition": "cellar", "by": "schedule"},
        "Cellar: being watched, set by the timetable.",
        "地下室：已布防（时间表）。",
    ),
    (
        {"type": "passback.forgiven", "area": "lobby", "by": "wu", "count": 3},
        "Lobby: wu lets 3 pass either way again.",
        "大堂：wu已重置3人的进出状态。",
    ),
    (
        {"type": "passback.forgiven", "by": "wu", "count": 3},
        "wu lets 3 pass either way again.",
        "wu已重置3人的进出状态。",
    ),
    (
        {"type": "automation.done", "automation": "light", "by": "alarm.raised"},
        "Rule “Light” was carried out.",
        "联动规则“开灯”已执行。",
    ),
    (
        {"type": "system.egress_test", "portal": "front", "results": [{"result": "passed"}]},
        "Front door: way out and fire release tried; all is well.",
        "大门：出门和消防释放测试通过。",
    ),
    (
        {
            "type": "system.egress_test",
            "access_point": None,
            "results": [{"result": "passed"}, {"result": "failed"}, {"result": "skipped"}],
        },
        "The fire loop was tried; 2 steps failed or were left out.",
        "消防回路测试有2项未通过或未做。",
    ),
    (
        {
            "type": "system.egress_test",
            "portal": "front",
            "results": [{"result": "passed"}, {"result": "skipped"}],
        },
        "Front door: way out tried; 1 step failed or was left out.",
        "大门：出门测试有1项未通过或未做。",
    ),
    (
        {"type": "portal.mode", "portal": "front", "mode": "locked_down", "cause": "command"}
        | {"by": "ling"},
        "Front door: now “lockdown; the way out is free”, by ling from the desk.",
        "大门：切换为“紧急封锁（出门不受限）”（ling远程操作）。",
    ),
    (
        {"type": "portal.mode", "portal": "front", "mode": "unlocked", "cause": "schedule"},
        "Front door: now “anyone may enter”, by the timetable.",
        "大门：切换为“常开（自由通行）”（时间表）。",
    ),
    (
        {"type": "something.new"},
        "Something happened that this page has no words for.",
        "发生了本页尚无描述的事件。",
    ),
]


def event(fields: dict[str, Any]) -> dict[str, Any]:
    return {"time": "2026-11-21T08:00:00Z", "seq": 1, "access_point": "front-in"} | fields


@pytest.mark.parametrize(("fields", "en", "zh"), SAID)
def test_an_event_is_one_sentence(fields: dict[str, Any], en: str, zh: str) -> None:
    assert Sentences("en", WORLD).event(event(fields)) == en
    assert Sentences("zh", WORLD).event(event(fields)) == zh


PORTAL: dict[str, Any] = {
    "lock": "locked",
    "door": "closed",
    "mode": "locked",
    "alarm": "normal",
    "fire": False,
    "pre_alarm": False,
    "faults": [],
    "since": "2026-11-21T07:59:48Z",
    "until": None,
}
DOORS: list[tuple[dict[str, Any], str]] = [
    ({}, "Locked"),
    ({"mode": None}, "Not known"),
    ({"fire": True, "door": "open"}, "Fire alarm: unlocked"),
    ({"faults": ["lock"]}, "Lock does not follow"),
    ({"faults": ["door"], "door": "open"}, "Contact fault"),
    ({"door": "open"}, "Open, 12 s"),
    ({"door": "open", "alarm": "door_held"}, "Open too long, 12 s"),
    (
        {"door": "open", "pre_alarm": True, "until": "2026-11-21T08:00:05Z"},
        "Open too long: alarm in 5 s",
    ),
    ({"lock": "unlocked", "until": "2026-11-21T08:00:04Z"}, "Free to open, 4 s"),
    ({"lock": "unlocked", "mode": "unlocked"}, "Unlocked"),
    ({"mode": "locked_down"}, "Lockdown. The way out stays free."),
]


@pytest.mark.parametrize(("fields", "said"), DOORS)
def test_a_door_says_the_first_line_that_applies(fields: dict[str, Any], said: str) -> None:
    assert Sentences("en", WORLD).door(PORTAL | fields) == said


def test_without_power_a_door_says_what_its_lock_does() -> None:
    say = Sentences("en", WORLD | {"power": False})
    assert say.door(PORTAL | {"mode": None}) == "No power: stays locked"
    assert say.door(PORTAL | {"mode": None, "lock": "unlocked"}) == "No power: free"
    assert say.aside() is not None


def test_a_watched_area_says_what_comes_next() -> None:
    say = Sentences("en", WORLD)
    until = "2026-11-21T08:00:20Z"
    assert say.partition({"state": "armed", "until": None}) == "Watched"
    assert say.partition({"state": "exiting", "until": until}) == "Watched in 20 s"
    assert say.partition({"state": "entering", "until": until}) == "Someone came in: alarm in 20 s"
    assert say.partition({"state": None}) == "Not known"


def test_an_alarm_says_whether_it_was_seen() -> None:
    say = Sentences("en", WORLD)
    alarm = {"since": "2026-11-21T08:00:00Z", "by": None, "state": "unacknowledged"}
    assert say.alarm_state(alarm) == "since 16:00:00 · Not seen yet."
    over = alarm | {"state": "returned", "class": "door_forced"}
    assert say.alarm_state(over) == "since 16:00:00 · Over, but not seen yet."
    assert say.alarm_state(over | {"class": "panic"}) == "since 16:00:00 · Not seen yet."
    seen = alarm | {"state": "acknowledged", "by": "key-switch"}
    assert (
        say.alarm_state(seen) == "since 16:00:00 · Seen by someone at the key switch; not over yet."
    )


def test_the_worst_alarm_that_nobody_has_seen_comes_first() -> None:
    base = {"since": "2026-11-21T08:00:00Z", "state": "unacknowledged"}
    seen = base | {"priority": 1, "state": "acknowledged"}
    mild, bad = base | {"priority": 3}, base | {"priority": 2, "state": "returned"}
    assert alarms_by_weight({"alarms": [seen, mild, bad]}) == [bad, mild, seen]


@pytest.mark.parametrize(
    ("waiting", "held", "english", "chinese"),
    [
        (0, 0, "184 records, all sent", "184条记录，已全部上传"),
        (3, 0, "184 records, not sent yet: 3", "184条记录，3条待上传"),
        (9, 6, "184 records, not sent yet: 3", "184条记录，3条待上传"),
        (
            9,
            9,
            "184 records, all sent; not stored by a host yet: 9",
            "184条记录，已全部上传，9条待主机保存",
        ),
        (
            2,
            9,
            "184 records, all sent; not stored by a host yet: 2",
            "184条记录，已全部上传，2条待主机保存",
        ),
    ],
)
def test_records_that_wait_for_a_host_alone_are_not_told_as_unsent(
    waiting: int, held: int, english: str, chinese: str
) -> None:
    world = {**WORLD, "waiting": waiting, "held": held}
    assert [Sentences(lang, world).records() for lang in ("en", "zh")] == [english, chinese]


def test_alone_only_what_has_not_left_is_counted() -> None:
    world = {**WORLD, "network": False, "waiting": 9, "held": 8}
    assert (
        Sentences("en", world).aside()
        == Sentences("en", {**world, "waiting": 1, "held": 0}).aside()
    )
    assert Sentences("en", {**world, "held": 9}).aside() == "Deciding alone. No records wait."
