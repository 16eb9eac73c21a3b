"""Where an instance's trace goes on, and indexes by which what needs a person is counted."""

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

# SQLite asks each row that is written whether it belongs into the index, and takes far longer for an IN than for these.
STATEMENTS = (
    "ALTER TABLE `process_instance` ADD COLUMN `trace` VARCHAR(64)",
    "CREATE INDEX `process_instance_undo_failed` ON `process_instance` (`status`)"
    " WHERE `status` = 'rollback.failed' OR `status` = 'cancel.failed' OR `status` = 'delete.failed'",
    "CREATE INDEX `task_left` ON `task` (`undo`) WHERE `undo` IS NOT NULL",
)
MYSQL_STATEMENTS = (
    "ALTER TABLE `process_instance` ADD COLUMN `trace` VARCHAR(64)",
    "CREATE INDEX `process_instance_phase` ON `process_instance` (`phase`, `status`)",
    "CREATE INDEX `task_left` ON `task` (`undo`)",
)


def up(migrator: Any, database: Database) -> None:
    for statement in MYSQL_STATEMENTS if isinstance(database, MySQLDatabase) else STATEMENTS:
        quoted = statement.replace("`", '"') if isinstance(database, PostgresqlDatabase) else statement
        database.execute_sql(quoted)
