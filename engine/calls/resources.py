"""The engine's calls about what processes have made and nobody has undone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from ...models.search.resources import ResourceFilter, Resources
from ...models.vocabulary import ResourceState
from ..errors import Invalid, Malformed, UnknownProcessInstance
from ..store_errors import engine_errors
from ..views.pages import Page, refuse_limit
from ..views.resources import Resource, ResourceCount, ResourceDrift
from .keys import KeyCalls
from .workings import number_of, row_before

MOST_SEARCHED = 2000
"""Of what exists, by one call that searches for a text: others are not to wait for it."""
MOST_SEARCHED_SIZE = 4 * 1024 * 1024
"""The same of their outputs, in bytes."""
SEARCHED_AT_ONCE, SIZE_AT_ONCE = 100, 1024 * 1024


class ResourceCalls(KeyCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def resources(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        state: ResourceState | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        owner: str | None = None,
    ) -> Page[Resource]:
        """All that exists by the ledger, over all processes, what was made last first.

        Args:
            process_instance_id: Of this process.
            stone: Made by the stone with this code.
            key: By processes of this key.
            state: ``kept``, ``left`` (its undo failed, or ran before its hook had ended), ``retained``
                (given up, or its stone has no such hook), ``gone`` or ``different`` (as the last check has found it),
                ``unknown`` (its hook failed or was stopped, so nobody knows whether it made anything).
            text: With this text in an output, an id, a name or a code, in any case. A call looks through 2,000 at most,
                and fewer where their outputs are over 4 MB.
            limit: At most so many. A page may hold fewer, even none, and still have a cursor: go on from there.
            cursor: Where the part before has ended.
            owner: Of processes of this owner.

        Raises UnknownProcessInstance, Malformed for a wrong cursor, Invalid for a state that there is not.
        """
        refuse_limit(limit)
        wanted = self._wanted_resources(process_instance_id, stone, key, state, owner)
        before = row_before(cursor)
        with engine_errors():
            if text is not None:
                return self._resources_with(text.casefold(), wanted, limit, before)
            room = self.limits.page_size
            part = Resources(self._store).found(wanted, limit=limit, before=before, room=room)
            items = tuple(self._records.resources(part.rows))
        return Page(items=items, cursor=None if part.last is None else str(part.last))

    def _resources_with(self, text: str, wanted: ResourceFilter, limit: int, before: int | None) -> Page[Resource]:
        """The same with a text, which is searched for in what may be shown: secrets cannot be guessed by it."""
        found: list[Resource] = []
        left, room = MOST_SEARCHED, MOST_SEARCHED_SIZE
        while left > 0 and room > 0:
            most = min(left, SEARCHED_AT_ONCE)
            part = Resources(self._store).found(wanted, limit=most, before=before, room=min(room, SIZE_AT_ONCE))
            for each in self._records.resources(part.rows):
                if any(text in told.casefold() for told in _searched(each)):
                    found.append(each)
                if len(found) == limit:
                    return Page(items=tuple(found), cursor=each.task_id)
            before = part.last
            if before is None:
                return Page(items=tuple(found), cursor=None)
            left, room = left - part.looked, room - part.size
        return Page(items=tuple(found), cursor=str(before))

    def resource_drift(
        self,
        *,
        process_instance_id: str | None = None,
        stone: str | None = None,
        key: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        owner: str | None = None,
    ) -> Page[ResourceDrift]:
        """What the last checks have found gone or different, by process and stone; the newest process first.

        Raises UnknownProcessInstance, Malformed for a wrong cursor.
        """
        refuse_limit(limit)
        wanted = self._wanted_resources(process_instance_id, stone, key, None, owner)
        after = None if cursor is None else _drift_place(cursor)
        with engine_errors():
            rows = Resources(self._store).drift(wanted, limit=limit + 1, after=after)
            items = tuple(self._records.drift(rows[:limit]))
        if len(rows) <= limit:
            return Page(items=items, cursor=None)
        last = rows[limit - 1]
        return Page(items=items, cursor=f"{last.process_instance_id}-{last.task_id}")

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


def _drift_place(cursor: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", cursor, re.ASCII)
    if found is None:
        raise Malformed(f"{cursor!r} is not a cursor of this list.", code="cursor")
    return int(found[1]), int(found[2])


def _searched(each: Resource) -> Iterator[str]:
    """All that is searched of one: what stands in it, not how that is written as JSON."""
    yield from (each.task_id, each.process_instance_id, each.process_name, each.key, each.owner or "")
    yield from (each.stone, each.name, each.namespace, each.reason or "")
    parts: list[Any] = [each.outputs]
    while parts:
        part = parts.pop()
        if isinstance(part, Mapping):
            yield from part
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        else:
            yield part if isinstance(part, str) else json.dumps(part, default=str)
