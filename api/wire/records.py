"""What HTTP answers: camelCase outside, the names of the engine's views inside."""

from __future__ import annotations

from marshmallow import fields

from ...engine.authoring.model_views import Deployment, Draft, Model
from ...engine.calls.webhooks import Notice, Subscription
from ...engine.findings import Finding
from ...engine.stones.declarations.declaration import OutputDeclaration, ParameterDeclaration, StoneDeclaration
from ...engine.stones.quota import Quota
from ...engine.views.batches import Batch, BatchItem, BatchPreview
from ...engine.views.decisions import Decision, DecisionMade, DecisionResult, MatchedRules
from ...engine.views.failures import Failure, ReasonGroup, Reasons
from ...engine.views.history import HistoryEntry
from ...engine.views.pages import Page
from ...engine.views.people import (
    DoneTask,
    FormOption,
    FormPart,
    InboxCounts,
    StartForm,
    StartVariable,
    TaskForm,
    UserTask,
)
from ...engine.views.processes import (
    Awaited,
    Explanation,
    MessageReceipt,
    NextTimes,
    ProcessInstance,
    ProcessSummary,
    SuspendedKey,
    SuspendedStone,
    Suspension,
    Token,
    Wait,
)
from ...engine.views.processes import SearchPage as FoundPage
from ...engine.views.quotas import QuotaUse
from ...engine.views.resources import CheckSchedule, Resource, ResourceCount, ResourceDrift
from ...engine.views.statistics import RunFigures, Statistics
from ...engine.views.tasks import Task, TaskBinding, TaskCount
from ...engine.views.undo import MigrationPlan, MovedTimer, RepairPlan, RepairStep, RewindPlan, UndoStep
from ..codes import CodeExplained
from .members import Inner, Items, JsonText
from .record import Given, record

AFTER_AS = {
    "afterAs": "Where more than 50 ids in `after` would be those of a task that is earlier in this list: the `taskId` "
    "of that. Then `after` is empty here."
}
VARIABLES = {"processContent": "The start variables as JSON text."}
RUNS = {"runs": "The numbers of the runs of multi-instance sub-processes that it is inside of, outermost first."}
CALLS = {"calls": "The namespaces of the call activities that it is inside of, outermost first."}

ProcessRecord = record(
    "ProcessRecord",
    ProcessInstance,
    """
    id processInstanceId modelId modelKey processName processType processStatus=status processContent startTime endTime
    activitiFileId outputs nativeOutputs rollbackProcessInstanceId cancelProcessInstanceId deleteProcessInstanceId
    """,
    notes=VARIABLES,
)
"""The sixteen members of a process instance, in their documented order."""

TASK = """
    id processInstanceId taskId name namespace stone createTime endTime status reason params=parameters outputs progress
    """
TaskRecord = record("TaskRecord", Task, TASK, parameters=JsonText(), outputs=JsonText())
"""The thirteen members of a task, in their documented order."""
TaskDetail = record(
    "TaskDetail",
    Task,
    f"{TASK} createdAt=create_time endedAt=end_time elementId calls runs kind attempt originTaskId undo after log saved"
    " afterAs",
    notes=CALLS | RUNS | AFTER_AS,
    parameters=JsonText(),
    outputs=JsonText(),
)
"""A task with all that is known of it."""
TaskCountRecord = record(
    "TaskCountRecord",
    TaskCount,
    notes=CALLS
    | {
        "open": "Whether they have not ended.",
        "progress": "Their mean.",
        "after": "The positions in this list, from 0, of those that any of them causally followed.",
        "begins": "Whether any of them followed none.",
    },
)

WaitRecord = record("WaitRecord", Wait)
FailureRecord = record("FailureRecord", Failure)
TokenRecord = record("TokenRecord", Token, notes={"scope": "Whether others stand inside it."})

AwaitedRecord = record("AwaitedRecord", Awaited)
SuspensionRecord = record("SuspensionRecord", Suspension)

