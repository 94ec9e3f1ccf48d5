"""The file of a catalog: a SQLite database that is dropped when it is not as it should be.

There is one a repository and machine, in this user's cache directory: several processes of a machine share it, and home
directories that several machines mount see no two of them at one file, which SQLite's write-ahead log does not allow
(https://www.sqlite.org/wal.html). Nothing in it is not in the repository as well.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from keepsake._catalog.forks import gate

SCHEMA_VERSION = 3
"""Counts up with every change of the tables, or of what stands in them; a part of the file's name."""

BUSY_TIMEOUT_S = 60.0
"""How long to wait while another process brings the catalog up to date. It is doing what would be to do here."""

CACHE_KB = 64 * 1024
"""Most memory that SQLite keeps pages in; its usual 2 MB are little for the first listing of 100,000 experiments."""

# `change` counts the changes of the experiments. A row has the number of the change that last made it different, and of
# the one with which it appeared in listings; `gone` is that of the last one with which rows vanished.
_SCHEMA = """
CREATE TABLE identity (
    repository TEXT NOT NULL,
    made TEXT NOT NULL,
    change INTEGER NOT NULL DEFAULT 0,
    gone INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE directories (prefix TEXT PRIMARY KEY, tag TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE experiments (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    directory TEXT NOT NULL,
    stamp TEXT NOT NULL,
    is_open INTEGER NOT NULL,
    created BLOB,
    open_sessions TEXT,
    problems TEXT,
    changed INTEGER NOT NULL,
    appeared INTEGER
);
CREATE INDEX experiments_by_directory ON experiments (directory);
CREATE INDEX experiments_by_time ON experiments (created, id) WHERE created NOT NULL;
CREATE INDEX experiments_open ON experiments (number) WHERE is_open;
CREATE INDEX experiments_unfinished ON experiments (number) WHERE open_sessions NOT NULL;
CREATE INDEX experiments_by_change ON experiments (changed);
CREATE INDEX experiments_damaged ON experiments (id) WHERE problems NOT NULL;
CREATE TABLE heads (number INTEGER PRIMARY KEY, head BLOB NOT NULL);
CREATE TABLE journals (number INTEGER PRIMARY KEY, lengths TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE names (name INTEGER PRIMARY KEY, key_group TEXT NOT NULL, key BLOB NOT NULL, UNIQUE (key_group, key));
CREATE TABLE runs (block INTEGER NOT NULL, name INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (name, block));
CREATE INDEX runs_by_block ON runs (block);
"""


def open_database(path: Path | None, identity: str) -> sqlite3.Connection:
    """Open the catalog at `path`, made anew when it is not there or another repository's; in memory when it is None.

    Args:
        path: the file; its directory exists.
        identity: says which repository the catalog is of.

    Raises:
        sqlite3.Error: it cannot be opened, read or written, or is damaged.
    """
    connection = sqlite3.connect(
        ":memory:" if path is None else path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        # Without a sync at every commit: after a power loss it may be older, which is no different from not up to date.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            connection.execute("PRAGMA journal_mode = WAL")
            _create(connection, identity)
        if connection.execute("SELECT repository FROM identity").fetchall() != [(identity,)]:
            raise sqlite3.DatabaseError("the catalog is that of another repository")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def connect(path: Path) -> Iterator[sqlite3.Connection]:
    """Look into the catalog at `path` for the `with` block, whatever is in it. Raises `sqlite3.Error`."""
    with gate.inside(), contextlib.closing(sqlite3.connect(path)) as connection:
        yield connection


def drop_database(path: Path) -> None:
    """Delete the file and what SQLite keeps beside it, as far as that is possible."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with contextlib.suppress(OSError):
            path.with_name(name).unlink()


@contextlib.contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Do what is in the `with` block as one change, alone; nothing of it happens when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _create(connection: sqlite3.Connection, identity: str) -> None:
    with writing(connection):
        # Another process may have been quicker.
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            for statement in _SCHEMA.split(";")[:-1]:
                connection.execute(statement)
            connection.execute("INSERT INTO identity (repository, made) VALUES (?, hex(randomblob(8)))", (identity,))
