"""What every commit of an engine compares in its own row."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = ("ALTER TABLE `engine_node` ADD COLUMN `epoch` BIGINT NOT NULL DEFAULT 0",)


def up(migrator: Any, database: Database) -> None:
    for text in STATEMENTS:
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
