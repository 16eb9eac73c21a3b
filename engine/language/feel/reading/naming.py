"""Reads names, members and calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import closures
from ..builtins.table import FUNCTIONS
from ..closures import Run
from ..functions import FunctionValue
from ..values.kinds import Value
from .levels import LevelReader, Read, Spot
from .names import STOPS, DeclaredNames, Scope, signed_ends, spelled, words_end
from .places import Doubt, Misread

INPUT = "?"
"""By which name a unary test may speak of its input."""
_CONSTANTS: dict[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    # Engines that evaluate Python have left models that spell the constants so.
    "True": True,
    "False": False,
    "None": None,
}
_BUILTIN_SCOPE = Scope(DeclaredNames([*FUNCTIONS, "is defined"]))
_CONDITIONS = frozenset(
    {"not", "contains", "starts with", "ends with", "matches", "list contains", "is", "all", "any", "even", "odd"}
    | {"before", "after", "is empty", "is blank", "includes", "during"}
)


class NameReader(LevelReader):
    """Finds what a name means: the longest that is declared, or that is there."""

    def member(self, base: Read, begun: int) -> Read:
        token = self.here
        if token.kind == "quoted":
            self.at += 1
            return self.member_called(base, token.value, begun)
        if token.kind != "name":
            raise self.unexpected("a name was expected after the point")
        end = max(words_end(self.tokens, self.at), self.members.longest(self.tokens, self.at)[0])
        ends = signed_ends(self.tokens, end)

        def check(name: str) -> Run:
            if base.path is not None:
                return closures.is_there((*base.path, name))
            return closures.has_member(base.run, name)

        begin = self.at
        self.at = self.end_of(begin, ends, check)
        return self.member_called(base, spelled(self.tokens, begin, self.at), begun)

    def member_called(self, base: Read, name: str, begun: int) -> Read:
        if base.path is None:
            there = closures.has_member(base.run, name)
            return self.folded(begun, Read(closures.member_of(base.run, name), there=there), base)
        path = (*base.path, name)
        if self.references and self.references[-1] == base.path:
            self.references[-1] = path
        return Read(closures.reference(path), path)

    def end_of(self, begin: int, ends: Sequence[int], check: Callable[[str], Run]) -> int:
        """Where a name ends that may be longer: as the level has it."""
        if len(ends) == 1:
            return ends[0]
        names = [spelled(self.tokens, begin, end) for end in reversed(ends)]
        spot = Spot([check(name) for name in names[:-1]], names[1:], names[0])
        return ends[len(ends) - 1 - self.level.choose(spot)]

    def declared(self) -> tuple[int, str, Scope | None]:
        """Where the longest declared name ends, and the innermost scope that has it."""
        best: tuple[int, str, Scope | None] = (self.at, "", None)
        for scope in (*reversed(self.scopes), _BUILTIN_SCOPE):
            end, name = scope.names.longest(self.tokens, self.at)
            if end > best[0]:
                best = (end, name, scope)
        return best

    def name(self) -> Read:
        begin, token = self.at, self.here
        end, name, scope = self.declared()
        if scope is None or end == begin + 1:
            if token.text in _CONSTANTS and words_end(self.tokens, begin) == begin + 1:
                self.at += 1
                return Read(closures.constant(_CONSTANTS[token.text]), is_constant=True)
            if token.text in STOPS and scope is None:
                raise self.unexpected("a value was expected")
        is_open = self.is_open()
        words = words_end(self.tokens, begin)
        if scope is None or words > end:
            end, scope = words, None
        ends = signed_ends(self.tokens, end) if is_open else [end]
        self.at = self.end_of(begin, ends, lambda longer: closures.is_there((longer,)))
        if self.at != end or scope is None:
            return self.variable(spelled(self.tokens, begin, self.at), begin)
        if scope is _BUILTIN_SCOPE:
            return self.builtin(name)
        node = self.variable(name, begin)
        if name in FUNCTIONS and self.sees("("):
            # A value that is called as a function is: what can be called is meant.
            value, function = node.run, FUNCTIONS[name]
            return Read(lambda place: found if isinstance(found := value(place), FunctionValue) else function)
        return node

    def variable(self, name: str, begin: int) -> Read:
        is_declared = self.is_declared(name)
        self.asks = self.asks or name == INPUT
        if not is_declared and not self.is_open():
            text = f"there is no name {name!r} here"
            self.doubt(begin, text)
            return Read(closures.null_because(text))
        if not is_declared:
            self.references.append((name,))
        return Read(closures.variable(name), (name,))

    def builtin(self, name: str) -> Read:
        if name == "is defined":
            return self.is_defined()
        function = FUNCTIONS[name]
        if self.sees("(") or not self.is_open():
            return Read(closures.constant(function), function=function)
        # A variable of the process may be called as a function is.
        there, value = closures.is_there((name,)), closures.variable(name)
        return Read(lambda place: value(place) if there(place) else function)

    def is_defined(self) -> Read:
        self.expect("(")
        references = len(self.references)
        if self.takes("value"):
            self.expect(":")
        node = self.expression()
        self.expect(")")
        del self.references[references:]
        if node.path is not None:
            return Read(closures.is_there(node.path), is_condition=True)
        inner, there = node.run, node.there
        if there is None:
            there = closures.constant(True) if node.is_constant else lambda place: inner(place) is not None
        return Read(there, is_condition=True)

    def call(self, function: Read, begin: int) -> Read:
        shown = spelled(self.tokens, begin, self.at)[:60]
        self.at += 1
        if self.is_named_argument():
            return self.call_named(function, shown, begin)
        arguments = self.items(")")
        if function.function is None and function.path is not None and not self.is_declared(function.path[0]):
            self.doubt(begin, f"there is no function {shown!r}: use one of FEEL's, or a stone")
        elif function.function is not None and not function.function.takes(len(arguments)):
            self.refuse(begin, f"{shown}() is called with {len(arguments)} arguments: {function.function.shown}")
        run = closures.call(function.run, [argument.run for argument in arguments], f"{shown}")
        return self.called(begin, function, run, arguments)

    # These two are asked of every name, and a generator takes three times as long.

    def is_open(self) -> bool:
        """Whether names may turn up that nobody has declared."""
        for scope in self.scopes:  # noqa: SIM110
            if scope.is_open:
                return True
        return False

    def refuse(self, begin: int, why: str) -> None:
        """What begins with this token is a call that no value could make work."""
        self.impossible.append(Doubt(why, self.tokens[begin].start))

    def is_declared(self, name: str) -> bool:
        for scope in self.scopes:  # noqa: SIM110
            if name in scope.names.all:
                return True
        return False

    def called(self, begin: int, function: Read, run: Run, arguments: Sequence[Read]) -> Read:
        if function.function is not None and function.function.is_pure:
            is_condition = function.function.name in _CONDITIONS
            return self.folded(begin, Read(run, is_condition=is_condition), *arguments)
        return Read(run)

    def is_named_argument(self) -> bool:
        depth = 0
        for token in self.tokens[self.at :]:
            if token.kind == "sign":
                if token.text == ":" and depth == 0:
                    return True
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth < 0 or (token.text == "," and depth == 0):
                    return False
            elif token.kind == "name" and token.text == "function" and depth == 0:
                return False
        return False

    def call_named(self, function: Read, shown: str, begun: int) -> Read:
        arguments: dict[str, Run] = {}
        nodes: list[Read] = []
        while True:
            begin = self.here
            name = self.key(")")
            if name in arguments:
                raise Misread(f"{name!r} is given twice", begin.start)
            nodes.append(self.leveled(self.expression_or_comparison))
            arguments[name] = nodes[-1].run
            if not self.takes(","):
                self.expect(")")
                break
        return self.called(begun, function, closures.call_named(function.run, arguments, shown), nodes)

    def items(self, closing: str) -> list[Read]:
        """Expressions with commas between them, up to the closing bracket."""
        items: list[Read] = []
        if self.takes(closing):
            return items
        while True:
            items.append(self.leveled(self.expression_or_comparison))
            if not self.takes(","):
                self.expect(closing)
                return items

    def key(self, closing: str) -> str:
        """A name or a text with the colon after it."""
        begin, token = self.at, self.here
        while self.here.kind != "end" and not self.sees(":", ",", closing):
            self.at += 1
        if begin == self.at or self.here.text != ":":
            raise self.unexpected("a name and ':' were expected")
        self.at += 1
        if self.at == begin + 2 and token.kind in ("string", "quoted"):
            return token.value
        if token.kind != "name":
            raise Misread("a name or a text was expected", token.start)
        return spelled(self.tokens, begin, self.at - 1)
