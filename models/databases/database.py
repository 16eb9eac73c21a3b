"""Opening any database that Peewee knows, set up so that a commit is durable and its schema is ours."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from peewee import Database, MySQLDatabase, PeeweeException, PostgresqlDatabase, SqliteDatabase
from playhouse.db_url import connect, schemes
from playhouse.migrations import Runner

from ..errors import StoreError
from ..row_types.engines import MYSQL_NOW, POSTGRESQL_NOW, EngineRow
from ..row_types.tables import TABLES
from .guard import Guard, Kind
from .uptime import boot_id, uptime

logger = logging.getLogger("riverstone.engine")

SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "wal_autocheckpoint": 1000,
}
POSTGRESQL_OPTIONS = {
    "prefer_psycopg3": True,
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
POSTGRESQL_COSTS = {"seq_page_cost": "4", "random_page_cost": "1", "jit": "off"}
"""A plan may be made while a table is empty, and stay when it is not: it leads through an index where there is one."""
REPEATED = 1
"""How often psycopg runs a statement before it is prepared: a commit has few shapes and is dear to read and plan."""
MYSQL_OPTIONS = {
    "charset": "utf8mb4",
    # What is too long is an error, not cut off; Peewee's own default is looser.
    "sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION",
    # CLIENT_FOUND_ROWS: an update counts the rows that it found, as elsewhere, not those that it made different.
    "client_flag": 2,
    "connect_timeout": 3,
}
ANSWER = 5
"""Seconds in which a server has to answer each statement: one that is there and says nothing holds everybody up, and
neither its own time limits nor those of TCP end that."""
LONGEST_LOCK = 4
"""Seconds for which a statement waits for a lock; less than that, so that the server tells of it itself."""
PATIENT = 90
"""Both, while the schema is changed."""
LONGEST_PAUSE = 15
"""Seconds for which a server lets a transaction stand still, less than a lease: who sleeps in one holds locks, also
that on its engine's own row, by which others take it over."""
MIGRATIONS = Path(__file__).parents[1] / "migrations"
KINDS: dict[type[Database], Kind] = {
    SqliteDatabase: "sqlite",
    PostgresqlDatabase: "postgresql",
    MySQLDatabase: "mysql",
}
MIGRATION_LOCK = 7_214_503
NEEDED = frozenset({"id", "host", "pid", "pid_started", "seen"})
"""What a schema has to know of its engines, so that they can be looked at."""
NAMED = 3
"""How many engines are named."""
KNOWN_URLS = "sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME or mariadb://USER:PASSWORD@HOST/NAME"
DRIVERS = {"postgres": (("psycopg",), "postgresql"), "mysql": (("pymysql", "MySQLdb"), "mariadb")}
"""By the beginning of a scheme: the modules of which one is needed, and the extra that brings one."""
_connected = partial(connect, unquote_user=True, unquote_password=True)
"""Users and passwords stand percent-encoded in an address, or one with a slash could not be written (RFC 3986)."""


def open_database(url: str, *, patient: bool = False) -> Database:
    """A Peewee database, not yet connected, for any URL of ``playhouse.db_url``.

    SQLite is opened with a write-ahead log, ``synchronous=FULL`` and immediate transactions: a deferred one
    that turns into a write fails at once when another writer is active, whatever the busy timeout says.

    A ``patient`` one waits longer for locks and answers, for changes of the schema.
    Raises :class:`StoreError` for a URL of no known kind, for a kind whose driver is missing, on a system that is not
    supported, and for a server that has to be asked and does not answer.
    """
    if sys.platform == "win32":
        # Which engines of this machine live is asked by signals to their process ids, and Windows has no such.
        raise StoreError("riverstone does not run on Windows: use Linux, macOS, or the Windows Subsystem for Linux")
    url = f"mysql{url.removeprefix('mariadb')}" if url.startswith(("mariadb:", "mariadb+")) else url
    _need_driver(url)
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        text = "its address cannot be read: write signs such as [ and ] of a password percent-encoded, %5B and %5D"
        raise StoreError(text) from error
    if scheme not in schemes:
        named = f"{scheme!r} is" if scheme else "its address names"
        raise StoreError(f"{named} no kind of database: use {KNOWN_URLS}")
    try:
        return _opened(url, patient)
    except (RuntimeError, ValueError, PeeweeException) as error:
        raise StoreError(str(error)) from error


