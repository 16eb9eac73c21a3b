"""Process instances in lists: found, counted, and shown a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar, get_args

from ....models import (
    ContentRow,
    FoundInstances,
    InstanceFilter,
    InstanceRow,
    Place,
    Sort,
    SummaryRow,
    count_instances,
    find_instances,
    find_places,
    find_text_places,
    place_of,
)
from ....models.vocabulary import ProcessState
from ...errors import UnknownProcessInstance
from ...undo.creation import undo_ids
from ...views.pages import Page
from ...views.processes import Awaited, InstanceRecord, ProcessInstance, SearchPage
from .. import masked_views
from ..records import Records
from ..why.failures import first_failures
from .awaited import awaited_of

Record = TypeVar("Record", bound=InstanceRecord)

AT_ONCE, MOST_COMPARED = 100, 1_000
"""How many rows are read at once, and in all for one part, whose texts are compared here."""
FEW_RECORDS = 50
"""How many records, whose outputs may be large, are read at once: most often all of a page."""
PIECES = 2
"""How many pieces of a long list are gone through for one part."""
AT_A_TIME, IDS_AT_A_TIME = 500, 5_000
"""How many rows, and how many ids alone, are read at once of those that are only counted or listed."""


class ProcessLists:
    """Lists of one store, in which whatever may be secret is masked as in the records."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._facilities = records.facilities
        self._store = records.store

    def instances(self, wanted: InstanceFilter, *, limit: int, before: int | None) -> Page[ProcessInstance]:
        """Records, newest first, of instances with an id below ``before``; fewer where they are large or seldom."""
        return self._page(self._several, wanted, limit, before)

    def documented(self, wanted: InstanceFilter, *, limit: int, before: int | None) -> Page[InstanceRecord]:
        """The same with nothing but what is documented of a record."""
        return self._page(self._several_documented, wanted, limit, before)

    def _page(
        self,
        several: Callable[[Sequence[int]], Iterator[Record]],
        wanted: InstanceFilter,
        limit: int,
        before: int | None,
    ) -> Page[Record]:
        place: Place | None = None if before is None else (before,)
        numbers: list[int] = []
        for _ in range(PIECES):
            places = find_places(self._store, wanted, limit=limit + 1 - len(numbers), before=place, sort="id")
            numbers += [number for (number,) in places.found]
            place = places.stopped
            if place is None:
                break
        following = numbers[limit - 1] if len(numbers) > limit else None if place is None else place[0]
        shown: list[Record] = []
        room = self._facilities.limits.page_size
        for start in range(0, min(limit, len(numbers)), FEW_RECORDS):
            for record in several(numbers[start : min(start + FEW_RECORDS, limit)]):
                shown.append(record)
                room -= len(record.process_content) + len(record.outputs or "") + len(record.native_outputs)
                if room < 0 and record.process_instance_id != str(numbers[-1]):
                    return Page(items=tuple(shown), cursor=record.process_instance_id)
        return Page(items=tuple(shown), cursor=None if following is None else str(following))

    def _several(self, numbers: Sequence[int]) -> Iterator[ProcessInstance]:
        """Several records in this order; one that was purged since is left out."""
        records = self._store.records(numbers, variables=False)
        found = {row.process_instance_id: (row, content) for row, content in records}
        rows = [found[number][0] for number in numbers if number in found]
        put_out = self._records.put_out(rows)
        kept, awaited = self._records.kept(rows), awaited_of(self._store, rows)
        masks = self._records.masks(rows, found)
        for number in numbers:
            # An origin that was purged between takes what it undid with it.
            if number in masks:
                row, content = found[number]
                yield masked_views.show_instance(
                    row,
                    content,
                    put_out.get(number, {}),
                    masks[number],
                    kept=kept.get(number, 0),
                    waits_for=awaited.get(number, ()),
                )

    def _several_documented(self, numbers: Sequence[int]) -> Iterator[InstanceRecord]:
        """The same, as documented."""
        rows = {row.process_instance_id: row for row in self._store.documented(numbers)}
        put_out = self._records.put_out(rows.values())
        hidden: dict[int, tuple[InstanceRow, ContentRow]] = {}
        masks = self._records.masks(rows.values(), hidden)
        for number in numbers:
            if number in masks:
                row = rows[number]
                if number in hidden:
                    row = masked_views.documented(*hidden[number])
                yield masked_views.show_record(row, put_out.get(number, {}), masks[number])

    def summaries(self, wanted: InstanceFilter, *, limit: int, before: Place | None, sort: Sort = "id") -> SearchPage:
        """The same without variables and outputs, which may be large, in this order."""
        if before is not None:
            before = self._in_order(before, sort)
        part, more = self._part(wanted, limit=limit, before=before, sort=sort)
        kept, awaited = self._records.kept(part.rows), awaited_of(self._store, part.rows)
        failures = first_failures(self._store, part.rows)
        telling = {
            row.process_instance_id: row
            for row in part.rows
            if _may_tell(row, awaited.get(row.process_instance_id, ()), failures.get(row.process_instance_id))
        }
        masks = self._records.masks(telling.values())
        shown = (
            masked_views.show_summary(
                row,
                masks.get(number),
                kept=kept.get(number, 0),
                waits_for=awaited.get(number, ()),
                failure=failures.get(number),
            )
            for number, row in ((row.process_instance_id, row) for row in part.rows)
            # One that was purged since is left out: what would have to be hidden in it is not known any more.
            if number in masks or number not in telling
        )
        return SearchPage(
            items=tuple(shown),
            cursor=None if more is None else "-".join(map(str, more)),
            inside_words_from=None if part.inside_from is None else str(part.inside_from),
        )

    def found(self, wanted: InstanceFilter, *, most: int) -> list[SummaryRow]:
        """All that a search finds, inside of words too, newest first, up to so many."""
        rows: list[SummaryRow] = []
        before: Place | None = None
        while len(rows) < most:
            count = min(AT_A_TIME, most - len(rows))
            part, before = self._part(wanted, limit=count, before=before, sort="id", whole=True)
            rows += part.rows
            if before is None:
                break
        return rows

    def numbers(self, wanted: InstanceFilter, *, most: int) -> list[int]:
        """The ids of these alone, a tenth of the work."""
        if wanted.error is not None:
            return [row.process_instance_id for row in self.found(wanted, most=most)]
        numbers: list[int] = []
        before: Place | None = None
        while len(numbers) < most:
            count = min(IDS_AT_A_TIME, most - len(numbers))
            places, _ = find_text_places(self._store, wanted, limit=count, before=before, whole=True)
            numbers += [number for (number,) in places.found]
            before = places.stopped
            if len(places.found) == count:
                before = places.found[-1]
            if before is None:
                break
        return numbers

    def _in_order(self, place: Place, sort: Sort) -> Place:
        """A place in this order, where a list ended that was perhaps in another."""
        if sort == "id" or len(place) > 1:
            return place[-1:] if sort == "id" else place
        row = self._store.instance(place[0])
        return (0, 0) if row is None else place_of(row, sort)

    def _part(
        self, wanted: InstanceFilter, *, limit: int, before: Place | None, sort: Sort, whole: bool = False
    ) -> tuple[FoundInstances, Place | None]:
        """A part of the rows, and where the next begins.

        A text that may be encrypted or hold a secret is compared here, as it is shown; a part of few finds ends early.
        """
        error, compared = wanted.error, 0
        asked = wanted if error is None or self._store.cipher is None else wanted._replace(error="")
        found: list[SummaryRow] = []
        while True:
            count = limit + 1 - len(found) if error is None else AT_ONCE
            part = find_instances(self._store, asked, limit=count, before=before, sort=sort, whole=whole)
            found += [row for row in part.rows if error is None or self._tells(row, error.lower())]
            compared += MOST_COMPARED // PIECES if part.stopped is not None else len(part.rows)
            if len(found) > limit:
                return part._replace(rows=found[:limit]), place_of(found[limit - 1], sort)
            if part.stopped is None and len(part.rows) < count:
                return part._replace(rows=found), None
            before = part.stopped or place_of(part.rows[-1], sort)
            if compared >= MOST_COMPARED:
                return part._replace(rows=found), before

    def _tells(self, row: SummaryRow, text: str) -> bool:
        """Whether an error of one instance holds this text, in the form in which it may be shown."""
        told = [row.reason]
        if row.awaits == "attention":
            told += [task.reason for task in self._store.tasks(row.process_instance_id)]
            undos = [self._store.instance(number) for number in undo_ids(row).values()]
            told += [undo.reason for undo in undos if undo is not None]
        with suppress(UnknownProcessInstance):
            mask = self._records.mask(row.process_instance_id)
            return any(text in (each if mask is None else mask.mask_text(each)).lower() for each in told if each)
        return False

    def counts(self, wanted: InstanceFilter) -> dict[ProcessState, int]:
        """How many instances there are in each state, at most as many as are counted."""
        states: tuple[ProcessState, ...] = get_args(ProcessState)
        return {state: count_instances(self._store, wanted._replace(state=state)) for state in states}


def _may_tell(row: SummaryRow, awaited: Iterable[Awaited], failure: str | None) -> bool:
    """Whether a summary holds texts in which there may be secrets: reasons, and names of messages and signals."""
    return (
        row.reason is not None
        or failure is not None
        or row.suspension is not None
        or any(each.kind in ("message", "signal") for each in awaited)
    )
