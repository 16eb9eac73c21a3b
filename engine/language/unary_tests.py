"""Unary tests: what a cell of a decision table asks of its input (DMN 1.3, 7.3.9 and 10.3.1.2, rules 12 to 17)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..errors import ExpressionError
from ..jsontext import JSON
from ..limits import Limits
from . import closures
from .closures import Run
from .context import Context
from .grammar import LEVELS, ExpressionParser, Reference
from .operators import Reading
from .scanner import scan

INPUT = ("?",)
"""By which name a cell may speak of its input."""
ANYTHING = ("", "-")
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

Test = Callable[[Context], bool]


class UnaryTests(NamedTuple):
    """A cell, ready to be asked whether a value fits."""

    source: str
    test: Test | None
    """None where anything fits."""

    def fit(self, value: JSON, context: Context) -> bool:
        """Whether the value fits, other names being looked up in the context; raises ExpressionError."""
        if self.test is None:
            return True
        try:
            return self.test(context.child({INPUT[0]: value}))
        except ExpressionError as error:
            raise ExpressionError(f"The cell {self.source[:120]!r} cannot be decided: {error.message}.") from None
        except (ArithmeticError, ValueError):
            text = f"The cell {self.source[:120]!r} cannot be decided: a number is out of range."
            raise ExpressionError(text) from None
        except RecursionError:
            raise ExpressionError(f"The cell {self.source[:120]!r} is nested too deep: make it simpler.") from None


def compile_unary_tests(text: str, *, limits: Limits) -> UnaryTests:
    """Compile a cell such as ``-``, ``"a", "b"``, ``< 10``, ``[1..5]``, ``not(3)`` or ``contains(?, "x")``.

    Raises ExpressionError.
    """
    source = text.strip()
    if source in ANYTHING:
        return UnaryTests(source, None)
    if len(source) > limits.expression_length:
        raise ExpressionError(f"The cell {source[:80]!r}… is longer than {limits.expression_length} characters.")
    reading = Reading(True, limits)
    try:
        return UnaryTests(source, _TestParser(scan(source, feel=True, limits=limits), reading).tests())
    except ExpressionError as error:
        raise ExpressionError(f"The cell {source[:120]!r} cannot be read: {error.message}.") from None
    except RecursionError:
        raise ExpressionError(f"The cell {source[:120]!r} is nested too deep: make it simpler.") from None


class _TestParser(ExpressionParser):
    """Reads the tests of one cell, with ``?`` for its input."""

    asks = False
    """Whether the expression that is being read has spoken of the input itself."""

    def tests(self) -> Test:
        negated = self._is_negated()
        if negated:
            self.at += 2
        found = [self._test()]
        while self.takes(","):
            found.append(self._test())
        if negated:
            self.expect(")")
        if self.here.kind != "end":
            raise self.unexpected("a comma or the end was expected")
        return _any_of(found, negated=negated)

    def _is_negated(self) -> bool:
        """Whether ``not(...)`` encloses the whole cell, which then negates all of its tests."""
        if len(self.lexemes) < 4 or not self.sees("not") or self.lexemes[1].text != "(":
            return False
        depth = 0
        for place, lexeme in enumerate(self.lexemes):
            if lexeme.kind == "sign":
                depth += (lexeme.text in "([{") - (lexeme.text in ")]}")
                if lexeme.text == ")" and depth == 0:
                    return place == len(self.lexemes) - 2
        return False

    def _test(self) -> Test:
        value = closures.reference(INPUT, self.reading)
        for sign in _COMPARISONS:
            if self.takes(sign):
                compared = closures.chain(value, [(sign, self.operation(LEVELS["+"]))], self.reading)
                return lambda context: compared(context) is True
        if self.opens_range():
            within = closures.chain(value, [("in", self.range())], self.reading)
            return lambda context: within(context) is True
        self.asks = False
        begun = self.at
        run = self.expression()
        if self.asks:
            return lambda context: run(context) is True
        return self._equal(run, is_word=self.at == begun + 1)

    def _equal(self, wanted: Run, *, is_word: bool) -> Test:
        """Fits what is equal or listed; a condition on other things, which is more than a word, fits if it holds."""
        value, equal = closures.reference(INPUT, self.reading), self.reading.equal

        def test(context: Context) -> bool:
            given, other = value(context), wanted(context)
            if isinstance(other, list) and not isinstance(given, list):
                return any(equal(given, each) for each in other)
            if other is True and not is_word and not isinstance(given, bool):
                return True
            return equal(given, other)

        return test

    def opens_range(self) -> bool:
        if self.sees("]"):
            return any(lexeme.text == ".." for lexeme in self.lexemes[self.at + 1 :])
        return super().opens_range()

    def opens_item(self) -> bool:
        # Turned outward, the bracket closes a range: nothing follows it that could be an index.
        return super().opens_item() and self.lexemes[self.at + 1].text not in (",", ")", "the end")

    def range(self) -> Run:
        """FEEL turns a bracket outward where an end does not belong to the range, as in ``]1..5[``."""
        opening = "(" if self.here.text in "(]" else "["
        self.at += 1
        low = self.operation(LEVELS["+"])
        self.expect("..")
        high = self.operation(LEVELS["+"])
        closing = "]" if self.here.text == "]" else ")"
        if not self.takes("]", ")", "["):
            raise self.unexpected("the end of the range was expected")
        return closures.interval(low, high, opening + closing, self.reading)

    def primary(self) -> Reference:
        if self.sees("?"):
            self.at += 1
            self.asks = True
            return Reference(closures.reference(INPUT, self.reading))
        return super().primary()


def _any_of(tests: Sequence[Test], *, negated: bool) -> Test:
    if len(tests) == 1 and not negated:
        return tests[0]
    return lambda context: any(test(context) for test in tests) is not negated
