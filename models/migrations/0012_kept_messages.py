"""Messages that are kept for a time because nobody waits for them yet."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `kept_message` (`id` VARCHAR(36) NOT NULL PRIMARY KEY, `name` VARCHAR(255) NOT NULL,"
    " `payload` {text}, `correlation` {text}, `owner_name` VARCHAR(255), `business_key` VARCHAR(255),"
    " `process_instance_id` BIGINT, `created` BIGINT NOT NULL, `expires` BIGINT NOT NULL)",
    "CREATE INDEX `kept_message_expires` ON `kept_message` (`expires`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
