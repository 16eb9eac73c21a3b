"""Scripts in models: arbitrary code in this process, only for an engine that was made with ``scripts="trusted"``."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

from . import jsontext
from .bpmn.activities import ScriptTask
from .bpmn.token import Token
from .errors import BpmnError, Invalid, RiverstoneError
from .limits import Limits


class Scripts:
    """Runs Python from models with the process variables as names. There is no sandbox: whoever deploys is trusted."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], limits: Limits) -> None:
        self._functions = dict(functions)
        self._limits = limits
        self._compiled: dict[str, Any] = {}

    def run(self, token: Token) -> None:
        """Run the script of a token's node; variables that it sets become process variables.

        Raises BpmnError as the script does; anything else that it raises fails the token.
        """
        node = token.node
        assert isinstance(node, ScriptTask)
        context = token.context
        names: dict[str, Any] = dict(context.parameters)
        scope: Token | None = token
        chain = []
        while scope is not None:
            chain.append(scope.data)
            scope = scope.scope
        for locals_ in reversed(chain):
            names.update(locals_)
        before = {name: value for name, value in names.items()}
        space = {**self._functions, **names, "outputs": context.outputs, "__builtins__": builtins}
        try:
            code = self._compiled.get(node.script)
            if code is None:
                code = self._compiled[node.script] = compile(node.script, f"<{node.bpmn_id}>", "exec")
            exec(code, space)
        except (BpmnError, RiverstoneError):
            raise
        except Exception as error:
            raise Invalid(f"The script of {node.bpmn_id!r} failed: {type(error).__name__}: {error}") from error
        changed = {}
        for name, value in space.items():
            if name in self._functions or name in ("outputs", "__builtins__") or callable(value):
                continue
            if name not in before or before[name] is not value or isinstance(value, (dict, list)):
                jsontext.check(value, limits=self._limits, name=name)
                changed[name] = value
        token.workflow.set_variables(token, changed)
