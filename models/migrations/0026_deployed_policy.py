"""What follows a failure in the processes of a version, where its deployment says so."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase


def up(migrator: Any, database: Database) -> None:
    text = "ALTER TABLE `deployment` ADD COLUMN `on_failure` VARCHAR(80)"
    database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
