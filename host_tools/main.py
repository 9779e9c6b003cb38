"""`doorctl`: doors from the desk. Shows where things stand, and sends signed commands to a controller.

``--demo`` speaks to the simulator on this machine: it reads `/api/world` there, and from then on does what a
host does, over MQTT. A controller of one's own is named by ``--broker`` and ``--site``.
"""

import argparse
import errno
import io
import json
import os
import sys
import urllib.error
from typing import Any

from firmware.arguments import Parser
from host_tools import audit, board, commissioning, orders, outcome, show, site, words
from host_tools.console import Console, FailedError, UseError
from host_tools.sentences import Sentences
from host_tools.signer import ReplyError

_EXAMPLES = """examples:
  doorctl --demo                  where things stand
  doorctl open front --demo       open a door; the release ends by itself
  doorctl events --demo --json    what has happened, one object a line

every day    status, open, watch, ack, silence, arm, disarm, mode, lockdown
set up       board
look after   events, audit, commissioning

A controller of your own instead of --demo:
  doorctl open front --broker 10.0.0.5:8883 --ca ca.pem --site sunrise/c-01 \\
      --operator op-ling --operator-key ling.key
"""

#: What names a controller of one's own, and who orders there.
_OWN = ("broker", "site", "ca", "cert", "key", "operator", "operator_key", "controller_key")

