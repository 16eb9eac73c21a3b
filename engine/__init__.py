"""riverstone: a BPMN workflow engine whose processes can be undone."""

from .async_engine import AsyncEngine
from .authoring.model_views import Deployment, Draft, Model
from .clock import Clock, VirtualClock
from .commands.command import CommandFailed, CommandResult
from .dispatch.dispatcher import Dispatcher
from .dispatch.inline import InlineDispatcher
from .dispatch.threads import ThreadsDispatcher
from .engine import Engine
from .errors import (
    BpmnError,
    Conflict,
    EngineClosed,
    ExpressionError,
    Fatal,
    InternalError,
    Invalid,
    Later,
    LimitExceeded,
    Malformed,
    ModelInvalid,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    ReferenceNotFound,
    RiverstoneError,
    StoreUnavailable,
    TooLarge,
    Unknown,
    UnknownBatch,
    UnknownDecision,
    UnknownDeployment,
    UnknownDraft,
    UnknownModel,
    UnknownProcessInstance,
    UnknownStone,
    UnknownTask,
    UnknownToken,
    VariablesInvalid,
    WaitTimeout,
)
from .findings import Finding
from .limits import Limits
from .observing.logs import JsonFormatter
from .observing.observer import Observer, ProcessChange, TaskEvent
from .outgoing.allowed_origins import AllowedOrigins
from .outgoing.request import HttpAnswer, NotConnected
from .person import Person
from .secret_sources.environment import EnvironmentSecrets
from .secret_sources.files import FileSecrets
from .secret_sources.references import SecretReference
from .secret_sources.source import SecretSource, SecretUnavailable
from .secret_sources.vault import VaultSecrets
from .stones.cloud_resource import CloudResource
from .stones.declarations.declaration import OutputDeclaration, ParameterDeclaration, StoneDeclaration
from .stones.deferral import CallbackSignature, Deferral
from .stones.hooks.task_info import TaskInfo
from .stones.quota import Quota
from .stones.stone import Stone
from .views.batches import Batch, BatchItem, BatchPreview
from .views.decisions import Decision, DecisionMade, DecisionResult, MatchedRules
from .views.failures import Failure, ReasonGroup, Reasons
from .views.history import HistoryEntry
from .views.pages import Page
from .views.people import InboxCounts, UserTask
from .views.processes import (
    Awaited,
    Explanation,
    InstanceRecord,
    MessageReceipt,
    NextTimes,
    Picture,
    ProcessInstance,
    ProcessSummary,
    SearchPage,
    Situation,
    SuspendedKey,
    SuspendedStone,
    Suspension,
    Token,
    Wait,
)
from .views.quotas import QuotaUse
from .views.resources import CheckSchedule, Resource, ResourceCount, ResourceDrift
from .views.statistics import RunFigures, Statistics
from .views.tasks import Task, TaskBinding, TaskCount
from .views.undo import MigrationPlan, MovedTimer, RepairPlan, RepairStep, RewindPlan, UndoStep

__all__ = [
    "AllowedOrigins",
    "AsyncEngine",
    "Awaited",
    "Batch",
    "BatchItem",
    "BatchPreview",
    "BpmnError",
    "CallbackSignature",
    "CheckSchedule",
    "Clock",
    "CloudResource",
    "CommandFailed",
    "CommandResult",
    "Conflict",
    "Decision",
    "DecisionMade",
    "DecisionResult",
    "Deferral",
    "Deployment",
    "Dispatcher",
    "Draft",
    "Engine",
    "EngineClosed",
    "EnvironmentSecrets",
    "Explanation",
    "ExpressionError",
    "Failure",
    "Fatal",
    "FileSecrets",
    "Finding",
    "HistoryEntry",
    "HttpAnswer",
    "InboxCounts",
    "InlineDispatcher",
    "InstanceRecord",
    "InternalError",
    "Invalid",
    "JsonFormatter",
    "Later",
    "LimitExceeded",
    "Limits",
    "Malformed",
    "MatchedRules",
    "MessageReceipt",
    "MigrationPlan",
    "Model",
    "ModelInvalid",
    "MovedTimer",
    "NextTimes",
    "NotAllowed",
    "NotConnected",
    "NotFound",
    "Observer",
    "OutcomeUnknown",
    "OutputDeclaration",
    "Page",
    "ParameterDeclaration",
    "Person",
    "Picture",
    "ProcessChange",
    "ProcessInstance",
    "ProcessSummary",
    "Quota",
    "QuotaUse",
    "ReasonGroup",
    "Reasons",
    "ReferenceNotFound",
    "RepairPlan",
    "RepairStep",
    "Resource",
    "ResourceCount",
    "ResourceDrift",
    "RewindPlan",
    "RiverstoneError",
    "RunFigures",
    "SearchPage",
    "SecretReference",
    "SecretSource",
    "SecretUnavailable",
    "Situation",
    "Statistics",
    "Stone",
    "StoneDeclaration",
    "StoreUnavailable",
    "SuspendedKey",
    "SuspendedStone",
    "Suspension",
    "Task",
    "TaskBinding",
    "TaskCount",
    "TaskEvent",
    "TaskInfo",
    "ThreadsDispatcher",
    "Token",
    "TooLarge",
    "UndoStep",
    "Unknown",
    "UnknownBatch",
    "UnknownDecision",
    "UnknownDeployment",
    "UnknownDraft",
    "UnknownModel",
    "UnknownProcessInstance",
    "UnknownStone",
    "UnknownTask",
    "UnknownToken",
    "UserTask",
    "VariablesInvalid",
    "VaultSecrets",
    "VirtualClock",
    "Wait",
    "WaitTimeout",
]
