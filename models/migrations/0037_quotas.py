"""Quotas: what is used of each, and which tasks hold a slot or wait for one; and the priority of a process."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `quota` (`id` BIGINT NOT NULL PRIMARY KEY, `digest` VARCHAR(100) NOT NULL,"
    " `name` VARCHAR(255) NOT NULL, `value` {text}, `at_once` BIGINT, `per_minute` BIGINT, `granted` BIGINT NOT NULL,"
    " `turn` BIGINT NOT NULL, `undo_turn` BIGINT NOT NULL, `due` BIGINT, `used` BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX `quota_digest` ON `quota` (`digest`)",
    "CREATE INDEX `quota_name` ON `quota` (`name`, `id`)",
    "CREATE INDEX `quota_due` ON `quota` (`due`)",
    "CREATE TABLE `quota_slot` (`task_id` BIGINT NOT NULL, `process_instance_id` BIGINT NOT NULL,"
    " `quota_id` BIGINT NOT NULL, `undo` SMALLINT NOT NULL, `held` SMALLINT NOT NULL,"
    " `owner_name` VARCHAR(255) NOT NULL, `priority` BIGINT NOT NULL, `created` BIGINT NOT NULL,"
    " `since` BIGINT NOT NULL, PRIMARY KEY (`task_id`, `quota_id`))",
    "CREATE INDEX `quota_slot_line` ON `quota_slot`"
    " (`quota_id`, `held`, `undo`, `owner_name`, `priority`, `created`, `task_id`)",
    "CREATE INDEX `quota_slot_process` ON `quota_slot` (`process_instance_id`)",
    "CREATE TABLE `quota_line` (`quota_id` BIGINT NOT NULL, `undo` SMALLINT NOT NULL,"
    " `owner_name` VARCHAR(255) NOT NULL, `turn` BIGINT NOT NULL, PRIMARY KEY (`quota_id`, `undo`, `owner_name`))",
    "CREATE INDEX `quota_line_turn` ON `quota_line` (`quota_id`, `undo`, `turn`, `owner_name`)",
    "CREATE TABLE `quota_grant` (`quota_id` BIGINT NOT NULL, `number` BIGINT NOT NULL, `granted` BIGINT NOT NULL,"
    " PRIMARY KEY (`quota_id`, `number`))",
    "ALTER TABLE `process_instance` ADD COLUMN `priority` BIGINT NOT NULL DEFAULT 0",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
