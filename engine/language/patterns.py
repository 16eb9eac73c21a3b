"""Patterns that a whole value must match: anybody may write one, and none can hang the engine."""

from __future__ import annotations

from .regex.machine import Regex
from .regex.signs import Modifiers

_MOST_STEPS = 500_000


class Pattern:
    """A pattern as people know it from Python, Java or JavaScript.

    Understood are literals, ``.``, classes, ``\\d \\w \\s``, groups, ``|``, ``* + ? {m,n}`` and ``^ $``. A lazy sign
    changes nothing, because only the whole value counts. Look-around, back references and flags are refused.
    """

    __slots__ = ("_regex", "source")

    def __init__(self, source: str) -> None:
        """Compile the pattern; raises Invalid (``code`` is ``pattern``)."""
        self.source = source
        self._regex = Regex(source, Modifiers(is_common=True))

    def matches(self, value: str) -> bool:
        """Whether the whole value fits; a value too long for the size of the pattern does not.

        Raises ExpressionWork where the turn has looked at enough.
        """
        if len(value) * len(self._regex.program.steps) > _MOST_STEPS:
            return False
        return self._regex.fits(value)
