"""Turns the text of an expression into one closure over the context."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..errors import ExpressionError
from ..jsontext import JSON
from . import closures, java
from .closures import Run
from .context import Context, Path
from .functions import FUNCTIONS, METHODS
from .operators import Reading
from .scanner import Lexeme, scan

# Each nesting costs some Python frames, in the reading and in each evaluation.
_MOST_NESTED = 32

LEVELS = {
    "or": 1,
    "and": 2,
    "==": 4,
    "!=": 4,
    "<": 5,
    "<=": 5,
    ">": 5,
    ">=": 5,
    "in": 5,
    "not in": 5,
    "+": 6,
    "-": 6,
    "*": 7,
    "/": 7,
    "%": 7,
}
_CONSTANTS: dict[str, JSON] = {"true": True, "false": False, "null": None}


class Reference(NamedTuple):
    """What one operand is made of: its closure, and its path while it is nothing but a reference."""

    run: Run
    path: Path | None = None


class ParsedExpression(NamedTuple):
    """``references`` are the static paths that must be found; ``reads`` tells whether any path is read at all.

    ``parts`` counts the lexemes and the segments of names.
    """

    run: Callable[[Context], JSON]
    references: tuple[Path, ...]
    reads: bool
    parts: int


def parse(text: str, reading: Reading) -> ParsedExpression:
    """Compile the body of an expression of JUEL, without its ``${}``; raises ExpressionError."""
    limits = reading.limits
    if len(text) > limits.expression_length:
        raise ExpressionError(f"it is longer than {limits.expression_length} characters: make it shorter")
    lexemes = scan(text, limits=limits)
    parser = ExpressionParser(lexemes, reading)
    try:
        run = parser.whole()
    except RecursionError:
        raise ExpressionError("it is nested too deep: make it simpler") from None
    parts = len(lexemes) + sum(lexeme.text.count(".") for lexeme in lexemes if lexeme.kind == "name")
    return ParsedExpression(run, tuple(dict.fromkeys(parser.references)), parser.reads, parts)


class ExpressionParser:
    """Reads by precedence climbing; chains of one precedence become one closure, so only brackets nest."""

    def __init__(self, lexemes: list[Lexeme], reading: Reading) -> None:
        self.lexemes = lexemes
        self.reading = reading
        self.at = 0
        self.nested = 0
        self.references: list[Path] = []
        self.reads = False

    @property
    def here(self) -> Lexeme:
        return self.lexemes[self.at]

    def sees(self, *texts: str) -> bool:
        lexeme = self.lexemes[self.at]
        return lexeme.text in texts and lexeme.kind in ("sign", "word")

    def takes(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise self.unexpected(f"{text!r} was expected")

    def unexpected(self, why: str) -> ExpressionError:
        lexeme = self.here
        if lexeme.kind == "end":
            return ExpressionError(f"{why} at its end")
        return ExpressionError(f"{why} at character {lexeme.position + 1}, before {lexeme.text[:40]!r}")

    def whole(self) -> Run:
        if len(self.lexemes) == 1:
            raise ExpressionError("it is empty: write a reference or a value")
        run = self.expression()
        if self.sees("="):
            raise self.unexpected("nothing can be assigned: compare with == instead,")
        if self.here.kind != "end":
            raise self.unexpected("an operator or the end was expected")
        return run

    def nest(self, levels: int = 1) -> None:
        self.nested += levels
        if self.nested > _MOST_NESTED:
            raise ExpressionError(f"it is nested deeper than {_MOST_NESTED} levels: make it simpler")

    def expression(self) -> Run:
        self.nest()
        branches: list[tuple[Run, Run]] = []
        while True:
            run = self.operation(1)
            if not self.takes("?"):
                break
            value = self.expression()
            self.expect(":")
            branches.append((run, value))
        self.nested -= 1
        return closures.choice(branches, run, self.reading) if branches else run

    def operation(self, least: int) -> Run:
        left = self.operand(least)
        while True:
            sign = self.operator()
            level = LEVELS.get(sign, 0)
            if level < max(least, 1):
                return left
            rest: list[tuple[str, Run]] = []
            while LEVELS.get(sign, 0) == level:
                self.at += 2 if sign == "not in" else 1
                rest.append((sign, self.right_of(sign, level)))
                sign = self.operator()
            left = closures.chain(left, rest, self.reading)

    def operator(self) -> str:
        if self.here.kind not in ("sign", "word"):
            return ""
        if self.here.text == "not" and self.lexemes[self.at + 1].text == "in":
            return "not in"
        return self.here.text

    def right_of(self, sign: str, level: int) -> Run:
        if sign in ("in", "not in") and self.opens_range():
            return self.range()
        return self.operation(level + 1)

    def opens_range(self) -> bool:
        """Whether the bracket here holds a ``..`` before it closes."""
        if not self.sees("[", "("):
            return False
        depth = 0
        for lexeme in self.lexemes[self.at + 1 :]:
            if lexeme.kind != "sign":
                continue
            if lexeme.text == ".." and depth == 0:
                return True
            depth += (lexeme.text in "([{") - (lexeme.text in ")]}")
            if depth < 0:
                return False
        return False

    def range(self) -> Run:
        opening = self.here.text
        self.at += 1
        self.nest()
        low = self.operation(LEVELS["+"])
        self.expect("..")
        high = self.operation(LEVELS["+"])
        self.nested -= 1
        closing = self.here.text
        if not self.takes("]", ")"):
            raise self.unexpected("the end of the range was expected")
        return closures.interval(low, high, opening + closing)

    def operand(self, least: int) -> Run:
        if not self.sees("not", "!", "-", "empty"):
            return self.postfix()
        begun = len(self.references)
        signs: list[str] = []
        while self.sees("not", "!", "-", "empty"):
            signs.append(self.here.text)
            self.at += 1
            if signs[-1] == "not":
                break
        self.nest(len(signs))
        # The word binds loosely, so that ``not a == b`` is what it says; EL's sign binds tightly.
        run = self.operation(max(least, LEVELS["=="])) if signs[-1] == "not" else self.postfix()
        if "empty" in signs:
            del self.references[begun:]
        for sign in reversed(signs):
            run = closures.prefix(sign, run, self.reading)
        self.nested -= len(signs)
        return run

    def postfix(self) -> Run:
        node = self.primary()
        begun = self.nested
        while self.sees(".", "["):
            self.nest()
            self.at += 1
            if self.lexemes[self.at - 1].text == "[":
                node = self.item(node)
                continue
            name = self.here.text
            if self.here.kind not in ("name", "word"):
                raise self.unexpected("a name was expected")
            self.at += 1
            *path, last = name.split(".")
            if not self.sees("("):
                path.append(last)
            for segment in path:
                node = self.extended(node, segment)
            if self.sees("("):
                node = self.call(last, node)
        self.nested = begun
        return node.run

    def item(self, node: Reference) -> Reference:
        lexeme = self.here
        if lexeme.kind == "literal" and type(lexeme.value) in (str, int) and self.lexemes[self.at + 1].text == "]":
            self.at += 2
            return self.extended(node, str(lexeme.value), lexeme.value)
        key = self.expression()
        self.expect("]")
        return Reference(closures.item(node.run, key, node.path))

    def extended(self, node: Reference, segment: str, key: JSON = None) -> Reference:
        """The node one segment further in: a longer path, or a look into its value."""
        if node.path is not None:
            if self.references and self.references[-1] == node.path:
                self.references.pop()
            return self.reference((*node.path, segment))
        constant = segment if key is None else key
        return Reference(closures.item(node.run, lambda context: constant, None))

    def reference(self, path: Path) -> Reference:
        self.references.append(path)
        self.reads = True
        return Reference(closures.reference(path), path)

    def primary(self) -> Reference:
        lexeme = self.here
        self.at += 1
        if lexeme.kind == "literal":
            return Reference(closures.constant(lexeme.value))
        if lexeme.kind == "name":
            return self.named(lexeme.text)
        if lexeme.kind == "word" and lexeme.text in _CONSTANTS:
            return Reference(closures.constant(_CONSTANTS[lexeme.text]))
        if lexeme.kind == "sign" and lexeme.text == "{":
            return Reference(self.object())
        if lexeme.kind == "sign" and lexeme.text == "[":
            return Reference(closures.listed(self.items("]"), self.reading))
        if lexeme.kind == "sign" and lexeme.text == "(":
            items = self.items(")")
            if len(items) == 1:
                return Reference(items[0])
        self.at = self.lexemes.index(lexeme)
        raise self.unexpected("a reference or a value was expected")

    def items(self, closing: str) -> list[Run]:
        """Expressions with commas between them, up to the closing bracket."""
        runs: list[Run] = []
        if self.takes(closing):
            return runs
        while True:
            runs.append(self.expression())
            if not self.takes(","):
                self.expect(closing)
                return runs

    def object(self) -> Run:
        self.nest()
        members: dict[str, Run] = {}
        while not self.takes("}"):
            lexeme = self.here
            key = lexeme.value if lexeme.kind == "literal" else lexeme.text
            if not isinstance(key, str) or lexeme.kind not in ("name", "word", "literal"):
                raise self.unexpected("the key of an object was expected")
            self.at += 1
            self.expect(":")
            members[key] = self.expression()
            if not self.takes(",") and not self.sees("}"):
                raise self.unexpected("',' or '}' was expected")
        self.nested -= 1
        return closures.object_of(members, self.reading)

    def named(self, name: str) -> Reference:
        if not self.sees("("):
            return self.reference(tuple(name.split(".")))
        name = name.removeprefix("fn:")
        *path, method = name.split(".")
        if path:
            return self.call(method, self.reference(tuple(path)))
        return self.call(name, None)

    def of_execution(self, name: str) -> Reference:
        """A method of the Java engines' ``execution``: it reads a variable or a member."""
        if name in java.VARIABLE_METHODS:
            return self.variable(name)
        if name not in java.GETTERS:
            raise ExpressionError(java.why_no_method(name))
        self.expect(")")
        self.references.pop()
        return self.reference((*java.EXECUTION, java.GETTERS[name]))

    def variable(self, name: str) -> Reference:
        """``execution.getVariable(x)`` of the Java engines, which is null for what is not there."""
        self.references.pop()
        arguments = self.items(")")
        if len(arguments) != 1:
            raise ExpressionError(f"execution.{name}() takes the name of one variable")
        return Reference(closures.variable(arguments[0], is_there=name.startswith("has")))

    def call(self, name: str, receiver: Reference | None) -> Reference:
        self.expect("(")
        if receiver is not None and receiver.path == java.EXECUTION and name not in METHODS:
            return self.of_execution(name)
        begun = len(self.references)
        arguments = ([receiver.run] if receiver else []) + self.items(")")
        if name == "exists" and len(arguments) == 1 and not receiver:
            del self.references[begun:]
            return Reference(closures.exists(arguments[0]))
        functions = METHODS if receiver else FUNCTIONS
        function = functions.get(name)
        if function is None and receiver is None and name in java.FUNCTIONS:
            raise ExpressionError(f"there is no {name}(): {java.FUNCTIONS[name]}")
        if function is None:
            kind, known = ("method", sorted(METHODS)) if receiver else ("function", sorted([*functions, "exists"]))
            raise ExpressionError(f"there is no {kind} {name!r}: use one of {', '.join(known)}")
        if not function.least <= len(arguments) <= function.most:
            amount = "few" if len(arguments) < function.least else "many"
            raise ExpressionError(f"{name}() was given too {amount} arguments, {len(arguments)}: look up what it takes")
        return Reference(closures.called(function, arguments, self.reading))
