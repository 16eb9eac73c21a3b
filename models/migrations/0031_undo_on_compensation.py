"""Whether a compensation calls the stones' own hooks in the processes of a version."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    text = "ALTER TABLE `deployment` ADD COLUMN `undo_on_compensation` SMALLINT NOT NULL DEFAULT 0"
    database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
