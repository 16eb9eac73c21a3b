"""A stone's hooks called as the engine calls them, without an engine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from uuid import uuid4

from ...models.vocabulary import Hook, UndoMonitor
from .. import jsontext
from ..limits import Limits
from ..stones.hooks.call import HookCall
from ..stones.hooks.event_loop import EventLoop
from ..stones.stone import Stone
from ..work import Outcome, Reached, StopRequest, Work

TOKEN = f"rst_0_0_{'A' * 43}"
"""By which nobody can complete a task."""
LONGEST_PAUSE = 60.0
"""Seconds between two attempts here, at most: whoever has a stone checked waits for all of them."""
_numbers = count(1)
_loop = EventLoop()


class Hangs(Exception):
    """A hook that did not come back in time; its thread is left to itself."""

    def __init__(self, event: str, seconds: float) -> None:
        super().__init__(f"It did not come back within {seconds:g} s: a hook must not wait, monitor looks again.")
        self.event = event


@dataclass(kw_only=True)
class Trial:
    """One task of a stone, with its idempotency key, and what has been heard of it."""

    stone: type[Stone]
    parameters: Mapping[str, Any]
    namespace: str
    timeout: float
    key: str = field(default_factory=lambda: f"contract-{uuid4()}")
    task_id: int = field(default_factory=lambda: next(_numbers))
    outputs: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)
    deferred: bool = False
    """Whether its start has handed it to somebody outside, whom nobody waits for here."""
    attempt: int = 1
    """Of its start, or of its undo."""
    took: float = 0.0
    """Seconds of the last call."""
    heard: list[Outcome] = field(default_factory=list)
    failing: int = 0
    """Looks in a row that have failed."""

    def call(
        self,
        event: Hook,
        *,
        phase: Reached = "running",
        listen: bool = True,
        asked: bool = False,
        hook: UndoMonitor | None = None,
    ) -> Outcome:
        """Have a hook called in a thread of its own; without ``listen``, nothing that it says is kept.

        ``hook`` is that of a ``monitor`` which looks at an undo. ``asked`` lets it find that it should stop. Raises
        Hangs after the stone's own timeout for this event, else after ``timeout`` seconds.
        """
        work = Work(
            task_id=self.task_id,
            process_instance_id=0,
            stone=self.stone.code,
            event=event,
            attempt=self.attempt,
            idempotency_key=self.key if event in ("start", "monitor", "mock") else f"{self.key}-{event}",
            start_key=self.key,
            namespace=self.namespace,
            element_id=self.namespace,
            parameters=jsontext.dumps(dict(self.parameters)),
            outputs=json.dumps(self.outputs) if self.outputs else None,
            state=json.dumps(self.state) if self.state else None,
            phase=phase,
            name=self.namespace,
            hook=hook,
            saved=json.dumps(self.saved) if self.saved else None,
        )
        outcome = self._in_time(work, self._limit(event, asked=asked), asked=asked)
        if outcome.result == "deferred":
            self.deferred, outcome = True, replace(outcome, result="done")
        self.heard.append(outcome)
        if listen:
            self.outputs |= outcome.outputs
            if outcome.result != "failed":
                self.state = dict(outcome.state or {})
        return outcome

    def carried_out(self, event: Hook, *, phase: Reached = "running", listen: bool = True) -> Outcome:
        """Have a hook called as an engine would: what fails is tried again, and what is put off is called later.

        An attempt that has put something out is undone first, and the next has another key.
        """
        end = time.monotonic() + (self.stone.retry_for or self.timeout)
        self.attempt = 1
        while True:
            outcome = self.call(event, phase=phase, listen=listen)
            if outcome.result != "failed" or outcome.fatal:
                return outcome
            pause = outcome.later
            if pause is None:
                backoff = self.stone.retry_backoff * 2 ** (self.attempt - 1)
                pause = min(backoff, self.stone.retry_backoff_max, LONGEST_PAUSE)
                self.attempt += 1
            if self.attempt > self.stone.retries + 1 or time.monotonic() + pause > end:
                return outcome
            time.sleep(pause)
            if event == "start" and self.outputs and self.stone.has("rollback"):
                self.call("rollback", phase="partial")
                self.key, self.outputs = f"contract-{uuid4()}", {}

    def looked(self, event: Hook, *, phase: Reached = "running", hook: UndoMonitor | None = None) -> Outcome:
        """One look of a monitor, where those before that have failed count as failed looks, as for an engine."""
        outcome = self.call(event, phase=phase, hook=hook)
        self.failing = self.failing + 1 if outcome.result == "failed" else 0
        if outcome.result == "failed" and not outcome.fatal and self.failing <= self.stone.monitor_retries:
            return replace(outcome, result="again")
        return outcome

    def _limit(self, event: Hook, *, asked: bool) -> float:
        if asked:
            return min(self.stone.grace, self.timeout)
        # A monitor's timeout is that of all its looks.
        return self.timeout if event == "monitor" else self.stone.timeouts.get(event, self.timeout)

    def _in_time(self, work: Work, limit: float, *, asked: bool) -> Outcome:
        request, found = StopRequest(), []
        if asked:
            request.ask()

        def act() -> None:
            call = HookCall(
                self.stone,
                work,
                limits=Limits(),
                request=request,
                tokens=lambda work: (TOKEN, None),
                save=lambda saving: self.saved.update({saving.name: saving.value}),
            )
            found.append(_loop.perform(call))

        began = time.monotonic()
        thread = threading.Thread(target=act, name=f"riverstone-contract-{work.event}", daemon=True)
        thread.start()
        thread.join(limit)
        self.took = time.monotonic() - began
        if not found:
            request.ask()
            raise Hangs(work.event, limit)
        return found[0]
