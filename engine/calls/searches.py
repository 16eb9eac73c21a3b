"""The engine's calls that find processes and count what they came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ...models import InstanceFilter, Sort, digests
from ...models.vocabulary import InstanceKind, ProcessState, ProcessStatus
from .. import jsontext
from ..clock import milliseconds
from ..showing.lists.statistics import read_statistics
from ..store_errors import engine_errors
from ..views.pages import Page, refuse_limit
from ..views.processes import InstanceRecord, ProcessInstance, SearchPage
from ..views.statistics import Statistics
from .workings import Workings, place_before, refuse_other_words, row_before


class SearchCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    def instances(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: ProcessStatus | None = None,
        key: str | None = None,
        name: str | None = None,
        owner: str | None = None,
    ) -> Page[ProcessInstance]:
        """Process instances, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        with engine_errors():
            return self._lists.instances(_listed(status, key, name, owner), limit=limit, before=row_before(cursor))

    def records(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: ProcessStatus | None = None,
        key: str | None = None,
        name: str | None = None,
        owner: str | None = None,
    ) -> Page[InstanceRecord]:
        """The documented records of process instances, newest first, for less than what :meth:`instances` costs.

        Raises Malformed for a cursor that is none.
        """
        refuse_limit(limit)
        with engine_errors():
            return self._lists.documented(_listed(status, key, name, owner), limit=limit, before=row_before(cursor))

    def search(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        text: str | None = None,
        statuses: Sequence[ProcessStatus] = (),
        state: ProcessState | None = None,
        kind: InstanceKind | None = None,
        key: str | None = None,
        business_key: str | None = None,
        stone: str | None = None,
        element: str | None = None,
        error: str | None = None,
        variables: Mapping[str, Any] | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        ended_from: datetime | None = None,
        ended_before: datetime | None = None,
        sort: Sort = "id",
        owner: str | None = None,
    ) -> SearchPage:
        """Process instances without their variables and outputs, newest first.

        Args:
            cursor: That of the part before; in another order the list goes on after the same process.
            text: Words of the name or the business key, or what these begin with, or a part of the key, or an id, in
                any case. Of the newest 10,000 also what stands inside of words; where there are more, the answer says
                from which process on (``inside_words_from``).
            state: How the process's own work ended, whatever was undone since (``success``, ``failed``, ``canceled``),
                for whom it waits (``attention``, ``person``, ``event``), or ``running``: the rest.
            kind: ``start`` or that of an undo.
            stone: The code of a stone that a forward run has used, or tried to.
            element: The id of an element at which a task is open or a token waits.
            error: A part of what is told of a failure, in any case.
            variables: By name (``namespace.name`` for one in a namespace), what variables of the process have to be
                now that its parameter template declares ``Searchable``.
            sort: ``id``, or the last first by when they ``started`` or ``ended``.

        Raises:
            Malformed: For a cursor that is none.
            Invalid: For a value of a variable that is none, and a word that is no state, status, kind or order.
        """
        refuse_limit(limit)
        refuse_other_words(sort=([sort], Sort))
        wanted = self._wanted(
            owner=owner,
            text=text,
            statuses=statuses,
            state=state,
            kind=kind,
            key=key,
            business_key=business_key,
            stone=stone,
            element=element,
            error=error,
            variables=variables,
            started_from=started_from,
            started_before=started_before,
            ended_from=ended_from,
            ended_before=ended_before,
        )
        with engine_errors():
            return self._lists.summaries(wanted, limit=limit, before=place_before(cursor), sort=sort)

    def _wanted(
        self,
        *,
        owner: str | None,
        statuses: Sequence[ProcessStatus] = (),
        variables: Mapping[str, Any] | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        ended_from: datetime | None = None,
        ended_before: datetime | None = None,
        **plain: Any,
    ) -> InstanceFilter:
        """What :meth:`search` takes, as the store is asked."""
        jsontext.check_texts(owner=owner, **plain)
        states, kinds = [plain.get("state")], [plain.get("kind")]
        refuse_other_words(statuses=(statuses, ProcessStatus), state=(states, ProcessState), kind=(kinds, InstanceKind))
        return InstanceFilter(
            **plain,
            owner=owner,
            statuses=tuple(statuses),
            values=self._searched(variables or {}),
            started_from=milliseconds(started_from),
            started_before=milliseconds(started_before),
            ended_from=milliseconds(ended_from),
            ended_before=milliseconds(ended_before),
        )

    def _searched(self, variables: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        from ..authoring.templates import searchable_texts  # late, since few programs search

        cipher = self._store.cipher
        return tuple((name, digests(text, cipher)) for name, text in searchable_texts(variables).items())

    def counts(
        self, *, kind: InstanceKind | None = None, key: str | None = None, owner: str | None = None
    ) -> dict[ProcessState, int]:
        """How many process instances :meth:`search` finds in each state, at most 1,000 of each."""
        with engine_errors():
            return self._lists.counts(InstanceFilter(kind=kind, key=key, owner=owner))

    def statistics(
        self,
        *,
        since: datetime | None = None,
        key: str | None = None,
        runs: int = 2000,
        owner: str | None = None,
    ) -> Statistics:
        """What the last forward runs came to: failures, retries and durations by version, stone and element.

        Args:
            since: Those that began from then on; without a zone by this machine's.
            key: Of this key alone.
            runs: At most so many, the newest; 5,000 at most.
            owner: Those of this owner alone.
        """
        begun, most = milliseconds(since), min(max(runs, 1), 5000)
        with engine_errors():
            return read_statistics(self._store, since=begun, key=key, owner=owner, most_runs=most)


def _listed(status: ProcessStatus | None, key: str | None, name: str | None, owner: str | None) -> InstanceFilter:
    statuses = () if status is None else (status,)
    refuse_other_words(status=(statuses, ProcessStatus))
    return InstanceFilter(statuses=statuses, key=key, name=name, owner=owner)
