"""The functions and methods of ``${...}``, each with an example whose value is calculated here."""

from __future__ import annotations

from riverstone.engine.jsontext import dumps
from riverstone.engine.language.compiler import Compiler
from riverstone.engine.language.context import Context
from riverstone.engine.limits import Limits

from .blocks import table

FUNCTIONS = {
    "size": ("how many items, members or characters", "size([1, 2, 3])"),
    "length": ("the same as `size`", "length('abc')"),
    "count": ("the same as `size`", "count([])"),
    "contains": ("whether a text, a list or an object has it", "contains('volume', 'lum')"),
    "startsWith": ("whether a text begins so", "startsWith('volume', 'vol')"),
    "endsWith": ("whether a text ends so", "endsWith('volume', 'vol')"),
    "lower": ("in small letters", "lower('ABC')"),
    "upper": ("in capitals", "upper('abc')"),
    "trim": ("without blanks around it", "trim('  a ')"),
    "number": ("the number that a text says", "number('12')"),
    "string": ("the text of a value", "string(12)"),
    "min": ("the least of its arguments, or of a list", "min(3, 1, 2)"),
    "max": ("the greatest of its arguments, or of a list", "max([3, 1, 2])"),
    "sum": ("the sum of its arguments, or of a list", "sum([1, 2, 3])"),
    "round": ("rounded, to so many places if given", "round(2.345, 1)"),
    "floor": ("rounded down", "floor(2.7)"),
    "ceil": ("rounded up", "ceil(2.1)"),
    "abs": ("without its sign", "abs(0 - 5)"),
    "split": ("the parts of a text between separators", "split('a,b', ',')"),
    "join": ("one text of a list, with a separator if given", "join(['a', 'b'], '-')"),
    "concat": ("one text of its arguments, or one list of lists", "concat('disk-', 7)"),
    "exists": ("whether a reference finds something", "exists(parameters.nothing)"),
}
METHODS = {
    "size": ("how many items, members or characters", "[1, 2].size()"),
    "length": ("the same as `size`", "'abc'.length()"),
    "isEmpty": ("whether nothing is in it", "''.isEmpty()"),
    "contains": ("whether a text or a list has it", "'abc'.contains('b')"),
    "containsKey": ("whether an object has the member", "customer.containsKey('name')"),
    "equals": ("whether both are the same value of the same kind", "'1'.equals(1)"),
    "equalsIgnoreCase": ("the same for texts, with capitals as small letters", "'Yes'.equalsIgnoreCase('yes')"),
    "startsWith": ("whether a text begins so", "'abc'.startsWith('a')"),
    "endsWith": ("whether a text ends so", "'abc'.endsWith('a')"),
    "toLowerCase": ("in small letters", "'ABC'.toLowerCase()"),
    "toUpperCase": ("in capitals", "'abc'.toUpperCase()"),
    "trim": ("without blanks around it", "' a '.trim()"),
    "toString": ("the text of a value", "customer.size.toString()"),
    "get": ("an item of a list from 0, or a member; null where it is absent", "customer.get('name')"),
    "getSingleResult": ("the only rule of a decision's result", "rules.getSingleResult()"),
    "getSingleEntry": ("the only output of the only rule", "rules.getSingleEntry()"),
    "getFirstResult": ("the first rule of a decision's result", "rules.getFirstResult()"),
    "collectEntries": ("the outputs of one name of all rules", "rules.collectEntries('price')"),
}
VARIABLES = {"customer": {"name": "Ann", "size": 3}, "rules": [{"price": 5}]}


def functions() -> str:
    """All functions of ``${...}``."""
    return _table("function", FUNCTIONS)


def methods() -> str:
    """All methods that can be called on a value."""
    return _table("method", METHODS)


def _table(what: str, told: dict[str, tuple[str, str]]) -> str:
    rows = [
        (f"`{name}`", gives, f"`${{{example}}}`", f"`{dumps(value(example))}`")
        for name, (gives, example) in told.items()
    ]
    return table((what, "gives", "example", "value"), rows)


def value(example: str) -> object:
    """What an example yields."""
    return Compiler(Limits()).value(f"${{{example}}}").evaluate(Context(parameters=VARIABLES))
