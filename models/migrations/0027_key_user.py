"""The person who has an access key, and that person's groups."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "ALTER TABLE `access_key` ADD COLUMN `user_name` VARCHAR(255)",
    "ALTER TABLE `access_key` ADD COLUMN `user_groups` TEXT",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
