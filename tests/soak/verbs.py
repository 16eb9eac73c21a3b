"""What several engines are asked beside the ordinary: batches, suspensions, other versions, and webhooks that are told.

:class:`Receiver` takes what the engines tell over HTTP, refuses some of it and is slow now and then. :func:`check_told`
and :func:`check_batches` hold what came of all that against the store.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, TypeVar

from riverstone.engine import Batch, Engine, Page, Quota, RiverstoneError
from riverstone.engine.webhooks import sender

Item = TypeVar("Item")
ALWAYS, SOMETIMES = "/always", "/sometimes"
"""Who wants to hear from the beginning, and who is now and then told and now and then not."""
INSIDE = "127.0.0.0/8"
QUOTAS = {"make": Quota(at_once=8), "awaited": Quota(per_minute=600)}
PROCESS_QUOTAS = {"two": Quota(at_once=4)}
FOR_BATCHES = ("cancel", "delete", "retry", "rollback", "suspend", "unsuspend", "check", "retain")
STATES = ("running", "attention", "person", "event", "success", "failed", "canceled")


class Receiver:
    """Whoever is told over HTTP what processes come to; some of it has to be told again."""

    def __init__(self, seed: int) -> None:
        random, self.heard = Random(seed), Counter[str]()
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(random.choice((0, 0, 0, 0.01, 0.7)) * random.random())
                takes = random.random() > 0.1
                if takes:
                    heard[told["id"]] += 1
                with suppress(OSError):
                    self.send_response(204 if takes else 503)
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not on the terminal."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Whoever tells may be killed in the middle of a word."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Hear nothing more."""
        self._server.shutdown()
        self._server.server_close()


def hurry() -> None:
    """Let what could not be told be told again soon."""
    sender.PAUSES, sender.LEASE = (1, 1, 2, 2, 2, 2, 2, 2), 20_000


def ask(engine: Engine, random: Random, keys: tuple[str, ...], origin: str) -> None:
    """Ask an engine for one of these things; raises RiverstoneError."""
    key = random.choice(keys)
    # More is let go on than suspended, or else everything soon stands still.
    wishes: dict[Callable[[], object], int] = {
        lambda: begin_batch(engine, random, key): 4,
        lambda: steer_batch(engine, random): 1,
        lambda: suspend(engine, random, key): 1,
        lambda: let_go_on(engine, random): 5,
        lambda: listen(engine, random, origin): 1,
        lambda: change(engine, random, key): 2,
    }
    (wish,) = random.choices(list(wishes), list(wishes.values()))
    wish()


def begin_batch(engine: Engine, random: Random, key: str) -> None:
    """Do the same to some processes of a key."""
    action: Any = random.choice(FOR_BATCHES)
    where: dict[str, Any] = {"key": key, "state": random.choice(STATES)}
    more: dict[str, Any] = {"force": random.random() < 0.3} if action in ("cancel", "delete") else {}
    if random.random() < 0.1:
        action, more = "rewind", {"element_id": "a"}
    engine.batch(action, where, rate=random.choice((None, None, 20.0)), **more)


def steer_batch(engine: Engine, random: Random) -> None:
    """Let a batch stand, go on or end."""
    found = [each for each in engine.batches(limit=20).items if each.state in ("running", "paused")]
    if found:
        steer = random.choice((engine.pause_batch, engine.resume_batch, engine.resume_batch, engine.stop_batch))
        steer(random.choice(found).batch_id)


def suspend(engine: Engine, random: Random, key: str) -> None:
    """Let nothing begin of a process, a key or a stone."""
    dice = random.random()
    if dice < 0.2:
        engine.suspend_key(key)
    elif dice < 0.3:
        engine.suspend_stone(random.choice(("make", "watch", "awaited")))
    elif found := engine.search(key=key, kind="start", limit=10).items:
        engine.suspend(random.choice(found).process_instance_id)


def let_go_on(engine: Engine, random: Random) -> None:
    """Lift a suspension."""
    if (keys := engine.suspended_keys()) and random.random() < 0.5:
        engine.unsuspend_key(random.choice(keys).key)
    elif stones := engine.suspended_stones():
        engine.unsuspend_stone(random.choice(stones).code)
    else:
        suspended = [each for each in engine.search(kind="start", limit=100).items if each.suspended is not None]
        if suspended:
            engine.unsuspend(random.choice(suspended).process_instance_id)


