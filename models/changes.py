"""All that one transaction writes, as constant statements over plain rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from .errors import RevisionConflict
from .rows import ContentRow, DeploymentRow, EventRow, InstanceRow, TaskRow, TokenRow, WaitRow, columns

INSTANCE_STEP = ("revision", "next_token", "steps")
"""What every step changes of an instance. SQLite rewrites an index whose column is set, even to the same value,
so the rest is set only where it differs."""
INSTANCE_STATE = (
    "status",
    "phase",
    "flags",
    "ended",
    "due",
    "reason",
    "rollback_id",
    "cancel_id",
    "delete_id",
    "pending",
)
TASK_SET = (
    "event",
    "status",
    "open",
    "attempt",
    "generation",
    "parameters",
    "outputs",
    "state",
    "progress",
    "reason",
    "log",
    "after",
    "locals",
    "policy",
    "undo",
    "ended",
    "due",
    "owner",
    "deadline",
)
TOKEN_SET = ("scope", "state", "flow", "internal", "locals", "causes")


def _insert(table: str, row: type[Any]) -> tuple[str, attrgetter[Any]]:
    names = columns(row)
    marks = ", ".join("?" * len(names))
    quoted = ", ".join(f"`{name}`" for name in names)
    return f"INSERT INTO `{table}` ({quoted}) VALUES ({marks})", attrgetter(*names)


def _update(table: str, names: tuple[str, ...], where: tuple[str, ...]) -> tuple[str, attrgetter[Any]]:
    assignments = ", ".join(f"`{name}` = ?" for name in names)
    condition = " AND ".join(f"`{name}` = ?" for name in where)
    return f"UPDATE `{table}` SET {assignments} WHERE {condition}", attrgetter(*names, *where)


INSERT_INSTANCE, INSTANCE_VALUES = _insert("process_instance", InstanceRow)
INSERT_CONTENT, CONTENT_VALUES = _insert("content", ContentRow)
INSERT_TASK, TASK_VALUES = _insert("task", TaskRow)
INSERT_TOKEN, TOKEN_VALUES = _insert("token", TokenRow)
INSERT_WAIT, WAIT_VALUES = _insert("wait", WaitRow)
INSERT_EVENT, EVENT_VALUES = _insert("event", EventRow)
INSERT_DEPLOYMENT, DEPLOYMENT_VALUES = _insert("deployment", DeploymentRow)
UPDATE_INSTANCE, INSTANCE_UPDATE_VALUES = _update(
    "process_instance", INSTANCE_STEP + INSTANCE_STATE, ("process_instance_id",)
)
UPDATE_INSTANCE += " AND `revision` = ?"
STEP_INSTANCE, INSTANCE_STEP_VALUES = _update("process_instance", INSTANCE_STEP, ("process_instance_id",))
STEP_INSTANCE += " AND `revision` = ?"
INSTANCE_STATE_VALUES = attrgetter(*INSTANCE_STATE)
UPDATE_CONTENT, CONTENT_UPDATE_VALUES = _update("content", ("variables", "outputs"), ("process_instance_id",))
UPDATE_TASK, TASK_UPDATE_VALUES = _update("task", TASK_SET, ("id",))
UPDATE_TOKEN, TOKEN_UPDATE_VALUES = _update("token", TOKEN_SET, ("process_instance_id", "id"))
DELETE_TOKEN = "DELETE FROM `token` WHERE `process_instance_id` = ? AND `id` = ?"
DELETE_WAIT = "DELETE FROM `wait` WHERE `process_instance_id` = ? AND `token` = ?"
DELETE_EVENT = "DELETE FROM `event` WHERE `id` = ?"
INSERT_START_REQUEST = (
    "INSERT INTO `start_request` (`idempotency_key`, `digest`, `process_instance_id`, `created`) VALUES (?, ?, ?, ?)"
)

STATEMENTS = (
    INSERT_INSTANCE,
    INSERT_CONTENT,
    INSERT_TASK,
    INSERT_TOKEN,
    INSERT_WAIT,
    INSERT_EVENT,
    INSERT_DEPLOYMENT,
    UPDATE_INSTANCE,
    STEP_INSTANCE,
    UPDATE_CONTENT,
    UPDATE_TASK,
    UPDATE_TOKEN,
    DELETE_TOKEN,
    DELETE_WAIT,
    DELETE_EVENT,
    INSERT_START_REQUEST,
)


@dataclass(slots=True)
class Changes:
    """What steps have changed since the last commit; rows are read only when it is written."""

    new_instances: dict[int, InstanceRow] = field(default_factory=dict)
    new_contents: dict[int, ContentRow] = field(default_factory=dict)
    new_deployments: list[DeploymentRow] = field(default_factory=list)
    new_start_requests: list[tuple[str, str, int, int]] = field(default_factory=list)
    instances: dict[int, tuple[InstanceRow, int]] = field(default_factory=dict)
    """Changed instances, each with the revision that the store must still hold."""
    states: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    """Of each changed instance the state that the store still holds."""
    contents: dict[int, ContentRow] = field(default_factory=dict)
    new_tasks: dict[int, TaskRow] = field(default_factory=dict)
    tasks: dict[int, TaskRow] = field(default_factory=dict)
    new_tokens: dict[tuple[int, int], TokenRow] = field(default_factory=dict)
    tokens: dict[tuple[int, int], TokenRow] = field(default_factory=dict)
    gone_tokens: set[tuple[int, int]] = field(default_factory=set)
    new_waits: list[WaitRow] = field(default_factory=list)
    gone_waits: set[tuple[int, int]] = field(default_factory=set)
    new_events: list[EventRow] = field(default_factory=list)
    gone_events: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.new_instances
            or self.instances
            or self.tasks
            or self.gone_events
            or self.new_events
            or self.new_deployments
        )

    def task_changed(self, row: TaskRow) -> None:
        """The row is written with this commit, as an update unless it is new."""
        if row.id not in self.new_tasks:
            self.tasks[row.id] = row

    def instance_changed(self, row: InstanceRow) -> None:
        """The row's revision goes up with this commit, once however many steps it carries."""
        number = row.process_instance_id
        if number not in self.new_instances and number not in self.instances:
            self.instances[number] = (row, row.revision)
            row.revision += 1

    def instance_joins(self, row: InstanceRow) -> None:
        """Remember the stored state of an instance before a step of this transaction changes it."""
        if row.process_instance_id not in self.states:
            self.states[row.process_instance_id] = INSTANCE_STATE_VALUES(row)

    def content_changed(self, row: ContentRow) -> None:
        """The row is written with this commit, as an update unless it is new."""
        if row.process_instance_id not in self.new_contents:
            self.contents[row.process_instance_id] = row

    def write(self, connection: Any, sql: dict[str, str]) -> None:
        """Run the statements on a DB-API connection inside an open transaction; ``sql`` gives each its dialect.

        Raises :class:`RevisionConflict` where an instance no longer has the revision that was read.
        """
        cursor = connection.cursor()
        if self.instances:
            steps: list[tuple[Any, ...]] = []
            states: list[tuple[Any, ...]] = []
            for row, expected in self.instances.values():
                if self.states.get(row.process_instance_id) == INSTANCE_STATE_VALUES(row):
                    steps.append((*INSTANCE_STEP_VALUES(row), expected))
                else:
                    states.append((*INSTANCE_UPDATE_VALUES(row), expected))
            self._compare_and_set(cursor, sql[STEP_INSTANCE], steps)
            self._compare_and_set(cursor, sql[UPDATE_INSTANCE], states)
        many = (
            (INSERT_DEPLOYMENT, DEPLOYMENT_VALUES, self.new_deployments),
            (INSERT_INSTANCE, INSTANCE_VALUES, self.new_instances.values()),
            (INSERT_CONTENT, CONTENT_VALUES, self.new_contents.values()),
            (UPDATE_CONTENT, CONTENT_UPDATE_VALUES, self.contents.values()),
            (UPDATE_TASK, TASK_UPDATE_VALUES, self.tasks.values()),
            (INSERT_TASK, TASK_VALUES, self.new_tasks.values()),
            (DELETE_WAIT, None, self.gone_waits),
            (DELETE_TOKEN, None, self.gone_tokens),
            (UPDATE_TOKEN, TOKEN_UPDATE_VALUES, self.tokens.values()),
            (INSERT_TOKEN, TOKEN_VALUES, self.new_tokens.values()),
            (INSERT_WAIT, WAIT_VALUES, self.new_waits),
            (INSERT_EVENT, EVENT_VALUES, self.new_events),
            (DELETE_EVENT, None, [(event_id,) for event_id in self.gone_events]),
            (INSERT_START_REQUEST, None, self.new_start_requests),
        )
        for statement, values_of, rows in many:
            if not rows:
                continue
            if len(rows) == 1:
                (row,) = rows
                cursor.execute(sql[statement], row if values_of is None else values_of(row))
            else:
                cursor.executemany(
                    sql[statement], list(rows) if values_of is None else [values_of(row) for row in rows]
                )

    @staticmethod
    def _compare_and_set(cursor: Any, statement: str, values: list[tuple[Any, ...]]) -> None:
        if not values:
            return
        if len(values) == 1:
            cursor.execute(statement, values[0])
        else:
            cursor.executemany(statement, values)
        if cursor.rowcount != len(values):
            raise RevisionConflict("a process instance was changed by another engine")
