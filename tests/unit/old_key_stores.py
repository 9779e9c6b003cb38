"""Credential stores as earlier versions of the firmware wrote them, formats 1 and 2."""

import sqlite3
from pathlib import Path

FORMAT_1 = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE credentials(id INTEGER PRIMARY KEY, holder INTEGER, state TEXT NOT NULL,
    valid_from_s INTEGER, valid_to_s INTEGER, first_use_s INTEGER, uses INTEGER,
    levels TEXT NOT NULL, extended INTEGER NOT NULL, override INTEGER NOT NULL,
    pin_salt BLOB, pin_hash BLOB, version INTEGER NOT NULL);
CREATE TABLE removed(id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE numbers(number TEXT PRIMARY KEY, credential INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX numbers_of ON numbers(credential);
CREATE TABLE levels(name TEXT PRIMARY KEY, rights TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE schedules(name TEXT PRIMARY KEY, hours TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE holidays(day INTEGER PRIMARY KEY);
INSERT INTO meta VALUES('version', 3);
INSERT INTO credentials VALUES(7, 311, 'active', 10, 20, 60, 2, '["all"]', 1, 0,
    x'00112233445566778899aabbccddeeff', zeroblob(32), 4);
INSERT INTO credentials VALUES(8, 312, 'lost', NULL, NULL, NULL, NULL, '["all"]', 0, 0, NULL, NULL, 1);
INSERT INTO numbers VALUES('w26:012:00001', 7), ('w26:012:00002', 8);
INSERT INTO levels VALUES('all', '[["*","days"],["yard-in",null]]');
INSERT INTO schedules VALUES('days', '["daily 08:00-20:00"]');
PRAGMA user_version = 1;
"""

FORMAT_2 = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE credentials(id INTEGER PRIMARY KEY, holder INTEGER, state TEXT NOT NULL,
    valid_from_s INTEGER, valid_to_s INTEGER, first_use_s INTEGER, uses INTEGER,
    levels TEXT NOT NULL, extended INTEGER NOT NULL, override INTEGER NOT NULL,
    pin_salt BLOB, pin_hash BLOB, version INTEGER NOT NULL,
    duress_hash BLOB, flat TEXT, group_name TEXT, acknowledges INTEGER NOT NULL DEFAULT 0,
    before_lost TEXT);
CREATE TABLE removed(id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE numbers(number TEXT PRIMARY KEY, credential INTEGER NOT NULL,
    duress INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX numbers_of ON numbers(credential);
CREATE TABLE levels(name TEXT PRIMARY KEY, rights TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE schedules(name TEXT PRIMARY KEY, hours TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE holidays(day INTEGER PRIMARY KEY);
CREATE TABLE staged(id INTEGER PRIMARY KEY, page INTEGER NOT NULL, body TEXT);
CREATE TABLE staged_set(version INTEGER, pages INTEGER, whole INTEGER, last INTEGER);
INSERT INTO meta VALUES('version', 3), ('synced', 8);
INSERT INTO credentials VALUES(7, 311, 'lost', 10, 20, 60, 2, '["all"]', 1, 0,
    x'00112233445566778899aabbccddeeff', zeroblob(32), 4, NULL, '3A', NULL, 1, 'active');
INSERT INTO numbers VALUES('w26:012:00001', 7, 0), ('w26:012:00002', 7, 1);
INSERT INTO levels VALUES('all', '[["*",null,false]]');
INSERT INTO removed VALUES(9, 6);
INSERT INTO staged_set VALUES(9, 2, 1, 1);
PRAGMA user_version = 2;
"""


def write(path: Path, old_format: int) -> None:
    """Write a store of format 1 or 2 to `path`."""
    with sqlite3.connect(path) as connection:
        connection.executescript({1: FORMAT_1, 2: FORMAT_2}[old_format])
    connection.close()
