"""The classes of SpiffWorkflow that a token, its nodes and its workflow are kinds of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # It has no types: as subclasses of Any, tokens and nodes would seem to have whatever attribute they are asked for.
    class Task: ...

    class BpmnTaskSpec:
        name: str

    class BpmnProcessSpec:
        name: str
        description: str | None

        def __init__(self, name: str, description: str | None = None) -> None: ...

    class BpmnWorkflow: ...
else:
    from SpiffWorkflow.bpmn import BpmnWorkflow as BpmnWorkflow
    from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec as BpmnProcessSpec
    from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec as BpmnTaskSpec
    from SpiffWorkflow.task import Task as Task
