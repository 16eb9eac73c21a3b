"""Sends what is to be told, again and again for a day; one that hangs, lies or redirects holds nobody else up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from ...models import NoticeRow, StoreError, Webhooks
from ..errors import Invalid
from ..outgoing.allowed_origins import AllowedOrigins, host_of, spelled_origin
from . import signing

logger = logging.getLogger("riverstone.engine")

POLL = 1.0
THREADS = 16
"""Calls at the same time, beside those that last."""
PER_HOST = 2
"""Calls at the same time to one host, so that one which hangs does not take all threads."""
LASTING = 0.5
"""Seconds after which a call has a thread beside those of the others."""
PER_OWNER = THREADS // 2
"""Calls at the same time for one owner."""
MOST_CALLS = 128
"""All calls at the same time: owners whose receivers hang for the first time are not known by that before."""
SLOW = 3.0
"""Seconds from which on a call counts as one that hangs."""
FOR_SLOW = THREADS // 2
"""Calls at the same time for all owners together whose last call hung, one for each."""
WHOLE = 15.0
"""Seconds for all of a call."""
LEASE = 60_000
"""Milliseconds for which a notice is in the hands of one engine."""
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
"""Seconds before each further try, the last for all that follow."""
DAY = 24 * 3600 * 1000
GONE = 410
"""The answer of a receiver that wants to hear no more."""
MOST = 100
MOST_PASSED = 200
"""Spellings of busy hosts, and owners, that are passed over in one look at what is due."""
MOST_SERVED = 1000
"""Owners that wait for the others' turn after one of their calls has begun."""
MOST_SPELLINGS = 20
"""Of busy hosts, by one owner; one with more is passed over as a whole."""


class _Call(NamedTuple):
    """A call on its way."""

    host: tuple[str, int]
    owner: str | None
    begun: float

    def lasts(self) -> bool:
        return time.monotonic() - self.begun >= LASTING


