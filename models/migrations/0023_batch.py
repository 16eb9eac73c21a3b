"""Batches: one call for many process instances, with the list of these and what came of each."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `batch` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `action` VARCHAR(20) NOT NULL,"
    " `options` {text} NOT NULL, `searched` {text} NOT NULL, `state` VARCHAR(20) NOT NULL, `total` BIGINT NOT NULL,"
    " `done` BIGINT NOT NULL, `refused` BIGINT NOT NULL, `rate` DOUBLE PRECISION, `due` BIGINT NOT NULL,"
    " `created` BIGINT NOT NULL, `client` VARCHAR(255) NOT NULL, `owner_name` VARCHAR(255), `ended` BIGINT,"
    " `engine` VARCHAR(36), `revision` BIGINT NOT NULL)",
    "CREATE INDEX `batch_state` ON `batch` (`state`)",
    "CREATE INDEX `batch_created` ON `batch` (`created`, `id`)",
    "CREATE TABLE `batch_item` (`batch_id` VARCHAR(36) NOT NULL, `number` BIGINT NOT NULL,"
    " `process_instance_id` BIGINT NOT NULL, `result` VARCHAR(10) NOT NULL, `code` VARCHAR(64), `reason` {text},"
    " `ended` BIGINT, PRIMARY KEY (`batch_id`, `number`))",
    "CREATE INDEX `batch_item_result` ON `batch_item` (`batch_id`, `result`, `number`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
