"""`door-sim`: a simulated building to play with (`serve`), stories in virtual time (`run`, `soak`)."""

import argparse
import fcntl
import os
import signal
import sys
from typing import Any

import hal.board
from firmware.arguments import Parser, folder_name
from hal.errors import BoardConfigError

MOST = 1_000_000  #: hours, or runs, of one call
DEMO_BOARD = "board_configs/demo-sim.toml"

_EXAMPLES = """examples:
  door-sim serve --board board_configs/demo-sim.toml
  door-sim run tests/scenario/*.toml
  door-sim soak --seed 1 --hours 10
  door-sim record --url http://127.0.0.1:8080 --out story.toml
"""


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 done, 1 it failed, 2 wrong use or bad input."""
    args = _parser().parse_args(argv)
    try:
        if args.command == "serve":
            return _serve(args)
        if args.command == "record":
            from sim import record

            return record.main(args.url, args.out, args.board)
        if args.command == "soak":
            return _soak(args)
        from sim import run

        return run.main(args.scenario, args.seed, args.json, args.trace, args.laws)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(f"output: {(error.strerror or str(error)).lower()}; expected room to write")
    except KeyboardInterrupt:
        return 1


def _parser() -> Parser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="door-sim",
        description="A simulated rental building around the real firmware.",
        epilog=_EXAMPLES,
        formatter_class=formatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="a building in real time, with its page, its API and its broker",
        epilog="example:\n  door-sim serve --port 8080 --mqtt-port 1883 --state ./state\n",
        formatter_class=formatter,
    )
    serve.add_argument("--board", default=DEMO_BOARD, help="board config (%(default)s)")
    serve.add_argument("--host", default="127.0.0.1", help="address of the page (%(default)s)")
    serve.add_argument("--port", type=_port, default=8080, help="0: any free one (%(default)s)")
    serve.add_argument(
        "--mqtt-port", type=_port, default=1883, help="of the embedded broker (%(default)s)"
    )
    serve.add_argument(
        "--mqtt", type=_address, metavar="HOST:PORT", help="a broker of your own instead"
    )
    serve.add_argument(
        "--state",
        metavar="DIR",
        type=folder_name,
        help="kept and used again; only a new one gets the demo's people (a temporary folder)",
    )
    run = commands.add_parser(
        "run",
        help="scenario files in virtual time",
        epilog="example:\n  door-sim run tests/scenario/*.toml --trace trace.jsonl\n",
        formatter_class=formatter,
    )
    run.add_argument("scenario", nargs="+", metavar="SCENARIO", help="a TOML file")
    run.add_argument("--seed", type=int, default=0, help="same seed, same trace (%(default)s)")
    run.add_argument("--json", action="store_true", help="print the trace, one object a line")
    run.add_argument("--trace", metavar="OUT", help="write the trace to a file")
    run.add_argument(
        "--laws", action="store_true", help="watch the laws too, to an end at which all is mended"
    )
    _soak_parser(commands)
    record = commands.add_parser(
        "record",
        help="what was done in a running simulator, as a scenario file",
        epilog="example:\n  door-sim record --url http://127.0.0.1:8080 --out story.toml\n",
        formatter_class=formatter,
    )
    record.add_argument("--url", default="http://127.0.0.1:8080", help="of the page (%(default)s)")
    record.add_argument("--out", metavar="FILE", help="(standard output)")
    record.add_argument("--board", default=DEMO_BOARD, help="board config to name (%(default)s)")
    return parser


def _soak_parser(commands: Any) -> None:
    soak = commands.add_parser(
        "soak",
        help="stories from seeds, with faults, under the laws; the shortest that breaks one",
        epilog="example:\n  door-sim soak --seed 1 --hours 100 --jobs 2 --out story.toml\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    soak.add_argument("--seed", type=int, default=1, help="the first of the seeds (%(default)s)")
    soak.add_argument(
        "--hours", type=_hours, default=1.0, help="simulated, in all of the runs (%(default)s)"
    )
    soak.add_argument("--runs", type=_count, help="in how many runs (one for each 8 hours)")
    soak.add_argument("--jobs", type=_count, default=1, help="so many at a time (%(default)s)")
    soak.add_argument("--board", help="one board config (those of the simulator, varied)")
    soak.add_argument("--json", action="store_true", help="one object a run")
    soak.add_argument("--out", metavar="FILE", help="where the shortest story goes")
    soak.add_argument("--no-shrink", action="store_true", help="tell what broke, and no story")


def _soak(args: argparse.Namespace) -> int:
    problem = None if args.out is None else _no_room(args.out)
    if problem is not None:
        print(
            f"{args.out}: {problem}; expected a file that can be written (--out)", file=sys.stderr
        )
        return 2
    from sim.soak import run

    return run.main(
        args.seed,
        args.hours,
        args.runs,
        args.jobs,
        args.board,
        args.json,
        args.out,
        not args.no_shrink,
    )


def _no_room(path: str) -> str | None:
    """Why no file can be written there, as far as that is known before hours of work."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        return "is a folder"
    if not os.path.isdir(folder):
        return f"{folder} is no folder"
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        return "permission denied"
    return None


def _serve(args: argparse.Namespace) -> int:
    try:
        config = hal.board.load(args.board)
    except BoardConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if args.state is not None:
        problem = _claim_folder(args.state)
        if problem is not None:
            return _fail(problem)
    from sim.api import Server
    from sim.broker import BrokerError
    from sim.desk import Desk

    try:
        server = Server(args.host, args.port)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return _fail(f"{args.host}:{args.port}: {reason}; expected a free port (PORT=..., --port)")
    try:
        desk = Desk(config, args.state, args.mqtt, args.mqtt_port)
    except (BrokerError, OSError) as error:
        return _fail(str(error))
    server.open(desk)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: desk.stop())
    _welcome(args.host, server.server_port, desk.mqtt)
    try:
        desk.run()
    finally:
        server.close()
    print("Stopped.")
    return 0


def _welcome(host: str, port: int, mqtt: tuple[str, int]) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"Page:    http://{shown}:{port}/    (Ctrl-C stops it)")
    print(f"Broker:  {mqtt[0]}:{mqtt[1]}    (MQTT)")
    print("Try:     open the page and tap the resident")
    print(f"         .venv/bin/doorctl watch --demo --url http://{shown}:{port}")
    print(
        f"         curl -s http://{shown}:{port}/api/act -d "
        '\'{"do":"present_card","access_point":"front-in","person":"resident"}\'',
        flush=True,
    )


def _claim_folder(folder: str) -> str | None:
    """Take the state folder for this process; why not, if it cannot be had."""
    try:
        os.umask(0o077)  # keys and records are nobody else's
        os.makedirs(folder, exist_ok=True)
        claim = os.open(
            os.path.join(folder, "in-use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return f"{folder}: used by another simulator; expected a folder of its own (--state)"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return f"{folder}: {reason}; expected a folder that can be written (--state)"
    return None


def _fail(line: str) -> int:
    print(line, file=sys.stderr)
    return 1


def _port(text: str) -> int:
    if text.isdigit() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: no port; expected 0 to 65535")


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if 0.0 < hours <= MOST:
        return hours
    raise argparse.ArgumentTypeError(
        f"{text}: no hours; expected a number above 0, at most {MOST:,}"
    )


def _count(text: str) -> int:
    if text.isdigit() and 0 < int(text) <= MOST:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: no count; expected 1 to {MOST:,}")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if host and port.isdigit() and 0 < int(port) < 65536:
        return host.strip("[]"), int(port)
    raise argparse.ArgumentTypeError(f"{text}: no address; expected HOST:PORT")
