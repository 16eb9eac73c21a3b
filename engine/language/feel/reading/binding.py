"""Reads what gives names to values: contexts, filters, loops and functions."""

from __future__ import annotations

from collections.abc import Callable

from .. import closures
from ..closures import Run
from ..loops import PARTIAL, Loop, iteration, quantified
from ..values.types import ANY, Type
from .levels import Read
from .names import DeclaredNames, Scope, spelled
from .naming import NameReader
from .places import Misread
from .type_names import TypeReader

_REPEATED = 4
"""What a token costs that is evaluated again and again, in the time of a look at a member of a list."""


class BindingReader(NameReader):
    """Puts a scope of their own around what may use the names."""

    def worded(self) -> Callable[[], Read] | None:
        """What reads the expression that a word begins here, unless it begins a declared name."""
        read = {
            "if": self.condition,
            "for": self.loop,
            "some": self.quantifier,
            "every": self.quantifier,
            "function": self.definition,
        }.get(self.here.text)
        if read is None or (self.here.text == "function" and self.tokens[self.at + 1].text != "("):
            return None
        return read if self.declared()[0] <= self.at + 1 else None

    def condition(self) -> Read:
        branches: list[tuple[Run, Run]] = []
        while self.takes("if"):
            condition = self.expression()
            self.expect("then")
            branches.append((condition.run, self.expression().run))
            self.expect("else")
        return Read(closures.choice(branches, self.expression().run))

    def loop(self) -> Read:
        begin = self.at
        self.at += 1
        outer, self.scopes = self.scopes, (*self.scopes, Scope(DeclaredNames([PARTIAL])))
        loops = self.loops()
        self.expect("return")
        body = self.expression()
        self.scopes = outer
        sees_partial = any(token.text == PARTIAL for token in self.tokens[begin : self.at])
        return Read(iteration(loops, body.run, parts=_REPEATED * (self.at - begin), sees_partial=sees_partial))

    def quantifier(self) -> Read:
        begin, decisive = self.at, self.here.text == "some"
        self.at += 1
        outer = self.scopes
        loops = self.loops()
        self.expect("satisfies")
        condition = self.expression()
        self.scopes = outer
        run = quantified(loops, condition.run, decisive=decisive, parts=_REPEATED * (self.at - begin))
        return Read(run, is_condition=True)

    def loops(self) -> list[Loop]:
        loops: list[Loop] = []
        while True:
            begin = self.at
            if self.here.kind not in ("name", "quoted"):
                raise self.unexpected("the name of a loop variable was expected")
            while not self.sees("in") and self.tokens[self.at].kind != "end":
                self.at += 1
            quoted = self.tokens[begin]
            name = quoted.value if quoted.kind == "quoted" else spelled(self.tokens, begin, self.at)
            self.expect("in")
            first = self.expression()
            last = self.expression().run if self.takes("..") else None
            loops.append((name, first.run, last))
            self.scopes = (*self.scopes, Scope(DeclaredNames([name])))
            if not self.takes(","):
                return loops

    def definition(self) -> Read:
        begin = self.at
        self.at += 2
        parameters: dict[str, Type] = {}
        while not self.takes(")"):
            at = self.at
            while self.here.kind not in ("end", "sign") or self.sees(*"-+*/'"):
                self.at += 1
            if at == self.at or self.tokens[at].kind not in ("name", "quoted"):
                raise self.unexpected("the name of a parameter was expected")
            quoted = self.tokens[at]
            name = quoted.value if quoted.kind == "quoted" else spelled(self.tokens, at, self.at)
            parameters[name] = self.type() if self.takes(":") else ANY
            if not self.takes(",") and not self.sees(")"):
                raise self.unexpected("',' or ')' was expected")
        if self.sees("external"):
            raise Misread("functions of Java or other languages cannot be called: write it in FEEL", self.here.start)
        outer, self.scopes = self.scopes, (*self.scopes, Scope(DeclaredNames(parameters)))
        body = self.expression()
        self.scopes = outer
        return Read(closures.defined(parameters, body.run, parts=_REPEATED * (self.at - begin)))

    def type(self) -> Type:
        reader = TypeReader(self.tokens, self.at, self.types)
        found = reader.type()
        self.at = reader.at
        return found

    def context(self) -> Read:
        begin = self.at
        self.at += 1
        outer = self.scopes
        names = DeclaredNames()
        self.scopes = (*outer, Scope(names))
        entries: list[tuple[str, Run]] = []
        nodes: list[Read] = []
        while not self.takes("}"):
            key = self.key("}")
            nodes.append(self.expression())
            entries.append((key, nodes[-1].run))
            names.add(key)
            if not self.takes(",") and not self.sees("}"):
                raise self.unexpected("',' or '}' was expected")
        self.scopes = outer
        return self.folded(begin, Read(closures.context_of(entries)), *nodes)

    def filter(self, items: Read, begun: int) -> Read:
        begin = self.at
        self.at += 1
        literal = self.tokens[self.at : self.at + 3]
        sign = -1 if literal[0].text == "-" else 1
        digits = literal[1 if sign < 0 else 0]
        if digits.kind == "number" and digits.text.isdigit() and len(digits.text) < 16:
            after = self.at + (2 if sign < 0 else 1)
            if self.tokens[after].text == "]":
                self.at = after + 1
                return self.folded(begun, Read(closures.at_position(items.run, sign * int(digits.text))), items)
        outer, self.scopes = self.scopes, (*self.scopes, Scope(DeclaredNames(["item"]), is_open=True))
        references = len(self.references)
        condition = self.expression()
        # The names may be those of the items.
        del self.references[references:]
        self.scopes = outer
        self.expect("]")
        between = self.tokens[begin : self.at]
        run = closures.filtered(
            items.run,
            condition.run,
            is_condition=condition.is_condition,
            parts=_REPEATED * len(between),
            sees_item=any("item" in (token.text, token.value) for token in between),
        )
        return Read(run)
