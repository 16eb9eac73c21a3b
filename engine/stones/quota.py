"""How many hooks of a stone may act at once, and begin in a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from ..errors import Invalid

MOST = 1_000_000
LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """A bound that all engines of a store keep together; what finds no room waits for its turn.

    Raises Invalid for one that bounds nothing, or not by whole numbers above zero.
    """

    at_once: int | None = None
    """How many tasks may be at work at the same time: from a hook's hand-over until it has ended, with the looks of its
    monitor. What undoes something has as many slots of its own."""
    per_minute: int | None = None
    """How many hooks may begin within any minute, those of an undo and of further attempts included; looks of monitors
    are not counted."""
    by: str | None = None
    """The parameter of which each value is counted by itself, such as ``accountId``."""
    name: str | None = None
    """What stones share that have a quota together; without it each stone has its own, named by its code."""

    def __post_init__(self) -> None:
        if self.at_once is None and self.per_minute is None:
            raise _wrong("A quota bounds nothing: give at_once or per_minute.")
        for name in ("at_once", "per_minute"):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not 0 < value <= MOST):
                raise _wrong(f"{name} of a quota is {value!r}: give a whole number from 1 to {MOST:,}.")
        for name in ("by", "name"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME):
                raise _wrong(f"{name} of a quota is {value!r}: give a text of 1 to {LONGEST_NAME} characters.")

    @classmethod
    def of(cls, code: str, values: object) -> Self:
        """The one that a setting gives the stone with this code; raises Invalid, naming the stone."""
        known = [field.name for field in fields(cls)]
        if not isinstance(values, Mapping) or not set(values) <= set(known):
            raise _wrong(f"The quota of {code!r} is {values!r}: give it as {', '.join(known)}.")
        try:
            given: dict[str, Any] = dict(values)
            return cls(**given)
        except Invalid as error:
            raise _wrong(f"The quota of {code!r} is wrong. {error.message}") from None


def _wrong(text: str) -> Invalid:
    return Invalid(text, code="quota-invalid")
