"""`doorctl board`: which boards there are, and how a board config is wired, as a table and as a drawing."""

import argparse
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
import unicodedata
from pathlib import Path
from typing import Any

import hal.board
from firmware.arguments import Parser
from hal import board_facts, board_lines, board_wiring_warnings
from hal.errors import BoardConfigError
from host_tools.console import LOOK, Console, UseError, printable
from host_tools.wiring import drawing
from host_tools.wiring.plan import Plan

CONFIGS = Path(__file__).parents[1] / "board_configs"


def run(args: argparse.Namespace, console: Console, words: dict[str, str]) -> int:
    """0: shown or written. Raises `UseError` for a file that is no board config or cannot be written."""
    if args.verb == "list":
        return _list(args, console, words)
    return _show(args, console, words)


def _list(args: argparse.Namespace, console: Console, words: dict[str, str]) -> int:
    """Every board, and the shipped configs for it."""
    shipped: dict[str, list[tuple[str, str]]] = {board: [] for board in board_facts.BOARDS}
    for path in sorted(CONFIGS.glob("*.toml")):
        config = hal.board.load(str(path))
        doors = ", ".join(portal["title"][args.lang] for portal in config["portals"].values())
        shipped[config["board"]].append((path.name, doors))
    if args.json:
        rows = [
            {
                "board": board,
                "title": board_facts.TITLES[board],
                "chip": facts.chip_label,
                "configs": [name for name, _ in shipped[board]],
            }
            for board, facts in board_facts.BOARDS.items()
        ]
        console.line(json.dumps(rows, ensure_ascii=False))
        return 0
    for board, facts in board_facts.BOARDS.items():
        chip = words["board.chip"].format(chip=facts.chip_label) if facts.chip_label else ""
        title = words[f"draw.board.{board}"]
        console.line(f"{board:<12}{_fill(title, 34)}{chip}".rstrip())
        for name, doors in shipped[board]:
            console.line(f"    {name:<36}{doors}")
    return 0


def _show(args: argparse.Namespace, console: Console, words: dict[str, str]) -> int:
    try:
        config = hal.board.load(args.file)
    except BoardConfigError as error:
        raise UseError(str(error)) from None
    _check_places(args)
    written = []
    if args.svg is not None:
        try:
            text = drawing.draw(config, words, args.lang, _source(args.file), args.sheet)
        except IndexError as error:
            raise UseError(str(error)) from None
        written.append(_write(args.svg, text))
    elif args.sheet is not None:
        raise UseError("--sheet: names a sheet of the drawing; expected --svg OUT beside it")
    if args.labels is not None:
        written.append(_write(args.labels, drawing.labels(config, words, args.lang)))
    warnings = [*board_lines.warnings(config), *board_wiring_warnings.warnings(config)]
    if args.json:
        console.line(json.dumps(_data(config, warnings, written), ensure_ascii=False))
        return 0
    for path in written:
        console.say("✓", words["board.written"].format(path=path))
    if not written:
        for line in table(config, words, args.lang):
            console.line(line)
    for warning in warnings:
        console.say(LOOK, warning)
    return 0


