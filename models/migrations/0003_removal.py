"""Models whose processes' results are protected, and versions that were removed while records still refer to them."""

from typing import Any

from peewee import Database, PostgresqlDatabase, SqliteDatabase


def up(migrator: Any, database: Database) -> None:
    number = "INTEGER" if isinstance(database, SqliteDatabase) else "BIGINT"
    for statement in (
        "ALTER TABLE `process_model` ADD COLUMN `protected` INTEGER NOT NULL DEFAULT 0",
        f"ALTER TABLE `deployment` ADD COLUMN `removed` {number}",
    ):
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
