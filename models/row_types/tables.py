"""Every table, with the type of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .access import AuditRow, KeyRow, SessionRow, TokenSecretRow
from .batches import BatchItemRow, BatchRow, CheckScheduleRow
from .deployments import DeploymentRow, DraftRow, ModelRow
from .engines import SuspensionRow
from .history import DecisionMadeRow, HistoryRow, RetraceRow
from .instances import ChangedVariableRow, ContentRow, FoldRow, InstanceRow, VariableRow
from .messages import EventRequestRow, EventRow, KeptMessageRow
from .quotas import QuotaRow, QuotaSlotRow
from .tasks import ExternalRow, InboxRow, StragglerRow, TaskCheckRow, TaskRow, UserTaskRow
from .tokens import TokenRow, WaitRow
from .webhooks import NoticeRow, SubscriptionRow, WebhookSecretRow


def columns(row: type[Any]) -> tuple[str, ...]:
    """The names of a record's columns, in order."""
    return tuple(field.name for field in fields(row) if field.name != "stored" and "dict" not in str(field.type))


TABLES: Mapping[str, type[Any] | None] = {
    "process_model": ModelRow,
    "draft": DraftRow,
    "deployment": DeploymentRow,
    "process_instance": InstanceRow,
    "content": ContentRow,
    "task": TaskRow,
    "changed_variable": ChangedVariableRow,
    "ledger_fold": FoldRow,
    "token": TokenRow,
    "wait": WaitRow,
    "event": EventRow,
    "kept_message": KeptMessageRow,
    "event_request": EventRequestRow,
    "task_check": TaskCheckRow,
    "straggler": StragglerRow,
    "suspension": SuspensionRow,
    "token_secret": TokenSecretRow,
    "variable": VariableRow,
    "history": HistoryRow,
    "quota": QuotaRow,
    "quota_slot": QuotaSlotRow,
    # Whose tasks wait for a slot, and which round their owner is in.
    "quota_line": None,
    # When hooks were let begin, of the last minute.
    "quota_grant": None,
    # Which stones the processes of a version have used.
    "stone_use": None,
    "external_task": ExternalRow,
    "user_task": UserTaskRow,
    "inbox": InboxRow,
    "subscription": SubscriptionRow,
    "notice": NoticeRow,
    "webhook_secret": WebhookSecretRow,
    "batch": BatchRow,
    "batch_item": BatchItemRow,
    "check_schedule": CheckScheduleRow,
    "decision_made": DecisionMadeRow,
    "retrace": RetraceRow,
    "access_key": KeyRow,
    "browser_session": SessionRow,
    # Beside these columns it has the number of the row.
    "audit": AuditRow,
    # By whose beginnings processes are found, one row for each process and word.
    "word": None,
    # The engines that work on the store, with the number of the last commit of each.
    "engine_node": None,
    # The decimal ids that process instances and tasks share, taken in blocks.
    "sequence": None,
    # What a message, a signal or a time starts: the newest version of each key.
    "start_trigger": None,
    # The version tags of processes and decisions.
    "version_tag": None,
    # The idempotency keys that were used, with the digest of what for.
    "start_request": None,
    # Tasks that workers on other machines have had in hand for more than a moment.
    "handover": None,
    # Stones that workers on other machines have declared.
    "stone": None,
}
"""The tables, with what the engine holds of one row; the migrations make them, with keys, widths and indexes."""
