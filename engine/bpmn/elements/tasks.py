"""Tasks: what a stone or a person does while a token waits, and what needs neither (BPMN 2.0, 10.3.3 and 13.3.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...errors import ExpressionError
from ...language.operators import kind_of
from ..running.token import Token
from ..running.token_data import RUN, TRIGGERED
from .activity import Activity
from .events import CatchEvent, ThrowEvent
from .loops import MultiInstance
from .people.assignment import NOBODY, Assignment

if TYPE_CHECKING:
    from ....models.vocabulary import UndoPolicy
    from ...language.context import Context
    from ...language.expressions import Expression, Value
    from .people.form import Form


LONGEST_CODE = 255
"""Characters of a stone's code."""


class NoneTask(Activity):
    """A task without a type: nothing to do (BPMN 2.0, 13.3.3)."""

    def execute(self, token: Token) -> bool | None:
        self.take_inputs(token)
        self.map_outputs(token, {})
        return True


class StoneTask(Activity):
    """A task whose work a stone does."""

    makes = True
    stone: str
    """The stone's code as written; it may hold ``${...}``."""
    dialect: str
    """What bound it, such as ``camunda:topic``."""
    code: Value
    """What yields the stone's code."""
    fixed_code: str | None = None
    """The code itself where it is no expression."""
    undo_policy: UndoPolicy = "delete"
    retrying: Mapping[str, Any] = MappingProxyType({})
    """How often it is tried again and after which pauses, by the words of the ledger; empty where the stone says it."""
    undo_retrying: Mapping[str, Any] = MappingProxyType({})
    """The same of what takes it back."""
    priority: Value | None = None
    """By which workers over HTTP get it before others."""
    properties: Mapping[str, str]
    headers: Mapping[str, str] = MappingProxyType({})
    """What the model says to workers over HTTP about the task, as it is written."""
    result_variable: str | None = None

    def execute(self, token: Token) -> bool | None:
        token.workflow.host.begin_task(token)
        return None

    def priority_in(self, context: Context) -> int:
        """The priority as it is here; raises ExpressionError where that is no number."""
        if self.priority is None:
            return 0
        found = self.priority.evaluate(context)
        if isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,9}", found):
            found = int(found)
        if type(found) is not int or abs(found) >= 2**31:
            text = f"The taskPriority {str(self.priority.source)[:80]!r} of {self.label} is {kind_of(found)}"
            raise ExpressionError(f"{text}, not a whole number of 32 bits: give the variable one.")
        return found

    @property
    def runs_are_tasks(self) -> bool:
        return isinstance(self.loop, MultiInstance) and not self.loop.sequential

    def map_outputs(self, token: Token, results: Mapping[str, Any]) -> None:
        if self.result_variable:
            value = results.get("result", dict(results))
            results = {**results, self.result_variable: value}
            if self.result_variable not in self.input_values:
                self.receive(token, {self.result_variable: value})
        if self.output_values:
            super().map_outputs(token, results)
        if RUN in token.internal_data and self.numbers_runs:
            # What is collected of the run may be what its stone has put out; where a mapping has set it, that counts.
            mapped = {target for target, _ in self.output_values}
            token.data = {**token.data, **{name: value for name, value in results.items() if name not in mapped}}


class UserTask(Activity):
    """A task that waits until somebody says, from outside, that it is done."""

    form: Form | None = None
    """What the model asks for; None where it has no form."""
    documentation: Value | None = None
    """What the model says of it to whoever does it."""
    assignment: Assignment = NOBODY

    def execute(self, token: Token) -> bool | None:
        self.take_inputs(token)
        token.workflow.host.begin_task(token)
        return None

    @property
    def runs_are_tasks(self) -> bool:
        return isinstance(self.loop, MultiInstance) and not self.loop.sequential


class ReceiveTask(Activity, CatchEvent):
    """A task that waits for a message; one that names no message waits like a user task."""

    instantiate = False
    """Whether the message may start the process here (BPMN 2.0, 10.3.3)."""

    def execute(self, token: Token) -> bool | None:
        if TRIGGERED in token.internal_data:
            return True
        if self.definitions:
            self.listen_for(token)
        else:
            self.take_inputs(token)
            token.workflow.host.begin_task(token)
        return None


class SendTask(Activity, ThrowEvent):
    """A task that sends a message."""

    def execute(self, token: Token) -> bool | None:
        return ThrowEvent._run_hook(self, token)


class ScriptTask(Activity):
    """Python from the model, only for an engine that was made to trust it."""

    script: str

    def execute(self, token: Token) -> bool | None:
        self.take_inputs(token)
        token.workflow.host.run_script(token)
        self.map_outputs(token, {})
        return True


class ExpressionTask(Activity):
    """A task of Zeebe's or a Java engine's whose work is one expression and no code."""

    expression: Expression
    result_variable: str | None

    def execute(self, token: Token) -> bool | None:
        self.take_inputs(token)
        value = self.expression.evaluate(token.context)
        result = {} if self.result_variable is None else {self.result_variable: value}
        self.receive(token, result)
        self.map_outputs(token, result)
        return True


def run_namespace(namespace: str, token: Token) -> str:
    """The namespace of one run: that of the node, and for a multi-instance node the number of the run behind it."""
    run = token.internal_data.get("run")
    repeated = isinstance(token.node, Activity) and isinstance(token.node.loop, MultiInstance)
    return f"{namespace}{run}" if repeated and run is not None else namespace