_DEFAULTS: dict[str, Any] = {
    "demo": False,
    "url": os.environ.get("DOORWARD_DEMO", "http://127.0.0.1:8080"),
    "lang": "zh" if os.environ.get("LANG", "").startswith("zh") else "en",
    "json": False,
    "color": "auto",
    "ascii": False,
    "yes": False,
    **dict.fromkeys(_OWN),
}


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 it failed or nobody answered, 2 wrong use."""
    args = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a sign that a terminal does not know is its code
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(args.color, args.ascii, args.yes)
    try:
        if args.command == "audit":
            return audit.run(args, console, words.load(args.lang))
        if args.command == "commissioning":
            return commissioning.run(args, console, words.load(args.lang))
        if args.command == "board":
            return board.run(args, console, words.load(args.lang))
        return _run(args, console)
    except UseError as error:
        return _fail(str(error), 2)
    except (FailedError, ReplyError) as error:
        return _fail(str(error), 1)
    except BrokenPipeError:  # whoever read along has gone; it is a `ConnectionError` too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        reason = str(getattr(reason, "strerror", None) or reason).lower()
        return _fail(f"{args.url}: {reason}; expected a running simulator (make demo)", 1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            raise
        return _fail(f"doorctl: {str(error.strerror).lower()}; expected room for what it says", 1)
    except KeyboardInterrupt:
        return 0 if args.command == "watch" else 1


def _run(args: argparse.Namespace, console: Console) -> int:
    if not args.demo and not args.broker:
        raise UseError(
            "doorctl: no site given; expected --demo (the simulator that `make demo` starts), "
            "or --broker and --site"
        )
    for name in _OWN if args.demo else ():
        if getattr(args, name) is not None:
            option = name.replace("_", "-")
            raise UseError(f"--{option}: is no part of --demo; expected one or the other")
    here = site.demo(args.url) if args.demo else site.real(args)
    say = Sentences(args.lang, here.world)
    if args.command in (None, "status"):
        return show.status(here, console, say, args.json)
    if args.command in ("watch", "events"):
        for event in _events(args, here):
            show.tell(event, console, say, args.json)
        return 0
    return _order(args, here, console, say)


def _events(args: argparse.Namespace, here: site.Site) -> Any:
    if args.command == "watch":
        return show.from_page(args.url, here, True) if args.demo else show.live(here)
    if args.demo and args.first is None:
        return show.from_page(args.url, here, False)
    return show.again(here, args.first)


def _order(args: argparse.Namespace, here: site.Site, console: Console, say: Sentences) -> int:
    """Sign, send, wait for the signed word of the controller, and say what is certain."""
    wanted = orders.orders(args, here.world, say)
    if not wanted:
        nothing = say.words("ctl.ack.nothing" if args.command == "ack" else "ctl.lockdown.none")
        console.line(json.dumps({"ok": True, "orders": []}) if args.json else nothing)
        return 0
    if args.command == "lockdown" and not _sure(args, here, console, say):
        return _fail(say.words("ctl.nothing_done"), 1)
    signer = here.signer()
    now_ms = here.now_ms()
    commands = [
        signer.command(one.op, one.args, now_ms=now_ms, n=now_ms, nonce=here.nonce)
        for one in wanted
    ]
    with here.link() as link:
        replies = link.ask(commands, outcome.ANSWER_S)
    told, well = [], True
    for one, command in zip(wanted, commands, strict=True):
        reply = replies.get(command["id"])
        try:
            answer = None if reply is None else signer.answer(command, reply)
        except ReplyError:
            answer, said = None, outcome.unbelievable(say, here.world, one)
        else:
            now = site.iso(here.now_ms())
            said = outcome.lines(say, here.world, one, command, answer, here.online, now)
        well = well and answer is not None and answer.ok
        told.append({"op": one.op, "args": one.args, "id": command["id"], "reply": reply})
        told[-1] |= {"expires": command["expires"], "ok": answer is not None and answer.ok}
        if not args.json:
            console.say(*said)
    if args.json:
        console.line(json.dumps({"ok": well, "orders": told}, ensure_ascii=False))
    return 0 if well else 1


def _sure(args: argparse.Namespace, here: site.Site, console: Console, say: Sentences) -> bool:
    """A whole house is asked about."""
    name = str(here.world["site"])
    doors = ", ".join(one.what for one in orders.orders(args, here.world, say))
    will = say.words("ctl.lockdown.ends" if args.end else "ctl.lockdown.will", doors=doors)
    return console.confirm("lockdown", will, say.words("ctl.type_site", site=name), name)


def _fail(line: str, code: int) -> int:
    print(line, file=sys.stderr)
    return code


def _parser() -> Parser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="doorctl",
        description="Doors from the desk.",
        epilog=_EXAMPLES,
        formatter_class=formatter,
        parents=[_common()],
    )
    parser.set_defaults(**_DEFAULTS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, help: str, example: str) -> Parser:
        epilog = f"example:\n  doorctl {example}\n"
        made: Parser = commands.add_parser(
            name, parents=[_common()], help=help, epilog=epilog, formatter_class=formatter
        )
        return made

    add("status", "where things stand", "status --demo")
    add("watch", "what happens, until Ctrl-C", "watch --demo")
    events = add("events", "what has happened", "events --demo --from 100")
    events.add_argument(
        "--from",
        dest="first",
        type=_seq,
        metavar="SEQ",
        help="have the controller send its records again from this one on",
    )
    add("open", "open a door; the release ends by itself", "open front --demo").add_argument(
        "portal", metavar="PORTAL", help="front, c-01/front or sunrise/c-01/front"
    )
    mode = add("mode", "change a door's mode", "mode front locked_open --demo")
    mode.add_argument("portal", metavar="PORTAL")
    mode.add_argument("mode", metavar="MODE", help=", ".join(orders.MODES))
    down = add("lockdown", "all doors: no entry, the way out stays free", "lockdown --demo --yes")
    down.add_argument("--end", action="store_true", help="end it")
    add("ack", "alarms have been seen", "ack front --demo").add_argument(
        "point", metavar="POINT", nargs="?", help="where it is (all but silent ones)"
    )
    add("silence", "silence the siren; the alarm stays", "silence --demo")
    for name, help in (("arm", "watch an area"), ("disarm", "stop watching")):
        add(name, help, f"{name} cellar --demo").add_argument("partition", metavar="PARTITION")
    audit.add(commands, _common(), formatter)
    board.add(commands, _common(), formatter)
    commissioning.add(commands, _common(), formatter)
    return parser


def _common() -> Parser:
    common = Parser(add_help=False)

    def add(name: str, help: str, **more: Any) -> None:
        common.add_argument(name, default=argparse.SUPPRESS, help=help, **more)

    add("--demo", "the simulator on this machine", action="store_true")
    add("--url", "where its page is")
    add("--lang", "of sentences about doors", choices=words.LANGUAGES)
    add("--json", "data instead of sentences", action="store_true")
    add("--color", "colours", choices=("auto", "always", "never"))
    add("--ascii", "plain signs for old consoles", action="store_true")
    add("--yes", "answers what would be asked", action="store_true")
    add("--broker", "of a controller of your own", metavar="HOST:PORT")
    add("--site", "which one", metavar="SITE/CONTROLLER")
    add("--ca", "who vouches for the broker (PEM)", metavar="FILE")
    add("--cert", "our certificate (PEM)", metavar="FILE")
    add("--key", "and its key (PEM)", metavar="FILE")
    add("--operator", "who orders", metavar="ID")
    add("--operator-key", "and signs: an Ed25519 seed", metavar="FILE")
    add("--controller-key", "public_key.sign, if not to be taken from the broker", metavar="BASE64")
    return common


def _seq(text: str) -> int:
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: no record's number; expected 1 or more")