class Sender:
    """One engine's; several engines share what is to be sent."""

    def __init__(
        self, webhooks: Webhooks, allowed: AllowedOrigins, secrets_of: Callable[[str | None], list[str]]
    ) -> None:
        self._webhooks = webhooks
        self._allowed = allowed
        self._secrets_of = secrets_of
        self._wake = threading.Event()
        self._stopped = False
        self._calls: dict[str, _Call] = {}
        """By the ids of the notices."""
        self._slow: set[str | None] = set()
        """The owners whose last call hung."""
        self._served: set[str | None] = set()
        """The owners who have had their turn: those who have not come first."""
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix="riverstone-webhook")
        self._thread = threading.Thread(target=self._run, name="riverstone-webhooks", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to be sent."""
        self._wake.set()

    def close(self) -> None:
        """Send nothing more; what is on its way is tried again by others."""
        self._stopped = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._stopped:
            # When a call begins to last, there is room for another.
            self._wake.wait(LASTING if self._calls else POLL)
            self._wake.clear()
            try:
                self.send_due()
            except StoreError as error:
                logger.warning("notices could not be read: %s", error)

    def send_due(self) -> None:
        """Hand what is due to threads. What waits for a busy host or owner is passed over, however much that is.

        Owners take turns: by age alone, those for whom much is due would come first for as long as that lasts.
        """
        passed = _PassedOver()
        if self._served and len(self._served) < MOST_SERVED:
            self._hand_out(passed, in_turn=True)
        if self._has_room():
            # Everybody has had a turn.
            self._served.clear()
            self._hand_out(passed, in_turn=False)

    def _hand_out(self, passed: _PassedOver, *, in_turn: bool) -> None:
        while passed.count <= MOST_PASSED and self._has_room():
            without = passed.owners | self._served if in_turn else passed.owners
            rows = self._webhooks.due(MOST, without_origins=passed.origins, without_owners=without)
            before, served = passed.count, len(self._served)
            for row in rows:
                if in_turn and row.owner_name in self._served:
                    continue
                host = host_of(row.url)
                with self._lock:
                    if sum(each.host == host for each in self._calls.values()) >= PER_HOST:
                        passed.pass_host(row)
                        continue
                    if not self._has_share(row.owner_name):
                        passed.pass_owner(row.owner_name)
                        continue
                    if self._stopped:
                        return
                    self._calls[row.id] = _Call(host, row.owner_name, time.monotonic())
                is_on_its_way = False
                try:
                    if self._webhooks.claim(row, LEASE):
                        self._pool.submit(self._send, row)
                        self._served.add(row.owner_name)
                        is_on_its_way = True
                finally:
                    if not is_on_its_way:
                        self._free(row)
            if len(rows) < MOST or (passed.count == before and len(self._served) == served):
                return

    def _has_room(self) -> bool:
        with self._lock:
            return not self._stopped and self._room() > 0

    def _room(self) -> int:
        """How many calls may begin."""
        quick = sum(not each.lasts() for each in self._calls.values())
        return min(THREADS - quick, MOST_CALLS - len(self._calls))

    def _has_share(self, owner: str | None) -> bool:
        """Whether there is a thread for one more call of an owner: no more than there are left for others.

        So however many hosts of an owner hang, the next owner has room; and one whose last call hung has one thread, of
        those that are for all such owners.
        """
        own, room = sum(each.owner == owner for each in self._calls.values()), self._room()
        if owner not in self._slow:
            return own < min(room, PER_OWNER)
        slow = sum(each.owner in self._slow for each in self._calls.values())
        return own == 0 and room > 0 and slow < FOR_SLOW

    def _free(self, row: NoticeRow) -> None:
        with self._lock:
            self._calls.pop(row.id, None)

    def _send(self, row: NoticeRow) -> None:
        begun = time.monotonic()
        try:
            if self._webhooks.subscription(row.subscription_id) is None:
                self._webhooks.failed(row.id, "nobody wants to hear it any more", None)
                return
            status = self._call(row)
            if 200 <= status < 300:
                self._webhooks.sent(row.id)
            elif status == GONE:
                self._webhooks.remove(row.subscription_id)
                self._webhooks.failed(row.id, "the receiver answered 410: it is told nothing more", None)
            else:
                self._again(row, f"the receiver answered {status}")
        except StoreError as error:
            logger.warning("what came of a notice could not be written: %s", error)
        except Exception as error:
            # Whatever it is: what is not put off is tried again at the end of each lease. Its words may quote what a
            # receiver says.
            told = error.message if isinstance(error, Invalid) else type(error).__name__
            with suppress(StoreError):
                self._again(row, told)
        finally:
            with self._lock:
                note = self._slow.add if time.monotonic() - begun >= SLOW else self._slow.discard
                note(row.owner_name)
            self._free(row)
            self._wake.set()

    def _again(self, row: NoticeRow, reason: str) -> None:
        pause = PAUSES[min(row.attempts, len(PAUSES) - 1)] * 1000
        over = round(time.time() * 1000) - row.created > DAY and row.attempts >= len(PAUSES)
        self._webhooks.failed(row.id, reason[:255], None if over else pause)

    def _call(self, row: NoticeRow) -> int:
        body = row.body.encode()
        signed = signing.headers(row.id, int(time.time()), body, self._secrets_of(row.owner_name))
        headers = {"Content-Type": "application/cloudevents+json", "User-Agent": "riverstone", **signed}
        # What it says is not read.
        return self._allowed.send("POST", row.url, headers, body, seconds=WHOLE, largest=0).status


class _PassedOver:
    """What one look at what is due leaves to the next one, since it waits for a busy host or owner."""

    def __init__(self) -> None:
        self.owners: set[str | None] = set()
        self.count = 0
        """How much was passed over so far."""
        self._spelled: dict[str | None, set[str]] = {}

    @property
    def origins(self) -> set[str]:
        """The busy hosts, as they are spelled."""
        return set(chain.from_iterable(self._spelled.values()))

    def pass_host(self, row: NoticeRow) -> None:
        """A host can be spelled in any number of ways (``:080``), of which one owner is not to fill a whole look."""
        spellings, spelled = self._spelled.setdefault(row.owner_name, set()), spelled_origin(row.url)
        self.count += spelled not in spellings
        spellings.add(spelled)
        if len(spellings) > MOST_SPELLINGS:
            self.pass_owner(row.owner_name)

    def pass_owner(self, owner: str | None) -> None:
        self.count += owner not in self.owners
        self.owners.add(owner)
