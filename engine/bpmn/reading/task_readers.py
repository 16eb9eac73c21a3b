"""One reader for each kind of task: what a stone, a decision, an expression or a person does (BPMN 2.0, 10.3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

from ...language.context import Context
from ...language.expressions import compile_expression
from ..elements import tasks
from ..elements.decisions import DecisionCall, DecisionTask
from ..elements.people.assignment import STARTER
from ..running.node import Node, Process
from .activity_readers import activity
from .bindings import Binding, read_binding, read_decision, read_properties
from .event_readers import read_task_message
from .expression_texts import ExpressionText
from .mappings import Input, read_headers, read_io
from .model_reader import ModelReader
from .people.assignments import read_assignment
from .people.forms import read_form
from .vendors import ZEEBE, extensions
from .words import all_text, bpmn_name, child, children, is_true, label, own_text, qualified, referred

_BEAN = re.compile(r"[^\s+*/%<>=!?&|\"']+?(?:\(.*\))?", re.DOTALL)
"""A bean, a member of one, or a call of either, which is the name of a stone."""
_LITERAL = re.compile(r"true|false|null|[0-9.]+")
_OF_THE_ENGINE = re.compile(r"execution\.\w+\s*\(|(?:S|JSON|XML|dateTime|now)\s*\(")
"""What no bean of anybody's is called by: what the Java engine itself gives to expressions."""
_PYTHON = re.compile(r"python|(^|[/-])py$")
_OTHER_LANGUAGE = re.compile(
    r"groovy|java|script|ecma|\bjs\b|ruby|perl|php|kotlin|scala|clojure|lua|juel|feel|xpath|xquery|xslt|mvel|bean|shell"
    r"|\b(?:ba)?sh\b|sql|\bc(?:\+\+|#)?$|csharp|\bvb|lisp|haskell|\bgo\b|rust|swift|tcl|\br$|freemarker|velocity|wasm"
)
"""What names a language whose scripts would mean something else as Python."""
NodeReader = Callable[[ModelReader, Process, etree._Element], Node | None]


def bound(reader: ModelReader, process: Process, element: etree._Element, binding: Binding) -> Node:
    """A task whose work a stone does."""
    node = activity(reader, process, element, tasks.StoneTask, binding)
    node.stone, node.dialect = binding.stone, binding.dialect
    node.undo_policy, node.properties = binding.undo_policy, binding.properties
    if headers := read_headers(element):
        node.headers = headers
    if binding.retrying:
        node.retrying = binding.retrying
    if binding.undo_retrying:
        node.undo_retrying = binding.undo_retrying
    if binding.result_variable is not None:
        node.result_variable = binding.result_variable
    if binding.priority is not None:
        node.priority = reader.value(element, Input(value=binding.priority))
    node.namespace = binding.namespace or node.name
    node.code = reader.value(element, Input(value=binding.stone))
    if node.code.constant and len(binding.stone) <= tasks.LONGEST_CODE:
        node.fixed_code = str(node.code.evaluate(Context()))
    reader.stone_tasks.append(node)
    return node


def task(reader: ModelReader, process: Process, element: etree._Element) -> Node | None:
    """A task of any kind: a bound stone comes first, else what its type says."""
    binding = read_binding(element)
    if binding is not None and is_formula(binding):
        return formula(reader, process, element, binding)
    if binding is not None:
        return bound(reader, process, element, binding)
    if (call := read_decision(element)) is not None:
        return decision_task(reader, process, element, call)
    kind = bpmn_name(element)
    if kind == "serviceTask" and (code := operation_code(reader, element)):
        io = read_io(element)
        return bound(
            reader, process, element, Binding(stone=code, dialect="operation", inputs=io.inputs, outputs=io.outputs)
        )
    if kind in ("serviceTask", "businessRuleTask"):
        wanted = "its topic (camunda:type=external), task definition or implementation"
        wanted += ", or the decision that it makes" if kind == "businessRuleTask" else ""
        if not reader.report.is_refused(element):
            reader.report.error("stone-missing", element, f"{label(element)} names no stone: set {wanted}.")
        return None
    return PLAIN[kind](reader, process, element)


def operation_code(reader: ModelReader, element: etree._Element) -> str:
    """What the operation of a service task is implemented by, or is called (BPMN 2.0, 8.4.3); empty without one."""
    operation = reader.by_id.get(referred(element, "operationRef") or "")
    if operation is None or bpmn_name(operation) != "operation":
        return ""
    return referred(operation, "implementationRef") or operation.get("name", "").strip()


def is_formula(binding: Binding) -> bool:
    """Whether what a Java engine would evaluate is no call of somebody's bean but a formula over variables."""
    named = _BEAN.fullmatch(binding.stone) is not None and _LITERAL.fullmatch(binding.stone) is None
    named = named and _OF_THE_ENGINE.match(binding.stone) is None
    return binding.dialect.endswith(":expression") and not named


