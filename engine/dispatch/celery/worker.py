"""Stones run on Celery workers: the worker's side, an ordinary Celery worker with one task.

It needs the broker and its stones' code, and never the store. A task is acknowledged when the broker has its answer.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from celery import Celery, Task, signals
from celery.worker import state
from celery.worker.consumer import Consumer
from celery.worker.control import control_command
from celery.worker.request import Request
from celery.worker.state import maybe_shutdown

from ...errors import Invalid
from ...jsontext import JSON
from ...limits import Limits
from ...observing.logs import where
from ...secret_sources.environment import EnvironmentSecrets
from ...secret_sources.source import Secrets, SecretSource
from ...stones.declarations.parameters import supplied
from ...stones.hooks.call import HookCall, seldom
from ...stones.hooks.event_loop import EventLoop
from ...stones.hooks.opened import OpenStones
from ...stones.registry import Stones
from ...stones.stone import Stone
from ...work import LiveLines, Outcome, Saving, Work
from .. import answer_messages, messages, work_messages
from .app import results_queue, signs_queue, task_queue
from .link import AGAIN, Link, refuse_compressed
from .questions import Questions
from .signs import Signs
from .stopping import STOP, Ring

logger = logging.getLogger("riverstone.stone")

MOST_REMEMBERED = 1000
Own = TypeVar("Own")


class Workshop:
    """The stones of one worker, in its main process and in each of its children."""

    def __init__(self, app: Celery, stones: Sequence[type[Stone]], limits: Limits, secrets: Secrets) -> None:
        self.app = app
        self.secrets = secrets
        self.stones = Stones()
        for stone in stones:
            self.stones.add(stone)
        self.limits = limits
        self.ring = Ring()
        self.signs = Signs(app)
        self.loop = EventLoop()
        self.opened = OpenStones()
        self._links: dict[tuple[int, int], Link] = {}
        self._questions: dict[tuple[int, int], Questions] = {}
        self._answers: OrderedDict[tuple[Any, ...], str] = OrderedDict()

    def queues(self, chosen: Collection[str] = ()) -> list[str]:
        """The queues of the stones' hooks, or those of them that are ``chosen``; raises Invalid for any other."""
        every = [name for code in self.stones for stone in self.stones[code] for name in messages.queues_of(stone)]
        unknown = sorted(set(chosen) - set(every))
        if unknown:
            text = f"No stone here has the queue {unknown[0]!r}: there are {', '.join(sorted(every))}."
            raise Invalid(text, code="queue-unknown")
        return [name for name in dict.fromkeys(every) if not chosen or name in chosen]

    def carry_out(self, decoded: dict[str, Any], *, fresh: bool = True) -> None:
        """Call the hook of one work and answer; returns when the broker has the answer.

        One that is not ``fresh``, since another worker had it, is not begun before an engine was asked.
        """
        try:
            work = work_messages.read_work(decoded)
        except Invalid as error:
            logger.error("a message is dropped: %s", error.message)
            return
        key = (work.task_id, work.event, work.attempt, work.delivery)
        answer = self._answers.get(key)
        if answer is None:
            outcome = self._outcome(work, fresh=fresh and work_messages.is_fresh(decoded))
            try:
                answer = answer_messages.answer_text(outcome)
            except (TypeError, ValueError) as error:
                failed = Outcome.of(work, "failed", f"What the stone put out cannot be sent: {error}")
                answer = answer_messages.answer_text(failed)
            self._answers[key] = answer
            if len(self._answers) > MOST_REMEMBERED:
                self._answers.popitem(last=False)
        self._send(answer)

    def _outcome(self, work: Work, *, fresh: bool) -> Outcome:
        stone = self.stones.choose(work.stone, work.parameters)
        if stone is None:
            text = f"The worker {os.uname().nodename} has no stone {work.stone!r} for these parameters."
            return _unbegun(work, "failed", text)
        is_stopped = partial(self.ring.has, work.task_id, work.delivery)
        if is_stopped() or not (fresh or self._mine(self._questions, Questions).may_begin(work, is_stopped)):
            return _unbegun(work, "withdrawn", "It was stopped before it began.")
        if work.event in ("start", "mock"):
            try:
                missing = supplied(stone, work.parameters)
            except Invalid as error:
                return _unbegun(work, "failed", error.message)
            if missing:
                # The hook is called when they are in the ledger: a retry and an undo are to see the same.
                return _unbegun(work, "supplied", parameters=missing)
        request = self.ring.begin(work.task_id, work.delivery)
        try:
            on_progress = seldom(partial(self._report, work))
            call = HookCall(
                stone,
                work,
                limits=self.limits,
                request=request,
                on_progress=on_progress,
                on_lines=self._tell_lines,
                save=self._save,
                secrets=self.secrets,
                opened=self.opened,
            )
            return self.loop.perform(call)
        finally:
            self.ring.end(work.task_id, work.delivery)

    def _save(self, saving: Saving) -> None:
        self._mine(self._questions, Questions).save(saving)

    @property
    def _link(self) -> Link:
        return self._mine(self._links, partial(Link, confirmed=True))

    def _mine(self, every: dict[tuple[int, int], Own], make: Callable[[Celery], Own]) -> Own:
        """This thread's of some kind of connection; children of a process share none of its own."""
        key = os.getpid(), threading.get_ident()
        if key not in every:
            every[key] = make(self.app)
        return every[key]

    def _send(self, answer: str) -> None:
        """Give an answer to the broker, however long that is away: nobody else knows what was done."""
        link, pause = self._link, 0.1
        while True:
            try:
                link.publish(results_queue(), answer)
                return
            except link.errors as error:
                link.broke(error)
                time.sleep(pause)
                pause = min(AGAIN, pause * 2)

    def _tell_lines(self, told: LiveLines) -> None:
        link = self._link
        try:
            link.publish(signs_queue(), messages.log_text(told), durable=False)
        except link.errors as error:
            # The answer tells all of them.
            link.broke(error)

    def _report(self, work: Work, percent: int, text: str | None) -> None:
        link = self._link
        try:
            link.publish(signs_queue(), messages.progress_text(work, percent), durable=False)
        except link.errors as error:
            # The next one may get through, and the answer tells it again.
            link.broke(error)


