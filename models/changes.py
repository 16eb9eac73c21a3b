"""All that one transaction writes, as constant statements over plain rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .access import AuditRow
from .errors import RevisionConflict
from .rows import ContentRow, DeploymentRow, EventRow, InstanceRow, TaskRow, TokenRow, WaitRow, columns
from .statements import Delete, Graded, Insert, Statement, Update, Writer

Rows = dict[Statement, list[tuple[Any, ...]]]

INSTANCE_SET = (
    "revision",
    "next_token",
    "steps",
    "status",
    "phase",
    "ended",
    "flags",
    "due",
    "due_owner",
    "reason",
    "rollback_id",
    "cancel_id",
    "delete_id",
    "pending",
)
STEP, END = 3, 6
"""So many of them every step changes, and the last one. SQLite rewrites an index whose column is set, even to the same
value, so the rest is set only where it differs."""
TASK_SET = (
    "status",
    "progress",
    "ended",
    "open",
    "owner",
    "due",
    "event",
    "outputs",
    "deadline",
    "state",
    "reason",
    "attempt",
    "handed",
    "generation",
    "parameters",
    "log",
    "after",
    "locals",
    "policy",
    "undo",
)
ENDED: tuple[int, dict[str, Any]] = (3, {"open": 0, "owner": None, "due": None})
"""What changes as a task ends that has nothing to tell. ``owner`` and ``due`` are always set, since engines that look
at due tasks, or take them over, change them without a step."""
REPORTED = 11
"""So many columns change as a task tells something."""
TOKEN_SET = ("scope", "state", "flow", "internal", "locals", "causes")


# As many columns as the rows have that are nothing out of the ordinary, those in front of them, and so on.
INSERT_INSTANCE = Graded(partial(Insert, "process_instance"), columns(InstanceRow), 14, 15, 18)
INSERT_CONTENT = Graded(partial(Insert, "content"), columns(ContentRow), 2)
INSERT_TASK = Graded(partial(Insert, "task"), columns(TaskRow), 17, 18, 19, 25)
INSERT_TOKEN = Insert.of("token", TokenRow)
INSERT_WAIT = Insert.of("wait", WaitRow)
INSERT_EVENT = Insert.of("event", EventRow)
INSERT_DEPLOYMENT = Insert.of("deployment", DeploymentRow)
INSERT_START_REQUEST = Insert("start_request", ("idempotency_key", "digest", "process_instance_id", "created"))
INSERT_AUDIT = Insert.of("audit", AuditRow)
UPDATE_INSTANCE = Graded(
    partial(Update, "process_instance", where=("process_instance_id", "revision")), INSTANCE_SET, STEP, END
)
UPDATE_CONTENT = Update("content", ("variables", "outputs"), where=("process_instance_id",))
UPDATE_TASK = Graded(partial(Update, "task", where=("id",)), TASK_SET, ENDED, REPORTED)
UPDATE_TOKEN = Update("token", TOKEN_SET, where=("process_instance_id", "id"))
DELETE_TOKEN = Delete("token", ("process_instance_id", "id"))
DELETE_WAIT = Delete("wait", ("process_instance_id", "token"))
DELETE_EVENT = Delete("event", ("id",))
MOVE_TIMER = Update("start_trigger", ("name",), where=("kind", "deployment_id", "node", "name"))
STATEMENTS = tuple(
    statement
    for value in list(globals().values())
    for statement in ([value] if isinstance(value, Statement) else [each[-1] for each in getattr(value, "grades", ())])
)
NEW_INSTANCE = (None,) * len(columns(InstanceRow))
NEW_CONTENT = (None,) * len(columns(ContentRow))
NEW_TASK = (*(None,) * (len(columns(TaskRow)) - 2), 0, 0)
"""What columns hold that nobody sets as a row is made; the last two of a task count."""

on_written: Callable[[], None] | None = None
"""What is called when a transaction has written everything and is not yet committed; for tests of crashes."""


@dataclass(slots=True)
class Changes:
    """What steps have changed since the last commit; rows are read only when it is written."""

    new_instances: dict[int, InstanceRow] = field(default_factory=dict)
    new_contents: dict[int, ContentRow] = field(default_factory=dict)
    new_deployments: list[DeploymentRow] = field(default_factory=list)
    new_start_requests: list[tuple[str, str, int, int]] = field(default_factory=list)
    instances: dict[int, tuple[InstanceRow, int]] = field(default_factory=dict)
    """Changed instances, each with the revision that the store must still hold."""
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
            _insert(writer, INSERT_INSTANCE, self.new_instances.values(), NEW_INSTANCE)
            _insert(writer, INSERT_CONTENT, self.new_contents.values(), NEW_CONTENT)
        if self.contents:
            run(UPDATE_CONTENT, self.contents.values())
        if self.tasks:
            self._write_tasks(writer)
        if self.new_tasks:
            _insert(writer, INSERT_TASK, self.new_tasks.values(), NEW_TASK)
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
        rows: Rows = {}
        for row, expected in self.instances.values():
            statement, values = UPDATE_INSTANCE.fitting(UPDATE_INSTANCE.values(row), row.stored)
            rows.setdefault(statement, []).append((*values, row.process_instance_id, expected))
        found = 0
        for statement, every in rows.items():
            found += writer.write(statement, every)
        if found != len(self.instances):
            raise RevisionConflict("a process instance was changed by another engine")

    def _write_tasks(self, writer: Writer) -> None:
        rows: Rows = {}
        for row in self.tasks.values():
            statement, values = UPDATE_TASK.fitting(UPDATE_TASK.values(row), row.stored)
            rows.setdefault(statement, []).append((*values, row.id))
        for statement, every in rows.items():
            writer.write(statement, every)

    def committed(self) -> None:
        """Remember in the rows what the store now holds of them; an ended task hardly ever changes any more."""
        for tasks in (self.new_tasks, self.tasks):
            for task in tasks.values():
                task.stored = UPDATE_TASK.values(task) if task.open else None
        for row in self.new_instances.values():
            row.stored = UPDATE_INSTANCE.values(row)
        for row, _ in self.instances.values():
            row.stored = UPDATE_INSTANCE.values(row)


def _insert(writer: Writer, insert: Graded, new: Iterable[Any], unset: Sequence[Any]) -> None:
    rows: Rows = {}
    for row in new:
        statement, values = insert.fitting(insert.values(row), unset)
        rows.setdefault(statement, []).append(values)
    for statement, every in rows.items():
        writer.write(statement, every)
