"""`doorward --import-keys FILE`: keys from a CSV file into the store of a controller that does not run.

One row a key, the first row names the columns (`COLUMNS`; only ``credential`` must be there). All rows or
none: every bad one is named, up to `MOST_TOLD`. A card, a PIN or a code is in no message. A date is the
first second of that day in the site's zone; ``valid_to`` is the first second after the validity.
"""

import csv
import os
import time
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO, TextIO

import apsw

from firmware.services import database, secrets
from firmware.services.key_bulk import CHUNK, Bulk, Refused
from firmware.services.key_changes import ChangeError, KeyRow, key_row
from firmware.services.key_file import KeyFile

MOST_TOLD = 100
BAR_AFTER_S = 2
_BAR = 30  # characters

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
#: whose values are in no message
_SECRET = ("card", "pin", "duress_card", "duress_pin", "qr")


class _Flaw(Exception):
    """What is wrong with one value."""


class _Refusal(Exception):
    """Nothing is imported."""


def run(path: str, folder: str, config: dict[str, Any] | None, out: TextIO, err: TextIO) -> int:
    """Import `path` into the store in `folder`, by the levels and the zone of a board's `config`.

    The exit code: 0 done, 1 the store cannot be written, 2 something in the file is wrong.
    """
    key, problems = secrets.controller_key(folder)
    store = KeyFile(os.path.join(folder, "keys.db"), key, None, os.urandom)
    store.open()
    for line in [*problems, *store.problems]:
        _line(err, line)
    if config is not None:
        store.board_levels, store.board_schedules = config["levels"], config["schedules"]
    source = _Import(path, store, key, config, err)
    try:
        with open(path, "rb") as file:
            store.load(lambda bulk: source.read(file, bulk))
    except _Refusal:
        return 2
    except ChangeError as error:
        _line(err, f"{source.name}: {error}; nothing was imported")
        return 2
    except OSError as error:
        _line(err, f"{path}: {(error.strerror or str(error)).lower()}; expected a CSV file")
        return 2
    except apsw.Error as error:
        _line(err, f"keys.db: {database.describe(error)}; nothing was imported")
        return 1
    finally:
        store.close()
    _line(out, "1 key was imported" if source.rows == 1 else f"{source.rows:,} keys were imported")
    return 0


def _line(to: TextIO, text: str) -> None:
    to.write(text + "\n")


class _Import:
    """One file's way into the store."""

    def __init__(
        self,
        path: str,
        store: KeyFile,
        key: bytes,
        config: dict[str, Any] | None,
        err: TextIO,
    ) -> None:
        self.name = os.path.basename(path)
        self.rows = 0
        self._wrong = 0
        self._key = key
        self._err = err
        self._levels = {*store.rights.levels, *store.board_levels}
        zone = "UTC" if config is None else config["controller"]["timezone"]
        self._parsers = _parsers(zoneinfo.ZoneInfo(zone), self._levels)

    def read(self, file: BinaryIO, bulk: Bulk) -> None:
        """Put every row of `file`. Raises `_Refusal`, having told why."""
        bar = _Bar(os.fstat(file.fileno()).st_size, self._err)
        chunk: list[tuple[int, KeyRow]] = []
        for line, fields in self._fields(file):
            self.rows += 1
            made = self._row(line, fields)
            if made is not None:
                chunk.append((line, made))
            if len(chunk) >= CHUNK:
                self._refused(bulk.put(chunk))
                chunk = []
            if self.rows % 1000 == 0:
                bar.show(file.tell())
        self._refused(bulk.put(chunk))
        self._refused(bulk.finish())
        bar.clear()
        if self._wrong:
            many = f"{self._wrong:,} of {self.rows:,} rows"
            self._tell(f"nothing was imported; {many} {'is' if self._wrong == 1 else 'are'} wrong")
            raise _Refusal

    def _fields(self, file: BinaryIO) -> Iterator[tuple[int, list[tuple[str, str]]]]:
        """Each row with its line: (column, text) of what is not empty."""
        texts = _Lines(file)
        columns: list[str] = []
        reader = csv.reader(iter([""]))
        try:
            head = next(texts, "")
            delimiter = ";" if ";" in head and "," not in head else ","
            reader = csv.reader([head], delimiter=delimiter, strict=True)
            columns = self._columns(next(reader, []))
            reader = csv.reader(texts, delimiter=delimiter, strict=True)
            for row in reader:
                line = reader.line_num + 1
                if len(row) > len(columns) and any(row[len(columns) :]):
                    self.rows += 1
                    self._say(
                        line, f"{len(row)} values; expected {len(columns)}, as in the first row"
                    )
                elif any(row):
                    yield line, [(c, v) for c, v in zip(columns, map(str.strip, row)) if v]
        except csv.Error as error:
            self._tell(f"{self.name}:{reader.line_num + 1}: no CSV ({error}); nothing was imported")
            raise _Refusal from None
        except UnicodeDecodeError:
            self._tell(f"{self.name}:{texts.line}: no UTF-8 text; nothing was imported")
            raise _Refusal from None

    def _columns(self, row: list[str]) -> list[str]:
        columns = [name.strip().lower() for name in row]
        known = ", ".join(COLUMNS)
        wrong = [
            f"{self.name}:1: column {name[:32]!a}: unknown; expected one of {known}"
            for name in columns
            if name not in self._parsers
        ]
        twice = sorted({name for name in columns if columns.count(name) > 1} & set(COLUMNS))
        wrong += [
            f"{self.name}:1: column {name}: stands there twice; expected once" for name in twice
        ]
        if "credential" not in columns:
            wrong.append(
                f"{self.name}:1: column credential: missing; expected a record number a row"
            )
        for text in wrong[:MOST_TOLD]:
            self._tell(text)
        if wrong:
            self._tell("nothing was imported; the first row is wrong")
            raise _Refusal
        return columns

    def _row(self, line: int, given: list[tuple[str, str]]) -> KeyRow | None:
        fields: dict[str, Any] = {}
        right = True
        for column, text in given:
            name, parse = self._parsers[column]
            try:
                fields[name] = parse(text)
            except _Flaw as flaw:
                shown = "" if column in _SECRET else f'"{text[:40]}" '
                self._say(line, f"column {column}: {shown}{flaw}", right)
                right = False
        if right and "id" not in fields:
            self._say(line, "column credential: empty; expected a record number")
            return None
        if not right:
            return None
        try:
            return key_row(fields, self._key, os.urandom)
        except ChangeError as error:
            self._say(line, _in_columns(str(error)))
            return None

    def _refused(self, refused: list[Refused]) -> None:
        for line, what, text in sorted(refused):
            column = _COLUMN_OF.get(what)
            self._say(line, _in_columns(text) if column is None else f"column {column}: {text}")

    def _say(self, line: int, text: str, first: bool = True) -> None:
        """One thing that is wrong with the row in `line`; `first`: the row was right so far."""
        self._wrong += first
        if self._wrong <= MOST_TOLD:
            self._tell(f"{self.name}:{line}: {text}")

    def _tell(self, text: str) -> None:
        if self._err.isatty():
            self._err.write("\r\033[K")
        _line(self._err, text)