def _need_driver(url: str) -> None:
    for scheme, (modules, extra) in DRIVERS.items():
        if url.startswith(scheme) and not any(find_spec(module) for module in modules):
            text = f"its driver {modules[0]} is not installed: pip install 'riverstone[{extra}]'"
            raise StoreError(text)
    if url.startswith("postgres"):
        _need_wait()


def _need_wait() -> None:
    """Raise StoreError for a psycopg that waits for ever where a server says nothing any more."""
    try:
        from psycopg import Connection
    except ImportError as error:
        raise StoreError(str(error)) from error
    if "timeout" not in signature(Connection.wait).parameters:
        text = f"its driver psycopg is {version('psycopg')}, and 3.3.6 is needed: pip install 'riverstone[postgresql]'"
        raise StoreError(text)


def _opened(url: str, patient: bool) -> Database:
    scheme = url.split(":", 1)[0]
    lock, answer = (PATIENT, PATIENT) if patient else (LONGEST_LOCK, ANSWER)
    if scheme.startswith("sqlite"):
        return _open_sqlite(url)
    if scheme.startswith("postgres"):
        settings = {
            "lock_timeout": f"{lock}s",
            "idle_in_transaction_session_timeout": f"{LONGEST_PAUSE}s",
            **POSTGRESQL_COSTS,
        }
        # The last that sets one counts, so an operator's own come after these.
        given = dict(parse_qsl(urlsplit(url).query)).get("options", os.environ.get("PGOPTIONS", ""))
        session = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), given])
        options = {**_but(POSTGRESQL_OPTIONS, url), "options": session}
        return _set_up(_connected(url, field_types={"LONGTEXT": "TEXT"}, **options), answer)
    if scheme.startswith("mysql"):
        mariadb = _is_mariadb(url)
        isolation, locks = "transaction_isolation", f"SESSION innodb_lock_wait_timeout = {lock}"
        if mariadb:
            isolation, locks = "tx_isolation", f"{locks}, SESSION idle_transaction_timeout = {LONGEST_PAUSE}"
        session = f"SET SESSION {isolation} = 'READ-COMMITTED', {locks}"
        timeouts_of_socket = {"read_timeout": answer, "write_timeout": answer}
        options = _but({**MYSQL_OPTIONS, **timeouts_of_socket, "init_command": session}, url)
        made: Database = _connected(url, mariadb=mariadb, **options)
        return made
    return _closed_with_its_thread(_connected(url))


def _open_sqlite(url: str) -> Database:
    options: dict[str, Any] = {
        "pragmas": SQLITE_PRAGMAS,
        "lock_type": "IMMEDIATE",
        "field_types": {"LONGTEXT": "TEXT"},
        # A connection is used by one thread, but may be closed by another when that thread is gone.
        "check_same_thread": False,
    }
    if url.split("?", 1)[0] in ("sqlite://", "sqlite:///", "sqlite:///:memory:"):
        # All threads share the one connection, so it ends with none of them.
        memory: Database = connect(url, **options, thread_safe=False)
        return memory
    opened: Any = connect(url, **options)
    # Connections to a file pass from thread to thread; see FileGuard.
    database: Database = _closed_with_its_thread(opened) if str(opened.database).startswith("file:") else opened
    _refuse_place(str(opened.database))
    _make_private(str(opened.database))
    return database


