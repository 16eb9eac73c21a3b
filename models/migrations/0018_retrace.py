"""Notes of the way of a process's tokens, which a rewind needs, and the last rewind of a process."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `retrace` (`process_instance_id` BIGINT NOT NULL, `number` BIGINT NOT NULL,"
    " `kind` VARCHAR(20) NOT NULL, `token` BIGINT NOT NULL, `name` {text}, `causes` {text} NOT NULL, `data` {text},"
    " PRIMARY KEY (`process_instance_id`, `number`))",
    "ALTER TABLE `process_instance` ADD COLUMN `rewind_id` BIGINT",
    "ALTER TABLE `process_instance` ADD COLUMN `retraced` BIGINT NOT NULL DEFAULT 0",
    # Of what runs already, the beginning is not known.
    "UPDATE `process_instance` SET `retraced` = -1 WHERE `phase` <> 'ended'",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