SUMMARY = """
    processInstanceId processName key kind processStatus=status reason startTime endTime startedAt=start_time
    endedAt=end_time modelId deploymentId businessKey originProcessInstanceId rollbackProcessInstanceId
    cancelProcessInstanceId deleteProcessInstanceId debug mock deleteProtection=protected paused owner kept attention
    outcome awaits waitsFor suspended
    """
ProcessSummaryRecord = record("ProcessSummaryRecord", ProcessSummary, f"{SUMMARY} failure")
"""A process instance without its variables and outputs."""
ProcessDetail = record(
    "ProcessDetail",
    ProcessInstance,
    f"{SUMMARY} id rewindProcessInstanceId modelKey processContent outputs nativeOutputs decided tokens failures",
    notes=VARIABLES | {"decided": "Whether it has made decisions of DMN, which `/process/{id}/decision` lists."},
    tokens=Items(Inner(TokenRecord)),
    failures=Items(Inner(FailureRecord)),
)
"""A process instance with all that is known of it, but for its tasks."""

ExplanationRecord = record(
    "ExplanationRecord",
    Explanation,
    "processInstanceId processStatus=status sentences commands",
    notes={"commands": "Command lines that help; MODULE stands for the module that defines the stones."},
)
UndoStepRecord = record("UndoStepRecord", UndoStep, notes=AFTER_AS)
MovedTimerRecord = record("MovedTimerRecord", MovedTimer)
MigrationPlanRecord = record("MigrationPlanRecord", MigrationPlan)
RepairStepRecord = record("RepairStepRecord", RepairStep)
RepairPlanRecord = record("RepairPlanRecord", RepairPlan)
RewindPlanRecord = record("RewindPlanRecord", RewindPlan)


StoneParameter = record("StoneParameter", ParameterDeclaration)
StoneOutput = record("StoneOutput", OutputDeclaration)
StoneQuota = record("StoneQuota", Quota)
StoneRecord = record("StoneRecord", StoneDeclaration)
RunFiguresRecord = record("RunFiguresRecord", RunFigures)
StatisticsRecord = record(
    "StatisticsRecord",
    Statistics,
    notes={"since": "When the oldest run that was counted began.", "complete": "Whether there are no older ones."},
)
NextTimesRecord = record("NextTimesRecord", NextTimes)
SuspendedStoneRecord = record("SuspendedStoneRecord", SuspendedStone)
ResourceRecord = record(
    "ResourceRecord",
    Resource,
    """
    taskId processInstanceId processName key owner stone name namespace elementId state sinceAt=since outputs
    checkedAt=checked check reason
    """,
)
ResourceCountRecord = record("ResourceCountRecord", ResourceCount)
ResourceDriftRecord = record("ResourceDriftRecord", ResourceDrift)
CheckScheduleRecord = record(
    "CheckScheduleRecord",
    CheckSchedule,
    "scheduleId every stone key rate nextAt=next lastAt=last batchId reason createdAt=created client owner paused",
    notes={
        "rate": "The most processes a second.",
        "batchId": "The last turn that checked anything: a batch, which tells how far it is.",
        "reason": "Why the last turn checked nothing, or left something out.",
    },
)
SuspendedKeyRecord = record("SuspendedKeyRecord", SuspendedKey)

MODEL = """
    modelId key name createTime=created updateTime=updated createdAt=created updatedAt=updated
    deleteProtection=protected
    """
