"""By what process instances are found: searchable variables, the stones that a version uses, indexes with the id."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `variable` (`process_instance_id` BIGINT NOT NULL, `name` VARCHAR(255) NOT NULL,"
    " `digest` VARCHAR(64) NOT NULL, `value` {text} NOT NULL, PRIMARY KEY (`process_instance_id`, `name`))",
    "CREATE INDEX `variable_digest` ON `variable` (`name`, `digest`, `process_instance_id`)",
    "CREATE TABLE `stone_use` (`stone` VARCHAR(255) NOT NULL, `deployment_id` VARCHAR(36) NOT NULL)",
    "CREATE INDEX `stone_use_stone` ON `stone_use` (`stone`, `deployment_id`)",
    "INSERT INTO `stone_use` (`stone`, `deployment_id`) SELECT DISTINCT `task`.`stone`,"
    " `process_instance`.`deployment_id` FROM `task` JOIN `process_instance`"
    " ON `process_instance`.`process_instance_id` = `task`.`process_instance_id`"
    " WHERE `task`.`stone` IS NOT NULL AND `process_instance`.`kind` = 'start'",
    "CREATE INDEX `process_instance_key` ON `process_instance` (`key`, `process_instance_id`)",
    "CREATE INDEX `process_instance_deployment` ON `process_instance` (`deployment_id`, `process_instance_id`)",
    "CREATE INDEX `process_instance_started` ON `process_instance` (`started`, `process_instance_id`)",
    "CREATE INDEX `process_instance_ended` ON `process_instance` (`ended`, `process_instance_id`)"
    " WHERE `ended` IS NOT NULL",
    "CREATE INDEX `process_instance_open` ON `process_instance` (`process_instance_id`) WHERE `phase` <> 'ended'",
)


def up(migrator: Any, database: Database) -> None:
    mysql = isinstance(database, MySQLDatabase)
    for statement in STATEMENTS:
        text = statement.format(text="LONGTEXT" if mysql else "TEXT")
        if mysql and text.startswith("CREATE INDEX"):
            if "`phase`" in text:
                # Without partial indexes, what has not ended is found by the phase, which has one.
                continue
            text = text.partition(" WHERE ")[0]
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
