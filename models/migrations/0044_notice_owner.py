"""What one owner is told is found without going through what others are told."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = ("CREATE INDEX `notice_owner` ON `notice` (`owner_name`, `created`, `id`)",)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
