"""Access keys, the audit, the owner of an instance, and an index by which the active ones of a key are counted."""

from __future__ import annotations

from typing import Any

from peewee import BigAutoField, BigIntegerField, CharField, Database, Model, MySQLDatabase, PostgresqlDatabase


class AccessKey(Model):
    id = CharField(max_length=16, primary_key=True)
    name = CharField(max_length=255, unique=True)
    digest = CharField(max_length=64)
    scopes = CharField(max_length=64)
    owner_name = CharField(max_length=255, null=True)
    created = BigIntegerField()
    revoked = BigIntegerField(null=True)

    class Meta:
        table_name = "access_key"


class Audit(Model):
    id = BigAutoField()
    created = BigIntegerField(index=True)
    request_id = CharField(max_length=64)
    client = CharField(max_length=255)
    address = CharField(max_length=64)
    action = CharField(max_length=64)
    target = CharField(max_length=255, null=True)
    outcome = CharField(max_length=64)

    class Meta:
        table_name = "audit"


# The column stays the same while an instance is active, so unlike one on the phase this index is left alone by steps.
STATEMENTS = (
    "ALTER TABLE `process_instance` ADD COLUMN `owner_name` VARCHAR(255)",
    "DROP INDEX `process_instance_active`",
    "CREATE INDEX `process_instance_active` ON `process_instance` (`key`) WHERE `phase` <> 'ended'",
    "CREATE INDEX `process_instance_owner` ON `process_instance` (`owner_name`, `process_instance_id`)"
    " WHERE `owner_name` IS NOT NULL",
)
MYSQL_STATEMENTS = (
    "ALTER TABLE `process_instance` ADD COLUMN `owner_name` VARCHAR(255)",
    "DROP INDEX `process_instance_active` ON `process_instance`",
    "CREATE INDEX `process_instance_active` ON `process_instance` (`key`, `phase`)",
    "CREATE INDEX `process_instance_owner` ON `process_instance` (`owner_name`, `process_instance_id`)",
)


def up(migrator: Any, database: Database) -> None:
    tables: list[type[Model]] = [AccessKey, Audit]
    database.bind(tables)
    database.create_tables(tables)
    for statement in MYSQL_STATEMENTS if isinstance(database, MySQLDatabase) else STATEMENTS:
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
