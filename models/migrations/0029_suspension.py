"""Keys of which nothing begins, beside stones."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `suspension` (`kind` VARCHAR(10) NOT NULL, `name` VARCHAR(255) NOT NULL, `reason` {text},"
    " `who` VARCHAR(255), `since` BIGINT NOT NULL, PRIMARY KEY (`kind`, `name`))",
    "INSERT INTO `suspension` (`kind`, `name`, `reason`, `who`, `since`)"
    " SELECT 'stone', `code`, `reason`, `who`, `since` FROM `suspended_stone`",
    "DROP TABLE `suspended_stone`",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
