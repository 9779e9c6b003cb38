"""`doorctl`: where things stand (`status`), and what happens (`watch`, `events`), of a running simulator.

Sites of one's own, signed commands and everything else that a host does come later; what is here speaks
to the simulator on this machine (``--demo``) through its HTTP interface.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from firmware.arguments import Parser
from host_tools import words
from host_tools.sentences import Sentences, alarms_by_weight

TIMEOUT_S = 10

_EXAMPLES = """examples:
  doorctl --demo                  where things stand
  doorctl watch --demo            what happens, as it happens
  doorctl events --demo --json    what has happened, one object a line
"""


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 it failed, 2 wrong use."""
    args = _parser().parse_args(argv)
    if not args.demo:
        print(
            "doorctl: no site here yet; expected --demo (the simulator that `make demo` starts)",
            file=sys.stderr,
        )
        return 2
    try:
        if args.command in (None, "status"):
            return _status(args)
        return _events(args, args.command == "watch")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        print(f"{args.url}: {reason}; expected a running simulator (make demo)", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> Parser:
    common = Parser(add_help=False)
    common.add_argument(
        "--demo",
        action="store_true",
        default=argparse.SUPPRESS,
        help="the simulator on this machine",
    )
    common.add_argument("--url", default=argparse.SUPPRESS, help="where its page is")
    common.add_argument(
        "--lang",
        choices=words.LANGUAGES,
        default=argparse.SUPPRESS,
        help="of sentences about doors",
    )
    common.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="data instead of sentences"
    )
    parser = Parser(
        prog="doorctl",
        description="Doors from the desk.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.set_defaults(
        demo=False,
        url=os.environ.get("DOORWARD_DEMO", "http://127.0.0.1:8080"),
        lang="zh" if os.environ.get("LANG", "").startswith("zh") else "en",
        json=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("status", parents=[common], help="where things stand")
    commands.add_parser("watch", parents=[common], help="what happens, until Ctrl-C")
    commands.add_parser("events", parents=[common], help="the last 200 records")
    return parser


def _world(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.rstrip("/") + "/api/world", timeout=TIMEOUT_S) as answer:
        world: dict[str, Any] = json.load(answer)
    return world


def _status(args: argparse.Namespace) -> int:
    world = _world(args.url)
    if args.json:
        print(json.dumps(world, ensure_ascii=False))
        return 0
    for line in _where_things_stand(Sentences(args.lang, world), world):
        print(line)
    return 0


def _where_things_stand(say: Sentences, world: dict[str, Any]) -> Iterator[str]:
    """Doors and watched areas first, then what needs somebody and what to do about it, then the records."""
    now = f"{say.time(world['clock']['utc'])} {world['clock']['timezone']}"
    yield f"{world['site']}   {say.doors()}   {now}"
    aside = say.aside()
    if aside is not None:
        yield f"! {aside}"
    for name, portal in world["portals"].items():
        yield f"{_sign(portal)} {name:<10} {say.door(portal)}"
    for name, part in world.get("partitions", {}).items():
        yield f"{'?' if part['state'] is None else ' '} {name:<10} {say.partition(part)}"
    for alarm in alarms_by_weight(world):
        yield f"{'!' if alarm['state'] == 'acknowledged' else '✗'} {say.alarm(alarm)}"
        yield f"  {say.alarm_state(alarm)}"
        if alarm["state"] != "acknowledged":
            yield f"  {say.todo(alarm)}"
    if world["records"] is not None:
        yield f"  {say.records()}"


def _sign(portal: dict[str, Any]) -> str:
    """A door's sign: well, look, wrong, not known."""
    if portal["mode"] is None:
        return "?"
    if portal["alarm"] != "normal" or portal.get("faults"):
        return "✗"
    return "!" if portal["fire"] or portal["pre_alarm"] else "✓"


def _events(args: argparse.Namespace, live: bool) -> int:
    world = _world(args.url)
    say = Sentences(args.lang, world)
    wanted = world["records"] if not live else None
    for event in _stream(args.url, live):
        if args.json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
        else:
            print(say.line(event), flush=True)
        if wanted is not None and event["seq"] >= wanted - world["waiting"]:
            break
    return 0


def _stream(url: str, live: bool) -> Iterator[dict[str, Any]]:
    request = url.rstrip("/") + "/api/events"
    with urllib.request.urlopen(request, timeout=None if live else TIMEOUT_S) as answer:
        kind = ""
        for raw in answer:
            line = raw.decode("utf-8").rstrip("\n")
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "event":
                yield json.loads(line.removeprefix("data: "))
