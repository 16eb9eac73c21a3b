"""What authors draw and have not saved yet, beside the models or before there is one."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `draft` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `revision` VARCHAR(36) NOT NULL,"
    " `key` VARCHAR(255) NOT NULL, `name` VARCHAR(255) NOT NULL, `sources` {text} NOT NULL,"
    " `parameter_template` {text}, `outputs_template` {text}, `base` BIGINT, `created` BIGINT NOT NULL,"
    " `updated` BIGINT NOT NULL, `who` VARCHAR(255))",
    "CREATE INDEX `draft_created` ON `draft` (`created`, `id`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