class _Lines:
    """The lines of a file as text. `file.tell` goes on working, and a bad byte has a line."""

    def __init__(self, file: BinaryIO) -> None:
        self.line = 0
        self._file = file

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        data = self._file.readline()
        if not data:
            raise StopIteration
        self.line += 1
        return data.decode("utf-8-sig" if self.line == 1 else "utf-8")


class _Bar:
    """How much of `size` is done: on a terminal, and only if it takes a while."""

    def __init__(self, size: int, out: TextIO) -> None:
        self._size = max(1, size)
        self._out = out
        self._begun_s = time.monotonic()
        self._shown = -1

    def show(self, done: int) -> None:
        """So much is done."""
        percent = min(100, done * 100 // self._size)
        if percent == self._shown or time.monotonic() - self._begun_s < BAR_AFTER_S:
            return
        if self._out.isatty():
            self._shown = percent
            full = "#" * (percent * _BAR // 100)
            self._out.write(f"\r[{full:<{_BAR}}] {percent} %")
            self._out.flush()

    def clear(self) -> None:
        """It is over."""
        if self._shown >= 0:
            self._out.write("\r\033[K")
            self._out.flush()


# ---- columns ---------------------------------------------------------------------------------------


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise _Flaw("is no whole number; expected digits")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise _Flaw("is neither; expected true or false")
    return _FLAGS[text.lower()]


def _second(zone: zoneinfo.ZoneInfo) -> Callable[[str], int]:
    @lru_cache(4096)
    def second(text: str) -> int:
        try:
            if len(text) == 10 and text[4] == text[7] == "-":
                at = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
            else:
                at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            return int(at.timestamp())
        except (ValueError, OverflowError):
            raise _Flaw("is no date; expected YYYY-MM-DD") from None

    return second


def _known(levels: set[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        for name in text.split():
            if name not in levels:
                known = ", ".join(sorted(levels)[:10]) or "none: give them first, or in [levels]"
                raise _Flaw(f"is unknown; expected levels that there are ({known})")
        return text.split()

    return names


def _parsers(
    zone: zoneinfo.ZoneInfo, levels: set[str]
) -> dict[str, tuple[str, Callable[[str], Any]]]:
    """Column -> the field it is of `firmware.services.key_changes`, and how it is read."""
    second = _second(zone)
    return {
        "credential": ("id", _whole),
        "holder": ("holder", _whole),
        "card": ("cards", str.split),
        "pin": ("pin", str),
        "valid_from": ("valid_from_s", second),
        "valid_to": ("valid_to_s", second),
        "levels": ("levels", _known(levels)),
        "state": ("state", str),
        "flat": ("flat", str),
        "group": ("group", str),
        "qr": ("codes", lambda text: [text]),
        "duress_pin": ("duress_pin", str),
        "duress_card": ("duress_cards", str.split),
        "pin_alone": ("pin_alone", _flag),
        "first_use_minutes": ("first_use_s", lambda text: _whole(text) * 60),
        "uses": ("uses", _whole),
        "extended": ("extended", _flag),
        "override": ("override", _flag),
        "acknowledges": ("acknowledges", _flag),
        "version": ("version", _whole),
    }


COLUMNS = tuple(_parsers(zoneinfo.ZoneInfo("UTC"), set()))
_COLUMN_OF = {
    "credential": "credential",
    "card": "card",
    "PIN": "pin",
    "code": "qr",
    "duress card": "duress_card",
    "duress PIN": "duress_pin",
}
_FIELD_COLUMNS = {
    name: column for column, (name, _) in _parsers(zoneinfo.ZoneInfo("UTC"), set()).items()
}


def _in_columns(text: str) -> str:
    """What is wrong with a key, told by the file's columns: ``credential 8: uses is out of range``."""
    number, _, rest = text.partition(": ")
    if number == "credential":
        return f"column credential: {rest}"
    if rest.startswith("a card number"):
        return f"column card: {rest}"
    if rest.startswith("a code"):
        return f"column qr: {rest}"
    name, _, words = rest.partition(" ")
    column = _FIELD_COLUMNS.get(name)
    if column is None:
        return text
    for field in ("valid_from_s", "valid_to_s"):
        words = words.replace(field, _FIELD_COLUMNS[field])
    return f"column {column}: {words}"
