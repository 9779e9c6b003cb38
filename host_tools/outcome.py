"""What came of an order, as lines for people: done, refused, or sent and not answered. Never a guess."""

from typing import Any

from host_tools.console import DONE, UNKNOWN, WRONG
from host_tools.orders import Order
from host_tools.sentences import Sentences
from host_tools.signer import Answer

ANSWER_S = 5  #: how long a reply is waited for

#: Codes whose message adds something that the code's own words do not say.
_EXPLAINED = ("failed", "bad_command")


def lines(
    say: Sentences,
    world: dict[str, Any],
    order: Order,
    command: dict[str, Any],
    answer: Answer | None,
    online: bool,
    now: str,
) -> tuple[str, str, list[str]]:
    """(sign, the line, its details). `answer` is None where none came; `now` is the site's time, UTC."""
    by = str(command["by"])
    about: dict[str, str | None] = {
        "what": order.what,
        "controller": world["controller"],
        "by": by,
        "time": say.time(now)[11:],
    }
    if answer is None:
        key = "ctl.no_answer" if online else "ctl.no_answer.offline"
        ends = "ctl.ends.open" if order.op == "portal.release" else "ctl.ends"
        ending = say.words(ends, time=say.time(command["expires"])[11:])
        return UNKNOWN, say.words(key, **about, s=str(ANSWER_S)), [ending]
    if not answer.ok:
        refused = say.word("refused", answer.code)
        details = [say.words("ctl.nothing_done")]
        if answer.code in _EXPLAINED and answer.message:
            details.insert(0, say.words("ctl.why", why=say.word("reason", answer.message)))
        return WRONG, say.words("ctl.refused", **about, refused=refused), details
    args = order.args
    portal = world["portals"].get(args.get("portal"), {})
    release_ms = portal.get("release_ms")
    return (
        DONE,
        say.words(
            order.done,
            **about,
            portal=args.get("portal"),
            point=args.get("point"),
            partition=args.get("partition"),
            mode=say.word("mode", args.get("mode")),
            s=None if release_ms is None else str(round(release_ms / 1000)),
        ),
        [],
    )


def unbelievable(say: Sentences, world: dict[str, Any], order: Order) -> tuple[str, str, list[str]]:
    """A reply that its controller did not sign."""
    line = say.words("ctl.unbelievable", what=order.what, controller=world["controller"])
    return WRONG, line, [say.words("ctl.believe_nothing")]
