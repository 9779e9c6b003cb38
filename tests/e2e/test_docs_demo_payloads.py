"""What the demo really says on its broker, commands and answers included, is as docs/asyncapi.yaml has it."""

from typing import Any

from host_rig import ROOT, Demo, listening, port_of, wait_lock

from tests.asyncapi_document import document

#: A visit to the demo: what is done, and an event that shows that it was.
DEEDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"do": "present_card", "access_point": "front-in", "person": "resident"}, "access.granted"),
    ({"do": "walk_through", "portal": "front"}, "access.taken"),
    ({"do": "present_card", "access_point": "yard-in", "person": "lost_card"}, "access.denied"),
    ({"do": "press_panic", "point": "lobby-panic", "on": True}, "alarm.raised"),
    ({"do": "press_ack"}, "alarm.acknowledged"),
    ({"do": "command", "op": "portal.mode", "args": {"portal": "yard", "mode": "blocked"}}, "portal.mode"),
    ({"do": "command", "op": "credential.remove", "args": {"credential": 1001}}, "credential.changed"),
    ({"do": "command", "op": "portal.release", "args": {"portal": "nowhere"}}, "command.rejected"),
)  # fmt: skip


def test_every_message_of_a_visit_to_the_demo_is_one_of_the_document(demo: Demo) -> None:
    with listening(port_of(demo)) as host:
        for deed, shown in DEEDS:
            if deed["do"] == "walk_through":
                wait_lock(demo, deed["portal"], "unlocked")
            demo.act(**deed)
            host.wait_event(shown)
        host.messages.wait("the last answer", lambda items: _count(items, "/reply/") >= 3)
        demo.stop()
        host.last("status", state="offline")
        seen = {document().check(item.topic, item.body) for item in host.messages.items}
    assert {"online", "offline", "about", "portal", "alarm", "health"} <= seen
    assert {"done", "refused"} <= seen
    assert {"doPortalMode", "doCredentialRemove"} <= seen
    assert {"accessGranted", "commandAccepted", "commandRejected", "credentialChanged"} <= seen


def _count(items: list[Any], part: str) -> int:
    return len([item for item in items if item.topic.startswith(ROOT) and part in item.topic])
