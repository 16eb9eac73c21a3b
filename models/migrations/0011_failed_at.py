"""The elements at which a process failed, where that was in no task."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    statement = "ALTER TABLE `process_instance` ADD COLUMN `failed_at` TEXT"
    database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
