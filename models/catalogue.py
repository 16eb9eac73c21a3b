"""The models and deployments of one store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from .commit.changes import OUT_OF_USE
from .commit.connection import Connection
from .commit.rare_changes import INSERT_DEPLOYMENT
from .databases.statements import Insert, Update, select
from .errors import AlreadyUsed
from .row_types.deployments import DeploymentRow, ModelRow
from .row_types.stored import is_id
from .row_types.tables import columns
from .vocabulary import TriggerKind

Row = TypeVar("Row")
Result = TypeVar("Result")
Trigger = tuple[TriggerKind, str, str]
"""What starts a deployment by itself: kind, name and start node."""

TagKind: TypeAlias = Literal["process", "decision", "form"]
Tag = tuple[TagKind, str, str]
"""By which version tag something in a deployment is found: kind, key or id, tag."""


class WantedVersion(NamedTuple):
    """Which version of a process or decision is meant: that of a number, the last with a tag, or the newest."""

    number: int | None = None
    tag: str | None = None

    def __str__(self) -> str:
        if self.tag is not None:
            return f" with the version tag {self.tag[:80]!r}"
        return "" if self.number is None else f" in version {self.number}"


NEWEST = WantedVersion()


class Catalogue:
    """What can be started; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self._store = store

    def model(self, model_id: str) -> ModelRow | None:
        return self._store.one(ModelRow, SELECT_MODEL, (model_id,)) if is_id(model_id) else None

    def model_of_key(self, key: str) -> ModelRow | None:
        """The model that was last edited under this key."""
        return self._store.one(ModelRow, SELECT_MODEL_OF_KEY, (key,))

    def save_model(self, row: ModelRow) -> None:
        """Insert or replace."""
        store = self._store
        store.write(lambda: store.put(UPDATE_MODEL, row) or store.put(INSERT_MODEL, row))

    def models(self, *, limit: int, cursor: tuple[int, str] | None, key: str | None) -> list[ModelRow]:
        """Newest first, after the model at ``cursor``: (created, id)."""
        return self._newest_first("process_model", ModelRow, "1 = 1", {"key": key}, cursor, limit)

    def deployment(self, deployment_id: str) -> DeploymentRow | None:
        return self._store.one(DeploymentRow, SELECT_DEPLOYMENT, (deployment_id,)) if is_id(deployment_id) else None

    def newest_deployment(self, key: str) -> DeploymentRow | None:
        """The highest numbered version of a key that is in use."""
        return self._store.one(DeploymentRow, SELECT_NEWEST_DEPLOYMENT, (key,))

    def newest_deployment_id(self, key: str) -> str | None:
        """Which one that is: a start needs no more of it, and its files may be large."""
        found = self._store.value(SELECT_NEWEST_DEPLOYMENT_ID, (key,))
        return None if found is None else str(found)

    def deployment_id(self, key: str, version: WantedVersion) -> str | None:
        """The same of one version that is in use, or of the newest."""
        if version.tag is not None:
            return self._tagged("process", key, version.tag)
        if version.number is None:
            return self.newest_deployment_id(key)
        sql = f"SELECT `id` FROM `deployment` WHERE `key` = ? AND `version` = ? AND {IN_USE}"
        found = self._store.value(sql, (key, version.number))
        return None if found is None else str(found)

    def deployment_id_between(self, first: str, last: str) -> str | None:
        """The id of the newest version in use from one id to another; few may lie between the two."""
        sql = f"SELECT `id` FROM `deployment` WHERE `id` BETWEEN ? AND ? AND {IN_USE} ORDER BY `created` DESC LIMIT 1"
        found = self._store.value(sql, (first, last))
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

    def alone(self, action: Callable[[], Result]) -> Result:
        """Read and change what can be started in one transaction, and nobody else meanwhile."""

        def held() -> Result:
            # Whoever numbers holds this row, so no two engines give one number to different content.
            self._store.run(LOCK_SEQUENCE)
            return action()

        return self._store.write(held)

    def add_deployment(self, row: DeploymentRow, triggers: Sequence[Trigger], tags: Sequence[Tag] = ()) -> None:
        """Add a version; ``triggers`` replace those of its key's version before, ``tags`` are beside those.

        Raises :class:`AlreadyUsed` if the key has this version or a higher one by now.
        """

        def add() -> None:
            newest = self.last_version(row.key) if row.version else 0
            if row.version and newest >= row.version:
                raise AlreadyUsed(f"version {newest} of {row.key!r} is there already")
            self._store.put(INSERT_DEPLOYMENT, row)
            if row.version:
                replace_triggers(self._store, row.key, row.id, triggers)
            for tag in tags:
                self._store.run(INSERT_TAG, (*tag, row.id))

        self.alone(add)

    def keep_sources(self, deployment_id: str, sources: str, *, instead_of: str) -> str:
        """Give a deployment its files where it has none; those that it has then, which may be another engine's."""
        if self._store.execute(UPDATE_SOURCES, (sources, deployment_id, instead_of)):
            return sources
        row = self.deployment(deployment_id)
        return sources if row is None else row.sources

    def start_triggers(self, kind: TriggerKind, name: str) -> list[tuple[str, str, str]]:
        """What this message or signal starts: key, deployment id, id of the start node."""
        sql = "SELECT `key`, `deployment_id`, `node` FROM `start_trigger` WHERE `kind` = ? AND `name` = ?"
        return [(str(key), str(deployment), str(node)) for key, deployment, node in self._store.read(sql, (kind, name))]

    def deployment_of_decision(self, decision_id: str, version: WantedVersion = NEWEST) -> str | None:
        """The id of the deployment that last brought a decision of this id, or else of this name.

        A number means another version of that deployment.
        """
        if version.tag is not None:
            return self._tagged("decision", decision_id, version.tag)
        found = self._store.value(SELECT_DECISION, (decision_id, decision_id, decision_id))
        if found is None or version.number is None:
            return None if found is None else str(found)
        other = self._store.value(SELECT_VERSION_LIKE, (found, version.number))
        return None if other is None else str(other)

    def deployment_of_form(self, form_id: str, version: WantedVersion = NEWEST) -> str | None:
        """The same of the deployment that last brought a form of this id."""
        if version.tag is not None:
            return self._tagged("form", form_id, version.tag)
        found = self._store.value(SELECT_FORM, (form_id,))
        if found is None or version.number is None:
            return None if found is None else str(found)
        other = self._store.value(SELECT_VERSION_LIKE, (found, version.number))
        return None if other is None else str(other)

    def _tagged(self, kind: TagKind, name: str, tag: str) -> str | None:
        """The id of the deployment in use that last brought what has this tag."""
        found = self._store.value(SELECT_TAGGED, (kind, name, tag))
        return None if found is None else str(found)

    def decisions(self, *, limit: int, after: str | None) -> list[tuple[str, str, str, str, int]]:
        """Decisions by id, after that id: their ids and names, key, deployment id and version."""
        rows = self._store.read(SELECT_DECISIONS, (after or "", limit))
        return [(str(name), str(node), str(key), str(deployment), int(n)) for name, node, key, deployment, n in rows]

    def decisions_of(self, key: str) -> list[str]:
        """The ids of the decisions in the newest version of a key."""
        sql = "SELECT `name` FROM `start_trigger` WHERE `kind` = 'decision' AND `key` = ?"
        return [str(name) for (name,) in self._store.read(sql, (key,))]

    def decisions_in(self, key: str, deployment_id: str) -> list[tuple[str, str]]:
        """The ids and names of the decisions in a deployment that is the newest of its key, by id."""
        sql = (
            "SELECT `name`, `node` FROM `start_trigger`"
            " WHERE `kind` = 'decision' AND `key` = ? AND `deployment_id` = ? ORDER BY `name`"
        )
        return [(str(name), str(node)) for name, node in self._store.read(sql, (key, deployment_id))]

    def due_start_timers(self, first: str, before: str, limit: int) -> list[tuple[str, str, str, str]]:
        """The start timers whose text sorts between these: key, deployment id, node, text."""
        sql = (
            "SELECT `key`, `deployment_id`, `node`, `name` FROM `start_trigger`"
            " WHERE `kind` = 'timer' AND `name` >= ? AND `name` < ? ORDER BY `name` LIMIT ?"
        )
        found = self._store.read(sql, (first, before, limit))
        return [(str(key), str(deployment), str(node), str(name)) for key, deployment, node, name in found]

    def start_timers(self, deployment_id: str) -> list[tuple[str, str]]:
        """The start timers of a deployment that is the newest of its key: node, text."""
        sql = "SELECT `node`, `name` FROM `start_trigger` WHERE `kind` = 'timer' AND `deployment_id` = ?"
        return [(str(node), str(name)) for node, name in self._store.read(sql, (deployment_id,))]

    def deployments(
        self, *, limit: int, cursor: tuple[int, str] | None, key: str | None, model_id: str | None
    ) -> list[DeploymentRow]:
        """Numbered versions, newest first, after the one at ``cursor``: (created, id)."""
        if model_id is not None and not is_id(model_id):
            return []
        wanted = {"key": key, "model_id": model_id}
        return self._newest_first("deployment", DeploymentRow, IN_USE, wanted, cursor, limit)

    def _newest_first(
        self,
        table: str,
        row: type[Row],
        condition: str,
        wanted: Mapping[str, str | None],
        cursor: tuple[int, str] | None,
        limit: int,
    ) -> list[Row]:
        values: list[Any] = []
        for column, value in wanted.items():
            if value is not None:
                condition += f" AND `{column}` = ?"
                values.append(value)
        if cursor is not None:
            condition += " AND (`created`, `id`) < (?, ?)"
            values.extend(cursor)
        # What may be large in the rows is read of the part alone: of one key there may be very many.
        part = f"SELECT `id` FROM `{table}` WHERE {condition} ORDER BY `created` DESC, `id` DESC LIMIT ?"
        sql = select(table, row, f"`id` IN (SELECT `id` FROM ({part}) AS part) ORDER BY `created` DESC, `id` DESC")
        return self._store.rows(row, sql, (*values, limit))


