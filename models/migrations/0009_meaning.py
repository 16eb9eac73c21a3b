"""By which reading of the standard a deployment runs, so that what runs keeps the one that it was deployed with."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    statement = "ALTER TABLE `deployment` ADD COLUMN `meaning` INTEGER NOT NULL DEFAULT 0"
    database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
