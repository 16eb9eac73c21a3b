"""What an undo takes back and in which order, which its nodes are made from; older ones have a file instead."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    kind = "LONGTEXT" if isinstance(database, MySQLDatabase) else "TEXT"
    statement = f"ALTER TABLE `deployment` ADD COLUMN `undo_order` {kind}"
    database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
