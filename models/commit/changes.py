"""All that one transaction writes, as constant statements over plain rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from ..databases.statements import CHANGED, SEEN, Delete, Graded, Insert, Statement, Update, Writer, select
from ..errors import SuspensionsChanged
from ..row_types.access import AuditRow
from ..row_types.batches import BatchItemRow, BatchRow
from ..row_types.deployments import DeploymentRow
from ..row_types.history import DecisionMadeRow, HistoryRow, NewHistoryRow, RetraceRow
from ..row_types.instances import ChangedVariableRow, ContentRow, FoldRow, InstanceRow, VariableRow
from ..row_types.messages import EventRequestRow, EventRow, KeptMessageRow
from ..row_types.tasks import ExternalRow, InboxRow, StragglerRow, TaskCheckRow, TaskRow, UserTaskRow
from ..row_types.tokens import TokenRow, WaitRow
from ..row_types.webhooks import NoticeRow, SubscriptionRow
from ..vocabulary import LedgerEvent, TriggerKind
from ..words import words_of
from . import quota_changes, standing
from .inbox_lists import lists_of
from .quota_changes import QuotaChanges
from .receivers import EVERY_ANY, ReceiverFilter
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
TOKEN_SET = ("scope", "state", "flow", "internal", "locals", "causes")


# As many columns as rows have that are nothing out of the ordinary, then those of less ordinary ones.
INSERT_INSTANCE = Graded.insert("process_instance", InstanceRow, 14, 15, 18)
INSERT_WORD = Insert("word", ("word", "process_instance_id"))
INSERT_CONTENT = Graded.insert("content", ContentRow, 2)
INSERT_TASK = Graded.insert("task", TaskRow, 18, 19, 25)
INSERT_CHANGED_VARIABLE = Insert.of("changed_variable", ChangedVariableRow)
UPDATE_CHANGED_VARIABLE = Update("changed_variable", ("value",), where=("process_instance_id", "name"))
DELETE_CHANGED_VARIABLES = Delete("changed_variable", ("process_instance_id",))
INSERT_FOLD = Insert.of("ledger_fold", FoldRow)
DELETE_FOLD = Delete("ledger_fold", ("process_instance_id",))
INSERT_TOKEN = Insert.of("token", TokenRow)
INSERT_WAIT = Insert.of("wait", WaitRow)
INSERT_EVENT = Insert.of("event", EventRow)
INSERT_STRAGGLER = Insert.of("straggler", StragglerRow)
INSERT_DECISION_MADE = Insert.of("decision_made", DecisionMadeRow)
INSERT_RETRACE = Insert.of("retrace", RetraceRow)
MOVE_BATCH = Update(
    "batch",
    ("state", "done", "refused", "rate", "due", "ended", "engine"),
    where=("id", "revision"),
    always={"revision": "`revision` + 1"},
)
END_ITEM = Update("batch_item", ("result", "code", "reason", "ended"), where=("batch_id", "number"))
INSERT_DEPLOYMENT = Insert.of("deployment", DeploymentRow)
INSERT_START_REQUEST = Insert("start_request", ("idempotency_key", "digest", "process_instance_id", "created"))
INSERT_EVENT_REQUEST = Insert.of("event_request", EventRequestRow)
INSERT_HISTORY = Insert.of("history", HistoryRow)
INSERT_VARIABLE = Insert.of("variable", VariableRow)
DELETE_VARIABLE = Delete("variable", ("process_instance_id", "name"))
# Where two engines are the first to use a stone there are two rows, which does no harm.
INSERT_STONE_USE = Insert("stone_use", ("stone", "deployment_id"))
INSERT_AUDIT = Insert.of("audit", AuditRow)
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
# As a task ends that has nothing to tell, and as one tells something.
UPDATE_TASK = Graded(partial(Update, "task", where=("id",)), TASK_SET, 3, 11, always=ENDED)
UPDATE_TOKEN = Update("token", TOKEN_SET, where=("process_instance_id", "id"))
DELETE_TOKEN = Delete("token", ("process_instance_id", "id"))
DELETE_WAIT = Delete("wait", ("process_instance_id", "token"))
REACHED = Update("event", ("reached",), where=("id", "reached"))
DELETE_STRAGGLER = Delete("straggler", ("task_id", "attempt", "event", "delivery"))
LEAVE_STRAGGLER = Update("straggler", (), where=("task_id", "attempt", "event", "delivery"), always={"owner": "NULL"})
INSERT_CHECK = Insert.of("task_check", TaskCheckRow)
DELETE_CHECK = Delete("task_check", ("task_id",))
INSERT_KEPT = Insert.of("kept_message", KeptMessageRow)
INSERT_EXTERNAL = Insert.of("external_task", ExternalRow)
INSERT_SUBSCRIPTION = Insert.of("subscription", SubscriptionRow)
INSERT_NOTICE = Insert.of("notice", NoticeRow)
INSERT_USER_TASK = Insert.of("user_task", UserTaskRow)
DELETE_USER_TASK = Delete("user_task", ("id",))
END_USER_TASK = Update("user_task", ("ended", "done_by"), where=("id",))
INSERT_INBOX = Insert.of("inbox", InboxRow)
DELETE_INBOX = Delete("inbox", ("task_id",))
DELETE_EXTERNAL = Delete("external_task", ("task_id",))
DELETE_KEPT = Delete("kept_message", ("id",))
DELETE_EVENT = Delete("event", ("id",))
MOVE_TIMER = Update("start_trigger", ("name",), where=("kind", "deployment_id", "node", "name"))
# Held until the commit, so that nobody takes away meanwhile what a process begins by.
TRIGGER = (
    "SELECT 1 FROM `start_trigger` WHERE `kind` = ? AND `name` = ? AND `deployment_id` = ? AND `node` = ? FOR UPDATE"
)
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
    *EVERY_ANY,
    *quota_changes.TEXTS,
    *SEEN.values(),
    TRIGGER,
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
DELIVERED = "another engine has delivered a message"
on_written: Callable[[], None] | None = None
"""What is called when a transaction has written everything and is not yet committed; for tests of crashes."""


StragglerKey = tuple[int, int, LedgerEvent, int]
"""Which hook it is: task, attempt, event, delivery."""


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
        self.new_deployments: list[DeploymentRow] = []
        self.new_start_requests: list[tuple[str, str, int, int]] = []
        self.new_event_requests: list[EventRequestRow] = []
        """What came of messages and signals that were sent under a key."""
        self.news: Sequence[str] = ()
        """What other engines are told with the commit."""
        self.read: Mapping[int, int] = {}
        """The revisions of instances that were read and not changed."""
        self.instances: dict[int, InstanceRow] = {}
        self.contents: dict[int, ContentRow] = {}
        self.set_variables: dict[tuple[int, str], ChangedVariableRow] = {}
        """What was set beside variables that are not written anew, for the first time since they were."""
        self.set_again: dict[tuple[int, str], ChangedVariableRow] = {}
        """And what was set once more."""
        self.variables_written: list[int] = []
        """Instances of which all variables are written anew, where some were not."""
        self.folds: list[FoldRow] = []
        self.gone_folds: list[int] = []
        """Instances whose folds do not tell what is so any more."""
        self.new_tasks: dict[int, TaskRow] = {}
        self.tasks: dict[int, TaskRow] = {}
        self.timed: list[TaskRow] = []
        """Those of both, once they are committed, that are due or must have ended at some moment."""
        self.new_tokens: dict[tuple[int, int], TokenRow] = {}
        self.tokens: dict[tuple[int, int], TokenRow] = {}
        self.gone_tokens: set[tuple[int, int]] = set()
        self.new_waits: list[WaitRow] = []
        self.gone_waits: set[tuple[int, int]] = set()
        self.new_events: list[EventRow] = []
        self.gone_events: list[str] = []
        self.reached: list[tuple[int, str, int]] = []
        """How far owed signals have come: the last process now, the signal, the last process until now."""
        self.triggered: list[tuple[TriggerKind, str, str, str]] = []
        """What processes begin by beside their deployments: kind, name, deployment and start node."""
        self.unheard: list[ReceiverFilter] = []
        """Messages for which nobody waits."""
        self.new_kept: list[KeptMessageRow] = []
        self.gone_kept: list[str] = []
        """Kept messages that somebody has got."""
        self.new_decisions_made: list[DecisionMadeRow] = []
        self.new_retraces: list[RetraceRow] = []
        self.new_subscriptions: list[SubscriptionRow] = []
        self.to_tell: list[ToTell] = []
        self.new_notices: list[NoticeRow] = []
        """What those are told who want to hear it; known once it is written."""
        self.external: dict[int, ExternalRow | None] = {}
        """By task: what workers that fetch over HTTP are to find of it; None for one that they are not to find."""
        self.user_tasks: dict[int, UserTaskRow] = {}
        """Tasks of people that have begun or are somebody else's now."""
        self.ended_user_tasks: dict[int, tuple[int, str | None]] = {}
        """Of those that have ended: when, and who has done it."""
        self.new_checks: dict[int, TaskCheckRow | None] = {}
        """By task: what a check of what it made has found; None where what was found is of no use any more."""
        self.new_stragglers: dict[StragglerKey, StragglerRow] = {}
        self.gone_stragglers: list[StragglerKey] = []
        self.left_stragglers: set[StragglerKey] = set()
        """Those that nobody here runs any more, and of which something may still be heard."""
        self.new_stone_uses: dict[tuple[str, str], set[tuple[str, str]]] = {}
        """Stones that processes of a deployment use; with the set of those that the store is known to have."""
        self.who: str | None = None
        """Who has asked for what is being done, as far as anybody knows."""
        self.new_history: dict[int, NewHistoryRow] = {}
        self.new_variables: dict[tuple[int, str], VariableRow] = {}
        self.gone_variables: set[tuple[int, str]] = set()
        """Values by which processes were found until now."""
        self.batches: list[BatchRow] = []
        """Those that have moved on or are to stand still, each as it was read but for that."""
        self.batch_items: list[BatchItemRow] = []
        """Of which it is known what came of them."""
        self.new_audit: list[AuditRow] = []
        self.suspended: frozenset[tuple[str, str]] | None = None
        """What was taken for suspended where hooks or processes begin with this commit; they do only if that is so."""
        self.quotas: QuotaChanges | None = None
        """Slots that are asked for or set free; None where nothing of it has a quota."""
        self.moved_timers: list[tuple[str, str, str, str, str]] = []
        """Of start timers that have come: the text to keep now; then kind, deployment, node and the text until now."""

    def __bool__(self) -> bool:
        return bool(
            self.new_instances
            or self.instances
            or self.tasks
            or self.gone_events
            or self.reached
            or self.new_events
            or self.new_kept
            or self.new_event_requests
            or self.new_deployments
            or self.new_audit
            or self.batches
            or self.new_checks
            or self.quotas
        )

    @property
    def needs_order(self) -> bool:
        """Whether one of the statements has to know what the ones before it have done, or waited for."""
        return bool(
            self.quotas
            or self.triggered
            or self.unheard
            or self.new_subscriptions
            or self.new_checks
            or self.folds
            or (self.variables_written and self.set_variables)
            or len(self.reached) > 1
            or len(self.moved_timers) > 1
            or (self.gone_tokens and not self.gone_tokens.isdisjoint(self.new_tokens))
            or (
                self.gone_waits
                and any((each.process_instance_id, each.token) in self.gone_waits for each in self.new_waits)
            )
            or (self.gone_variables and not self.gone_variables.isdisjoint(self.new_variables))
            or (
                self.new_stragglers
                and not self.new_stragglers.keys().isdisjoint((*self.gone_stragglers, *self.left_stragglers))
            )
            or any(row is not None and number not in self.new_tasks for number, row in self.external.items())
            or (self.user_tasks and not self.user_tasks.keys() <= self.new_tasks.keys() - self.ended_user_tasks.keys())
        )

    def task_changed(self, row: TaskRow) -> None:
        """The row is written with this commit, as an update unless it is new."""
        if row.id not in self.new_tasks:
            self.tasks[row.id] = row

    def straggler_gone(self, key: StragglerKey) -> None:
        """Nothing more is heard of a hook; the store knows of it unless it was noted in this turn."""
        # Where a commit is one statement, a row that is both changed and removed in it would stay.
        self.left_stragglers.discard(key)
        if self.new_stragglers.pop(key, None) is None:
            self.gone_stragglers.append(key)

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
        run, put, write = writer.run, writer.put, writer.write
        if self.quotas is not None:
            # Before the rows are written of which this decides.
            self.quotas.decide(writer)
        if self.suspended is not None:
            suspended = writer.suspended()
            if suspended != self.suspended:
                raise SuspensionsChanged(suspended)
        if self.begun or self.triggered or self.unheard:
            self._check_beginnings(writer)
        # Asked here one by one: most steps change an instance and two tasks, and every call counts.
        if self.instances:
            put(UPDATE_INSTANCE, self.instances.values(), CHANGED)
        if self.read:
            writer.compare(self.read)
        if self.new_deployments:
            run(INSERT_DEPLOYMENT, self.new_deployments)
        if self.new_instances:
            put(INSERT_INSTANCE, self.new_instances.values())
            put(INSERT_CONTENT, self.new_contents.values())
            named = (
                (each, words_of(each.kind, each.key, each.name, each.business_key))
                for each in self.new_instances.values()
            )
            if words := [(word, each.process_instance_id) for each, found in named for word in found]:
                write(INSERT_WORD, words)
        if self.contents:
            run(UPDATE_CONTENT, self.contents.values())
        if self.variables_written:
            write(DELETE_CHANGED_VARIABLES, [(number,) for number in self.variables_written])
        if self.set_variables:
            run(INSERT_CHANGED_VARIABLE, self.set_variables.values())
        if self.set_again:
            run(UPDATE_CHANGED_VARIABLE, self.set_again.values())
        if self.tasks:
            put(UPDATE_TASK, self.tasks.values())
        if self.new_tasks:
            put(INSERT_TASK, self.new_tasks.values())
        if self.folds or self.gone_folds:
            write(
                DELETE_FOLD,
                [(number,) for number in (*self.gone_folds, *(row.process_instance_id for row in self.folds))],
            )
            if self.folds:
                run(INSERT_FOLD, self.folds)
        if self.gone_waits:
            write(DELETE_WAIT, list(self.gone_waits))
        if self.gone_tokens:
            write(DELETE_TOKEN, list(self.gone_tokens))
        if self.tokens:
            run(UPDATE_TOKEN, self.tokens.values())
        if self.new_tokens:
            run(INSERT_TOKEN, self.new_tokens.values())
        if self.new_waits:
            run(INSERT_WAIT, self.new_waits)
        if self.new_events:
            run(INSERT_EVENT, self.new_events)
        if self.gone_events:
            write(DELETE_EVENT, [(each,) for each in self.gone_events], DELIVERED)
        if self.reached:
            write(REACHED, self.reached, DELIVERED)
        if self.new_kept:
            run(INSERT_KEPT, self.new_kept)
        if self.gone_kept:
            write(DELETE_KEPT, [(each,) for each in self.gone_kept], DELIVERED)
        if self.new_decisions_made:
            run(INSERT_DECISION_MADE, self.new_decisions_made)
        if self.new_retraces:
            run(INSERT_RETRACE, self.new_retraces)
        if self.new_subscriptions:
            run(INSERT_SUBSCRIPTION, self.new_subscriptions)
        if self.to_tell:
            self._tell(writer)
        if self.external:
            if known := [(each,) for each in self.external if each not in self.new_tasks]:
                write(DELETE_EXTERNAL, known)
            if offered := [row for row in self.external.values() if row is not None]:
                run(INSERT_EXTERNAL, offered)
        if self.user_tasks or self.ended_user_tasks:
            self._write_user_tasks(writer)
        if self.new_checks:
            write(DELETE_CHECK, [(each,) for each in self.new_checks])
            if found := [check for check in self.new_checks.values() if check is not None]:
                run(INSERT_CHECK, found)
        # One that has ended may be noted once more in the same turn.
        if self.gone_stragglers:
            write(DELETE_STRAGGLER, self.gone_stragglers)
        if self.new_stragglers:
            run(INSERT_STRAGGLER, self.new_stragglers.values())
        if self.left_stragglers:
            write(LEAVE_STRAGGLER, list(self.left_stragglers))
        if self.new_stone_uses:
            write(INSERT_STONE_USE, list(self.new_stone_uses))
        if self.new_history:
            run(INSERT_HISTORY, self.new_history.values())
        if self.gone_variables:
            write(DELETE_VARIABLE, list(self.gone_variables))
        if self.new_variables:
            run(INSERT_VARIABLE, self.new_variables.values())
        if self.new_start_requests:
            write(INSERT_START_REQUEST, self.new_start_requests)
        if self.new_event_requests:
            run(INSERT_EVENT_REQUEST, self.new_event_requests)
        if self.new_audit:
            run(INSERT_AUDIT, self.new_audit)
        if self.moved_timers:
            write(MOVE_TIMER, self.moved_timers, "another engine has seen to a start timer")
        if self.batches:
            # Each is worked at by one engine at a time, and stands still once that is acknowledged.
            run(MOVE_BATCH, self.batches, "a batch was changed meanwhile")
            if self.batch_items:
                run(END_ITEM, self.batch_items)

    def _write_user_tasks(self, writer: Writer) -> None:
        """Whose tasks are now, and in which lists they stand."""
        known = [(number,) for number in (*self.user_tasks, *self.ended_user_tasks) if number not in self.new_tasks]
        if known:
            writer.write(DELETE_INBOX, known)
        if self.user_tasks:
            if changed := [(number,) for number in self.user_tasks if number not in self.new_tasks]:
                writer.write(DELETE_USER_TASK, changed)
            writer.run(INSERT_USER_TASK, self.user_tasks.values())
            if listed := [place for row in self.user_tasks.values() for place in lists_of(row)]:
                writer.run(INSERT_INBOX, listed)
        if self.ended_user_tasks:
            writer.write(END_USER_TASK, [(*told, number) for number, told in self.ended_user_tasks.items()])

    def _check_beginnings(self, writer: Writer) -> None:
        for trigger in self.triggered:
            # One after the other, so that the second message finds what the first has started.
            writer.refuse_unless(TRIGGER, trigger, f"deployment {trigger[2]} does not start by {trigger[0]} any more")
        for receivers in self.unheard:
            writer.refuse_if(*receivers.any, "somebody waits for a message by now")
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
        if not (self.new_subscriptions or writer.is_heard()):
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
        for use, known in self.new_stone_uses.items():
            known.add(use)
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
