"""Sessions of people who have signed in with a browser."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `browser_session` (`id` VARCHAR(12) NOT NULL PRIMARY KEY, `digest` VARCHAR(64) NOT NULL,"
    " `user_name` VARCHAR(255) NOT NULL, `user_groups` TEXT NOT NULL, `scopes` VARCHAR(255) NOT NULL,"
    " `owner_name` VARCHAR(255) NOT NULL, `created` BIGINT NOT NULL, `used` BIGINT NOT NULL)",
    "CREATE INDEX `browser_session_user_name` ON `browser_session` (`user_name`)",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