def formula(reader: ModelReader, process: Process, element: etree._Element, binding: Binding) -> Node:
    """A service task whose work is one expression."""
    node = activity(reader, process, element, tasks.ExpressionTask)
    text = binding.stone if "{" in binding.stone else f"${{{binding.stone}}}"
    made = reader.expression(element, ExpressionText(text=text, language="juel"))
    node.expression = made or compile_expression("null", limits=reader.limits)
    node.result_variable = binding.result_variable
    if node.result_variable is None:
        text = f"The result of {label(element)} goes nowhere: give it a resultVariable."
        reader.report.warning("result-unused", element, text)
    return node


def decision_task(reader: ModelReader, process: Process, element: etree._Element, call: DecisionCall) -> Node:
    """A task whose work a decision of the deployment does."""
    node = activity(reader, process, element, DecisionTask)
    node.call = call
    node.decisions = reader.decisions.by_id
    if "${" in call.decision or "#{" in call.decision or call.decision.startswith("="):
        node.named = reader.expression(element, ExpressionText(text=call.decision, language="juel"))
        reader.decisions.use_all()
    elif reader.decisions.use(call.decision) is None and call.together:
        text = f"{label(element)} makes the decision {call.decision!r}, which no DMN file holds: deploy it together."
        reader.report.error("unknown-decision", element, text)
    if not (call.result_variable or call.spread or node.output_values):
        text = f"The result of {label(element)} goes nowhere: give it a resultVariable or an output."
        reader.report.warning("result-unused", element, text)
    return node


def user_task(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = activity(reader, process, element, tasks.UserTask)
    node.form = read_form(reader, element)
    if text := "\n\n".join(filter(None, (all_text(each) for each in children(element, "documentation")))):
        node.documentation = reader.value(element, Input(value=text))
    node.assignment = read_assignment(reader, element)
    _refuse_unknown_tasks(reader, element, node)
    if not (node.assignment.assignee or node.assignment.users or node.assignment.groups):
        text = f"The {label(element)} names nobody who may do it, so it is in no person's own list of tasks: give it an"
        text += " assignee, candidate users or candidate groups."
        reader.report.warning("task-of-nobody", element, text)
    node.namespace = read_properties(element).get("namespace") or node.name
    return node


def _refuse_unknown_tasks(reader: ModelReader, element: etree._Element, node: tasks.UserTask) -> None:
    """A rule of who may not do a task names the starter or other tasks of people."""
    if not (named := [name for name in node.assignment.barred if name != STARTER]):
        return
    known = {each.get("id") for root in reader.roots for each in root.iter(qualified("userTask"))} - {node.name}
    for name in named:
        if name not in known:
            text = f"{label(element)} is not for who did {name!r}, which is no other user task: name one, or starter."
            reader.report.error("unknown-task", element, text)


def none_task(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    if bpmn_name(element) == "task":
        text = (
            f"The {label(element)} does nothing, since it has no type and no stone: click on it and change its type in"
        )
        text += " the modeler: a service task with a stone, a user task, or a manual task, which may do nothing."
        reader.report.warning("task-does-nothing", element, text)
    return activity(reader, process, element, tasks.NoneTask)


def receive_task(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = activity(reader, process, element, tasks.ReceiveTask)
    node.definitions = read_task_message(reader, element)
    node.instantiate = is_true(element, "instantiate")
    return node


def send_task(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    node = activity(reader, process, element, tasks.SendTask)
    node.definitions = read_task_message(reader, element)
    if not node.definitions:
        text = f"{label(element)} sends nothing: name its message, or the stone that sends it."
        reader.report.error("stone-missing", element, text)
    return node


def script_task(reader: ModelReader, process: Process, element: etree._Element) -> Node:
    for found in extensions(element, "script", (ZEEBE,)):
        formula = activity(reader, process, element, tasks.ExpressionTask)
        text = ExpressionText(text=found.get("expression", ""), language="feel")
        formula.expression = reader.expression(element, text) or compile_expression("null", limits=reader.limits)
        formula.result_variable = found.get("resultVariable", "").strip() or "result"
        return formula
    node = activity(reader, process, element, tasks.ScriptTask)
    script = child(element, "script")
    node.script = own_text(script) if script is not None else ""
    if not reader.scripts:
        reader.report.error(
            "script-refused",
            element,
            f"{label(element)} holds code, which this engine does not run: bind a stone instead, or for one expression"
            " make it a service task with camunda:expression=${...} and a resultVariable, or use an outputParameter.",
        )
    elif (language := element.get("scriptFormat", "").strip()) and not _PYTHON.search(language.lower()):
        why = f"The script of {label(element)} is in {language[:80]!r}, and only Python is run here"
        if _OTHER_LANGUAGE.search(language.lower()):
            reader.report.error("script-language", element, f"{why}: rewrite it.")
        else:
            reader.report.warning("script-language", element, f'{why}, as which it is read: say scriptFormat="python".')
    return node


PLAIN: dict[str, NodeReader] = {
    "userTask": user_task,
    # The engine never executes a manual task (BPMN 2.0, 13.3.3): whoever wants to be asked models a user task.
    "manualTask": none_task,
    "task": none_task,
    "receiveTask": receive_task,
    "sendTask": send_task,
    "scriptTask": script_task,
}
