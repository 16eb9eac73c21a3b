"""Writing what is stored anew with another key, while engines go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .commit.connection import Connection
from .databases.cipher import COLUMNS, MARK, PLAIN, Cipher
from .databases.statements import listed, marks
from .errors import NoKeyFits

IDENTIFIED_BY = {
    "content": ("process_instance_id",),
    "changed_variable": ("process_instance_id", "name"),
    "ledger_fold": ("process_instance_id",),
    "task": ("id",),
    "token": ("process_instance_id", "id"),
    "event": ("id",),
    "kept_message": ("id",),
    "decision_made": ("id",),
    "retrace": ("process_instance_id", "number"),
    "process_instance": ("process_instance_id",),
    "token_secret": ("number",),
    "webhook_secret": ("id",),
    "variable": ("process_instance_id", "name"),
    "history": ("process_instance_id", "number"),
    "batch": ("id",),
    "batch_item": ("batch_id", "number"),
    "task_check": ("task_id",),
    "quota": ("id",),
}


def encrypt_again(store: Connection, cipher: Cipher, *, batch: int = 200) -> int:
    """Write everything that is stored anew with the first key; how many values there were.

    Engines may go on meanwhile: what they change in between is left as they wrote it. Raises StoreError.
    """
    return sum(
        _rewrite(store, cipher, table, column, batch) for table, columns in COLUMNS.items() for column in columns
    )


def _rewrite(store: Connection, cipher: Cipher, table: str, column: str, batch: int) -> int:
    names = IDENTIFIED_BY[table]
    condition = " AND ".join(f"`{name}` = ?" for name in names)
    # What is found by a digest is found by that of the new key.
    found_by = table == "variable"
    also = ", `digest` = ?" if found_by else ""
    sql = f"UPDATE `{table}` SET `{column}` = ?{also} WHERE {condition} AND `{column}` = ?"
    count = 0
    for *identifier, stored in _all(store, table, column, names, batch):
        text = cipher.decrypt(stored) if stored.startswith(MARK) else stored
        if text is None and column not in PLAIN:
            raise NoKeyFits(f"the column {column} of {table} is encrypted and no key fits: give the old key too")
        clear = stored if text is None else text
        digest = cipher.digests(clear)[:1] if found_by else ()
        count += store.execute(sql, (cipher.encrypt(clear), *digest, *identifier, stored))
    return count


def _all(store: Connection, table: str, column: str, names: Sequence[str], batch: int) -> Iterator[tuple[Any, ...]]:
    order = listed(names)
    after: tuple[Any, ...] = ()
    while True:
        beyond = f" AND ({order}) > ({marks(names)})" if after else ""
        sql = f"SELECT {order}, `{column}` FROM `{table}` WHERE `{column}` IS NOT NULL{beyond} ORDER BY {order} LIMIT ?"
        found = store.read(sql, (*after, batch))
        yield from found
        if len(found) < batch:
            return
        after = found[-1][:-1]
