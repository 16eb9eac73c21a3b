"""Keys of messages and signals that clients have sent, so that one which is sent again is not given twice."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

# Of a signal there is a part for each step that has given it to some.
STATEMENTS = (
    "CREATE TABLE `event_request` (`idempotency_key` VARCHAR(255) NOT NULL, `part` INTEGER NOT NULL,"
    " `digest` VARCHAR(64) NOT NULL, `outcome` VARCHAR(16) NOT NULL, `reached` {text} NOT NULL, `after` BIGINT,"
    " `created` BIGINT NOT NULL, PRIMARY KEY (`idempotency_key`, `part`))",
    "CREATE INDEX `event_request_created` ON `event_request` (`created`)",
)


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    for statement in STATEMENTS:
        text = statement.format(text=kind)
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