DEPLOYMENT = "deploymentId modelId key name version createTime=created createdAt=created"
CONTENT = "xml files parameterTemplate outputsTemplate"
ModelRecord = record("ModelRecord", Model, MODEL)
"""A model in a list."""
ModelDetail = record("ModelDetail", Model, f"{MODEL} {CONTENT}")
"""A model with its content; ``xml`` is the first of its files."""
DeploymentRecord = record("DeploymentRecord", Deployment, DEPLOYMENT)
"""A deployment in a list."""
DeploymentDetail = record(
    "DeploymentDetail",
    Deployment,
    f"{DEPLOYMENT} {CONTENT} nextStarts onFailure undoOnCompensation",
    notes={"nextStarts": "When its timers start processes next, at most three times, if it is the newest of its key."},
)
"""A deployment with its content; ``xml`` is the first of its files."""
DRAFT = "modelId key name revision createdAt=created updatedAt=updated updateTime=updated who new outdated"
OF_DRAFT = {
    "revision": "Its ETag: whoever writes, saves or discards it names the one that was read in If-Match.",
    "new": "Whether there is no saved model yet.",
    "outdated": "Whether the model was saved since the draft was begun.",
}
DraftRecord = record("DraftRecord", Draft, DRAFT, notes=OF_DRAFT)
"""A draft in a list."""
DraftDetail = record("DraftDetail", Draft, f"{DRAFT} files parameterTemplate outputsTemplate", notes=OF_DRAFT)
"""A draft with its content."""
DraftPage = record("DraftPage", Page[Draft])
FindingRecord = record("FindingRecord", Finding)
CodeRecord = record("CodeRecord", CodeExplained)
BindingRecord = record("BindingRecord", TaskBinding)
SavedModel = record("SavedModel", Model, f"{MODEL} findings tasks")
"""A model that was just saved, with the warnings of the checks and what was read for each task."""

UserTaskRecord = record(
    "UserTaskRecord",
    UserTask,
    """
    taskId processInstanceId name elementId processName key businessKey createdAt=created dueAt=due
    followUpAt=follow_up priority assignee delegatedBy users groups endedAt=ended doneBy
    """,
    notes={
        "followUpAt": "Before which nobody has to look at it.",
        "delegatedBy": "Who has handed it on, and has it back once it is given back.",
        "users": "The candidates, who may take it.",
    },
)
"""A task of a person, as it stands in lists."""
InboxCountsRecord = record(
    "InboxCountsRecord",
    InboxCounts,
    notes={
        "mine": "Those that who asks has; of each list at most 100 are counted.",
        "groups": "Those that nobody has and that who asks, or a group of theirs, may take.",
        "all": "All that who asks may see.",
    },
)
FormOptionRecord = record("FormOptionRecord", FormOption)
FormPartRecord = record(
    "FormPartRecord",
    FormPart,
    notes={
        "key": "By which its value is given, with dots where it is a member; empty for what is only shown.",
        "inside": "The id of the group that it is in.",
        "date": "What a datetime asks for.",
        "suggests": "Whether the options are only suggestions.",
        "row": "Parts of the same row stand side by side.",
    },
)
DoneTaskRecord = record("DoneTaskRecord", DoneTask, "name endedAt=ended who")
TaskFormRecord = record(
    "TaskFormRecord",
    TaskForm,
    notes={
        "values": "What the form is filled in with, as variables.",
        "errors": "What is wrong with the values that were given, by key.",
        "changes": "Whether any part depends on what is filled in.",
        "may": "What whoever asks may do about the task.",
        "barred": "Why whoever asks may not do it although the model names them.",
        "before": "What was done before, the last twenty, the last one last.",
    },
    errors=fields.Dict(keys=fields.String(), values=fields.List(fields.String())),
)
"""A task of a person with its form."""
StartVariableRecord = record(
    "StartVariableRecord",
    StartVariable,
    notes={
        "kind": "What it is taken for, as far as the model tells.",
        "description": "What the stone that takes it says of it.",
        "members": "Those of its members that are read, with dots.",
        "options": "Texts that it is compared with.",
        "secret": "Whether it is not to be shown, since a stone takes it for what is secret.",
    },
)
StartFormRecord = record(
    "StartFormRecord",
    StartForm,
    notes={
        "key": "Of the process that is started.",
        "parts": "Of the form; none where the model has no form.",
        "values": "What the form is filled in with, as start variables.",
        "errors": "What is wrong with the values that were given, by key.",
        "changes": "Whether any part depends on what is filled in.",
        "variables": "Where there is neither a form nor a parameter template: what the model reads and nothing in it"
        " sets, at most 50. A start may leave them out.",
    },
    errors=fields.Dict(keys=fields.String(), values=fields.List(fields.String())),
)
"""What a start asks for."""
UserTaskPage = record("UserTaskPage", Page[UserTask])
ProcessPage = record("ProcessPage", Page[ProcessInstance])
ResourcePage = record("ResourcePage", Page[Resource])
ResourceDriftPage = record("ResourceDriftPage", Page[ResourceDrift])
QuotaRecord = record(
    "QuotaRecord",
    QuotaUse,
    "name value atOnce perMinute held waiting undoHeld undoWaiting nextAt=next usedAt=used",
    notes={
        "value": "Of the parameter by which it is counted; null where it is counted by none.",
        "held": "Tasks that are at work, counted to a thousand as all of these.",
        "undoHeld": "The same of what undoes something, which has slots of its own.",
        "nextAt": "When who is first in line may begin, where that is only a question of time.",
    },
)
QuotaPage = record("QuotaPage", Page[QuotaUse])
SearchPage = record(
    "SearchPage",
    FoundPage,
    notes={
        "insideWordsFrom": "The id of the oldest process in which `text` was sought inside of words too; null where"
        " it was in all. Older ones are found by the beginnings of words.",
    },
)
ModelPage = record("ModelPage", Page[Model])
DeploymentPage = record("DeploymentPage", Page[Deployment])
SubscriptionRecord = record("SubscriptionRecord", Subscription)
NoticeRecord = record("NoticeRecord", Notice)
NoticePage = record("NoticePage", Page[Notice])
DecisionRecord = record("DecisionRecord", Decision)
MatchedRulesRecord = record("MatchedRulesRecord", MatchedRules)
DecisionResultRecord = record("DecisionResultRecord", DecisionResult, value=fields.Raw(allow_none=True))
DecisionMadeRecord = record("DecisionMadeRecord", DecisionMade, notes=CALLS | RUNS)
HistoryRecord = record(
    "HistoryRecord",
    HistoryEntry,
    """
    time happenedAt=time kind who action taskId elementId name stone attempt status reason parameters outputs variables
    assignee engine undo processInstanceId retained shortened
    """,
    notes={
        "who": "The client that asked for it, where that is known.",
        "variables": "What was set, or came with a message or a signal.",
        "processInstanceId": "Of the undo.",
    },
)
HistoryPage = record("HistoryPage", Page[HistoryEntry])
DecisionMadePage = record("DecisionMadePage", Page[DecisionMade])
DecisionPage = record("DecisionPage", Page[Decision])

