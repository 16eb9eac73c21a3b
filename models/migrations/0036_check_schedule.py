"""When what processes have made is checked by itself, again and again."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `check_schedule` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `every` VARCHAR(255) NOT NULL,"
    " `cycle` {text} NOT NULL, `due` BIGINT, `stone` VARCHAR(255), `key` VARCHAR(255),"
    " `rate` DOUBLE PRECISION NOT NULL, `created` BIGINT NOT NULL, `client` VARCHAR(255) NOT NULL,"
    " `owner_name` VARCHAR(255), `last` BIGINT, `batch_id` VARCHAR(36), `reason` {text})",
    "CREATE INDEX `check_schedule_due` ON `check_schedule` (`due`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