def _refuse_place(path: str) -> None:
    """Raise StoreError where no file can be; SQLite itself tells neither which file it is nor what it lacks."""
    if path.startswith("file:"):
        return
    file = Path(path).absolute()
    if file.is_dir():
        raise StoreError(f"{str(file)!r} is a folder: name a file in it")
    if not file.parent.is_dir():
        raise StoreError(f"there is no folder {str(file.parent)!r}: make it first")
    if not file.exists() and not os.access(file.parent, os.W_OK | os.X_OK):
        raise StoreError(f"this user may not make the file {str(file)!r}: name another place")
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        raise StoreError(f"this user may not read and write the file {str(file)!r}: run as its owner")


def _make_private(path: str) -> None:
    """Let a new file be read by nobody else, as its log will be too; what is there already stays as it is."""
    if not path.startswith("file:"):
        with suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _but(options: dict[str, Any], url: str) -> dict[str, Any]:
    """The options that the URL does not give itself."""
    given = {name for name, _ in parse_qsl(urlsplit(url).query)}
    return {name: value for name, value in options.items() if name not in given}


class _Closing:
    """Closes a connection when the thread that it belongs to has ended; drivers complain of one merely left open."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __del__(self) -> None:
        with suppress(Exception):
            self._connection.close()


def _closed_with_its_thread(opening: Any) -> Database:
    """The database, whose connections are closed at the latest when their threads end."""
    database: Database = opening
    opened, here = opening._connect, threading.local()

    def open_here() -> Any:
        connection = opened()
        here.closing = _Closing(connection)
        return connection

    opening._connect = open_here
    return database


def _set_up(opening: Any, seconds: float) -> Database:
    """The database, whose connections of psycopg wait no longer for an answer, and prepare what they run again."""
    opened = opening._connect

    def open_here() -> Any:
        from psycopg.types.string import TextLoader

        connection = opened()
        connection.wait = partial(connection.wait, timeout=seconds)
        connection.prepare_threshold = REPEATED
        # Ids are texts here as anywhere else.
        connection.adapters.register_loader("uuid", TextLoader)
        return connection

    opening._connect = open_here
    database: Database = opening
    return database


def _is_mariadb(url: str) -> bool:
    probe = _connected(url)
    with Guard(probe, "mysql", shared=False):
        (version,) = probe.execute_sql("SELECT VERSION()").fetchone()
    probe.close()
    return "mariadb" in str(version).lower()


def migrate(database: Database, is_alive: Callable[[EngineRow], bool] | None = None) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that ran; safe against other processes.

    ``is_alive`` tells whether an engine is at work: as long as one is, an older schema stays. Raises StoreError.
    """
    runner = Runner(database, directory=os.fspath(MIGRATIONS), table_name="schema_migration")
    if isinstance(database, SqliteDatabase):
        with database.atomic("EXCLUSIVE"):
            return _up(runner, is_alive)
    if isinstance(database, PostgresqlDatabase):
        with database.atomic():
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            return _up(runner, is_alive)
    if isinstance(database, MySQLDatabase):
        lock = mysql_lock(database.database)
        (locked,) = database.execute_sql("SELECT GET_LOCK(%s, 60)", (lock,)).fetchone()
        if not locked:
            raise StoreError("another process has been migrating the schema for a minute: try again later")
        try:
            ran = _up(runner, is_alive)
            if ran:
                _compare_exactly(database)
            return ran
        finally:
            database.execute_sql("SELECT RELEASE_LOCK(%s)", (lock,))
    return _up(runner, is_alive)


def mysql_lock(name: str) -> str:
    """The lock of migrations of the database with this name: the server's locks are those of all its databases."""
    # Lock names have 64 characters at most, and database names may have as many.
    return f"riverstone-{MIGRATION_LOCK}-{sha256(name.encode()).hexdigest()[:32]}"


