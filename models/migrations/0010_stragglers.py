"""Hooks that may still run although their task has ended or gone on, and at which engine."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `straggler` (`task_id` BIGINT NOT NULL, `attempt` INTEGER NOT NULL, `event` VARCHAR(16) NOT NULL,"
    " `delivery` INTEGER NOT NULL, `process_instance_id` BIGINT NOT NULL, `owner` VARCHAR(36), `lease` BIGINT,"
    " PRIMARY KEY (`task_id`, `attempt`, `event`, `delivery`))",
    "CREATE INDEX `straggler_process_instance_id` ON `straggler` (`process_instance_id`)",
    "CREATE INDEX `straggler_owner` ON `straggler` (`owner`)",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
