"""How much one process instance holds: its variables, the ledger's texts, and what its tokens keep."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from ...errors import LimitExceeded
from ...jsontext import JSON, weigh
from .token_data import TASK

if TYPE_CHECKING:
    from ....models import TaskRow, TokenRow
    from .token_data import TokenData

# Those of most tokens: their sum is bounded by the number of tokens.
_LIGHT = 1_000
FEW = 12


class Weighed(Protocol):
    """What a token keeps."""

    id: int
    internal_data: TokenData
    data: dict[str, Any]


class Weight:
    """About how many bytes of JSON an instance holds, against the limit ``instance_size``.

    The ledger only grows; variables and what tokens keep count as they now are.
    """

    __slots__ = ("_most", "_tokens", "total")

    def __init__(self, most: int, variables: str | None) -> None:
        self._most = most
        self._tokens: dict[int, int] = {}
        self.total = len(variables or "")

    def load(self, tasks: Iterable[TaskRow], tokens: Iterable[TokenRow]) -> None:
        """Count what the store has of the instance."""
        self.total += weight_of(tasks)
        for token in tokens:
            size = _length(token.internal, token.locals)
            if size > _LIGHT:
                self._tokens[token.id] = size
                self.total += size

    def add(self, *texts: str | None) -> None:
        """Count texts that the ledger is to keep; raises LimitExceeded."""
        for text in texts:
            if text:
                self.total += len(text)
        if self.total > self._most:
            self.check()

    def foresee(self, values: Mapping[str, JSON]) -> None:
        """Raise LimitExceeded where the text of these would be too much, before it is made.

        Each is hardly more than all that there is, so a few of a light instance need not be looked at.
        """
        if len(values) * self.total > self._most and self.total + weigh(dict(values), self._most) > self._most:
            self._refuse()

    def replace(self, before: JSON, value: JSON) -> None:
        """A variable gets another value; raises LimitExceeded."""
        if type(value) in (str, dict, list) or type(before) in (str, dict, list):
            self.total += weigh(value, self._most) - weigh(before, self._most)
            self.check()

    def follow(self, touched: Iterable[Weighed], gone: Iterable[int]) -> None:
        """Count anew what the tokens of a turn keep; raises LimitExceeded."""
        for token_id in gone if self._tokens else ():
            self.total -= self._tokens.pop(token_id, 0)
        for token in touched:
            internal = token.internal_data
            if TASK in internal or not (internal or token.data):
                # A task's row has been counted, with what its token keeps.
                continue
            if token.id not in self._tokens and _is_light(internal.values()) and _is_light(token.data.values()):
                continue
            size = weigh(internal, self._most) + weigh(token.data, self._most)
            if size > _LIGHT or token.id in self._tokens:
                self.total += size - self._tokens.get(token.id, 0)
                self._tokens[token.id] = size
        if self.total > self._most:
            self.check()

    def check(self) -> None:
        """Raise LimitExceeded if it is too much."""
        if self.total > self._most:
            self._refuse()

    def _refuse(self) -> NoReturn:
        text = f"Its variables, parameters and outputs are more than the limit instance_size ({self._most} bytes)."
        raise LimitExceeded("instance_size", text)


def weight_of(tasks: Iterable[TaskRow]) -> int:
    """How many characters these rows of the ledger hold."""
    return sum(_length(task.parameters, task.outputs, task.locals) for task in tasks)


def _is_light(values: Collection[Any]) -> bool:
    """Whether these are so few and plain that nobody needs to weigh them, as with most tokens."""
    return len(values) < FEW and not any(type(value) in (str, dict, list) for value in values)


def _length(*texts: str | None) -> int:
    return sum(len(text) for text in texts if text)
