"""What has not ended is counted by one index, group by group, and what stops is found by it among very many that wait.

The index of undos that have failed goes: that of all statuses but ``success`` has them too.
"""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

PHASE = "CREATE INDEX `process_instance_phase` ON `process_instance` (`phase`, `status`, `kind`, `started`)"
# Said the other way round than elsewhere, since SQLite would take it for questions that have smaller indexes.
STATEMENTS = ("DROP INDEX `process_instance_undo_failed`", f"{PHASE} WHERE 'ended' <> `phase`")
MYSQL = ("DROP INDEX `process_instance_phase` ON `process_instance`", PHASE)


def up(migrator: Any, database: Database) -> None:
    for text in MYSQL if isinstance(database, MySQLDatabase) else STATEMENTS:
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