def _unbegun(
    work: Work, result: Any, reason: str | None = None, *, parameters: Mapping[str, JSON] | None = None
) -> Outcome:
    """What comes of a work whose hook was not called."""
    return replace(Outcome.of(work, result, reason), parameters=parameters, unbegun=result == "failed")


class WorkRequest(Request):
    """A task in a worker's hands; one that is lost with its process goes back to the engines, which count that."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        error = exc_info.exception
        error = getattr(error, "exc", error)
        name = type(error).__name__
        if name in ("WorkerLostError", "SystemExit", "KeyboardInterrupt") and not state.should_terminate:
            workshop = self.app.riverstone_workshop
            workshop.signs.lost(self.kwargs["work"])
            state.task_ready(self)
            self.acknowledge()
            logger.error("task %s was lost with its process: %s", self.kwargs["work"].get("task_id"), error)
            return
        super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)


class WorkConsumer(Consumer):
    """Celery's consumer without what quorum queues make it declare for delays, of which there are none here.

    It is back as soon as its broker is: Celery's own waits for up to half a minute between two tries.
    """

    class Blueprint(Consumer.Blueprint):
        default_steps = [step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in step]

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        connection = super().connection_for_read(heartbeat)
        refuse_compressed(connection)
        return connection

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], Any]:
        receive = super().create_task_handler(*args, **options)

        def received(message: Any) -> Any:
            # Celery does these later, in its loop, and of what they raise there it foresees only what brokers say.
            message.ack, message.reject = _told_late(message.ack), _told_late(message.reject)
            return receive(message)

        return received

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        try:
            super().on_connection_error_after_connected(exc)
        except Exception as error:
            # Closing what is broken fails with Redis where messages were not acknowledged yet; a worker outlives that.
            logger.info("a broken connection could not be closed: %s", where(error))

    def ensure_connected(self, conn: Any) -> Any:
        if not self.app.conf.broker_connection_retry:
            return super().ensure_connected(conn)
        told = False

        def failed(error: BaseException, interval: float) -> None:
            nonlocal told
            if not told:
                told = True
                logger.warning("the broker cannot be reached: %s", error)

        most = self.app.conf.broker_connection_max_retries
        conn.ensure_connection(failed, most, AGAIN, 0, AGAIN, callback=maybe_shutdown)
        self.first_connection_attempt = False
        return conn


def _told_late(tell: Callable[..., None]) -> Callable[..., None]:
    """The same, where a connection that is gone by then is no reason to end: at worst the task is delivered again."""

    def told(*args: Any, **options: Any) -> None:
        try:
            tell(*args, **options)
        except OSError:
            # Celery connects anew.
            raise
        except Exception as error:
            logger.info("the broker could not be told of a task: %s", where(error))

    return told


@control_command(name=STOP, args=[("task_id", str), ("delivery", int)])  # type: ignore[untyped-decorator]
def stop(command_state: Any, task_id: str, delivery: int) -> dict[str, str]:
    """Ask a task to stop, if this worker has it or gets it."""
    command_state.app.riverstone_workshop.ring.add(int(task_id), int(delivery))
    return {"ok": "asked"}


def set_up(
    app: Celery,
    stones: Sequence[type[Stone]],
    *,
    queues: Collection[str] = (),
    limits: Limits | None = None,
    secrets: Sequence[SecretSource] | None = None,
) -> Workshop:
    """Make an application's workers carry out these stones, from these of their queues or from all of them.

    ``secrets`` are the places with the secrets that models refer to; unless said otherwise, environment variables.
    """
    sources = [EnvironmentSecrets()] if secrets is None else secrets
    workshop = Workshop(app, stones, limits or Limits(), Secrets(sources))
    app.riverstone_workshop = workshop
    app.conf.task_queues = [task_queue(name) for name in workshop.queues(queues)]
    app.conf.worker_consumer = WorkConsumer

    @app.task(  # type: ignore[untyped-decorator]
        bind=True,
        name=messages.TASK,
        shared=False,
        ignore_result=True,
        acks_late=True,
        reject_on_worker_lost=True,
        Request=WorkRequest,
    )
    def carry_out(task: Task, work: dict[str, Any]) -> None:
        again = bool((task.request.delivery_info or {}).get("redelivered"))
        workshop.carry_out(work, fresh=not again)

    def close(**_: Any) -> None:
        workshop.opened.close(workshop.loop.run)

    # The first in each child of a pool of processes, the other where hooks run in the main process.
    signals.worker_process_shutdown.connect(close, weak=False)
    signals.worker_shutdown.connect(close, weak=False)

    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def ready(sender: Any = None, **_: Any) -> None:
        if sender.app is app:
            workshop.signs.declare([stone for code in workshop.stones for stone in workshop.stones[code]])
            workshop.signs.start()

    return workshop


def run(app: Celery, arguments: Sequence[str] = ()) -> None:
    """Run a worker until it is told to stop (SIGTERM lets running hooks end); ``arguments`` are Celery's own."""
    given = list(arguments)
    if not any(each.startswith(("-l", "--loglevel")) for each in given):
        given += ["--loglevel", "WARNING"]
    if not any(each.startswith(("-n", "--hostname")) for each in given):
        # Several on one machine must differ.
        given += ["--hostname", f"riverstone-{os.getpid()}@%h"]
    sys.argv[0] = "riverstone"
    app.worker_main(["worker", "--without-gossip", "--without-mingle", *given])
