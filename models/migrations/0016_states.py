"""How a process instance has ended and for whom it waits, each found by an index."""

from __future__ import annotations

from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

ENDED = (
    "CASE WHEN `status` = 'success' THEN 'success'"
    " WHEN `status` IN ('failed', 'rollback.begin', 'rollback.success', 'rollback.failed') THEN 'failed'"
    " WHEN `status` IN ('cancel.begin', 'cancel.success', 'cancel.failed') THEN 'canceled'"
    " WHEN `rollback_id` IS NOT NULL THEN 'failed'"
    " WHEN `cancel_id` IS NOT NULL THEN 'canceled' WHEN `reason` IS NOT NULL THEN 'failed' ELSE 'success' END"
)
PAUSED = (
    "`attention` > 0 OR `phase` = 'paused'"
    " OR (`phase` = 'ended' AND `status` IN ('rollback.failed', 'cancel.failed', 'delete.failed'))"
)
PERSON = (
    "EXISTS (SELECT 1 FROM `task` WHERE `task`.`process_instance_id` = `process_instance`.`process_instance_id`"
    " AND `open` = 1 AND `event` = 'user')"
)
EVENT = (
    "EXISTS (SELECT 1 FROM `wait` WHERE `wait`.`process_instance_id` = `process_instance`.`process_instance_id`)"
    " AND NOT EXISTS (SELECT 1 FROM `task`"
    " WHERE `task`.`process_instance_id` = `process_instance`.`process_instance_id` AND `open` = 1)"
)
STATEMENTS = (
    "ALTER TABLE `process_instance` ADD COLUMN `outcome` VARCHAR(16)",
    "ALTER TABLE `process_instance` ADD COLUMN `awaits` VARCHAR(16)",
    f"UPDATE `process_instance` SET `outcome` = {ENDED} WHERE `ended` IS NOT NULL",
    f"UPDATE `process_instance` SET `awaits` = 'attention' WHERE {PAUSED}",
    f"UPDATE `process_instance` SET `awaits` = 'person' WHERE `phase` = 'running' AND `attention` = 0 AND {PERSON}",
    f"UPDATE `process_instance` SET `awaits` = 'event' WHERE `phase` = 'running' AND `attention` = 0 AND {EVENT}",
    "CREATE INDEX `process_instance_outcome` ON `process_instance` (`outcome`, `process_instance_id`)"
    " WHERE `outcome` IS NOT NULL",
    "CREATE INDEX `process_instance_awaits` ON `process_instance` (`awaits`, `process_instance_id`)"
    " WHERE `awaits` IS NOT NULL",
)


def up(migrator: Any, database: Database) -> None:
    for statement in STATEMENTS:
        text = statement
        if isinstance(database, MySQLDatabase) and statement.startswith("CREATE"):
            text = statement.partition(" WHERE ")[0]
        database.execute_sql(text.replace("`", '"') if isinstance(database, PostgresqlDatabase) else text)
