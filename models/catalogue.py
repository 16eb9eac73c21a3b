"""The models and deployments of one store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .changes import OUT_OF_USE
from .errors import AlreadyUsed
from .rows import DeploymentRow, ModelRow, columns
from .statements import select

if TYPE_CHECKING:
    from .store import Store


class Catalogue:
    """What can be started; every method may raise StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def model(self, model_id: str) -> ModelRow | None:
        return self._store.one(ModelRow, SELECT_MODEL, (model_id,))

    def model_of_key(self, key: str) -> ModelRow | None:
        """The model that was last edited under this key."""
        return self._store.one(ModelRow, SELECT_MODEL_OF_KEY, (key,))

    def save_model(self, row: ModelRow) -> None:
        """Insert or replace."""
        from .tables import ProcessModel

        values = {column: getattr(row, column) for column in columns(ModelRow)}

        def save() -> None:
            changed = ProcessModel.update(values).where(ProcessModel.id == row.id).execute(self._store.database)
            if not changed:
                ProcessModel.insert(values).execute(self._store.database)

        self._store.write(save)

    def models(self, *, limit: int, cursor: tuple[int, str] | None, key: str | None) -> list[ModelRow]:
        """Newest first, after the model at ``cursor``: (created, id)."""
        from .tables import ProcessModel

        query = ProcessModel.select(*(getattr(ProcessModel, column) for column in columns(ModelRow)))
        if key is not None:
            query = query.where(ProcessModel.key == key)
        return self._store.query(ModelRow, _newest_first(query, ProcessModel, cursor, limit))

    def deployment(self, deployment_id: str) -> DeploymentRow | None:
        return self._store.one(DeploymentRow, SELECT_DEPLOYMENT, (deployment_id,))

    def newest_deployment(self, key: str) -> DeploymentRow | None:
        """The highest numbered version of a key that is in use."""
        return self._store.one(DeploymentRow, SELECT_NEWEST_DEPLOYMENT, (key,))

    def newest_deployment_id(self, key: str) -> str | None:
        """Which one that is: a start needs no more of it, and its files may be large."""
        found = self._store.value(SELECT_NEWEST_DEPLOYMENT_ID, (key,))
        return None if found is None else str(found)

    def last_version(self, key: str) -> int:
        """The highest number that a version of this key ever had, 0 if there was none."""
        return int(self._store.value("SELECT MAX(`version`) FROM `deployment` WHERE `key` = ?", (key,)) or 0)

    def is_in_use(self, deployment_id: str) -> bool:
        """Whether there is such a deployment, and it was not removed."""
        return self._store.value(OUT_OF_USE, (deployment_id,)) is None

    def is_protected(self, model_id: str) -> bool:
        """Whether what the processes of a model made is protected."""
        return bool(self._store.value("SELECT `protected` FROM `process_model` WHERE `id` = ?", (model_id,)))

    def deployment_of_digest(self, key: str, digest: str, *, numbered: bool) -> DeploymentRow | None:
        """The version (or, not ``numbered``, the trial snapshot) of a key with exactly this content."""
        return self._store.one(DeploymentRow, SELECT_SAME_VERSION if numbered else SELECT_SAME_SNAPSHOT, (key, digest))

    def add_deployment(self, row: DeploymentRow, triggers: Sequence[tuple[str, str, str]]) -> None:
        """Add a version; ``triggers`` (kind, name, node) replace those of its key's version before.

        Raises :class:`AlreadyUsed` if the key has this version or a higher one by now.
        """
        from .tables import Deployment

        values = {column: getattr(row, column) for column in columns(DeploymentRow)}

        def add() -> None:
            # Whoever numbers holds this row, so no two engines give one number to different content.
            self._store.run(LOCK_SEQUENCE)
            newest = self.last_version(row.key) if row.version else 0
            if row.version and newest >= row.version:
                raise AlreadyUsed(f"version {newest} of {row.key!r} is there already")
            Deployment.insert(values).execute(self._store.database)
            if row.version:
                self._store.run("DELETE FROM `start_trigger` WHERE `key` = ?", (row.key,))
            for kind, name, node in triggers:
                self._store.run(INSERT_TRIGGER, (row.key, kind, name, node, row.id))

        self._store.write(add)

    def start_triggers(self, kind: str, name: str) -> list[tuple[str, str, str]]:
        """What this message or signal starts: key, deployment id, id of the start node."""
        sql = "SELECT `key`, `deployment_id`, `node` FROM `start_trigger` WHERE `kind` = ? AND `name` = ?"
        return [(str(key), str(deployment), str(node)) for key, deployment, node in self._store.read(sql, (kind, name))]

    def due_start_timers(self, before: str, limit: int) -> list[tuple[str, str, str, str]]:
        """The start timers whose text sorts before this one: key, deployment id, node, text."""
        sql = (
            "SELECT `key`, `deployment_id`, `node`, `name` FROM `start_trigger`"
            " WHERE `kind` = 'timer' AND `name` < ? ORDER BY `name` LIMIT ?"
        )
        found = self._store.read(sql, (before, limit))
        return [(str(key), str(deployment), str(node), str(name)) for key, deployment, node, name in found]

    def deployments(
        self, *, limit: int, cursor: tuple[int, str] | None, key: str | None, model_id: str | None
    ) -> list[DeploymentRow]:
        """Numbered versions, newest first, after the one at ``cursor``: (created, id)."""
        from .tables import Deployment

        query = Deployment.select(*(getattr(Deployment, column) for column in columns(DeploymentRow)))
        query = query.where((Deployment.version > 0) & Deployment.removed.is_null())
        if key is not None:
            query = query.where(Deployment.key == key)
        if model_id is not None:
            query = query.where(Deployment.model_id == model_id)
        return self._store.query(DeploymentRow, _newest_first(query, Deployment, cursor, limit))


def _newest_first(query: Any, table: Any, cursor: tuple[int, str] | None, limit: int) -> Any:
    if cursor is not None:
        created, number = cursor
        query = query.where((table.created < created) | ((table.created == created) & (table.id < number)))
    return query.order_by(table.created.desc(), table.id.desc()).limit(limit)


_NEWEST = "`key` = ? AND `version` > 0 AND `removed` IS NULL ORDER BY `version` DESC LIMIT 1"
SELECT_MODEL = select("process_model", ModelRow, "`id` = ?")
SELECT_MODEL_OF_KEY = select("process_model", ModelRow, "`key` = ? ORDER BY `updated` DESC LIMIT 1")
SELECT_DEPLOYMENT = select("deployment", DeploymentRow, "`id` = ?")
SELECT_NEWEST_DEPLOYMENT = select("deployment", DeploymentRow, _NEWEST)
SELECT_NEWEST_DEPLOYMENT_ID = f"SELECT `id` FROM `deployment` WHERE {_NEWEST}"
SELECT_SAME_VERSION = select(
    "deployment",
    DeploymentRow,
    "`key` = ? AND `digest` = ? AND `version` > 0 AND `removed` IS NULL ORDER BY `version` DESC LIMIT 1",
)
SELECT_SAME_SNAPSHOT = select("deployment", DeploymentRow, "`key` = ? AND `digest` = ? AND `version` = 0 LIMIT 1")
LOCK_SEQUENCE = "UPDATE `sequence` SET `next` = `next` WHERE `name` = 'id'"
INSERT_TRIGGER = "INSERT INTO `start_trigger` (`key`, `kind`, `name`, `node`, `deployment_id`) VALUES (?, ?, ?, ?, ?)"
