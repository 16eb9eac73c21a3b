"""Where steps run: in the river's own thread, or for an inline engine in the thread of whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ...models import BatchRow
from ..dispatch.inline import InlineDispatcher
from ..errors import EngineClosed, WaitTimeout
from ..instance.resting import Rested
from ..observing import tracing
from ..operating.audit import AuditedCall, AuditLog, present_call
from ..stones.hooks import event_loop
from ..views.processes import ProcessInstance
from .inbox import StepResult
from .loop import RiverLoop
from .river import River
from .standstill import Unstepped
from .turn import Turn
from .waiters import LOOK, Watch, Watcher

TURN = 0.01
"""Seconds for which a thread keeps an inline engine going for others too, if one of them could take its turn."""
PATIENCE = 0.1
"""Seconds after which one that waits for its turn sees whether anybody is at it."""


class Pump:
    """Brings actions to the river, and keeps an inline engine going; ``inline`` is the dispatcher of such a one."""

    def __init__(self, river: River, loop: RiverLoop, audit: AuditLog, inline: InlineDispatcher | None) -> None:
        self.river = river
        self.loop = loop
        self.clock = river.facilities.clock
        self.audit = audit
        self.inline = inline
        self.closed = ""
        """Why nothing is stepped any more."""
        self._pumping = threading.RLock()
        self._next: list[Watcher] = []
        """Those who wait for an end, and could keep an inline engine going in place of the thread that is at it."""

    def step(self, action: Callable[[Turn], Any]) -> Any:
        """Have one action stepped, wherever steps run, and return its result once that is durable.

        Raises Invalid in the thread of coroutine hooks, as the other calls here do.
        """
        call = present_call()
        result = False
        try:
            result = self.bring(action).result()
        finally:
            if call is not None:
                call.written = result is not False
        return result

    def bring(
        self,
        action: Callable[[Turn], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> StepResult:
        """Have one action stepped, and do not wait: what is returned waits when it is asked.

        ``then`` is called with the result in the thread that steps, or ``failed`` if there is an error; neither in an
        inline engine, where all is done on return. The present call counts as written from now on. If the result is an
        error or False, whoever hears of it writes the call down.
        """
        event_loop.refuse_here()
        if self.closed:
            raise EngineClosed(f"The engine is closed: {self.closed}.")
        call = present_call()
        if call is None:
            return self._brought(action, then, failed)
        # From now on, so that what a stone asks for meanwhile is not taken for what the client asked for.
        call.written = True
        try:
            return self._brought(_noted(action, call, self.audit), then, failed)
        except BaseException:
            call.written = False
            raise

    def _brought(
        self,
        action: Callable[[Turn], Any],
        then: Callable[[Any], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> StepResult:
        if self.inline is None and threading.current_thread() is not self.loop.thread:
            return self.river.bring(tracing.carried(action) if tracing.is_on() else action, then, failed)
        done = StepResult()
        done.set_result(self.river.now(action))
        if self.inline is not None:
            self._pump(self.inline)
        return done

    def stand_still(self, error: Unstepped) -> int | None:
        """See :meth:`.River.stand_still`."""
        return self.river.stand_still(error, lambda action: self._brought(action).result())

    def _pump(self, inline: InlineDispatcher) -> bool | None:
        """Carry out what can be carried out now, in this thread; whether there was anything.

        None if another thread is at it, which then sees to all that there is.
        """
        moved = stuck = False
        while self._pumping.acquire(blocking=False):
            try:
                if self.loop.pending.delivering:
                    return moved
                carried_out = self._carry_out(inline)
            finally:
                self._pumping.release()
            moved = moved or carried_out
            # What others handed in while they found this thread at it would wait for the next call.
            if not self._has_work(inline) or (stuck and not carried_out):
                return moved
            stuck = not carried_out
            with suppress(IndexError):
                self._next.pop(0).wake()
                return moved
        return moved or None

    def _has_work(self, inline: InlineDispatcher) -> bool:
        # What could not be written is tried again by the next call.
        return (self.river.has_work() and not self.river.unavailable) or inline.load()[0] > 0

    def _carry_out(self, inline: InlineDispatcher) -> bool:
        moved, begun = False, time.monotonic()
        while True:
            if not self._moves(inline):
                # Another thread may be in the middle of a step that hands over something.
                self.river.let_step_end()
                if not (self._has_work(inline) and self._moves(inline)):
                    return moved
            moved = True
            if self._next and time.monotonic() - begun > TURN:
                return moved

    def _moves(self, inline: InlineDispatcher) -> bool:
        stepped = self.river.drain()
        stepped = self.river.go_on() or stepped
        moved = inline.run_some() or stepped or self.loop.pending.deliver_some()
        return moved or self.loop.batches.step_some()

    def run_pending(self) -> bool:
        """Carry out everything that is due now, in the caller's thread; whether there was anything."""
        event_loop.refuse_here()
        moved = self.loop.run_due()
        if self.inline is not None:
            moved = self._pump(self.inline) or moved
        return moved

    def wait(self, process_instance_id: int, read: Callable[[], Rested | None], timeout: float | None) -> Rested:
        """Return the process when it is at rest; ``read`` tells what the store has of it then.

        Raises WaitTimeout after so many seconds, or where nothing is to come.
        """
        event_loop.refuse_here()
        # A clock that somebody may set does not tell how long anyone has waited.
        passed = self.clock.now if self.inline is not None or not self.clock.runs_by_itself else _monotonic
        deadline = None if timeout is None else passed() + round(timeout * 1000)
        watcher = self.river.watchers.add(process_instance_id)
        watch: Watch | None = None
        try:
            rested = None if self.river.is_going_on(process_instance_id) else read()
            while rested is None:
                now = passed()
                if deadline is not None and now >= deadline:
                    # Another engine may have ended it since the last look.
                    if (rested := watcher.ended or read()) is None:
                        raise _too_late(process_instance_id, timeout)
                    break
                if self.inline is not None:
                    going_on = self._goes_on(self.inline, watcher)
                    rested = watcher.ended or read()
                    if rested is None and not going_on:
                        self._sleep_until_due(process_instance_id, read, deadline)
                else:
                    if watch is None and not self.river.is_going_on(process_instance_id):
                        watch = self.river.watch(process_instance_id, watcher.wake, any_change=False)
                        watch.mark = ""
                    # Others may fail to tell, so the watcher is not relied on alone.
                    watcher.wait(LOOK if deadline is None else min(LOOK, (deadline - now) / 1000))
                    rested = watcher.ended or read()
            return rested
        finally:
            if watch is not None:
                watch.stop()
            self.river.watchers.remove(process_instance_id, watcher)

    def _goes_on(self, inline: InlineDispatcher, watcher: Watcher) -> bool:
        """Keep an inline engine going, unless another thread does; whether there was or may be anything to do."""
        moved = self._pump(inline)
        if moved is not None:
            return moved or self.loop.run_due()
        self._next.append(watcher)
        watcher.wait(PATIENCE)
        with suppress(ValueError):
            self._next.remove(watcher)
        return True

    def _sleep_until_due(
        self, process_instance_id: int, read: Callable[[], Rested | None], deadline: int | None
    ) -> None:
        moments = [self.loop.next_due(), deadline]
        if moments[0] is None and not self.loop.goes_on_elsewhere(process_instance_id):
            if not self._nothing_comes(process_instance_id, read):
                return
            text = f"Process {process_instance_id} waits for something from outside: a message, a signal or a person."
            raise WaitTimeout(text)
        if self.loop.is_shared():
            # Whatever is due here, another engine may bring the process to its end before.
            moments.append(self.clock.now() + round(LOOK * 1000))
        self.clock.sleep_until(min(moment for moment in moments if moment is not None))

    def _nothing_comes(self, process_instance_id: int, read: Callable[[], Rested | None]) -> bool:
        """Whether a process stands still, and nobody has stepped it while what could go on with it was looked at."""
        if not self.loop.is_shared():
            return True
        before = self.loop.revisions(process_instance_id)
        looked = (read(), self.loop.next_due())
        idle = looked == (None, None) and not self.loop.goes_on_elsewhere(process_instance_id)
        return idle and self.loop.revisions(process_instance_id) == before


def _too_late(process_instance_id: int, timeout: float | None) -> WaitTimeout:
    return WaitTimeout(f"Process {process_instance_id} had not ended after {timeout:g} seconds.")


def _noted(action: Callable[[Turn], Any], call: AuditedCall, audit: AuditLog) -> Callable[[Turn], Any]:
    """The same action, with the row of the call that asks for it in the same transaction."""

    def noted(turn: Turn) -> Any:
        turn.changes.who = call.who
        try:
            result = action(turn)
        finally:
            turn.changes.who = None
        if result is False:
            return result
        if isinstance(result, ProcessInstance):
            call.target = result.process_instance_id
        elif isinstance(result, BatchRow):
            call.target = result.id
        audit.note(turn.changes, call)
        return result

    return noted


def _monotonic() -> int:
    return time.monotonic_ns() // 1_000_000
