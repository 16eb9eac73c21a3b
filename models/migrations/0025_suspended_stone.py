"""Stones of which nothing begins, for all engines of the store."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `suspended_stone` (`code` VARCHAR(255) NOT NULL PRIMARY KEY, `reason` {text}, `who` VARCHAR(255),"
    " `since` BIGINT NOT NULL)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
