"""From what HTTP answers back to the engine's views and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from ...engine import errors
from ...engine.calls.webhooks import UnknownNotice, UnknownSubscription
from ...engine.views.pages import Item, Page
from ..errors import Refused, ServerUnavailable
from ..wire.record import Content
from ..wire.records import (
    BatchItemPage,
    BatchPage,
    BatchPreviewRecord,
    BatchRecord,
    CheckScheduleRecord,
    DecisionMadePage,
    DecisionPage,
    DecisionResultRecord,
    DeploymentDetail,
    DraftDetail,
    ExplanationRecord,
    FailureRecord,
    FindingRecord,
    HistoryPage,
    InboxCountsRecord,
    MessageReceiptRecord,
    MigrationPlanRecord,
    ModelDetail,
    NextTimesRecord,
    NoticePage,
    ProcessDetail,
    QuotaRecord,
    ReasonsRecord,
    RepairPlanRecord,
    ResourceCountRecord,
    ResourceDriftRecord,
    ResourceRecord,
    RewindPlanRecord,
    SearchPage,
    StartFormRecord,
    StatisticsRecord,
    StoneRecord,
    SubscriptionRecord,
    SuspendedKeyRecord,
    SuspendedStoneRecord,
    TaskCountRecord,
    TaskDetail,
    TaskFormRecord,
    TokenRecord,
    UndoStepRecord,
    UserTaskPage,
    UserTaskRecord,
)

process = ProcessDetail().read
found_processes = SearchPage().read
task = TaskDetail().read
task_count = TaskCountRecord().read
user_task = UserTaskRecord().read
user_tasks = UserTaskPage().read
inbox_counts = InboxCountsRecord().read
task_form = TaskFormRecord().read
start_form = StartFormRecord().read
token = TokenRecord().read
failure = FailureRecord().read
undo_step = UndoStepRecord().read
migration_plan = MigrationPlanRecord().read
repair_plan = RepairPlanRecord().read
rewind_plan = RewindPlanRecord().read
suspended_stone = SuspendedStoneRecord().read
quota = QuotaRecord().read
resource = ResourceRecord().read
resource_count = ResourceCountRecord().read
drift = ResourceDriftRecord().read
check_schedule = CheckScheduleRecord().read
suspended_key = SuspendedKeyRecord().read
batch = BatchRecord().read
batches = BatchPage().read
batch_items = BatchItemPage().read
batch_preview = BatchPreviewRecord().read
reasons = ReasonsRecord().read
explanation = ExplanationRecord().read
model = ModelDetail().read
"""Also of a ``ModelRecord``: a model without its content."""
statistics = StatisticsRecord().read
next_times = NextTimesRecord().read
draft = DraftDetail().read
"""Also of a ``DraftRecord``."""
deployment = DeploymentDetail().read
"""Also of a ``DeploymentRecord``."""
decision_result = DecisionResultRecord().read
history = HistoryPage().read
decisions_made = DecisionMadePage().read
decisions = DecisionPage().read
stone = StoneRecord().read
finding = FindingRecord().read
message_receipt = MessageReceiptRecord().read
subscription = SubscriptionRecord().read
notices = NoticePage().read


def page(content: Content, read: Callable[[Content], Item]) -> Page[Item]:
    """A part of a list."""
    return Page(items=tuple(read(item) for item in content["items"]), cursor=content["cursor"])


UNKNOWN: dict[str, Callable[[str], errors.Unknown]] = {
    errors.UnknownProcessInstance.code: errors.UnknownProcessInstance,
    errors.UnknownTask.code: errors.UnknownTask,
    errors.UnknownModel.code: errors.UnknownModel,
    errors.UnknownDeployment.code: errors.UnknownDeployment,
    errors.UnknownDraft.code: errors.UnknownDraft,
    errors.UnknownDecision.code: errors.UnknownDecision,
    errors.UnknownBatch.code: errors.UnknownBatch,
    errors.UnknownStone.code: errors.UnknownStone,
    UnknownSubscription.code: UnknownSubscription,
    UnknownNotice.code: UnknownNotice,
}


def error(status: int, content: Content, asked_for: str) -> errors.RiverstoneError:
    """The error that a problem (RFC 9457) tells of, as the engine or the server has raised it.

    ``asked_for`` is the path, whose id an unknown one is.
    """
    code, text = str(content.get("code", "")), str(content.get("detail", ""))
    if not code or not text:
        return ServerUnavailable(f"The server answered {status} for {asked_for} with something that is no problem.")
    if code in UNKNOWN:
        _, _, identifier = asked_for.removeprefix("/").partition("/")
        return _saying(UNKNOWN[code](unquote(identifier.partition("/")[0])), text)
    wrong = {field: tuple(texts) for field, texts in (content.get("errors") or {}).items()}
    made: dict[int, Callable[[], errors.RiverstoneError]] = {
        400: lambda: errors.Malformed(text, code=code, errors=wrong),
        401: lambda: Refused(text, status=401, code=code),
        403: lambda: Refused(text, status=403, code=code),
        412: lambda: errors.Conflict(text, code=code),
        409: lambda: errors.Conflict(
            text,
            code=code,
            status=content.get("currentStatus"),
            allowed=content.get("allowed") or (),
            related=content.get("relatedProcessInstanceId"),
        ),
        413: lambda: errors.TooLarge(text, limit=""),
        422: lambda: _invalid(code, text, wrong, content.get("findings")),
        429: lambda: errors.LimitExceeded("instances_per_key", text),
        503: lambda: _unavailable(code, text),
    }
    make = made.get(status)
    return ServerUnavailable(f"The server answered {status}: {text}", code=code) if make is None else make()


def _unavailable(code: str, text: str) -> errors.RiverstoneError:
    if code == errors.EngineClosed.code:
        return errors.EngineClosed(text)
    if code == errors.OutcomeUnknown.code:
        return errors.OutcomeUnknown(text)
    return errors.StoreUnavailable(text, code=code)


def _invalid(
    code: str, text: str, wrong: Mapping[str, tuple[str, ...]], findings: list[dict[str, Any]] | None
) -> errors.RiverstoneError:
    if findings is not None:
        return _saying(errors.ModelInvalid(list(map(finding, findings))), text)
    if code == errors.VariablesInvalid.code:
        return _saying(errors.VariablesInvalid(wrong), text)
    if code == errors.ReferenceNotFound.code:
        return errors.ReferenceNotFound("", text)
    if code == errors.ExpressionError.code:
        return errors.ExpressionError(text)
    if code == errors.LimitExceeded.code:
        return errors.LimitExceeded("", text)
    return errors.Invalid(text, code=code, errors=wrong)


def _saying(made: errors.RiverstoneError, text: str) -> errors.RiverstoneError:
    """The error with the server's own words."""
    made.message = text
    made.args = (text,)
    return made
