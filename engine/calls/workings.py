"""What the engine's calls work with, and what they have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, get_args

from ...models import Place, Store
from ...models.row_types.stored import is_id
from ..arguments import Checked
from ..authoring.deployments import Deployments
from ..clock import Clock
from ..dispatch.dispatcher import Dispatcher
from ..errors import Invalid, Malformed, UnknownTask
from ..instance.facilities import Facilities
from ..instance.instance import Instance
from ..instance.notes.history import note
from ..limits import Limits
from ..operating.audit import AuditLog
from ..river.loop import RiverLoop
from ..river.pump import Pump
from ..river.reports import RiverReports
from ..river.river import River
from ..river.turn import Turn
from ..showing.lists.processes import ProcessLists
from ..showing.records import Records
from ..showing.rehearsals import Rehearsals
from ..store_errors import engine_errors
from ..triggers.messages import MessageDelivery
from ..triggers.starts import Starts
from ..views.history import HistoryAction

if TYPE_CHECKING:
    from .webhooks import WebhookCalls


class Workings(Checked):
    """What an engine is made of, for the calls that are grouped by what they are about."""

    limits: Limits
    clock: Clock
    audit: AuditLog
    _store: Store
    _facilities: Facilities
    _deployments: Deployments
    _starts: Starts
    _records: Records
    _lists: ProcessLists
    _rehearsals: Rehearsals
    _messages: MessageDelivery
    _river: River
    _pump: Pump
    _loop: RiverLoop
    _reports: RiverReports
    _dispatcher: Dispatcher
    webhooks: WebhookCalls

    def _asked(
        self,
        action: HistoryAction,
        number: int,
        act: Callable[[Instance], object],
        *,
        of_all: Callable[[Instance], bool] | None = None,
        prepare: Callable[[Instance], bool] | None = None,
        **told: Any,
    ) -> None:
        """Have something stepped that somebody asks of a process, with that in its history.

        Where that goes through the ledger as a whole, as ``of_all`` tells, it is read before, in turns that leave room
        for others; so is what ``prepare`` does, which tells whether it has taken this turn for that. Both prepare the
        copy in memory alone.
        """
        read, reads_on = 0, of_all is not None
        up_to: int | None = None

        def step(turn: Turn) -> bool | None:
            nonlocal up_to
            instance = turn.instance(number)
            if reads_on and of_all is not None and of_all(instance):
                up_to = instance.tasks.read_on()
                if up_to is not None:
                    return False
            if prepare is not None and prepare(instance):
                return False
            # Before what it brings about; where it is refused, nothing of the turn is written.
            note(instance, "action", action=action, **told)
            act(instance)
            return None

        while self._pump.step(step) is False:
            # Where another engine was in between, all is read in one go, or there would be no end of it.
            reads_on, read = (up_to or 0) > read, up_to or 0

    def _instance_of(self, task_number: int) -> int:
        with engine_errors():
            row = self._store.task(task_number)
        if row is None:
            raise UnknownTask(str(task_number))
        return row.process_instance_id


def number_of(text: str, error: Callable[[str], Exception]) -> int:
    """A decimal id as a number; what cannot be one belongs to nobody."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise error(text[:100])
    return int(text)


def row_before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    return number_of(cursor, lambda text: Malformed(f"{text!r} is not a cursor of this list.", code="cursor"))


def place_before(cursor: str | None) -> Place | None:
    """Where a part of a list of processes ended: an id, or a time and an id; raises Malformed."""
    if cursor is None:
        return None
    found = re.fullmatch(r"(?:([0-9]{1,18})-)?([0-9]{1,18})", cursor, re.ASCII)
    if found is None:
        raise Malformed(f"{cursor!r} is not a cursor of this list.", code="cursor")
    return tuple(int(number) for number in found.groups() if number is not None)


def cursor_of(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    created, _, identifier = text.partition("-")
    if not created.isascii() or not created.isdigit() or len(created) > 18 or not is_id(identifier):
        raise Malformed(f"{text[:100]!r} is not a cursor of this list.", code="cursor")
    return int(created), identifier


def refuse_other_words(**asked: tuple[Iterable[str | None], Any]) -> None:
    """Raise Invalid (code ``search-invalid``) for a word that is none of its vocabulary, by what is asked for."""
    errors = {
        name: [f"Must be one of {', '.join(get_args(vocabulary))}."]
        for name, (words, vocabulary) in asked.items()
        if any(word is not None and word not in get_args(vocabulary) for word in words)
    }
    if errors:
        told = " ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
        raise Invalid(f"Nothing is searched by these words. {told}", code="search-invalid", errors=errors)
