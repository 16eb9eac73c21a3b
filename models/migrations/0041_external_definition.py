"""Of which definition a worker's task is, by which workers choose: of an undo that of what it takes back."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

# What is offered already is of what its process instance runs; that of a called process cannot be told any more.
MEANT = (
    "SELECT COALESCE(`origin`.`{0}`, `own`.`{0}`) FROM `process_instance` AS `own` LEFT JOIN `process_instance`"
    " AS `origin` ON `origin`.`process_instance_id` = `own`.`origin`"
    " WHERE `own`.`process_instance_id` = `external_task`.`process_instance_id`"
)
STATEMENTS = (
    "ALTER TABLE `external_task` ADD COLUMN `definition_key` VARCHAR(255) NOT NULL DEFAULT ''",
    "ALTER TABLE `external_task` ADD COLUMN `deployment_id` VARCHAR(36) NOT NULL DEFAULT ''",
    f"UPDATE `external_task` SET `definition_key` = COALESCE(({MEANT.format('key')}), ''),"
    f" `deployment_id` = COALESCE(({MEANT.format('deployment_id')}), '')",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
