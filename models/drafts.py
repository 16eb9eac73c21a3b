"""Drafts of models: what authors draw and have not saved, each compared with what its author has seen."""

from __future__ import annotations

from .commit.connection import Connection
from .databases.statements import Insert, Update, select
from .row_types.deployments import DraftRow
from .row_types.stored import is_id
from .row_types.tables import columns


class Drafts:
    """Those of one store; every method may raise StoreError. A draft has the id of its model, present or future."""

    def __init__(self, store: Connection) -> None:
        self._store = store

    def draft(self, model_id: str) -> DraftRow | None:
        return self._store.one(DraftRow, SELECT_DRAFT, (model_id,)) if is_id(model_id) else None

    def drafts(self, *, limit: int, cursor: tuple[int, str] | None) -> list[DraftRow]:
        """Newest first, after the one at ``cursor``: (created, id)."""
        condition, values = ("1 = 1", ()) if cursor is None else ("(`created`, `id`) < (?, ?)", cursor)
        sql = select("draft", DraftRow, f"{condition} ORDER BY `created` DESC, `id` DESC LIMIT ?")
        return self._store.rows(DraftRow, sql, (*values, limit))

    def put(self, row: DraftRow) -> None:
        """Within a transaction that holds what can be started: insert or replace."""
        if not self._store.put(UPDATE_DRAFT, row):
            self._store.put(INSERT_DRAFT, row)

    def remove(self, model_id: str) -> None:
        """Within such a transaction, or as one that nothing depends on."""
        self._store.run(DELETE_DRAFT, (model_id,))


SELECT_DRAFT = select("draft", DraftRow, "`id` = ?")
INSERT_DRAFT = Insert.of("draft", DraftRow)
UPDATE_DRAFT = Update("draft", columns(DraftRow)[1:], where=("id",))
DELETE_DRAFT = "DELETE FROM `draft` WHERE `id` = ?"
