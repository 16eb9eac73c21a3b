"""Who waits for a message is found by an index: by name and correlation, or by the business key of what goes on."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "DROP INDEX `wait_kind_name`",
    "CREATE INDEX `wait_kind_name` ON `wait` (`kind`, `name`, `correlation`, `process_instance_id`, `token`)",
    "CREATE INDEX `process_instance_open_key` ON `process_instance` (`business_key`, `process_instance_id`)"
    " WHERE `phase` <> 'ended' AND `business_key` IS NOT NULL",
    # Those that run and wait for nothing from outside, where very many others wait.
    "CREATE INDEX `process_instance_moving` ON `process_instance` (`process_instance_id`)"
    " WHERE `phase` <> 'ended' AND `awaits` IS NULL",
)
MYSQL = (
    f"{STATEMENTS[0]} ON `wait`",
    STATEMENTS[1],
    "CREATE INDEX `process_instance_open_key` ON `process_instance` (`business_key`, `phase`, `process_instance_id`)",
)


def up(migrator: Any, database: Database) -> None:
    for text in MYSQL if isinstance(database, MySQLDatabase) else STATEMENTS:
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
