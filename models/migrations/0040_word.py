"""By what lists are found quickly: the words of processes, and indexes of their statuses and kinds."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from peewee import Database, MySQLDatabase, PostgresqlDatabase, SqliteDatabase

# As models/words.py made them when this was written; another way of making them needs a migration of its own.
UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+")

PIECE = 5_000
TABLE = (
    "CREATE TABLE `word` (`word` VARCHAR(64){sorted} NOT NULL, `process_instance_id` BIGINT NOT NULL,"
    " PRIMARY KEY (`word`, `process_instance_id`)){rowid}"
)
STATEMENTS = (
    "CREATE INDEX `process_instance_status` ON `process_instance` (`status`, `process_instance_id`)",
    # Most are forward runs, which no index has to tell.
    "CREATE INDEX `process_instance_kind` ON `process_instance` (`kind`, `process_instance_id`)"
    " WHERE `kind` <> 'start'",
    # The keys of all versions are read from it.
    "DROP INDEX `deployment_model_id`",
    "CREATE INDEX `deployment_model` ON `deployment` (`model_id`, `key`)",
)


def words_of(kind: str, key: str, name: str, business_key: str | None) -> list[str]:
    """The words of a process: of its name, its business key, and of the key that only an undo has."""
    found: dict[str, None] = {}
    for text in (name, business_key or "", key if kind != "start" else ""):
        some: dict[str, None] = {}
        for word in WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
            places = range(len(word)) if re.match(f"[{UNSPACED}]", word) else (0,)
            some.update(dict.fromkeys(word[place : place + 64] for place in places))
        found.update(dict.fromkeys([*some][:40]))
    return [*found][:40]


def up(migrator: Any, database: Database) -> None:
    mysql = isinstance(database, MySQLDatabase)
    postgresql = isinstance(database, PostgresqlDatabase)

    def run(text: str, values: tuple[Any, ...] = ()) -> Any:
        if postgresql:
            text = text.replace("`", '"')
        return database.execute_sql(text if isinstance(database, SqliteDatabase) else text.replace("?", "%s"), values)

    # Sorted by the numbers of its signs, so that what begins with the same signs stands side by side.
    order = " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if mysql else ' COLLATE "C"' if postgresql else ""
    run(TABLE.format(sorted=order, rowid=" WITHOUT ROWID" if isinstance(database, SqliteDatabase) else ""))
    for text in STATEMENTS:
        if mysql and text.startswith("DROP"):
            text += " ON `deployment`"
        run(text.partition(" WHERE ")[0] if mysql else text)
    after = 0
    while True:
        rows = run(
            "SELECT `process_instance_id`, `kind`, `key`, `name`, `business_key` FROM `process_instance`"
            f" WHERE `process_instance_id` > ? ORDER BY `process_instance_id` LIMIT {PIECE}",
            (after,),
        ).fetchall()
        if not rows:
            return
        words = [(word, number) for number, *named in rows for word in words_of(*named)]
        for start in range(0, len(words), 400):
            part = words[start : start + 400]
            marks = ", ".join(["(?, ?)"] * len(part))
            run(
                f"INSERT INTO `word` (`word`, `process_instance_id`) VALUES {marks}",
                tuple(v for row in part for v in row),
            )
        after = rows[-1][0]
