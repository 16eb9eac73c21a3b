"""Opening any database that Peewee knows, set up so that a commit is durable and its schema is ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase, SqliteDatabase
from playhouse.db_url import connect
from playhouse.migrations import Runner

SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "wal_autocheckpoint": 1000,
}
MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 7_214_503


def open_database(url: str) -> Database:
    """A Peewee database, not yet connected, for any URL of ``playhouse.db_url``.

    SQLite is opened with a write-ahead log, ``synchronous=FULL`` and immediate transactions: a deferred one
    that turns into a write fails at once when another writer is active, whatever the busy timeout says.
    """
    database: Database
    scheme = url.split(":", 1)[0]
    if scheme.startswith("sqlite"):
        memory = url.split("?", 1)[0] in ("sqlite://", "sqlite:///", "sqlite:///:memory:")
        options: dict[str, Any] = {
            "pragmas": SQLITE_PRAGMAS,
            "lock_type": "IMMEDIATE",
            "field_types": {"LONGTEXT": "TEXT"},
        }
        if memory:
            options |= {"thread_safe": False, "check_same_thread": False}
        database = connect(url, **options)
    elif scheme.startswith("postgres"):
        database = connect(url, field_types={"LONGTEXT": "TEXT"})
    elif scheme.startswith("mysql"):
        database = connect(url, charset="utf8mb4", mariadb=_is_mariadb(url))
    else:
        database = connect(url)
    return database


def _is_mariadb(url: str) -> bool:
    probe = connect(url)
    with probe.connection_context():
        (version,) = probe.execute_sql("SELECT VERSION()").fetchone()
    return "mariadb" in str(version).lower()


def migrate(database: Database) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that ran; safe against other processes."""
    runner = Runner(database, directory=os.fspath(MIGRATIONS), table_name="schema_migration")
    if isinstance(database, SqliteDatabase):
        with database.atomic("EXCLUSIVE"):
            return list(runner.up())
    if isinstance(database, PostgresqlDatabase):
        with database.atomic():
            database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            return list(runner.up())
    if isinstance(database, MySQLDatabase):
        database.execute_sql("SELECT GET_LOCK(%s, 60)", (f"riverstone-{MIGRATION_LOCK}",))
        try:
            return list(runner.up())
        finally:
            database.execute_sql("SELECT RELEASE_LOCK(%s)", (f"riverstone-{MIGRATION_LOCK}",))
    return list(runner.up())


def dialect(database: Database, statement: str) -> str:
    """A constant statement, written with ``?`` and backquotes, in the words of this database."""
    if isinstance(database, SqliteDatabase):
        return statement
    if isinstance(database, PostgresqlDatabase):
        statement = statement.replace("`", '"')
    return statement.replace("?", "%s")
