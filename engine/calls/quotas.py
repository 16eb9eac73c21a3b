"""The engine's calls about who shares what there is only so much of."""

from __future__ import annotations

from ...models import QuotaCount
from ..clock import moment
from ..store_errors import engine_errors
from ..views.pages import Page, refuse_limit
from ..views.quotas import QuotaUse
from .checks import CheckCalls
from .workings import row_before


class QuotaCalls(CheckCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def quotas(
        self, *, name: str | None = None, limit: int = 50, cursor: str | None = None, owner: str | None = None
    ) -> Page[QuotaUse]:
        """What is used of the quotas that stones and keys have, one entry for each value by which one is counted.

        A quota of which nothing was used for a day is left out.

        Args:
            name: Of the quota with this name, which is the code of its stone where it has no other; of processes
                ``process:`` and their key.
            limit: At most so many.
            cursor: Where the part before has ended.
            owner: What the tasks of this owner use.

        Raises Malformed for a wrong cursor.
        """
        refuse_limit(limit)
        with engine_errors():
            found = self._facilities.quotas.counts(
                name=name, owner=owner, after=row_before(cursor) or 0, limit=limit + 1
            )
        items = tuple(map(_shown, found[:limit]))
        return Page(items=items, cursor=str(found[limit - 1].row.id) if len(found) > limit else None)


def _shown(count: QuotaCount) -> QuotaUse:
    row = count.row
    return QuotaUse(
        name=row.name,
        value=row.value,
        at_once=row.at_once,
        per_minute=row.per_minute,
        held=count.held,
        waiting=count.waiting,
        undo_held=count.undo_held,
        undo_waiting=count.undo_waiting,
        next=moment(row.due) if row.due else None,
        used=moment(row.used),
    )
