"""Empty databases of every kind that the store supports, each for one test and gone after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from riverstone.models import Store
from riverstone.models.row_types import TABLES

POSTGRESQL = os.environ.get("RIVERSTONE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("RIVERSTONE_TEST_MARIADB", "mysql://root@127.0.0.1:3306/test")
KINDS = ("sqlite", "memory", "postgresql", "mariadb")
SHARED = ("sqlite", "postgresql", "mariadb")
"""Those that several processes can use at once."""


def fresh(kind: str, folder: Path) -> AbstractContextManager[str]:
    """The URL of an empty database; skips the test if its server does not answer, but fails it where CI is set."""
    makers: dict[str, Callable[[], AbstractContextManager[str]]] = {"postgresql": _postgresql, "mariadb": _mariadb}
    return makers[kind]() if kind in makers else _sqlite(kind, folder)


@contextmanager
def _sqlite(kind: str, folder: Path) -> Iterator[str]:
    yield "sqlite:///:memory:" if kind == "memory" else f"sqlite:///{folder}/store.db"


def _absent(url: str, error: Exception) -> None:
    text = f"{url} does not answer: {str(error).splitlines()[0]}"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


@contextmanager
def _postgresql() -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    name = f"riverstone_{uuid4().hex}"
    try:
        connection = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        _absent(POSTGRESQL, error)
    with connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield POSTGRESQL.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _mariadb() -> Iterator[str]:
    pymysql = pytest.importorskip("pymysql")
    from playhouse.db_url import parse

    name = f"riverstone_{uuid4().hex}"
    given = {
        key: value for key, value in parse(MARIADB).items() if key in ("host", "port", "user", "passwd", "password")
    }
    try:
        connection = pymysql.connect(**given, connect_timeout=3, autocommit=True)
    except pymysql.err.OperationalError as error:
        _absent(MARIADB, error)
    with connection, connection.cursor() as cursor:
        # Smaller than what a server has by default nowadays, and case-insensitive: the store must cope.
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET latin1")
        try:
            yield MARIADB.rpartition("/")[0] + f"/{name}"
        finally:
            cursor.execute(f"DROP DATABASE {name}")


class Emptied:
    """One database of each server for many tests, empty before each: to make a new one takes much longer."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}
        self._stores: dict[str, Store] = {}
        self._opened = ExitStack()

    def url(self, kind: str, folder: Path) -> str:
        """Where the next test finds nothing; skips or fails it as :func:`fresh` does."""
        if kind not in ("postgresql", "mariadb"):
            return f"sqlite:///{folder}/store.db"
        if kind not in self._urls:
            url = self._opened.enter_context(fresh(kind, folder))
            self._stores[kind] = self._opened.enter_context(closing(Store(url)))
            self._urls[kind] = url
        store = self._stores[kind]

        def empty() -> None:
            for table in TABLES:
                store.run(f"DELETE FROM `{table}`")

        store.write(empty)
        return self._urls[kind]

    def close(self) -> None:
        """Remove the databases."""
        self._opened.close()
