"""Tasks that workers fetch over HTTP: under which topic, and who has them locked; and the topics of access keys."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `external_task` (`task_id` BIGINT NOT NULL PRIMARY KEY, `delivery` INTEGER NOT NULL,"
    " `process_instance_id` BIGINT NOT NULL, `topic` VARCHAR(255) NOT NULL, `priority` BIGINT NOT NULL,"
    " `created` BIGINT NOT NULL, `owner_name` VARCHAR(255), `worker` VARCHAR(255), `until` BIGINT)",
    "CREATE INDEX `external_task_topic` ON `external_task` (`topic`, `priority`, `created`)",
    "ALTER TABLE `access_key` ADD COLUMN `topics` TEXT",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
