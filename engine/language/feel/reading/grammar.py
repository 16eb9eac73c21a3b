"""Reads FEEL by precedence climbing, straight into closures (DMN 1.5, 10.3.1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .. import closures
from ..faults import apart
from ..values import decimals, iso
from ..values.kinds import RangeSign, Value
from .binding import BindingReader
from .levels import Read
from .lexer import Lexeme
from .names import STOPS, DeclaredNames, Scope
from .naming import INPUT
from .places import Doubt, Misread

LEVELS: Mapping[str, int] = {
    "or": 1,
    "and": 2,
    "=": 3,
    "!=": 3,
    "<": 3,
    "<=": 3,
    ">": 3,
    ">=": 3,
    "between": 3,
    "in": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "**": 6,
}
_ADDITIVE = LEVELS["+"]
_SIGNS: Mapping[str, RangeSign] = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "=", "!=": "!="}
_AFTER_RANGE = STOPS | LEVELS.keys() - {"-"} | {",", ")", "]", "}", ":", "..", "."}
"""What cannot begin a filter, so that the bracket before it closes a range that is turned outward."""


class Test(NamedTuple):
    """A unary test; ``asks`` tells that it speaks of ``?`` and so is itself the answer."""

    node: Read
    asks: bool


class FeelParser(BindingReader):
    """Reads one text. Operators of one precedence are taken from the left, so only brackets and signs nest."""

    def whole(self) -> Read:
        """The text as one expression."""
        node = self.expression()
        self.ended()
        return node

    def ended(self) -> None:
        if self.here.kind != "end":
            raise self.unexpected("an operator or the end was expected")

    def unary_tests(self) -> tuple[list[Test], bool]:
        """The text as the cell of a decision table (rules 12 to 17), and whether ``not(...)`` is around all of it."""
        self.scopes = (*self.scopes, Scope(DeclaredNames([INPUT])))
        negated = self.is_negation()
        if negated:
            self.at += 2
        tests = self.tests(")" if negated else "")
        if negated:
            self.expect(")")
        self.ended()
        return tests, negated

    def is_negation(self) -> bool:
        """Whether ``not(...)`` encloses the whole cell, which then negates all of its tests."""
        if not self.sees("not") or self.tokens[self.at + 1].text != "(":
            return False
        depth = 0
        for place in range(self.at + 1, len(self.tokens)):
            token = self.tokens[place]
            if token.kind == "sign":
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth == 0:
                    return self.tokens[place + 1].kind == "end"
        return False

    def tests(self, closing: str) -> list[Test]:
        """Positive unary tests with commas between them."""
        found = [self.test()]
        while self.takes(","):
            if closing and self.sees(closing):
                break
            found.append(self.test())
        return found

    def test(self) -> Test:
        outer, self.asks = self.asks, False
        node = self.leveled(self.expression_or_comparison)
        asks, self.asks = self.asks, outer
        return Test(node, asks)

    def expression_or_comparison(self) -> Read:
        begin = self.at
        for sign in _SIGNS:
            if self.takes(sign):
                end = self.operation(_ADDITIVE)
                return self.folded(begin, Read(closures.half_open(_SIGNS[sign], end.run)), end)
        return self.expression_here()

    def expression_here(self) -> Read:
        return self.operation(1)

    def operation(self, least: int) -> Read:
        begin = self.at
        left = self.operand()
        while True:
            sign = self.here.text if self.here.kind in ("sign", "name") else ""
            level = LEVELS.get(sign, 0)
            if level < least or level == 0:
                return left
            self.at += 1
            if level == 3:
                left = self.compared(begin, sign, left)
            elif level < 3:
                left = self.logical(begin, sign, left, level)
            else:
                right = self.operation(level + 1)
                left = self.folded(begin, Read(closures.calculation(sign, left.run, right.run)), left, right)

    def logical(self, begin: int, sign: str, left: Read, level: int) -> Read:
        operands = [left, self.operation(level + 1)]
        while self.takes(sign):
            operands.append(self.operation(level + 1))
        run = closures.logical(sign == "or", [operand.run for operand in operands])
        return self.folded(begin, Read(run, is_condition=True), *operands)

    def compared(self, begin: int, sign: str, left: Read) -> Read:
        if sign == "in":
            return self.membership(begin, left)
        if sign == "between":
            low = self.operation(_ADDITIVE)
            self.expect("and")
            high = self.operation(_ADDITIVE)
            run = closures.between(left.run, low.run, high.run)
            return self.folded(begin, Read(run, is_condition=True), left, low, high)
        right = self.operation(_ADDITIVE)
        if right.is_constant and not left.is_constant:
            return Read(closures.comparison_with(sign, left.run, right.run(None)), is_condition=True)
        node = Read(closures.comparison(sign, left.run, right.run), is_condition=True)
        return self.folded(begin, node, left, right)

    def membership(self, begin: int, left: Read) -> Read:
        """``x in`` one positive unary test, or several of them in parentheses."""
        outer, self.scopes = self.scopes, (*self.scopes, Scope(DeclaredNames([INPUT])))
        self.nest()
        if self.sees("(") and not self.opens_range():
            self.at += 1
            tests = self.tests(")")
            self.expect(")")
        elif self.sees(*_SIGNS):
            tests = [Test(self.leveled(self.expression_or_comparison), False)]
        else:
            tests = [Test(self.operation(_ADDITIVE), False)]
        self.nested -= 1
        self.scopes = outer
        runs = [(test.node.run, test.asks) for test in tests]
        node = Read(closures.membership(left.run, runs, INPUT), is_condition=True)
        if any(test.asks for test in tests):
            return node
        return self.folded(begin, node, left, *(test.node for test in tests))

    def operand(self) -> Read:
        begin, signs = self.at, 0
        while self.sees("-") and not self.is_negative():
            self.at += 1
            signs += 1
            self.nest()
        node = self.postfix()
        while self.sees("instance") and self.tokens[self.at + 1].text == "of":
            self.at += 2
            type_ = self.type()
            node = self.folded(begin, Read(closures.instance_of(node.run, type_), is_condition=True), node)
        for _ in range(signs):
            node = self.folded(begin, Read(closures.negation(node.run)), node)
        self.nested -= signs
        return node

    def postfix(self) -> Read:
        begin = self.at
        node = self.primary()
        begun = self.nested
        while self.here.kind == "sign":
            sign = self.here.text
            if sign == "[" and not self.opens_range(outward=True):
                self.nest()
                node = self.filter(node, begin)
            elif sign == ".":
                self.nest()
                self.at += 1
                node = self.member(node, begin)
            elif sign == "(":
                self.nest()
                node = self.call(node, begin)
            else:
                break
        self.nested = begun
        return node

    def primary(self) -> Read:
        token = self.here
        if token.kind == "name":
            read = self.worded()
            return self.name() if read is None else read()
        self.at += 1
        if token.kind == "number":
            return Read(closures.constant(self.number(token)), is_constant=True)
        if token.text == "-" and token.kind == "sign" and self.here.kind == "number":
            self.at += 1
            return Read(closures.constant(decimals.negate(self.number(self.tokens[self.at - 1]))), is_constant=True)
        if token.kind == "string":
            return Read(closures.constant(token.value), is_constant=True)
        if token.kind == "temporal":
            return self.temporal(token)
        if token.kind == "quoted":
            return self.variable(token.value, self.at - 1)
        self.at -= 1
        if token.kind == "sign" and token.text in "([{]":
            return self.bracketed(token.text)
        raise self.unexpected("a value was expected")

    def is_negative(self) -> bool:
        """Whether the minus here is a part of a number (rule 37), which binds it closer than anything."""
        return self.tokens[self.at + 1].kind == "number"

    def number(self, token: Lexeme) -> Value:
        try:
            return decimals.parse(token.text)
        except ArithmeticError:
            raise Misread("the number is too large", token.start) from None

    def temporal(self, token: Lexeme) -> Read:
        with apart():
            value = iso.read(token.value)
        if value is None:
            text = f"{token.text[:60]} is no date, time or duration"
            self.certain.append(Doubt(text, token.start))
            return Read(closures.null_because(text))
        return Read(closures.constant(value), is_constant=True)

    def bracketed(self, sign: str) -> Read:
        if self.opens_range():
            return self.range()
        if sign == "[":
            begin = self.at
            self.at += 1
            items = self.items("]")
            return self.folded(begin, Read(closures.listed([item.run for item in items])), *items)
        if sign == "{":
            return self.context()
        if sign == "]":
            raise self.unexpected("a value was expected")
        self.at += 1
        node = self.leveled(self.expression_or_comparison)
        self.expect(")")
        return node._replace(path=None)

    def opens_range(self, *, outward: bool = False) -> bool:
        """Whether the bracket here holds a ``..`` before it closes; ``outward`` asks whether it cannot be a filter."""
        if not self.sees("[", "(", "]"):
            return False
        if outward:
            following = self.tokens[self.at + 1]
            return following.kind == "end" or (following.kind in ("sign", "name") and following.text in _AFTER_RANGE)
        depth = 0
        for token in self.tokens[self.at + 1 :]:
            if token.kind != "sign":
                if depth == 0 and token.kind == "name" and token.text in ("for", "some", "every"):
                    return False
                continue
            if token.text == ".." and depth == 0:
                return True
            depth += (token.text in "([{") - (token.text in ")]}")
            if depth < 0 or (token.text == "," and depth == 0):
                return False
        return False

    def range(self) -> Read:
        begin, low_included = self.at, self.here.text == "["
        self.at += 1
        low = self.leveled(self.end_of_range)
        self.expect("..")
        high = self.leveled(self.end_of_range)
        high_included = self.sees("]")
        if not self.takes("]", ")", "["):
            raise self.unexpected("the end of the range was expected")
        node = Read(closures.interval(low.run, high.run, low_included, high_included))
        return self.folded(begin, node, low, high)

    def end_of_range(self) -> Read:
        return self.operation(_ADDITIVE)
