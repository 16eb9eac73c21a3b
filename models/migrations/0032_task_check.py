"""What the last check of what a task made has found."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `task_check` (`task_id` BIGINT NOT NULL PRIMARY KEY, `process_instance_id` BIGINT NOT NULL,"
    " `state` VARCHAR(10) NOT NULL, `reason` {text}, `checked` BIGINT NOT NULL)",
    "CREATE INDEX `task_check_process` ON `task_check` (`process_instance_id`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
