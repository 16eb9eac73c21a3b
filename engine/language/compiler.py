"""Compiles the expressions of one model: what is written twice once, and never more than a limit for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..errors import ExpressionError
from ..jsontext import JSON
from ..limits import Limits
from .expressions import Expression, Language, Value, compile_expression, compile_value
from .feel.expressions import Feel, Tests, compile_feel, compile_tests
from .feel.reading.names import DeclaredNames, Scope
from .feel.values.types import Type

Made = TypeVar("Made")


class Compiler:
    """Each method raises ExpressionError for a wrong text, and once ``model_expressions`` is spent for each new one."""

    def __init__(self, limits: Limits, *, null_is_false: bool = False) -> None:
        """``null_is_false`` is how the conditions of deployments from before 0.2 are read."""
        self.limits = limits
        self._null_is_false = null_is_false
        self._left = limits.model_expressions
        self._known: dict[tuple[str, str, str], Any] = {}
        self._in_scope: dict[tuple[str, str, int, int], tuple[Scope, Any]] = {}

    def expression(self, text: str, language: Language = "juel") -> Expression:
        """As :func:`.compile_expression`."""

        def make() -> Expression:
            made = compile_expression(text, language=language, limits=self.limits)
            made.null_is_false = self._null_is_false
            return made

        return self._made(("expression", language, text), make)

    def feel(self, text: str, scope: Scope, types: Mapping[str, Type], members: DeclaredNames) -> Feel:
        """As :func:`.compile_feel`."""
        return self._made_in(
            "feel",
            text,
            scope,
            lambda: compile_feel(text, limits=self.limits, scope=scope, types=types, members=members),
        )

    def tests(self, text: str, scope: Scope, types: Mapping[str, Type], members: DeclaredNames) -> Tests:
        """As :func:`.compile_tests`."""
        return self._made_in(
            "tests",
            text,
            scope,
            lambda: compile_tests(text, limits=self.limits, scope=scope, types=types, members=members),
        )

    def _made_in(self, kind: str, text: str, scope: Scope, make: Callable[[], Made]) -> Made:
        """What is written twice in one scope is compiled once."""
        key = (kind, text, id(scope.names), len(scope.names.all))  # a boxed context adds names as it goes on
        known = self._in_scope.get(key)
        if known is None:
            self._spend(text)
            known = self._in_scope[key] = (scope, make())
        made: Made = known[1]
        return made

    def value(self, value: JSON, language: Language = "juel") -> Value:
        """As :func:`.compile_value`."""
        if isinstance(value, str):
            return self._made(
                ("value", language, value),
                lambda: compile_value(value, language=language, limits=self.limits),
                is_free=not _may_be_expression(value),
            )
        for text in _texts(value):
            if _may_be_expression(text):
                self._spend(text)
        return compile_value(value, language=language, limits=self.limits)

    def _made(self, key: tuple[str, str, str], make: Callable[[], Made], *, is_free: bool = False) -> Made:
        known = self._known.get(key)
        if known is None:
            if not is_free:
                self._spend(key[2])
            known = self._known[key] = make()
        made: Made = known
        return made

    def _spend(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            most = self.limits.model_expressions
            raise ExpressionError(f"all of them together are longer than model_expressions ({most}); split the model.")


def _may_be_expression(text: str) -> bool:
    return "${" in text or "#{" in text or text.startswith("=")


def _texts(value: JSON) -> Iterator[str]:
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
