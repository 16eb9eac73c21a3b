"""One reader for each kind of task: what a stone, a decision, an expression or a person does (BPMN 2.0, 10.3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from lxml import etree

from ...language.context import Context
from ...language.expressions import compile_expression
from ..elements import tasks
from ..elements.decisions import DecisionCall, DecisionTask
from ..running.node import Node, Process
from .activity_readers import activity
from .bindings import Binding, read_binding, read_decision, read_properties
from .event_readers import read_task_message
from .expression_texts import ExpressionText
from .mappings import Input, read_io
from .vendors import ZEEBE, extensions
from .words import bpmn_name, child, is_true, label, own_text, referred

if TYPE_CHECKING:
    from .parser import Parser

_BEAN = re.compile(r"[^\s+*/%<>=!?&|\"']+?(?:\(.*\))?", re.DOTALL)
"""A bean, a member of one, or a call of either, which is the name of a stone."""
Reader = Callable[["Parser", Process, etree._Element], "Node | None"]


def bound(parser: Parser, process: Process, element: etree._Element, binding: Binding) -> Node:
    """A task whose work a stone does."""
    node: tasks.StoneTask = activity(parser, process, element, tasks.StoneTask, binding)
    node.stone, node.dialect = binding.stone, binding.dialect
    node.undo_policy, node.retries, node.properties = binding.undo_policy, binding.retries, binding.properties
    node.result_variable = binding.result_variable
    node.namespace = binding.namespace or node.name
    node.code = parser.value(element, Input(value=binding.stone))
    if node.code.constant and len(binding.stone) <= tasks.LONGEST_CODE:
        node.fixed_code = str(node.code.evaluate(Context()))
    parser.stone_tasks.append(node)
    return node


def task(parser: Parser, process: Process, element: etree._Element) -> Node | None:
    """A task of any kind: a bound stone comes first, else what its type says."""
    binding = read_binding(element)
    if binding is not None and is_formula(binding):
        return formula(parser, process, element, binding)
    if binding is not None:
        return bound(parser, process, element, binding)
    if (call := read_decision(element)) is not None:
        return decision_task(parser, process, element, call)
    kind = bpmn_name(element)
    if kind == "serviceTask" and (code := operation_code(parser, element)):
        io = read_io(element)
        return bound(
            parser, process, element, Binding(stone=code, dialect="operation", inputs=io.inputs, outputs=io.outputs)
        )
    if kind in ("serviceTask", "businessRuleTask"):
        wanted = "its topic (camunda:type=external), task definition or implementation"
        wanted += ", or the decision that it makes" if kind == "businessRuleTask" else ""
        parser.wrong(element, "stone-missing", f"{label(element)} names no stone: set {wanted}.")
        return None
    return PLAIN[kind](parser, process, element)


def operation_code(parser: Parser, element: etree._Element) -> str:
    """What the operation of a service task is implemented by, or is called (BPMN 2.0, 8.4.3); empty without one."""
    operation = parser.by_id.get(referred(element, "operationRef") or "")
    if operation is None or bpmn_name(operation) != "operation":
        return ""
    return referred(operation, "implementationRef") or operation.get("name", "").strip()


def is_formula(binding: Binding) -> bool:
    """Whether what a Java engine would evaluate is no call of somebody's bean but a formula over variables."""
    return binding.dialect.endswith(":expression") and _BEAN.fullmatch(binding.stone) is None


def formula(parser: Parser, process: Process, element: etree._Element, binding: Binding) -> Node:
    """A service task whose work is one expression."""
    node: tasks.ExpressionTask = activity(parser, process, element, tasks.ExpressionTask)
    text = binding.stone if "{" in binding.stone else f"${{{binding.stone}}}"
    made = parser.expression(element, ExpressionText(text=text, language="juel"))
    node.expression = made or compile_expression("null", limits=parser.limits)
    node.result_variable = binding.result_variable
    if node.result_variable is None:
        text = f"The result of {label(element)} goes nowhere: give it a resultVariable."
        parser.wrong(element, "result-unused", text, "warning")
    return node


def decision_task(parser: Parser, process: Process, element: etree._Element, call: DecisionCall) -> Node:
    """A task whose work a decision of the deployment does."""
    node: DecisionTask = activity(parser, process, element, DecisionTask)
    node.call = call
    node.decisions = parser.decisions.by_id
    if "${" in call.decision or "#{" in call.decision or call.decision.startswith("="):
        node.named = parser.expression(element, ExpressionText(text=call.decision, language="juel"))
        parser.decisions.use_all()
    elif parser.decisions.use(call.decision) is None:
        text = f"{label(element)} makes the decision {call.decision!r}, which no DMN file holds: deploy it together."
        parser.wrong(element, "unknown-decision", text)
    if not (call.result_variable or call.spread or node.output_values):
        text = f"The result of {label(element)} goes nowhere: give it a resultVariable or an output."
        parser.wrong(element, "result-unused", text, "warning")
    return node


def user_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: tasks.UserTask = activity(parser, process, element, tasks.UserTask)
    node.namespace = read_properties(element).get("namespace") or node.name
    return node


def none_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: Node = activity(parser, process, element, tasks.NoneTask)
    return node


def receive_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: tasks.ReceiveTask = activity(parser, process, element, tasks.ReceiveTask)
    node.definitions = read_task_message(parser, element)
    node.instantiate = is_true(element, "instantiate")
    return node


def send_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    node: tasks.SendTask = activity(parser, process, element, tasks.SendTask)
    node.definitions = read_task_message(parser, element)
    if not node.definitions:
        text = f"{label(element)} sends nothing: name its message, or the stone that sends it."
        parser.wrong(element, "stone-missing", text)
    return node


def script_task(parser: Parser, process: Process, element: etree._Element) -> Node:
    for found in extensions(element, "script", (ZEEBE,)):
        formula: tasks.ExpressionTask = activity(parser, process, element, tasks.ExpressionTask)
        text = ExpressionText(text=found.get("expression", ""), language="feel")
        formula.expression = parser.expression(element, text) or compile_expression("null", limits=parser.limits)
        formula.result_variable = found.get("resultVariable", "").strip() or "result"
        return formula
    node: tasks.ScriptTask = activity(parser, process, element, tasks.ScriptTask)
    script = child(element, "script")
    node.script = own_text(script) if script is not None else ""
    if not parser.scripts:
        parser.wrong(
            element,
            "script-refused",
            f"{label(element)} holds code, which this engine does not run: bind a stone instead.",
        )
    return node


PLAIN: dict[str, Reader] = {
    "userTask": user_task,
    # The engine never executes a manual task (BPMN 2.0, 13.3.3): whoever wants to be asked models a user task.
    "manualTask": none_task,
    "task": none_task,
    "receiveTask": receive_task,
    "sendTask": send_task,
    "scriptTask": script_task,
}
