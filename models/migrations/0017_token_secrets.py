"""Secrets by which tasks that are completed from outside get their tokens."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENT = (
    "CREATE TABLE `token_secret` (`number` INTEGER NOT NULL PRIMARY KEY, `value` {text} NOT NULL,"
    " `since` BIGINT NOT NULL, `made` BIGINT NOT NULL)"
)


def up(migrator: Any, database: Database) -> None:
    statement = STATEMENT.format(text="LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT")
    database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
