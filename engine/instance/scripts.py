"""Scripts in models: arbitrary code in this process, only for an engine that was made with ``scripts="trusted"``."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from .. import jsontext
from ..bpmn.elements.tasks import ScriptTask
from ..bpmn.running.token import Token
from ..coroutines import refuse_coroutine
from ..errors import BpmnError, Invalid, RiverstoneError
from ..limits import Limits


class Scripts:
    """Runs Python from models with the process variables as names. There is no sandbox: whoever deploys is trusted."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], limits: Limits) -> None:
        for name, function in functions.items():
            refuse_coroutine(function, f"The function {name!r}")
        self._functions = dict(functions)
        self._limits = limits
        self._compiled: dict[str, Any] = {}

    def run(self, token: Token) -> None:
        """Run the script of a token's node; variables that it sets become process variables.

        Raises BpmnError as the script does; anything else that it raises fails the token.
        """
        node = token.node
        assert isinstance(node, ScriptTask)
        before = token.visible
        space = {**self._functions, **before, "outputs": token.context.outputs, "__builtins__": builtins}
        try:
            code = self._compiled.get(node.script)
            if code is None:
                code = self._compiled[node.script] = compile(node.script, f"<{node.bpmn_id}>", "exec")
            exec(code, space)  # noqa: S102 - what this module is for
        except (BpmnError, RiverstoneError):
            raise
        except (Exception, SystemExit) as error:
            raise Invalid(f"The script of {node.label} failed: {type(error).__name__}: {error}") from error
        token.set_variables(self._changed(before, space))

    def _changed(self, before: Mapping[str, Any], space: Mapping[str, Any]) -> dict[str, Any]:
        """What the script has set or may have changed in place; functions and modules that it used are no variables."""
        changed: dict[str, Any] = {}
        for name, value in space.items():
            if name in self._functions or name in ("outputs", "__builtins__"):
                continue
            if callable(value) or isinstance(value, ModuleType):
                continue
            if name not in before or before[name] is not value or isinstance(value, (dict, list)):
                jsontext.check(value, limits=self._limits, name=name)
                changed[name] = value
        return changed
