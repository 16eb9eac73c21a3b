"""What happened in a process and no row keeps."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `history` (`process_instance_id` BIGINT NOT NULL, `number` BIGINT NOT NULL,"
    " `entries` {text} NOT NULL, PRIMARY KEY (`process_instance_id`, `number`))",
    "ALTER TABLE `process_instance` ADD COLUMN `history` BIGINT NOT NULL DEFAULT 0",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
