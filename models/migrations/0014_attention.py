"""Failures that wait for somebody: how many there are in a process, and how long they wait before the rollback."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

COLUMNS = (
    "ALTER TABLE `process_instance` ADD COLUMN `attention` INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE `process_instance` ADD COLUMN `patience` BIGINT",
)
INDEX = "CREATE INDEX `process_instance_attention` ON `process_instance` (`attention`, `process_instance_id`)"


def up(migrator: Any, database: Database) -> None:
    # Few processes need anybody: where it can be, only these are in the index.
    index = INDEX if isinstance(database, MySQLDatabase) else f"{INDEX} WHERE `attention` > 0"
    for statement in (*COLUMNS, index):
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
