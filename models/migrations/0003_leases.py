"""What tells a lost engine's work from a living one's: commits are counted, and deliveries that were lost."""

from typing import Any

from peewee import Database, PostgresqlDatabase, SqliteDatabase


def up(migrator: Any, database: Database) -> None:
    number = "INTEGER" if isinstance(database, SqliteDatabase) else "BIGINT"
    for statement in (
        f"ALTER TABLE `engine_node` ADD COLUMN `committed` {number} NOT NULL DEFAULT 0",
        "ALTER TABLE `task` ADD COLUMN `lost` INTEGER NOT NULL DEFAULT 0",
    ):
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
