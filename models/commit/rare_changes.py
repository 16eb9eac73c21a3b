"""What only some steps change beside instances and tasks, as constant statements over plain rows."""

from __future__ import annotations

from collections.abc import Collection

from ..databases.statements import Delete, Insert, Statement, Update, Writer
from ..row_types.access import AuditRow
from ..row_types.batches import BatchItemRow, BatchRow
from ..row_types.deployments import DeploymentRow
from ..row_types.history import DecisionMadeRow, HistoryRow, NewHistoryRow, RetraceRow
from ..row_types.instances import ChangedVariableRow, FoldRow, VariableRow
from ..row_types.messages import EventRequestRow, EventRow, KeptMessageRow
from ..row_types.tasks import ExternalRow, InboxRow, StragglerRow, TaskCheckRow, UserTaskRow
from ..row_types.tokens import TokenRow, WaitRow
from ..row_types.webhooks import SubscriptionRow
from ..vocabulary import LedgerEvent, TriggerKind
from .inbox_lists import lists_of
from .receivers import EVERY_ANY, ReceiverFilter

TOKEN_SET = ("scope", "state", "flow", "internal", "locals", "causes")
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
TEXTS = (
    *EVERY_ANY,
    TRIGGER,
    *(value.text for value in list(globals().values()) if isinstance(value, Statement)),
)
DELIVERED = "another engine has delivered a message"

StragglerKey = tuple[int, int, LedgerEvent, int]
"""Which hook it is: task, attempt, event, delivery."""


class RareChanges:
    """All of it that one transaction writes; made with the first of it, since most steps have none."""

    def __init__(self) -> None:
        self.new_deployments: list[DeploymentRow] = []
        self.new_start_requests: list[tuple[str, str, int, int]] = []
        self.new_event_requests: list[EventRequestRow] = []
        """What came of messages and signals that were sent under a key."""
        self.set_variables: dict[tuple[int, str], ChangedVariableRow] = {}
        """What was set beside variables that are not written anew, for the first time since they were."""
        self.set_again: dict[tuple[int, str], ChangedVariableRow] = {}
        """And what was set once more."""
        self.variables_written: list[int] = []
        """Instances of which all variables are written anew, where some were not."""
        self.folds: list[FoldRow] = []
        self.gone_folds: list[int] = []
        """Instances whose folds do not tell what is so any more."""
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
        self.new_history: dict[int, NewHistoryRow] = {}
        self.new_variables: dict[tuple[int, str], VariableRow] = {}
        self.gone_variables: set[tuple[int, str]] = set()
        """Values by which processes were found until now."""
        self.batches: list[BatchRow] = []
        """Those that have moved on or are to stand still, each as it was read but for that."""
        self.batch_items: list[BatchItemRow] = []
        """Of which it is known what came of them."""
        self.new_audit: list[AuditRow] = []
        self.moved_timers: list[tuple[str, str, str, str, str]] = []
        """Of start timers that have come: the text to keep now; then kind, deployment, node and the text until now."""

    @property
    def stands_alone(self) -> bool:
        """Whether some of it is written even where no instance and no task changes."""
        return bool(
            self.gone_events
            or self.reached
            or self.new_events
            or self.new_kept
            or self.new_event_requests
            or self.new_deployments
            or self.new_audit
            or self.batches
            or self.new_checks
        )

    def needs_order(self, new_tasks: Collection[int]) -> bool:
        """Whether one of the statements has to know what the ones before it have done, or waited for.

        ``new_tasks`` are those that the same transaction adds.
        """
        return bool(
            self.triggered
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
            or any(row is not None and number not in new_tasks for number, row in self.external.items())
            or any(number not in new_tasks or number in self.ended_user_tasks for number in self.user_tasks)
        )

    def straggler_gone(self, key: StragglerKey) -> None:
        """Nothing more is heard of a hook; the store knows of it unless it was noted in this turn."""
        # Where a commit is one statement, a row that is both changed and removed in it would stay.
        self.left_stragglers.discard(key)
        if self.new_stragglers.pop(key, None) is None:
            self.gone_stragglers.append(key)

    def check_beginnings(self, writer: Writer) -> None:
        """Raise :class:`RevisionConflict` where something cannot begin any more that was begun by an event."""
        for trigger in self.triggered:
            # One after the other, so that the second message finds what the first has started.
            writer.refuse_unless(TRIGGER, trigger, f"deployment {trigger[2]} does not start by {trigger[0]} any more")
        for receivers in self.unheard:
            writer.refuse_if(*receivers.any, "somebody waits for a message by now")

    def write(self, writer: Writer, new_tasks: Collection[int]) -> None:
        """Write everything, inside an open transaction that adds these tasks.

        Raises :class:`RevisionConflict` where another engine has changed something of it meanwhile.
        """
        run, write = writer.run, writer.write
        if self.new_deployments:
            run(INSERT_DEPLOYMENT, self.new_deployments)
        if self.variables_written:
            write(DELETE_CHANGED_VARIABLES, [(number,) for number in self.variables_written])
        if self.set_variables:
            run(INSERT_CHANGED_VARIABLE, self.set_variables.values())
        if self.set_again:
            run(UPDATE_CHANGED_VARIABLE, self.set_again.values())
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
        if self.external:
            if known := [(each,) for each in self.external if each not in new_tasks]:
                write(DELETE_EXTERNAL, known)
            if offered := [row for row in self.external.values() if row is not None]:
                run(INSERT_EXTERNAL, offered)
        if self.user_tasks or self.ended_user_tasks:
            self._write_user_tasks(writer, new_tasks)
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

    def _write_user_tasks(self, writer: Writer, new_tasks: Collection[int]) -> None:
        """Whose tasks are now, and in which lists they stand."""
        known = [(number,) for number in (*self.user_tasks, *self.ended_user_tasks) if number not in new_tasks]
        if known:
            writer.write(DELETE_INBOX, known)
        if self.user_tasks:
            if changed := [(number,) for number in self.user_tasks if number not in new_tasks]:
                writer.write(DELETE_USER_TASK, changed)
            writer.run(INSERT_USER_TASK, self.user_tasks.values())
            if listed := [place for row in self.user_tasks.values() for place in lists_of(row)]:
                writer.run(INSERT_INBOX, listed)
        if self.ended_user_tasks:
            writer.write(END_USER_TASK, [(*told, number) for number, told in self.ended_user_tasks.items()])

    def committed(self) -> None:
        """Remember what the store now holds."""
        for use, known in self.new_stone_uses.items():
            known.add(use)
