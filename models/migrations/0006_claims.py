"""Who sees to a timer or a grace, so that not every engine does; and which engines were told to stop."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "ALTER TABLE `wait` ADD COLUMN `owner` VARCHAR(36)",
    "ALTER TABLE `process_instance` ADD COLUMN `due_owner` VARCHAR(36)",
    "ALTER TABLE `engine_node` ADD COLUMN `closing` INTEGER NOT NULL DEFAULT 0",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
