"""Answers with a process that wait until it is different: ended, in need of somebody, or changed at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from flask import Response, request

from ...engine import Engine, Situation
from ...engine.calls.owned import OwnedEngine
from ...engine.river.waiters import Watch
from ..access.request_id import request_id
from ..parking import LONGEST, hold
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

    def look(situation: Situation, last: bool) -> Response | None:
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

    return held(engine, process_instance_id, look, wait, any_change=since is not None)


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
    watches: list[Watch] = []

    def again(last: bool) -> Response | None:
        if watches and not (any_change or last):
            found = watches[0].look()
            return None if found is None else look(found, False)
        situation = engine.situation(process_instance_id)
        for watch in watches:
            watch.mark = situation.mark
        return look(situation, last)

    def watch(told: Any) -> Watch:
        watches.append(engine.watch(process_instance_id, told, any_change=any_change))
        return watches[-1]

    request_id()
    whole = engine.engine if isinstance(engine, OwnedEngine) else engine
    assert isinstance(whole, Engine)
    return hold(seconds, again, watch, whole.run_pending if whole.is_inline else None)


def shown(situation: Situation) -> Response:
    """The record with an ETag that differs after every step, whatever of it the record shows."""
    answer = json_response(RECORD.dump(situation.instance))
    answer.set_etag(f"{hashlib.sha1(answer.get_data(), usedforsecurity=False).hexdigest()[:20]}-{situation.mark}")
    return answer
