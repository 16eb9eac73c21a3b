"""All that one transaction writes, as constant statements over plain rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from .access import AuditRow
from .errors import RevisionConflict
from .rows import ContentRow, DeploymentRow, EventRow, InstanceRow, TaskRow, TokenRow, WaitRow
from .statements import Delete, Insert, Statement, Update, Writer

INSTANCE_STEP = ("revision", "next_token", "steps")
"""What every step changes of an instance. SQLite rewrites an index whose column is set, even to the same value,
so the rest is set only where it differs."""
INSTANCE_STATE = (
    "status",
    "phase",
    "flags",
    "ended",
    "due",
    "due_owner",
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
    "handed",
)
TOKEN_SET = ("scope", "state", "flow", "internal", "locals", "causes")


INSERT_INSTANCE = Insert.of("process_instance", InstanceRow)
INSERT_CONTENT = Insert.of("content", ContentRow)
INSERT_TASK = Insert.of("task", TaskRow)
INSERT_TOKEN = Insert.of("token", TokenRow)
INSERT_WAIT = Insert.of("wait", WaitRow)
INSERT_EVENT = Insert.of("event", EventRow)
INSERT_DEPLOYMENT = Insert.of("deployment", DeploymentRow)
INSERT_START_REQUEST = Insert("start_request", ("idempotency_key", "digest", "process_instance_id", "created"))
INSERT_AUDIT = Insert.of("audit", AuditRow)
UPDATE_INSTANCE = Update("process_instance", INSTANCE_STEP + INSTANCE_STATE, ("process_instance_id", "revision"))
STEP_INSTANCE = Update("process_instance", INSTANCE_STEP, ("process_instance_id", "revision"))
UPDATE_CONTENT = Update("content", ("variables", "outputs"), ("process_instance_id",))
UPDATE_TASK = Update("task", TASK_SET, ("id",))
UPDATE_TOKEN = Update("token", TOKEN_SET, ("process_instance_id", "id"))
DELETE_TOKEN = Delete("token", ("process_instance_id", "id"))
DELETE_WAIT = Delete("wait", ("process_instance_id", "token"))
DELETE_EVENT = Delete("event", ("id",))
MOVE_TIMER = Update("start_trigger", ("name",), ("kind", "deployment_id", "node", "name"))
STATEMENTS = tuple(value for value in list(globals().values()) if isinstance(value, Statement))

on_written: Callable[[], None] | None = None
"""What is called when a transaction has written everything and is not yet committed; for tests of crashes."""

STEP_VALUES = attrgetter(*INSTANCE_STEP, "process_instance_id")
STATE_VALUES = attrgetter(*INSTANCE_STEP, *INSTANCE_STATE, "process_instance_id")
INSTANCE_STATE_VALUES = attrgetter(*INSTANCE_STATE)


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
    new_audit: list[AuditRow] = field(default_factory=list)
    moved_timers: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    """Of start timers that have come: the text to keep now; then kind, deployment, node and the text until now."""

    def __bool__(self) -> bool:
        return bool(
            self.new_instances
            or self.instances
            or self.tasks
            or self.gone_events
            or self.new_events
            or self.new_deployments
            or self.new_audit
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

    def write(self, writer: Writer) -> None:
        """Write everything, inside an open transaction.

        Raises :class:`RevisionConflict` where an instance no longer has the revision that was read.
        """
        run = writer.run
        if self.instances:
            self._write_instances(writer)
        # Asked here one by one: most steps change an instance and two tasks, and every call counts.
        if self.new_deployments:
            run(INSERT_DEPLOYMENT, self.new_deployments)
        if self.new_instances:
            run(INSERT_INSTANCE, self.new_instances.values())
            run(INSERT_CONTENT, self.new_contents.values())
        if self.contents:
            run(UPDATE_CONTENT, self.contents.values())
        if self.tasks:
            run(UPDATE_TASK, self.tasks.values())
        if self.new_tasks:
            run(INSERT_TASK, self.new_tasks.values())
        if self.gone_waits:
            run(DELETE_WAIT, self.gone_waits)
        if self.gone_tokens:
            run(DELETE_TOKEN, self.gone_tokens)
        if self.tokens:
            run(UPDATE_TOKEN, self.tokens.values())
        if self.new_tokens:
            run(INSERT_TOKEN, self.new_tokens.values())
        if self.new_waits:
            run(INSERT_WAIT, self.new_waits)
        if self.new_events:
            run(INSERT_EVENT, self.new_events)
        if self.gone_events:
            run(DELETE_EVENT, [(event_id,) for event_id in self.gone_events])
        if self.new_start_requests:
            run(INSERT_START_REQUEST, self.new_start_requests)
        if self.new_audit:
            run(INSERT_AUDIT, self.new_audit)
        if self.moved_timers and writer.run(MOVE_TIMER, self.moved_timers) != len(self.moved_timers):
            raise RevisionConflict("another engine has seen to a start timer")
        if on_written is not None:
            on_written()

    def _write_instances(self, writer: Writer) -> None:
        steps: list[tuple[Any, ...]] = []
        states: list[tuple[Any, ...]] = []
        for row, expected in self.instances.values():
            if self.states.get(row.process_instance_id) == INSTANCE_STATE_VALUES(row):
                steps.append((*STEP_VALUES(row), expected))
            else:
                states.append((*STATE_VALUES(row), expected))
        found = writer.run(STEP_INSTANCE, steps) if steps else 0
        found += writer.run(UPDATE_INSTANCE, states) if states else 0
        if found != len(self.instances):
            raise RevisionConflict("a process instance was changed by another engine")
