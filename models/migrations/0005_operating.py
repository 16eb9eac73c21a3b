"""Where an instance's trace goes on, and indexes by which what needs a person is counted."""

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

STATEMENTS = (
    "ALTER TABLE `process_instance` ADD COLUMN `trace` VARCHAR(64)",
    "CREATE INDEX `process_instance_undo_failed` ON `process_instance` (`status`)"
    " WHERE `status` IN ('rollback.failed', 'cancel.failed', 'delete.failed')",
    "CREATE INDEX `task_left` ON `task` (`undo`) WHERE `undo` IN ('retained', 'skipped', 'failed')",
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
