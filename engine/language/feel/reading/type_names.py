"""Reads the names of types: ``list<number>``, ``context<a: string>``, ``function<number> -> string``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..values.types import ANY, OTHERWISE, SIMPLE, Type
from .lexer import Lexeme
from .names import DeclaredNames, spelled, words_end
from .places import Misread

_MOST_NESTED = 16
_NAMES = DeclaredNames([*SIMPLE, *OTHERWISE])


class TypeReader:
    """Reads one type from the tokens of an expression; ``at`` is where it ends."""

    def __init__(self, tokens: Sequence[Lexeme], at: int, types: Mapping[str, Type]) -> None:
        self.tokens = tokens
        self.at = at
        self.types = types
        self.declared = DeclaredNames(types)
        self.nested = 0

    def type(self) -> Type:
        """The type that begins here; raises Misread."""
        self.nested += 1
        token = self.tokens[self.at]
        if token.kind != "name" or self.nested > _MOST_NESTED:
            raise Misread("the name of a type was expected", token.start)
        found = self.simple()
        if self.tokens[self.at].text == "<" and found.kind in ("list", "range", "context", "function"):
            found = self.generic(found.kind)
        self.nested -= 1
        return found

    def simple(self) -> Type:
        begin = self.at
        end, name = self.declared.longest(self.tokens, begin)
        if end > begin:
            self.at = end
            return self.types[name]
        end, name = _NAMES.longest(self.tokens, begin)
        if end == begin:
            shown = spelled(self.tokens, begin, words_end(self.tokens, begin))
            raise Misread(f"there is no type {shown[:60]!r}", self.tokens[begin].start)
        self.at = end
        return SIMPLE[OTHERWISE.get(name, name)]

    def generic(self, kind: str) -> Type:
        self.at += 1
        if kind in ("list", "range"):
            item = self.type()
            self.expect(">")
            return Type(kind, f"{kind}<{item}>", item=item)  # type: ignore[arg-type]
        if kind == "context":
            return self.context()
        parameters: list[Type] = []
        while not self.takes(">"):
            parameters.append(self.type())
            if not self.takes(",") and self.tokens[self.at].text != ">":
                self.expect(">")
        returns = self.type() if self.takes("->") else ANY
        return Type("function", "function", parameters=parameters, returns=returns)

    def context(self) -> Type:
        members: dict[str, Type] = {}
        while not self.takes(">"):
            begin = self.at
            while self.tokens[self.at].kind != "end" and self.tokens[self.at].text != ":":
                self.at += 1
            name = spelled(self.tokens, begin, self.at)
            self.expect(":")
            members[name] = self.type()
            if not self.takes(",") and self.tokens[self.at].text != ">":
                self.expect(">")
        return Type("context", "context", members=members)

    def takes(self, text: str) -> bool:
        if self.tokens[self.at].text == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise Misread(f"{text!r} was expected", self.tokens[self.at].start)
