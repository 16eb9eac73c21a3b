"""The decisions of DMN that processes have made, each with its result and the rules that counted."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `decision_made` (`id` BIGINT NOT NULL PRIMARY KEY, `process_instance_id` BIGINT NOT NULL,"
    " `node` VARCHAR(255) NOT NULL, `decision_id` VARCHAR(255) NOT NULL, `decision_name` VARCHAR(255) NOT NULL,"
    " `deployment_id` VARCHAR(36) NOT NULL, `version` INTEGER NOT NULL, `made` BIGINT NOT NULL,"
    " `size` INTEGER NOT NULL, `result` {text} NOT NULL, `name` VARCHAR(255), `path` {text})",
    "CREATE INDEX `decision_made_process_instance_id` ON `decision_made` (`process_instance_id`, `id`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
