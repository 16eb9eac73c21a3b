"""Answers with a process that wait until it is different: ended, in need of somebody, or changed at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Response, request

from ...engine import Engine, Situation
from ...engine.calls.owned import OwnedEngine
from ...engine.calls.starts import AwaitedStart
from ...engine.river.waiters import Watch
from ..access.request_id import request_id
from ..parking import CHANNEL, LONGEST, hold
from ..wire.answer import json_response
from ..wire.records import ProcessRecord

RECORD = ProcessRecord()
ETAG = re.compile(r'(?:W/)?"(.*)"')
PREFERENCE = re.compile(r"""\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?""", re.IGNORECASE | re.DOTALL)


def seconds_preferred(prefer: str) -> int:
    """The seconds of ``wait`` in a Prefer header (RFC 7240, 4.3): the first of them, 0 where there is none."""
    found = filter(None, map(PREFERENCE.fullmatch, prefer.split(",")))
    return next((min(LONGEST, int(each[1])) for each in found), 0)


def standing(
    engine: Engine | OwnedEngine, process_instance_id: str, *, wait: float = 0, since: str | None = None
) -> Response:
    """The record of a process, once there is nothing to wait for any more or the time is over.

    Without ``since`` that is when it has ended or needs somebody; with it when its ETag is another one. An answer to
    whoever wanted to wait tells by ``Preference-Applied`` that it ended or needs somebody.
    """

    look = partial(_standing, wait=wait, since=since)
    return held(engine, process_instance_id, look, wait, any_change=since is not None)


def standing_when_started(engine: Engine, asked: dict[str, Any], wait: float) -> Response:
    """The record of a process that this request starts, once it has ended or needs somebody, or the time is over."""
    if engine.is_inline or CHANNEL not in request.environ:
        return standing(engine, engine.start(**asked).process_instance_id, wait=wait)
    waiter = _Waiter(engine, partial(_standing, wait=wait, since=None))
    request_id()
    return hold(wait, waiter.look, partial(waiter.start, engine=engine, asked=asked), None)


def _standing(situation: Situation, last: bool, *, wait: float, since: str | None) -> Response | None:
    if since is None and situation.need is None and not last:
        return None
    answer = shown(situation)
    changed = since is not None and answer.get_etag()[0] != ETAG.sub(r"\1", since)
    if not last and not changed and since is not None:
        return None
    if wait and situation.need is not None:
        answer.headers["Preference-Applied"] = "wait"
    if since is not None and not changed:
        answer.status_code = 304
        answer.set_data(b"")
        del answer.headers["Content-Type"]
    if request.method == "GET":
        answer.make_conditional(request)
    return answer


def held(
    engine: Engine | OwnedEngine,
    process_instance_id: str,
    look: Callable[[Situation, bool], Response | None],
    seconds: float,
    *,
    any_change: bool = False,
) -> Response:
    """What ``look`` makes of the situation of a process, asked whenever that may have come to rest or has changed.

    It answers None to wait on; called with true it has to answer. Without ``any_change`` it is not asked while the
    process goes on by itself.
    """
    whole = engine.engine if isinstance(engine, OwnedEngine) else engine
    assert isinstance(whole, Engine)
    waiter = _Waiter(engine, look, process_instance_id, any_change)
    request_id()
    return hold(seconds, waiter.look, waiter.watch, whole.run_pending if whole.is_inline else None)


class _Waiter:
    """What a request that waits for a process looks at, and who tells it when."""

    def __init__(
        self,
        engine: Engine | OwnedEngine,
        answer: Callable[[Situation, bool], Response | None],
        process_instance_id: str = "",
        any_change: bool = False,
    ) -> None:
        self.engine = engine
        self.answer = answer
        self.number = process_instance_id
        self.any_change = any_change
        self.watched: Watch | None = None
        self.begun: AwaitedStart | None = None
        """The start that it has asked for, until it has heard of that."""
        self._told: Callable[[], None]
        self._is_told = False
        """Whether there is nothing to look at yet: of what is different it is told."""

    def look(self, last: bool) -> Response | None:
        told, self._is_told = self._is_told, False
        if told and not last:
            return None
        if self.begun is not None and not self._has_begun(last):
            return None
        watched = self.watched
        if watched is not None and not (self.any_change or last):
            found = watched.look()
            return None if found is None else self.answer(found, False)
        situation = self.engine.situation(self.number)
        if watched is not None:
            watched.mark = situation.mark
        return self.answer(situation, last)

    def watch(self, told: Callable[[], None]) -> Watch:
        self.watched = self.engine.watch(self.number, told, any_change=self.any_change)
        return self.watched

    def start(self, told: Callable[[], None], engine: Engine, asked: dict[str, Any]) -> _Waiter:
        """The same for a process that is started now; it returns before that is durable, and holds no thread."""
        self._told = told
        self.begun = engine.start_soon(told, **asked)
        # Until something is told there is nothing to see, unless the same request has started it before.
        self._is_told = self.begun.watch is not None or not self.begun.is_there
        return self

    def _has_begun(self, last: bool) -> bool:
        """Hear of the start; false where there is nothing to hear yet. Raises what the start raises."""
        begun = self.begun
        if begun is None or not (last or begun.is_there):
            return False
        self.begun = None
        self.number = begun.result().process_instance_id
        self.watched = begun.watch or self.watch(self._told)
        return True

    def stop(self) -> None:
        """Nobody waits any more."""
        with suppress(Exception):
            # A start that nobody has heard of yet is written into the audit if it was refused.
            self._has_begun(last=True)
        if self.watched is not None:
            self.watched.stop()


def shown(situation: Situation) -> Response:
    """The record with an ETag that differs after every step, whatever of it the record shows."""
    answer = json_response(RECORD.dump(situation.instance))
    answer.set_etag(f"{hashlib.sha1(answer.get_data(), usedforsecurity=False).hexdigest()[:20]}-{situation.mark}")
    return answer
