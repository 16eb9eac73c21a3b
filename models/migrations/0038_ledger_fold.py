"""What a step needs of the rows of a long ledger that have ended, in one row beside it."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `ledger_fold` (`process_instance_id` BIGINT NOT NULL PRIMARY KEY, `content` {text} NOT NULL)",
    "ALTER TABLE `process_instance` ADD COLUMN `folded` BIGINT NOT NULL DEFAULT 0",
)
# Elsewhere an index has the primary key behind its columns anyway.
POSTGRESQL = (
    "DROP INDEX `task_process_instance_id`",
    "CREATE INDEX `task_process_instance_id` ON `task` (`process_instance_id`, `id`)",
)


def up(migrator: Any, database: Database) -> None:
    postgresql = isinstance(database, PostgresqlDatabase)
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in (*STATEMENTS, *(POSTGRESQL if postgresql else ())):
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if postgresql else text)
