"""The engine's calls about what processes have made and nobody has taken back."""

from __future__ import annotations

from typing import Any, get_args

from ...models.resources import ResourceFilter, Resources
from ...models.vocabulary import ResourceState
from ..errors import Invalid, UnknownProcessInstance
from ..store_errors import engine_errors
from ..views.pages import Page
from ..views.resources import Resource, ResourceCount
from .keys import KeyCalls
from .workings import number_of, row_before


class ResourceCalls(KeyCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def resources(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
        limit: int = 50,
        cursor: str | None = None,
        owner: str | None = None,
    ) -> Page[Resource]:
        """All that exists by the ledger, over all processes, what was made last first.

        Args:
            process_instance_id: Of this process.
            stone: Made by the stone with this code.
            key: By processes of this key.
            state: ``kept``, ``left`` (an undo could not take it back, or ran before its hook had ended), ``retained``
                (given up, or its stone has no such hook), ``gone`` or ``different`` (as the last check has found it),
                ``unknown`` (its hook failed or was stopped, so nobody knows whether it made anything).
            limit: At most so many.
            cursor: Where the part before has ended.
            owner: Of processes of this owner.

        Raises UnknownProcessInstance, Malformed for a wrong cursor, Invalid for a state that there is not.
        """
        wanted = self._wanted_resources(process_instance_id, stone, key, state, owner)
        with engine_errors():
            rows = Resources(self._store).found(wanted, limit=limit + 1, before=row_before(cursor))
            items = tuple(self._records.resources(rows[:limit]))
        return Page(items=items, cursor=str(rows[limit - 1].task.id) if len(rows) > limit else None)

    def resource_counts(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
        owner: str | None = None,
    ) -> tuple[ResourceCount, ...]:
        """How much of it there is by stone and state; raises UnknownProcessInstance, Invalid."""
        wanted = self._wanted_resources(process_instance_id, stone, key, state, owner)
        with engine_errors():
            counted = Resources(self._store).counts(wanted)
        return tuple(ResourceCount(stone=stone, state=state, count=count) for stone, state, count in counted)

    def _wanted_resources(
        self, process: str | None, stone: str | None, key: str | None, state: Any, owner: str | None
    ) -> ResourceFilter:
        if state is not None and state not in get_args(ResourceState):
            text = f"{str(state)[:50]!r} is no state of a resource: use {', '.join(get_args(ResourceState))}."
            raise Invalid(text, code="resource-state", errors={"state": [text]})
        number = None
        if process is not None:
            number = number_of(process, UnknownProcessInstance)
            self.get(process)
        return ResourceFilter(number, stone, key, state, owner)
