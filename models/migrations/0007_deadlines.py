"""Which engine sees to the deadline of a task that workers have in hand."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    statement = "ALTER TABLE `handover` ADD COLUMN `owner` VARCHAR(36)"
    database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