def replace_triggers(store: Connection, key: str, deployment_id: str | None, triggers: Sequence[Trigger]) -> None:
    """Within a transaction: what starts a key from now on, which is the version that does it."""
    store.run("DELETE FROM `start_trigger` WHERE `key` = ?", (key,))
    for kind, name, node in triggers:
        store.run(INSERT_TRIGGER, (key, kind, name, node, deployment_id))


IN_USE = "`version` > 0 AND `removed` IS NULL"
_NEWEST = f"`key` = ? AND {IN_USE} ORDER BY `version` DESC LIMIT 1"
SELECT_MODEL = select("process_model", ModelRow, "`id` = ?")
SELECT_MODEL_OF_KEY = select("process_model", ModelRow, "`key` = ? ORDER BY `updated` DESC LIMIT 1")
INSERT_MODEL = Insert.of("process_model", ModelRow)
UPDATE_MODEL = Update("process_model", columns(ModelRow)[1:], where=("id",))
SELECT_DEPLOYMENT = select("deployment", DeploymentRow, "`id` = ?")
UPDATE_SOURCES = "UPDATE `deployment` SET `sources` = ? WHERE `id` = ? AND `sources` = ?"
SELECT_NEWEST_DEPLOYMENT = select("deployment", DeploymentRow, _NEWEST)
SELECT_NEWEST_DEPLOYMENT_ID = f"SELECT `id` FROM `deployment` WHERE {_NEWEST}"
SELECT_SAME_VERSION = select(
    "deployment", DeploymentRow, f"`key` = ? AND `digest` = ? AND {IN_USE} ORDER BY `version` DESC LIMIT 1"
)
SELECT_SAME_SNAPSHOT = select("deployment", DeploymentRow, "`key` = ? AND `digest` = ? AND `version` = 0 LIMIT 1")
LOCK_SEQUENCE = "UPDATE `sequence` SET `next` = `next` WHERE `name` = 'id'"
_OF_DECISIONS = "FROM `start_trigger` t JOIN `deployment` d ON d.`id` = t.`deployment_id` WHERE t.`kind` = 'decision'"
SELECT_DECISION = (
    f"SELECT d.`id` {_OF_DECISIONS} AND (t.`name` = ? OR t.`node` = ?)"
    " ORDER BY CASE WHEN t.`name` = ? THEN 0 ELSE 1 END, d.`created` DESC, d.`id` DESC LIMIT 1"
)
SELECT_FORM = (
    "SELECT d.`id` FROM `start_trigger` t JOIN `deployment` d ON d.`id` = t.`deployment_id` WHERE t.`kind` = 'form'"
    " AND t.`name` = ? ORDER BY d.`created` DESC, d.`id` DESC LIMIT 1"
)
SELECT_DECISIONS = (
    f"SELECT t.`name`, t.`node`, d.`key`, d.`id`, d.`version` {_OF_DECISIONS}"
    " AND t.`name` > ? ORDER BY t.`name`, d.`created` DESC LIMIT ?"
)
SELECT_VERSION_LIKE = (
    f"SELECT `id` FROM `deployment` WHERE `key` = (SELECT `key` FROM `deployment` WHERE `id` = ?)"
    f" AND `version` = ? AND {IN_USE}"
)
SELECT_TAGGED = (
    "SELECT d.`id` FROM `version_tag` t JOIN `deployment` d ON d.`id` = t.`deployment_id` WHERE t.`kind` = ?"
    f" AND t.`name` = ? AND t.`tag` = ? AND {IN_USE} ORDER BY d.`created` DESC, d.`version` DESC LIMIT 1"
)
INSERT_TAG = "INSERT INTO `version_tag` (`kind`, `name`, `tag`, `deployment_id`) VALUES (?, ?, ?, ?)"
INSERT_TRIGGER = "INSERT INTO `start_trigger` (`key`, `kind`, `name`, `node`, `deployment_id`) VALUES (?, ?, ?, ?, ?)"
