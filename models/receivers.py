"""Who waits for a message: asked in the store, and once more by the commit that says nobody does."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from .row_types import InstanceRow

_WAITING = (
    " FROM `wait` JOIN `process_instance` ON `process_instance`.`process_instance_id` = `wait`.`process_instance_id`"
    " WHERE `wait`.`kind` = 'message' AND `wait`.`name` = ? AND `phase` IN ('running', 'suspended')"
    " AND (`wait`.`correlation` IS NULL OR `wait`.`correlation` = ?)"
)
_NARROWER = (" AND `owner_name` = ?", " AND `business_key` = ?", " AND `wait`.`process_instance_id` = ?")
_WHICH = "`wait`.`process_instance_id`, `wait`.`token`"


class ReceiverFilter(NamedTuple):
    """Which of those that wait for a message may get it; None for any."""

    name: str
    correlation: str | None = None
    """Only those get it that wait for no correlation, or for this one."""
    owner: str | None = None
    business_key: str | None = None
    process_instance_id: int | None = None

    def admits(self, row: InstanceRow) -> bool:
        """Whether this instance may get it, if it waits."""
        return (
            self.owner in (None, row.owner_name)
            and self.business_key in (None, row.business_key)
            and self.process_instance_id in (None, row.process_instance_id)
        )

    @property
    def values(self) -> tuple[object, ...]:
        """What the marks of the statements stand for."""
        return (*self[:2], *(value for value in self[2:] if value is not None))

    @property
    def any(self) -> str:
        """The statement that tells whether there is one: of :data:`EVERY_ANY`."""
        return f"SELECT 1{self._where} LIMIT 1"

    @property
    def page(self) -> str:
        """The statement that reads some, the longest waiting first: instance and token; then limit and offset."""
        return f"SELECT {_WHICH}{self._where} ORDER BY {_WHICH} LIMIT ? OFFSET ?"

    @property
    def _where(self) -> str:
        return _where(value is not None for value in self[2:])


def _where(given: Iterable[bool]) -> str:
    narrower = (condition for condition, wanted in zip(_NARROWER, given, strict=True) if wanted)
    return "".join((_WAITING, *narrower))


EVERY_ANY = [f"SELECT 1{_where(given)} LIMIT 1" for given in product((False, True), repeat=len(_NARROWER))]
