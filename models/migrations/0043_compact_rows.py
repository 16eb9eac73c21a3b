"""Rows in less room, above all on PostgreSQL: ids take 16 bytes, words of a vocabulary 4, numbers what they need.

There, the two tables with a row for each process and each task are made anew, with their columns in the order in which
nothing is lost between them. One index gets smaller on SQLite too: most have succeeded, and ``outcome`` finds those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase

# As models/vocabulary.py had them when this was written; a later word is added by a migration of its own.
HOOKS = ("start", "monitor", "rollback", "cancel", "delete", "mock")
WORDS = (
    *HOOKS,
    *("check", "rollback_monitor", "cancel_monitor", "delete_monitor", "user", "activity", "compensation", "rewind"),
    *("running", "debug", "success", "failed", "canceled", "unknown", "stone-missing", "suspended", "queued"),
    *("produce.success", "produce.failed", "start.skipped", "mock.passed"),
    *(f"{hook}.{word}" for hook in HOOKS for word in ("begin", "success", "failed")),
    *("rollback.skipped", "rollback.retained", "cancel.retained", "delete.skipped", "delete.retained"),
    *("created", "draining", "paused", "undoing", "ended", "attention", "person", "event", "stone", "quota"),
    *("undone", "left", "retained", "skipped", "never-begun"),
)
INSTANCES = {
    **dict.fromkeys(("id", "model_id", "deployment_id"), "uuid"),
    **dict.fromkeys(("kind", "status", "phase", "outcome", "awaits"), "vocabulary"),
    **dict.fromkeys(("revision", "next_token", "steps", "retraced", "history", "priority", "changed"), "integer"),
}
TASKS = {
    **dict.fromkeys(("kind", "event", "status", "undo"), "vocabulary"),
    **dict.fromkeys(("token", "scope"), "integer"),
    **dict.fromkeys(("open", "progress", "lost"), "smallint"),
}
IDS = (
    ("process_model", "id"),
    ("draft", "id"),
    ("deployment", "id"),
    ("deployment", "model_id"),
    ("start_trigger", "deployment_id"),
    ("version_tag", "deployment_id"),
    ("stone_use", "deployment_id"),
)
WIDTHS = ("bigint", "integer", "vocabulary", "smallint", "uuid")
"""In the order of what a column begins at a multiple of."""
GROWING = ("task_pkey", "task_process_instance_id", "process_instance_pkey", "process_instance_started")
"""Indexes that grow at their end, where no page needs room for what comes between."""
PIECE = 100_000
"""Rows that one statement copies: the server has to answer each within a time."""
STATUS = (
    "DROP INDEX `process_instance_status`",
    "CREATE INDEX `process_instance_status` ON `process_instance` (`status`, `process_instance_id`)"
    " WHERE `status` <> 'success'",
)
DEPLOYMENT = (
    # Nobody asks for the order within a version, and PostgreSQL says once what all entries have in common.
    "DROP INDEX `process_instance_deployment`",
    "CREATE INDEX `process_instance_deployment` ON `process_instance` (`deployment_id`)",
)
COLUMNS = (
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute"
    " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
    " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
INDEXES = (
    "SELECT relname, indisprimary, pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " WHERE indrelid = %s::regclass"
)
GRANTS = (
    "SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type"
    " FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = %s::regclass AND grantee <> relowner"
)


def up(migrator: Any, database: Database) -> None:
    if isinstance(database, PostgresqlDatabase):
        words = ", ".join(f"'{word}'" for word in WORDS)
        database.execute_sql(f"CREATE TYPE vocabulary AS ENUM ({words})")
        database.execute_sql("CREATE CAST (text AS vocabulary) WITH INOUT AS ASSIGNMENT")
        for table, column in IDS:
            database.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE uuid USING "{column}"::uuid')
        _made_anew(database, "task", "id", TASKS)
        _made_anew(database, "process_instance", "process_instance_id", INSTANCES)
        for statement in (*DEPLOYMENT, *STATUS):
            database.execute_sql(statement.replace("`", '"'))
    elif not isinstance(database, MySQLDatabase):
        for statement in STATUS:
            database.execute_sql(statement)


def _made_anew(database: Database, table: str, key: str, types: Mapping[str, str]) -> None:
    """Copy a table into one with these types, with what it has of indexes and grants."""

    def run(sql: str, *values: Any) -> Any:
        return database.execute_sql(sql, values or None)

    def place(column: tuple[str, str, bool, str | None]) -> int:
        kind = types.get(column[0], column[1])
        return WIDTHS.index(kind) if kind in WIDTHS else len(WIDTHS)

    columns = sorted(run(COLUMNS, table).fetchall(), key=place)
    indexes, grants = run(INDEXES, table).fetchall(), run(GRANTS, table).fetchall()
    old = f"old_{table}"
    run(f'ALTER TABLE "{table}" RENAME TO "{old}"')
    for name, is_primary, _ in indexes:
        run(f'ALTER INDEX "{name}" RENAME TO "old_{name}"' if is_primary else f'DROP INDEX "{name}"')
    made = (
        f'"{name}" {types.get(name, kind)}{" NOT NULL" if needed else ""}{f" DEFAULT {other}" if other else ""}'
        for name, kind, needed, other in columns
    )
    run(f'CREATE TABLE "{table}" ({", ".join(made)}, CONSTRAINT "{table}_pkey" PRIMARY KEY ("{key}"))')
    for name, is_primary, text in indexes:
        if not is_primary:
            # What a condition compares were texts.
            run(text.replace("::text", "").replace(old, table))
        if name in GROWING:
            run(f'ALTER INDEX "{name}" SET (fillfactor = 100)')
    for role, right in grants:
        run(f'GRANT {right} ON "{table}" TO {role}')
    names = ", ".join(f'"{name}"' for name, *_ in columns)
    values = ", ".join(f'"{name}"::text::{types[name]}' if name in types else f'"{name}"' for name, *_ in columns)
    after = 0
    while True:
        piece = f'SELECT * FROM "{old}" WHERE "{key}" > %s ORDER BY "{key}" LIMIT {PIECE}'
        (last,) = run(f'SELECT MAX("{key}") FROM ({piece}) AS piece', after).fetchone()
        if last is None:
            break
        run(f'INSERT INTO "{table}" ({names}) SELECT {values} FROM ({piece}) AS piece ORDER BY "{key}"', after)
        after = last
    run(f'DROP TABLE "{old}"')
    if after:
        # Of an empty one it would say that there never is much in it, and no index would be used.
        run(f'ANALYZE "{table}"')