def _up(runner: Runner, is_alive: Callable[[EngineRow], bool] | None) -> list[str]:
    """Run what has not run; raises StoreError for a database that a newer version has already changed."""
    status = runner.status()
    unknown = sorted(each.name for each in status if each.path is None)
    if unknown:
        text = f"this database was written by a newer riverstone (it has the migration {unknown[-1]}): use that version"
        raise StoreError(text)
    applied = {each.name: each.applied for each in status if each.applied}
    if len(applied) == len(status):
        return []
    if is_alive is not None:
        _refuse_beside_engines(runner.database, applied, is_alive)
    ran = list(runner.up())
    if applied:
        logger.info("the store was migrated from the schema %s to %s", max(applied), ran[-1])
    else:
        logger.debug("the store was made, with the schema %s", ran[-1])
    return ran


def _refuse_beside_engines(
    database: Database, applied: Mapping[str, datetime], is_alive: Callable[[EngineRow], bool]
) -> None:
    """Raise StoreError where engines of the schema that was ``applied`` last show that they live.

    They were begun by another version, which knows nothing of what is about to be changed under it.
    """
    if not applied or not {column.name for column in database.get_columns("engine_node")} >= NEEDED:
        return
    now = _now(database)
    quote = "`" if isinstance(database, MySQLDatabase) else '"'
    names = ", ".join(f"{quote}{name}{quote}" for name in ("id", "host", "pid", "pid_started", "seen"))
    found = database.execute_sql(f"SELECT {names} FROM {quote}engine_node{quote}").fetchall()
    rows = [
        EngineRow(name, host, int(pid), began, int(seen), 0, now - int(seen)) for name, host, pid, began, seen in found
    ]
    alive = [f"{row.host} (process {row.pid})" for row in rows if is_alive(row)]
    if alive:
        more = f" and {len(alive) - NAMED} more" if len(alive) > NAMED else ""
        raise StoreError(
            f"it has the schema {max(applied)} of an earlier riverstone, and engines of that are still at work on"
            f" {', '.join(alive[:NAMED])}{more}: stop them and try again; one that was killed on another machine counts"
            " as at work for 30 seconds"
        )


def _now(database: Database) -> int:
    """The time by which the engines of this database have shown that they live, in milliseconds since 1970."""
    if not isinstance(database, SqliteDatabase):
        sql = MYSQL_NOW if isinstance(database, MySQLDatabase) else POSTGRESQL_NOW
        return int(database.execute_sql(f"SELECT {sql}").fetchone()[0])
    # As the store's own clock, which is not set up before the schema is there.
    name = f"clock {boot_id()[:24]}"
    found = database.execute_sql('SELECT "next" FROM "sequence" WHERE "name" = ?', (name,)).fetchone()
    return time.time_ns() // 1_000_000 if found is None else int(found[0]) + round(uptime() * 1000)


def _compare_exactly(database: MySQLDatabase) -> None:
    """Let every table take any text and tell all texts apart, whatever the defaults of the server.

    Those take ``shop``, ``SHOP`` and ``shop `` for the same, or have no room for Chinese.
    """
    collation = "utf8mb4_nopad_bin" if database.mariadb else "utf8mb4_0900_bin"
    different = database.execute_sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_collation <> %s",
        (collation,),
    ).fetchall()
    for (name,) in different:
        if name in TABLES:
            database.execute_sql(f"ALTER TABLE `{name}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {collation}")


def kind_of(database: Database) -> Kind:
    """What the store has to know of a database to talk to it."""
    for peewees, kind in KINDS.items():
        if isinstance(database, peewees):
            return kind
    return "other"


def dialect(kind: Kind, statement: str) -> str:
    """A constant statement, written with ``?`` and backquotes, in the words of such a database."""
    if kind == "sqlite":
        # Which has one writer at a time.
        return statement.removesuffix(" FOR SHARE").removesuffix(" FOR UPDATE")
    if kind == "postgresql":
        statement = statement.replace("`", '"')
    if kind == "mysql" and statement.endswith(" FOR SHARE"):
        # MariaDB has no other words for it.
        statement = f"{statement.removesuffix('FOR SHARE')}LOCK IN SHARE MODE"
    return statement.replace("?", "%s")