REASON = {
    "reason": "Why they have failed, as one of them tells it: others may differ in numbers. Null for what did not.",
    "example": "The id of one of the processes.",
}
BatchRecord = record(
    "BatchRecord",
    Batch,
    "batchId action options where state total done refused rate createdAt=created endedAt=ended client owner",
    notes={
        "refused": "Of how many nothing was done: `/batch/{id}/process?result=refused` tells why.",
        "rate": "The most processes a second.",
    },
    options=Given(),
    where=Given(metadata={"description": "What was searched for when it was started."}),
)
BatchItemRecord = record("BatchItemRecord", BatchItem, "processInstanceId result code reason endedAt=ended")
ReasonGroupRecord = record("ReasonGroupRecord", ReasonGroup, notes=REASON)
ReasonsRecord = record(
    "ReasonsRecord",
    Reasons,
    notes={
        "processes": "How many were looked at.",
        "leftOut": "How many tasks are of further groups.",
        "partial": "Whether there are more processes than are looked at.",
    },
)
BatchPreviewRecord = record(
    "BatchPreviewRecord",
    BatchPreview,
    notes={
        "tasks": "How many of their tasks would be tried again, undone or given up.",
        "leftOut": "How many tasks are of further groups.",
        "partial": "Whether only a part of the processes was looked into.",
    },
)
BatchPage = record("BatchPage", Page[Batch])
BatchItemPage = record("BatchItemPage", Page[BatchItem])


MessageReceiptRecord = record("MessageReceipt", MessageReceipt)
