"""What expressions that were written for Java engines read and call, and what is to be written for the rest."""

from __future__ import annotations

from collections.abc import Mapping

EXECUTION = ("execution",)
READ = frozenset({"id", "processInstanceId", "processBusinessKey", "businessKey"})
"""The members of ``execution`` that there are."""
GETTERS: Mapping[str, str] = {f"get{name[0].upper()}{name[1:]}": name for name in sorted(READ)}
VARIABLE_METHODS = frozenset({"getVariable", "getVariableLocal", "hasVariable", "hasVariableLocal"})
MISSING = frozenset(
    """activityInstanceId businessKeyWithoutCascade bpmnModelElementInstance bpmnModelInstance currentActivityId
    currentActivityName currentTransitionId eventName parentActivityInstanceId parentId processDefinitionId
    processEngine processEngineServices processInstance superExecution tenantId variableNames variables
    variablesLocal""".split()
)
"""Those that Java engines have besides."""

_CLOCK = "expressions read no clock, so write a duration from now, such as P2D, as a due date, a follow-up or a timer"
_SPIN = "it is Camunda Spin, which nothing needs where variables are JSON: write ${x.name} for ${S(x).prop('name')}"
FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("dateTime", "now", "today"), _CLOCK),
    **dict.fromkeys(("S", "JSON", "XML"), _SPIN),
    **dict.fromkeys(
        ("currentUser", "currentUserGroups"), "nobody is logged in where a process runs: keep the name in a variable"
    ),
}
"""What to do where these are called."""
SETTERS = (
    "setVariable",
    "setVariables",
    "setVariableLocal",
    "removeVariable",
    "removeVariables",
    "removeVariableLocal",
)


def why_no_method(name: str) -> str:
    """Why ``execution.name()`` cannot be called, and what to write."""
    if name in SETTERS:
        text = f"execution.{name}() changes variables, which no expression does"
        return f"{text}: give the task a resultVariable or an outputParameter"
    return f"there is no execution.{name}(): use one of {', '.join(sorted({*GETTERS, *VARIABLE_METHODS}))}"
