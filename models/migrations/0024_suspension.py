"""Who has suspended a process, why, and since when."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    text = f"ALTER TABLE `process_instance` ADD COLUMN `suspension` {kind}"
    database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