def table(config: dict[str, Any], words: dict[str, str], lang: str) -> list[str]:
    """Every wire with its pin, what it passes and where it leads, in columns."""
    plan = Plan(config, words, lang)
    rows = [tuple(words[f"draw.column.{key}"] for key in ("wire", "from", "via", "to", "colour"))]
    for wire in plan.wires:
        via = plan.via(wire) if wire.via and wire.via != "direct" else ""
        there = plan.place(wire.end)
        if wire.end[0] == "relays" and wire.device:
            there = f"{wire.end[2]} → {wire.end[1]} {plan.device(wire.device)}"
        if wire.via == "resistors":
            there = f"{there} · {plan.resistors(wire.device)}"
        rows.append((wire.number, plan.place(wire.start), via, there, plan.colour(wire)))
    widths = [max(_columns(row[column]) for row in rows) for column in range(len(rows[0]))]
    most = max(_NARROW, shutil.get_terminal_size((_NARROW, 24)).columns) - 2 * (len(widths) - 1)
    while sum(widths) > most:
        over = [max(0, width - wanted) for width, wanted in zip(widths, _WANTED, strict=True)]
        widths[over.index(max(over)) if any(over) else widths.index(max(widths))] -= 1
    return [
        "  ".join(_fill(*cell) for cell in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


_WANTED = (
    4,
    20,
    11,
    28,
    9,
)  #: what the columns of the table lose nothing below, where there is room
_NARROW = 80  #: columns of the narrowest console, and of a pipe


def _fill(text: str, most: int) -> str:
    """`text` in exactly `most` columns: too long, it loses its middle, as its end is what tells + from −."""
    if _columns(text) > most:
        start, end = text[: len(text) // 2], text[len(text) // 2 :]
        while _columns(start) + _columns(end) > most - 1:
            if _columns(start) > _columns(end):
                start = start[:-1]
            else:
                end = end[1:]
        text = f"{start}…{end}"
    return text + " " * (most - _columns(text))


def _columns(text: str) -> int:
    """How wide a text is on a terminal, where Chinese characters are two columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _data(config: dict[str, Any], warnings: list[str], written: list[str]) -> dict[str, Any]:
    plan = Plan(config, {}, "en")
    wires = [
        {
            "wire": wire.number,
            "device": wire.device or None,
            "role": wire.role,
            "line": None if wire.claim is None else wire.claim.line,
            "from": list(wire.start),
            "to": list(wire.end),
            "via": wire.via or None,
            "colour": wire.colour or None,
            "cable": wire.cable or None,
            "length_m": wire.length_m,
            "area_mm2": wire.area_mm2,
        }
        for wire in plan.wires
    ]
    return {"board": config["board"], "wires": wires, "warnings": warnings, "written": written}


def _check_places(args: argparse.Namespace) -> None:
    """Nothing is written over the config, nor over what was written just before."""
    taken = {os.path.realpath(args.file): "the board config itself"}
    for path, what in ((args.svg, "the drawing"), (args.labels, "the labels")):
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):
            continue
        if os.path.realpath(path) in taken:
            is_there = taken[os.path.realpath(path)]
            raise UseError(f"{path}: is {is_there}; expected another file for {what}")
        taken[os.path.realpath(path)] = what


def _source(path: str) -> drawing.Source:
    """Where the drawing comes from: the file's name, its hash, its day."""
    try:
        data = Path(path).read_bytes()
        day = time.strftime("%Y-%m-%d", time.gmtime(os.stat(path).st_mtime))
    except OSError as error:
        reason = (error.strerror or "not readable").lower()
        raise UseError(f"{path}: {reason}; expected a board config") from None
    return printable(Path(path).name), hashlib.sha256(data).hexdigest()[:8], day


def _write(path: str, text: str) -> str:
    """The text in the file at `path`, whole or not at all; what is no file (a pipe) is just written to."""
    data = text.encode("utf-8")
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            Path(path).write_bytes(data)
        else:
            _replace(os.path.realpath(path) if os.path.islink(path) else path, data)
    except OSError as error:
        reason = (error.strerror or "not writable").lower()
        raise UseError(f"{path}: {reason}; expected a file that can be written") from None
    return path


def _replace(path: str, data: bytes) -> None:
    """Written beside it and put in its place: who stops it half way keeps what was there. Raises OSError."""
    fd, new = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".doorctl-")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(fd, _mode(path))
            os.fsync(fd)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise


def _mode(path: str) -> int:
    """Who may read it: as of what is there, else as of any new file of this user."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def add(commands: Any, common: Parser, formatter: Any) -> None:
    """What the command takes."""
    parser = commands.add_parser("board", help="boards, and how one is wired")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser(
        "list",
        parents=[common],
        help="which boards there are, with the configs for them",
        epilog="example:\n  doorctl board list\n",
        formatter_class=formatter,
    )
    show = verbs.add_parser(
        "show",
        parents=[common],
        help="the wiring of a board config, as a table or a drawing",
        epilog="example:\n  doorctl board show my-house.toml --svg wiring.svg --lang zh\n",
        formatter_class=formatter,
    )
    show.add_argument("file", metavar="FILE", help="a board config")
    show.add_argument(
        "--svg", metavar="OUT", help="write the drawing: A4 sheets, one below the other"
    )
    show.add_argument("--sheet", type=int, metavar="N", help="only this sheet of it")
    show.add_argument("--labels", metavar="OUT.csv", help="write the labels of the wires' ends")
