"""Whose the tasks of people are, the lists in which these are found, and which person has made a changing call."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

USUAL, NEVER = 50, 253_402_300_799_999
"""The priority where none is said, and when what is never due is due in the order of lists."""
STATEMENTS = (
    "CREATE TABLE `user_task` (`id` BIGINT NOT NULL PRIMARY KEY, `process_instance_id` BIGINT NOT NULL,"
    " `created` BIGINT NOT NULL, `owner_name` VARCHAR(255), `candidates` {text} NOT NULL, `priority` BIGINT NOT NULL,"
    " `due` BIGINT, `follow_up` BIGINT, `assignee` VARCHAR(255), `delegated_by` VARCHAR(255), `ended` BIGINT,"
    " `done_by` VARCHAR(255))",
    "CREATE INDEX `user_task_process_instance_id` ON `user_task` (`process_instance_id`)",
    "CREATE TABLE `inbox` (`list_name` VARCHAR(300) NOT NULL, `task_id` BIGINT NOT NULL, `priority` BIGINT NOT NULL,"
    " `due` BIGINT NOT NULL, PRIMARY KEY (`list_name`, `task_id`))",
    "CREATE INDEX `inbox_due` ON `inbox` (`list_name`, `due`, `task_id`)",
    "CREATE INDEX `inbox_priority` ON `inbox` (`list_name`, `priority`, `task_id`)",
    "CREATE INDEX `inbox_task_id` ON `inbox` (`task_id`)",
    "ALTER TABLE `audit` ADD COLUMN `person` VARCHAR(255)",
    # What was open before is anybody's who may see it, as it was.
    "INSERT INTO `user_task` (`id`, `process_instance_id`, `created`, `owner_name`, `candidates`, `priority`)"
    " SELECT t.`id`, t.`process_instance_id`, t.`created`, p.`owner_name`, '', {usual} FROM `task` AS t"
    " JOIN `process_instance` AS p ON p.`process_instance_id` = t.`process_instance_id`"
    " WHERE t.`event` = 'user' AND t.`open` = 1",
    "INSERT INTO `inbox` (`list_name`, `task_id`, `priority`, `due`) SELECT 'all', `id`, -{usual}, {never}"
    " FROM `user_task`",
    "INSERT INTO `inbox` (`list_name`, `task_id`, `priority`, `due`) SELECT {owned}, `id`, -{usual}, {never}"
    " FROM `user_task` WHERE `owner_name` IS NOT NULL",
)


def up(migrator: Any, database: Database) -> None:
    is_mysql = isinstance(database, MySQLDatabase)
    owned = "CONCAT('owner ', `owner_name`)" if is_mysql else "'owner ' || `owner_name`"
    for statement in STATEMENTS:
        text = statement.format(text="LONGTEXT" if is_mysql else "TEXT", usual=USUAL, never=NEVER, owned=owned)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
