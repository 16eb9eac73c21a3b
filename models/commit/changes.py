"""All that one transaction writes, as constant statements over plain rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ..databases.statements import CHANGED, SEEN, Graded, Insert, Statement, Update, Writer, select
from ..errors import SuspensionsChanged
from ..row_types.instances import ContentRow, InstanceRow
from ..row_types.tasks import TaskRow
from ..row_types.webhooks import NoticeRow, SubscriptionRow
from ..words import words_of
from . import quota_changes, rare_changes, standing
from .quota_changes import QuotaChanges
from .rare_changes import RareChanges
from .standing import StandingWriter

INSTANCE_SET = (
    "next_token",
    "steps",
    "status",
    "phase",
    "ended",
    "outcome",
    "awaits",
    "flags",
    "due",
    "due_owner",
    "reason",
    "rollback_id",
    "cancel_id",
    "delete_id",
    "pending",
    "failed_at",
    "attention",
    "retraced",
    "rewind_id",
    "history",
    "deployment_id",
    "model_id",
    "suspension",
    "folded",
    "changed",
)
STEP, END = 2, 6
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
    "node",
)
ENDED: dict[str, int | None] = {"open": 0, "owner": None, "due": None}
"""What is so of a task that has ended. ``owner`` and ``due`` are always set, since engines that look at due tasks, or
take them over, change them without a step."""
# As many columns as rows have that are nothing out of the ordinary, then those of less ordinary ones.
INSERT_INSTANCE = Graded.insert("process_instance", InstanceRow, 14, 15, 18)
INSERT_WORD = Insert("word", ("word", "process_instance_id"))
INSERT_CONTENT = Graded.insert("content", ContentRow, 2)
INSERT_TASK = Graded.insert("task", TaskRow, 18, 19, 25)
UPDATE_INSTANCE = Graded(
    partial(
        Update,
        "process_instance",
        where=("process_instance_id", "revision"),
        always={"revision": "`revision` + 1"},
    ),
    INSTANCE_SET,
    STEP,
    END,
)
UPDATE_CONTENT = Update("content", ("variables", "outputs"), where=("process_instance_id",))
# As a task ends that has nothing to tell, as one is taken away, and as one tells something.
UPDATE_TASK = Graded(partial(Update, "task", where=("id",)), TASK_SET, 3, 11, always=ENDED, besides=("reason", "undo"))
UPDATE_MARK = Update("task", ("state", "undo"), where=("id",))
INSERT_NOTICE = Insert.of("notice", NoticeRow)
USED = "SELECT 1 FROM `deployment` WHERE `id` = ? AND `removed` IS NULL FOR SHARE"
OUT_OF_USE = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM `deployment` WHERE `id` = ? AND `removed` IS NULL)"
NEWER = (
    "SELECT 1 FROM `deployment` AS newer, `deployment` AS this WHERE this.`id` = ? AND newer.`key` = this.`key`"
    " AND newer.`version` > this.`version` AND newer.`removed` IS NULL LIMIT 1"
)
VALID = (
    "(`creator` IS NULL OR NOT EXISTS (SELECT 1 FROM `access_key` WHERE `access_key`.`name` = `subscription`.`creator`"
    " AND `access_key`.`revoked` IS NOT NULL))"
)
"""Of subscriptions: whose creator may still be told."""
CONCERNED = (
    "(`process_instance_id` IS NULL AND (`key` IS NULL OR `key` = ?) AND (`owner_name` IS NULL OR `owner_name` = ?))"
)
"""Of processes of this key and owner."""
SUBSCRIBED = (
    select("subscription", SubscriptionRow, f"(`process_instance_id` = ? OR {CONCERNED}) AND {VALID}")
    + " ORDER BY `created`"
)
"""Who is told of one process: as such, by its model or as one of all, in the owner's name or anybody's."""
TEXTS = (
    *standing.TEXTS,
    SUBSCRIBED,
    *quota_changes.TEXTS,
    *rare_changes.TEXTS,
    *SEEN.values(),
    USED,
    OUT_OF_USE,
    NEWER,
    *(
        statement.text
        for value in list(globals().values())
        for statement in (value.statements if isinstance(value, Graded) else [value])
        if isinstance(statement, Statement)
    ),
)
on_written: Callable[[], None] | None = None
"""What is called when a transaction has written everything and is not yet committed; for tests of crashes."""


class ToTell(NamedTuple):
    """What a process has come to, for whoever wants to hear it over HTTP."""

    values: tuple[int, str, str | None]
    """The process, its key and its owner."""
    kinds: Sequence[str]
    notice: Callable[[SubscriptionRow, str], NoticeRow]


class Changes:
    """What steps have changed since the last commit; rows are read only when it is written."""

    def __init__(self) -> None:
        self.new_instances: dict[int, InstanceRow] = {}
        self.new_contents: dict[int, ContentRow] = {}
        self.begun: dict[str, bool] = {}
        """Deployments that have to be in use as these begin, and (true) the newest of their keys."""
        self.news: Sequence[str] = ()
        """What other engines are told with the commit."""
        self.read: Mapping[int, int] = {}
        """The revisions of instances that were read and not changed."""
        self.instances: dict[int, InstanceRow] = {}
        self.contents: dict[int, ContentRow] = {}
        self.new_tasks: dict[int, TaskRow] = {}
        self.tasks: dict[int, TaskRow] = {}
        self.marked: set[int] = set()
        """Those of them of which only what an undo notes of them is written."""
        self.timed: list[TaskRow] = []
        """Those of both, once they are committed, that are due or must have ended at some moment."""
        self.to_tell: list[ToTell] = []
        self.new_notices: list[NoticeRow] = []
        """What those are told who want to hear it; known once it is written."""
        self.who: str | None = None
        """Who has asked for what is being done, as far as anybody knows."""
        self.suspended: frozenset[tuple[str, str]] | None = None
        """What was taken for suspended where hooks or processes begin with this commit; they do only if that is so."""
        self.quotas: QuotaChanges | None = None
        """Slots that are asked for or set free; None where nothing of it has a quota."""
        self.rare_made: RareChanges | None = None
        """What only some steps change; None where none of these does."""

    @property
    def rare(self) -> RareChanges:
        """What only some steps change, for one that does."""
        if self.rare_made is None:
            self.rare_made = RareChanges()
        return self.rare_made

    def __bool__(self) -> bool:
        return bool(self.new_instances or self.instances or self.tasks or self.quotas) or (
            self.rare_made is not None and self.rare_made.stands_alone
        )

    @property
    def needs_order(self) -> bool:
        """Whether one of the statements has to know what the ones before it have done, or waited for."""
        return bool(self.quotas or (self.rare_made is not None and self.rare_made.needs_order(self.new_tasks)))

    def task_changed(self, row: TaskRow) -> None:
        """The row is written with this commit, as an update unless it is new."""
        if row.id not in self.new_tasks:
            self.tasks[row.id] = row
            if self.marked:
                self.marked.discard(row.id)

    def task_marked(self, row: TaskRow) -> None:
        """The same of a row of which nothing differs but ``state`` and ``undo``: an undo marks thousands."""
        if row.id not in self.new_tasks and row.id not in self.tasks:
            self.tasks[row.id] = row
            self.marked.add(row.id)

    def instance_changed(self, row: InstanceRow) -> None:
        """The row's revision goes up with this commit, once however many steps it carries."""
        number = row.process_instance_id
        if number not in self.new_instances:
            self.instances[number] = row

    def content_changed(self, row: ContentRow) -> None:
        """The row is written with this commit, as an update unless it is new."""
        if row.process_instance_id not in self.new_contents:
            self.contents[row.process_instance_id] = row

    def write(self, writer: StandingWriter) -> None:
        """Write everything, inside an open transaction.

        Raises :class:`RevisionConflict` where an instance no longer has the revision that was read, changed or not, or
        one would begin with a deployment that it may not begin with.
        """
        put, rare = writer.put, self.rare_made
        if self.quotas is not None:
            # Before the rows are written of which this decides.
            self.quotas.decide(writer)
        if rare is not None:
            rare.check_beginnings(writer)
        if self.begun:
            self._check_deployments(writer)
        if self.instances:
            writer.put_first(UPDATE_INSTANCE, self.instances.values(), CHANGED)
        if self.suspended is not None:
            suspended = writer.suspended()
            if suspended != self.suspended:
                raise SuspensionsChanged(suspended)
        if self.read:
            writer.compare(self.read)
        if self.new_instances:
            put(INSERT_INSTANCE, self.new_instances.values())
            put(INSERT_CONTENT, self.new_contents.values())
            named = (
                (each, words_of(each.kind, each.key, each.name, each.business_key))
                for each in self.new_instances.values()
            )
            if words := [(word, each.process_instance_id) for each, found in named for word in found]:
                writer.write(INSERT_WORD, words)
        if self.contents:
            writer.run(UPDATE_CONTENT, self.contents.values())
        if self.marked:
            writer.run(UPDATE_MARK, [self.tasks[task_id] for task_id in self.marked])
            if len(self.tasks) > len(self.marked):
                put(UPDATE_TASK, [row for row in self.tasks.values() if row.id not in self.marked])
        elif self.tasks:
            put(UPDATE_TASK, self.tasks.values())
        if self.new_tasks:
            put(INSERT_TASK, self.new_tasks.values())
        if rare is not None:
            rare.write(writer, self.new_tasks)
        if self.to_tell:
            self._tell(writer)

    def _check_deployments(self, writer: Writer) -> None:
        for deployment_id, newest in self.begun.items():
            otherwise = f"deployment {deployment_id} is out of use, or not the newest of its key"
            if writer.wide:
                # SQLite has one writer at a time, and its driver asks once more for what is found.
                writer.refuse_if(OUT_OF_USE, (deployment_id,), otherwise)
            else:
                writer.refuse_unless(USED, (deployment_id,), otherwise)
            if newest:
                writer.refuse_if(NEWER, (deployment_id,), otherwise)

    def _tell(self, writer: StandingWriter) -> None:
        """Write notices for whoever wants to hear now: whoever wants to waits for the commits that are under way."""
        if not (writer.is_heard() or (self.rare_made is not None and self.rare_made.new_subscriptions)):
            return
        self.new_notices = [
            told.notice(SubscriptionRow(*found), kind)
            for told in self.to_tell
            for found in writer.find(SUBSCRIBED, told.values)
            for kind in told.kinds
        ]
        if self.new_notices:
            writer.run(INSERT_NOTICE, self.new_notices)

    def committed(self) -> None:
        """Remember in the rows what the store now holds of them; an ended task hardly ever changes any more."""
        if self.rare_made is not None:
            self.rare_made.committed()
        beyond = UPDATE_TASK.beyond
        for tasks in (self.new_tasks, self.tasks):
            for task in tasks.values():
                if not task.open:
                    task.stored = None
                    continue
                task.stored = beyond(task)
                if task.due is not None or task.deadline is not None:
                    self.timed.append(task)
        beyond = UPDATE_INSTANCE.beyond
        for row in self.instances.values():
            row.revision += 1
            row.stored = beyond(row)
        for row in self.new_instances.values():
            row.stored = beyond(row)
