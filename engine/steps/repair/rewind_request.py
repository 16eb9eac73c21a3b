"""A rewind as somebody asks for it: of a long process the way back is found in a turn before that of going back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from . import rewinding

if TYPE_CHECKING:
    from ...authoring.definitions import Definition
    from ...instance.instance import Instance
    from .rewinding import WayBack

MANY = 1000
"""Rows of a ledger from which on the way back is found in a turn of its own, so that other processes have theirs."""


class RewindRequest:
    """One rewind that is asked for; nothing of it is stored, or acknowledged, before the turn that goes back."""

    def __init__(self, task_id: int, kept: Collection[int]) -> None:
        self._task_id = task_id
        self._kept = kept
        self._way: WayBack | None = None
        self._revision = -1
        """The one at which the way was found."""
        self._has_looked = False

    def prepare(self, instance: Instance) -> bool:
        """Find the way back, if that is much and was not tried before; whether it was found in this turn.

        What another turn or engine has changed meanwhile makes it worth nothing: then all is done in one turn, or there
        would be no end of it. Raises UnknownTask, Conflict.
        """
        tasks = instance.tasks
        if self._has_looked:
            tasks.is_held = False
            if self._way is not None and not self._is_so_still(instance):
                self._way = None
            return False
        if not tasks.is_whole or tasks.known()[0] <= MANY:
            return False
        self._has_looked = True
        self._way = rewinding.find_way(instance, self._task_id, self._kept)
        self._revision = instance.row.revision
        tasks.is_held = True
        return True

    def _is_so_still(self, instance: Instance) -> bool:
        """Whether this is the copy in which the way was found, and nothing has come between, in this turn neither."""
        assert self._way is not None
        same = instance is self._way.found.process and instance.row.revision == self._revision
        return same and instance.tasks.is_whole and instance.number not in instance.changes.instances

    def go_back(
        self,
        instance: Instance,
        *,
        variables: Mapping[str, Any],
        parameters: Mapping[str, Any],
        version: tuple[Definition, Mapping[str, str]] | None,
    ) -> None:
        """Do it. Raises UnknownTask, Conflict, Invalid."""
        way, self._way = self._way, None
        rewinding.request_rewind(
            way or rewinding.find_way(instance, self._task_id, self._kept),
            variables=variables,
            parameters=parameters,
            kept=self._kept,
            version=version,
        )
