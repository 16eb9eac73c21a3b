"""riverstone: a BPMN workflow engine whose processes can be taken back."""

from .authoring.model_views import Deployment, Model
from .clock import Clock, VirtualClock
from .dispatch.dispatcher import Dispatcher
from .dispatch.inline import InlineDispatcher
from .dispatch.threads import ThreadsDispatcher
from .engine import Engine
from .errors import (
    BpmnError,
    Conflict,
    EngineClosed,
    ExpressionError,
    Invalid,
    LimitExceeded,
    Malformed,
    ModelInvalid,
    NotFound,
    ReferenceNotFound,
    RiverstoneError,
    StoreUnavailable,
    TooLarge,
    Unknown,
    UnknownDecision,
    UnknownDeployment,
    UnknownModel,
    UnknownProcessInstance,
    UnknownTask,
    VariablesInvalid,
    WaitTimeout,
)
from .findings import Finding
from .limits import Limits
from .observing.logs import JsonFormatter
from .observing.observer import Observer, ProcessChange, TaskEvent
from .stones.declaration import OutputDeclaration, ParameterDeclaration, StoneDeclaration
from .stones.stone import Stone
from .stones.task_info import TaskInfo
from .views import (
    Decision,
    DecisionMade,
    DecisionResult,
    Explanation,
    Failure,
    MatchedRules,
    Page,
    Picture,
    ProcessInstance,
    ProcessSummary,
    Task,
    TaskBinding,
    Token,
    UndoStep,
    Wait,
)

__all__ = [
    "BpmnError",
    "Clock",
    "Conflict",
    "Decision",
    "DecisionMade",
    "DecisionResult",
    "Deployment",
    "Dispatcher",
    "Engine",
    "EngineClosed",
    "Explanation",
    "ExpressionError",
    "Failure",
    "Finding",
    "InlineDispatcher",
    "Invalid",
    "JsonFormatter",
    "LimitExceeded",
    "Limits",
    "Malformed",
    "MatchedRules",
    "Model",
    "ModelInvalid",
    "NotFound",
    "Observer",
    "OutputDeclaration",
    "Page",
    "ParameterDeclaration",
    "Picture",
    "ProcessChange",
    "ProcessInstance",
    "ProcessSummary",
    "ReferenceNotFound",
    "RiverstoneError",
    "Stone",
    "StoneDeclaration",
    "StoreUnavailable",
    "Task",
    "TaskBinding",
    "TaskEvent",
    "TaskInfo",
    "ThreadsDispatcher",
    "Token",
    "TooLarge",
    "UndoStep",
    "Unknown",
    "UnknownDecision",
    "UnknownDeployment",
    "UnknownModel",
    "UnknownProcessInstance",
    "UnknownTask",
    "VariablesInvalid",
    "VirtualClock",
    "Wait",
    "WaitTimeout",
]
