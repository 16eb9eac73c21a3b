"""Who is told over HTTP what processes come to, what there is to tell, and the secrets by which that is signed."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `subscription` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `url` {text} NOT NULL,"
    " `created` BIGINT NOT NULL, `key` VARCHAR(255), `process_instance_id` BIGINT, `owner_name` VARCHAR(255),"
    " `creator` VARCHAR(255))",
    "CREATE INDEX `subscription_process_instance_id` ON `subscription` (`process_instance_id`)",
    "CREATE TABLE `notice` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `subscription_id` VARCHAR(36) NOT NULL,"
    " `process_instance_id` BIGINT NOT NULL, `type` VARCHAR(64) NOT NULL, `url` {text} NOT NULL,"
    " `body` {text} NOT NULL,"
    " `created` BIGINT NOT NULL, `attempts` INTEGER NOT NULL, `due` BIGINT, `sent` BIGINT, `owner_name` VARCHAR(255),"
    " `reason` VARCHAR(255))",
    "CREATE INDEX `notice_due` ON `notice` (`due`)",
    "CREATE INDEX `notice_created` ON `notice` (`created`, `id`)",
    "CREATE TABLE `webhook_secret` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `owner_name` VARCHAR(255) NOT NULL,"
    " `value` {text} NOT NULL, `made` BIGINT NOT NULL, `until` BIGINT)",
    "CREATE INDEX `webhook_secret_owner_name` ON `webhook_secret` (`owner_name`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
