"""Variables that were set beside many others, each in a row of its own until all of them are written anew."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `changed_variable` (`process_instance_id` BIGINT NOT NULL, `name` VARCHAR(255) NOT NULL,"
    " `value` {text} NOT NULL, PRIMARY KEY (`process_instance_id`, `name`))",
    "ALTER TABLE `process_instance` ADD COLUMN `changed` BIGINT NOT NULL DEFAULT 0",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