def listen(engine: Engine, random: Random, origin: str) -> None:
    """Somebody else wants to hear what processes come to, or nothing any more."""
    others = [each for each in engine.webhooks.subscriptions() if each.url.endswith(SOMETIMES)]
    if others and random.random() < 0.6:
        engine.webhooks.unsubscribe(random.choice(others).subscription_id)
    else:
        engine.webhooks.subscribe(origin + SOMETIMES, key=None)


def change(engine: Engine, random: Random, key: str) -> None:
    """Give a process other variables, or another version of its model."""
    found = engine.search(key=key, kind="start", limit=10).items
    if not found:
        return
    number = random.choice(found).process_instance_id
    if random.random() < 0.5:
        engine.set_variables(number, {f"v{random.randint(0, 3)}": random.random()})
    else:
        versions = engine.deployments(key=key, limit=10).items
        engine.migrate(number, random.choice(versions).deployment_id)


def every(part: Callable[[str | None], Page[Item]]) -> Iterator[Item]:
    """All parts of a list."""
    cursor = None
    while True:
        page = part(cursor)
        yield from page.items
        if (cursor := page.cursor) is None:
            return


def lift(engine: Engine) -> None:
    """Let everything go on that somebody has suspended, and every batch come to its end."""
    for key in engine.suspended_keys():
        with suppress(RiverstoneError):
            engine.unsuspend_key(key.key)
    for stone in engine.suspended_stones():
        with suppress(RiverstoneError):
            engine.unsuspend_stone(stone.code)
    deadline = time.monotonic() + 120
    while open_ones := [each for each in batches(engine) if each.state in ("running", "paused")]:
        assert time.monotonic() < deadline, f"batches never end: {open_ones}"
        for each in open_ones:
            if each.state == "paused":
                with suppress(RiverstoneError):
                    engine.resume_batch(each.batch_id)
        time.sleep(0.1)
    for found in list(every(lambda cursor: engine.instances(limit=200, cursor=cursor))):
        if found.kind == "start" and found.suspended is not None:
            with suppress(RiverstoneError):
                engine.unsuspend(found.process_instance_id)


def batches(engine: Engine) -> list[Batch]:
    """All that there are."""
    return list(every(lambda cursor: engine.batches(limit=200, cursor=cursor)))


def check_batches(engine: Engine) -> list[str]:
    """What batches say of themselves, against what they say of each process."""
    wrong = []
    for batch in batches(engine):
        items = list(every(lambda cursor, batch=batch: engine.batch_items(batch.batch_id, limit=200, cursor=cursor)))  # type: ignore[misc]
        found = Counter(each.result for each in items)
        told = {"done": batch.done, "refused": batch.refused}
        if any(found[name] != count for name, count in told.items()) or len(items) != batch.total:  # type: ignore[index]
            wrong.append(f"batch {batch.action} says {told} of {batch.total}, and of its processes {dict(found)}")
        if batch.state == "ended" and batch.done + batch.refused != batch.total:
            wrong.append(f"batch {batch.action} has ended before its end: {batch}")
        defects = {each.reason for each in items if each.code == "internal-error"}
        wrong += [f"batch {batch.action} met a defect: {reason}" for reason in defects]
    return wrong


def check_told(engine: Engine, heard: Counter[str], seconds: float = 120) -> list[str]:
    """What was written down to be told, against what was heard and what processes there are."""
    deadline, fewest = time.monotonic() + seconds, sys.maxsize
    while True:
        notices = list(every(lambda cursor: engine.webhooks.notices(limit=200, cursor=cursor)))
        pending = [each for each in notices if each.status == "pending"]
        if not pending or time.monotonic() > deadline:
            break
        if len(pending) < fewest:
            # So many are told that it may take longer than any one of them.
            fewest, deadline = len(pending), time.monotonic() + seconds
        time.sleep(0.5)
    wrong = [f"a notice is still to be told: {each}" for each in pending[:5]]
    wrong += [f"sent and not heard: {each}" for each in notices if each.status == "sent" and not heard[each.notice_id]]
    known = {each.notice_id for each in notices}
    wrong += [f"heard and not known: {identifier}" for identifier in heard if identifier not in known]
    types = Counter((each.process_instance_id, each.type) for each in notices if each.url.endswith(ALWAYS))
    for found in every(lambda cursor: engine.instances(limit=200, cursor=cursor)):
        if found.kind != "start":
            continue
        number = found.process_instance_id
        if types[number, "started"] != 1:
            wrong.append(f"{number} was told {types[number, 'started']} times to have started")
        if found.status == "delete.success" and not types[number, "undone"]:
            wrong.append(f"nobody was told that {number} was undone")
    return wrong
