"""By which version tags processes and decisions of deployments are found."""

from __future__ import annotations

from typing import Any

from peewee import Database, PostgresqlDatabase

STATEMENTS = (
    "CREATE TABLE `version_tag` (`kind` VARCHAR(16) NOT NULL, `name` VARCHAR(255) NOT NULL,"
    " `tag` VARCHAR(255) NOT NULL, `deployment_id` VARCHAR(36) NOT NULL,"
    " PRIMARY KEY (`kind`, `name`, `tag`, `deployment_id`))",
    "CREATE INDEX `version_tag_deployment_id` ON `version_tag` (`deployment_id`)",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
