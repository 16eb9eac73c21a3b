"""Stones that declare themselves from other machines, and what is known of tasks that workers there have in hand."""

from typing import Any

from peewee import BigIntegerField, CharField, Database, IntegerField, Model, PostgresqlDatabase, TextField


class LongTextField(TextField):
    field_type = "LONGTEXT"


class Stone(Model):
    id = CharField(max_length=64, primary_key=True)
    code = CharField(max_length=255, index=True)
    declaration = LongTextField()
    updated = BigIntegerField()

    class Meta:
        table_name = "stone"


class Handover(Model):
    task_id = BigIntegerField(primary_key=True)
    delivery = IntegerField()
    since = BigIntegerField()
    lease = BigIntegerField(null=True)
    running = IntegerField(default=0)

    class Meta:
        table_name = "handover"


def up(migrator: Any, database: Database) -> None:
    tables: list[type[Model]] = [Stone, Handover]
    database.bind(tables)
    database.create_tables(tables)
    statement = "ALTER TABLE `task` ADD COLUMN `handed` INTEGER NOT NULL DEFAULT 0"
    database.execute_sql(statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement)
