"""Empty databases of every kind that the store supports, each for one test at a time.

To make the tables takes from 40 ms (SQLite) to seconds (MariaDB). So SQLite's files are copies of one, and a server's
databases are emptied after a test and lent to the next. Each process of a test run has databases of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pymysql
from playhouse.db_url import parse

from riverstone.models import Store
from riverstone.models.row_types.tables import TABLES

from ..services import MARIADB, POSTGRESQL, skip

KINDS = ("sqlite", "memory", "postgresql", "mariadb")
SHARED = ("sqlite", "postgresql", "mariadb")
"""Those that several processes can use at once."""


def fresh(kind: str, folder: Path) -> AbstractContextManager[str]:
    """The URL of an empty database with all tables; skips the test if its server does not answer."""
    return _lent(_server(kind)) if kind in SERVERS else _sqlite(kind, folder)


def bare(kind: str, folder: Path) -> AbstractContextManager[str]:
    """The same without any table."""
    return _made(_server(kind)) if kind in SERVERS else _bare_sqlite(kind, folder)


class Server:
    """A database server, which makes, empties and removes databases."""

    name: str
    url: str
    options = ""
    """What follows a database's name in the URL."""

    def __init__(self) -> None:
        self.free: list[str] = []
        """Databases that were made in this process, and are empty."""

    def connect(self, database: str) -> Any:
        """A connection of the driver, outside of any transaction; raises its error if the server is not there."""
        raise NotImplementedError

    def url_of(self, database: str) -> str:
        """What the store is opened by."""
        return f"{self.url.rpartition('/')[0]}/{database}{self.options}"

    def run(self, *statements: str, database: str = "") -> None:
        """Run them one by one in a database, or in none of the tests'."""
        with closing(self.connect(database or urlsplit(self.url).path[1:])) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)

    def make(self) -> str:
        """The name of a new database, that nobody else makes."""
        raise NotImplementedError

    def cut(self, database: str) -> None:
        """End the connections of whoever still uses it: what a killed process had begun holds locks for a while."""
        raise NotImplementedError

    def drop(self, database: str) -> None:
        """Remove a database."""
        raise NotImplementedError


class PostgreSQL(Server):
    name, url = "PostgreSQL", POSTGRESQL

    def connect(self, database: str) -> Any:
        return psycopg.connect(self.url_of(database), autocommit=True, connect_timeout=3)

    def make(self) -> str:
        database = f"riverstone_{uuid4().hex}"
        # What a commit waits for is the disk, which matters only to a machine that fails.
        self.run(f"CREATE DATABASE {database}", f"ALTER DATABASE {database} SET synchronous_commit = off")
        return database

    def cut(self, database: str) -> None:
        self.run(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'")

    def drop(self, database: str) -> None:
        self.run(f"DROP DATABASE {database} WITH (FORCE)")


class MariaDB(Server):
    # For each connection PyMySQL reads the certificates of all authorities, which takes 0.1 s.
    name, url, options = "MariaDB", MARIADB, "?ssl_disabled=true"

    def connect(self, database: str) -> Any:
        given = {("database" if name == "db" else name): value for name, value in parse(self.url_of(database)).items()}
        return pymysql.connect(**given, connect_timeout=3, autocommit=True)

    def make(self) -> str:
        database = f"riverstone_{uuid4().hex}"
        # Smaller than what a server has by default nowadays, and case-insensitive: the store must cope.
        self.run(f"CREATE DATABASE {database} CHARACTER SET latin1")
        return database

    def cut(self, database: str) -> None:
        with closing(self.connect(urlsplit(self.url).path[1:])) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM information_schema.processlist WHERE db = '{database}'")
            for (number,) in cursor.fetchall():
                with suppress(pymysql.err.OperationalError):
                    cursor.execute(f"KILL {number}")

    def drop(self, database: str) -> None:
        self.run(f"DROP DATABASE {database}")


SERVERS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}


@cache
def _server_or_why_not(kind: str) -> Server | str:
    # Asked once: a server that does not even refuse costs seconds.
    server = SERVERS[kind]()
    place = urlsplit(server.url).netloc.rpartition("@")[2]
    try:
        server.run()
    except (psycopg.OperationalError, pymysql.err.OperationalError) as error:
        told = str(error)
        gone = "refused" in told or "timeout" in told
        return f"{server.name} is not at {place}" if gone else f"{server.name} at {place}: {told.splitlines()[0]}"
    return server


def _server(kind: str) -> Server:
    found = _server_or_why_not(kind)
    return skip(found) if isinstance(found, str) else found


@contextmanager
def _made(server: Server) -> Iterator[str]:
    database = server.make()
    try:
        yield server.url_of(database)
    finally:
        server.drop(database)


@contextmanager
def _lent(server: Server) -> Iterator[str]:
    if server.free:
        database = server.free.pop()
    else:
        database = server.make()
        _at_exit_here(server.drop, database)
        Store(server.url_of(database)).close()
    yield server.url_of(database)
    # One whose test failed is not lent again.
    server.cut(database)
    server.run(*(f"DELETE FROM {table}" for table in TABLES), database=database)
    server.free.append(database)


@contextmanager
def _bare_sqlite(kind: str, folder: Path) -> Iterator[str]:
    yield "sqlite:///:memory:" if kind == "memory" else f"sqlite:///{folder}/store.db"


@contextmanager
def _sqlite(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        shutil.copy(_seed(), folder / "store.db")
    with _bare_sqlite(kind, folder) as url:
        yield url


@cache
def _seed() -> Path:
    """An SQLite file with all tables, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="riverstone-"))
    _at_exit_here(shutil.rmtree, folder)
    Store(f"sqlite:///{folder}/seed.db").close()
    return folder / "seed.db"


def _at_exit_here(action: Callable[..., object], *arguments: Any) -> None:
    """Do this when this process ends, but not when a fork of it does."""
    mine = os.getpid()
    atexit.register(lambda: action(*arguments) if os.getpid() == mine else None)
