"""Texts that may be FEEL: sentences made from the grammar, damaged ones, and what nests without end."""

from __future__ import annotations

import random
from typing import Any

from riverstone.engine.errors import ExpressionError
from riverstone.engine.jsontext import dumps
from riverstone.engine.language import effort
from riverstone.engine.language.context import Context
from riverstone.engine.language.feel.border import to_json
from riverstone.engine.language.feel.builtins.table import FUNCTIONS
from riverstone.engine.language.feel.expressions import compile_feel, compile_tests

from .examples import LIMITS

_VALUES = (
    '1 -1 0 2.5 1e3 100000000 1e6000 99999999999999999999999999999999999 "x" "a,b" "(a|b)*" "" true false null '
    '@"2024-02-29" @"10:00:00" @"2024-01-31T10:00:00@Europe/Paris" @"P1D" @"P1Y2M" @"-999999999-01-01" [] {} [1,2,3] '
    '"[1..1e99999]" half '
    "[1..5] (1..5] (<5) 1..10 1..100000000 a b xs ps s a-b item partial ? x `a-b` function(x)x"
).split()
_WORDS = (
    "if then else for in return some every satisfies and or not between instance of function external partial item"
    " < <= > >= = != + - * / ** .. ( ) [ ] { } , : . -> ? // /* */ == && || @ date( time( string( list< context< not("
).split()
_NOISE = "abx019.,:;()[]{}<>=!+-*/'\"`@?\\ \n\t‘é中😀\u200b%&|^~$#_\ud800\x00"


class Sentences:
    """Expressions made from the grammar, then damaged."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expression(self, depth: int) -> str:
        pick = self.random.choice
        if depth <= 0:
            return pick(_VALUES)
        inner = [self.expression(depth - self.random.randint(1, 2)) for _ in range(4)]
        first, second, third, _ = inner
        forms = [
            f"{first}{pick(['+', '-', '*', '/', '**', ' and ', ' or ', '=', '!=', '<', ' in ', '..'])}{second}",
            f"{pick([*FUNCTIONS, 'is defined', 'foo'])}({','.join(inner[: self.random.randint(0, 4)])})",
            self._named(inner),
            f"[{first},{second}]",
            f"{{a:{first},b c:{second}}}",
            f"{first}[{second}]",
            f"{first}.{pick(['a', 'price', 'year', 'time offset'])}",
            f"if {first} then {second} else {third}",
            f"for x in {first} return {second}",
            f"for x in {first}..{second}, y in {third} return x",
            f"{pick(['some', 'every'])} x in {first} satisfies {second}",
            f"(function(x,y) {first})({second},{third})",
            f"{first} instance of {pick(['number', 'list<string>', 'context<a: number>', 'function<number>->Any'])}",
            f"{{f:function(n) if n < 1 then {first} else f(n - 1), v:f({second})}}.v",
            f"-({first})",
        ]
        return pick(forms)

    def _named(self, values: list[str]) -> str:
        """A call that fits its function, with each argument by its name."""
        function = FUNCTIONS[self.random.choice([*FUNCTIONS])]
        arguments = zip(function.parameters, values, strict=False)
        return f"{function.name}({','.join(f'{name}:{value}' for name, value in arguments)})"

    def text(self) -> str:
        pick = self.random.choice
        kind = self.random.random()
        if kind > 0.95:
            return pick(["(", "[", "{", "-", "if ", "not(", "a-b+", "1..", "x in "]) * self.random.randint(1, 1500)
        if kind > 0.85:
            return pick(["", " "]).join(
                pick(pick((_VALUES, _WORDS, _NOISE))) for _ in range(self.random.randint(1, 30))
            )
        text = list(self.expression(self.random.randint(1, 4)))
        if kind > 0.6:
            for _ in range(self.random.randint(1, 4)):
                text.insert(self.random.randrange(len(text) + 1), pick(_NOISE))
        return "".join(text)


VARIABLES: dict[str, Any] = {
    "a": 1,
    "b": 2.5,
    "a-b": 3,
    "xs": list(range(20)),
    "ps": [{"price": 1}] * 5,
    "s": "ab" * 50,
    "half": "x\ud83d",
}


def ends(text: str, *, as_cell: bool) -> bool:
    """Whether a text has a value, of an expression or of a cell; false where it is refused, and else it raises."""
    try:
        with effort.turn(LIMITS):
            if as_cell:
                assert compile_tests(text, limits=LIMITS).cell(1, Context(VARIABLES)) in (True, False, None)
            else:
                dumps(to_json(compile_feel(text, limits=LIMITS).evaluate(Context(VARIABLES)), LIMITS))
    except ExpressionError:
        return False
    return True
