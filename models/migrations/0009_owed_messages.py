"""Which engine delivers a message or signal that is owed, and how far a signal has come."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "ALTER TABLE `event` ADD COLUMN `owner` VARCHAR(36)",
    "ALTER TABLE `event` ADD COLUMN `reached` BIGINT NOT NULL DEFAULT 0",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
