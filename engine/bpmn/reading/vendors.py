"""The XML namespaces of the modelers, their words that change nothing, and how to look for what they add to BPMN."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from lxml import etree

from .words import qualified

CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
FLOWABLE = "http://flowable.org/bpmn"
ACTIVITI = "http://activiti.org/bpmn"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"

PREFIXES = {CAMUNDA: "camunda", ZEEBE: "zeebe", FLOWABLE: "flowable", ACTIVITI: "activiti", SPIFF: "spiffworkflow"}
"""The usual prefix of each vendor's namespace."""
JAVA = (ACTIVITI, FLOWABLE, CAMUNDA)
"""The engines that share one vocabulary, having grown out of one code base."""

EXTENSIONS = qualified("extensionElements")

HARMLESS_ATTRIBUTES = frozenset(
    """assignee candidateGroups candidateUsers candidateStarterGroups candidateStarterUsers owner initiator
    asyncBefore asyncAfter async asyncLeave asyncComplete asyncExclusive exclusive exclusiveLeave priority
    jobPriority taskPriority jobCategory dueDate followUpDate category historyTimeToLive isStartableInTasklist
    versionTag tenantId formKey formRef formRefBinding formRefVersion formHandlerClass formFieldValidation
    sameDeployment validateFormFields modelerTemplate modelerTemplateVersion modelerTemplateIcon
    historyLevel
    diagramRelationId taskIdVariableName taskCompleterVariableName parallelInSameTransaction autoStoreVariables
    doNotIncludeVariables enableParallelInSameTransaction isEagerExecutionFetching variableEvents variableName
    errorMessage jobRetryTimeCycle processCategory""".split()
)
"""Attributes that decide who sees a task, how a form looks or how a Java engine cuts transactions.

``variableName`` and ``variableEvents`` of a conditional event tell a Java engine when to look; here it always is.
"""
OF_PEOPLE = frozenset(
    """assignee candidateGroups candidateUsers assignmentDefinition potentialOwner humanPerformer dueDate followUpDate
    taskSchedule priority priorityDefinition""".split()
)
"""What is read with a task of a person."""
OF_FORMS = frozenset("formKey formRef formData formProperty formDefinition userTaskForm".split())
"""What is read with a task of a person, and with the start event of a process that nothing triggers."""
OF_STARTS = frozenset({"initiator"})
"""What is read with a start event of a process, whatever triggers it."""
NOT_YET_USED = {
    **dict.fromkeys(("candidateStarterGroups", "candidateStarterUsers", "potentialStarter"), "keys say who starts it"),
    **dict.fromkeys(("owner", "performer", "resourceRole"), "it does not say who may do the task"),
    "jobPriority": "jobs of one process rank alike; taskPriority ranks tasks of workers",
    **dict.fromkeys(("form", "instructionsForEndUser"), "it is not shown"),
    **dict.fromkeys(sorted(OF_PEOPLE), "only a user task has it"),
    **dict.fromkeys(("taskCompleterVariableName", "taskIdVariableName"), "no variable is set to it"),
    **dict.fromkeys(sorted(OF_STARTS), "only a start event of a process has it"),
    **dict.fromkeys(sorted(OF_FORMS), "only a user task has it, and the start event of a process without a trigger"),
}
"""Of what is harmless, what an author may expect, and what happens instead where nothing looks at it."""
HARMLESS_ELEMENTS = frozenset(
    """formData formProperty formDefinition form userTaskForm userTask assignmentDefinition taskSchedule
    priorityDefinition potentialStarter versionTag properties property customProperties localization
    modelerTemplate instructionsForEndUser unitTests guestConfirmation allowGuest category task-candidates-type
    work-form-field-validation conversationalProperties bpmnInfo extensionElements""".split()
)
PICTURE_NAMESPACES = (
    "http://bpmn.io/",
    "http://camunda.org/schema/modeler/",
    "http://camunda.org/schema/conversion/",
    "http://flowable.org/design",
    "http://www.omg.org/spec/BPMN/",
    "http://www.omg.org/spec/DD/",
    "http://www.signavio.com",
    "http://www.w3.org/",
)
"""Namespaces that say something about pictures and the modeler only, by how they begin."""


def attribute(element: etree._Element, name: str, vendors: Sequence[str] = JAVA) -> tuple[str, str] | None:
    """The first non-empty attribute of this name in one of the vendors' namespaces, with that namespace."""
    for vendor in vendors:
        found = element.get(f"{{{vendor}}}{name}")
        if found is not None and found.strip():
            return found.strip(), vendor
    return None


def attribute_value(element: etree._Element, name: str, vendors: Sequence[str] = JAVA) -> str | None:
    """As :func:`attribute`, without the namespace."""
    found = attribute(element, name, vendors)
    return found[0] if found else None


def extensions(element: etree._Element, name: str, vendors: Sequence[str] = JAVA) -> Iterator[etree._Element]:
    """The children of ``extensionElements`` with this name in one of the vendors' namespaces, in document order."""
    tags = _tags(name, tuple(vendors))
    for holder in element.iterchildren(EXTENSIONS):
        yield from holder.iterchildren(tags)


@cache
def _tags(name: str, vendors: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{{{vendor}}}{name}" for vendor in vendors)
