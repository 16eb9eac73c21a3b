"""Takes in what workers say: answers together, acknowledged when they are durable; signs of life; declarations."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from celery import Celery
from kombu import Consumer as KombuConsumer

from ....models import StoreError
from ...errors import EngineClosed, Invalid, RiverstoneError, StoreUnavailable, UnknownProcessInstance
from ...observing.logs import where
from ...work import Outcome, Saving
from .. import answer_messages, messages, work_messages
from ..dispatcher import Reports
from .app import body_text, results_queue, signs_queue
from .link import Link

logger = logging.getLogger("riverstone.engine")

MOST_TOGETHER = 200
WINDOW = 1000
"""How many answers are taken from the broker before the first of them is durable."""
LEASE = 30.0
"""Seconds for which a sign of life vouches for a task."""
HEARTBEAT = 0.5
"""Seconds between two checks whether the broker is there, and until signs of life are kept."""
CLOSING = 10.0
"""Seconds for which a closing engine waits until what it has taken in is durable."""
AGAIN = 0.5
"""Seconds until answers are entered again that the store did not take."""


class OpenMessage:
    """One message that is acknowledged once what it says is durable; ``future`` is None where that is so already.

    ``told`` is what came of a task, or what its start saves, of which the queue ``reply_to`` is to hear.
    """

    __slots__ = ("future", "message", "reply_to", "told")

    def __init__(self, message: Any, told: Outcome | Saving | None, reply_to: str = "") -> None:
        self.message = message
        self.told = told
        self.reply_to = reply_to
        self.future: Future[Any] | None = None


class Consumer:
    """One engine's, in a thread of its own."""

    def __init__(self, app: Celery, reports: Reports) -> None:
        self._reports = reports
        self._link = Link(app, heartbeats=True)
        self._arrived: list[Any] = []
        self._signs: list[messages.Sign] = []
        self._open: deque[OpenMessage] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="riverstone-answers", daemon=True)

    def start(self) -> None:
        """Begin to take in."""
        self._thread.start()

    def close(self) -> None:
        """Take in nothing more, and return when what was taken in is durable; the broker keeps the rest."""
        self._stopping = True
        self._thread.join()

    @property
    def connected_for(self) -> float | None:
        """Seconds since the connection was made, None while there is none."""
        return time.monotonic() - self._link.since if self._link.is_open else None

    @property
    def lease(self) -> int:
        """Milliseconds for which a sign of life vouches for a task."""
        return round(LEASE * 1000)

    @property
    def is_behind(self) -> bool:
        """Whether many answers that were taken in are not yet durable."""
        return len(self._open) > MOST_TOGETHER

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._consume()
            except self._link.errors as error:
                self._link.broke(error)
            except Exception:
                logger.exception("answers cannot be taken in; they are delivered again")
            # Everything unacknowledged is delivered again by the next connection.
            self._open.clear()
            self._arrived.clear()
            self._link.drop()
            if not self._stopping:
                time.sleep(0.3)

    def _consume(self) -> None:
        channel = self._link.channel()
        for queue in (results_queue(), signs_queue()):
            self._link.declare(queue)
        channel.basic_qos(0, WINDOW, False)
        results = KombuConsumer(channel, [results_queue()], on_message=self._arrived.append, auto_declare=False)
        signs = KombuConsumer(channel, [signs_queue()], on_message=self._sign, no_ack=True, auto_declare=False)
        beaten = 0.0
        with results, signs:
            while not self._stopping:
                waits = 0.005 if self._open else 0.5
                while len(self._arrived) < MOST_TOGETHER and self._link.drain(waits):
                    waits = 0.0005
                self._enter()
                self._acknowledge()
                now = time.monotonic()
                if now - beaten > HEARTBEAT:
                    beaten = now
                    self._link.heartbeat()
                    self._vouch()
        # Where the database is away, the broker keeps what is not acknowledged.
        deadline = time.monotonic() + CLOSING
        while self._open and time.monotonic() < deadline:
            self._acknowledge()
            time.sleep(0.005)

    # -- answers

    def _enter(self) -> None:
        arrived, self._arrived[:] = list(self._arrived), ()
        answers = [answer for message in arrived if (answer := self._read(message)) is not None]
        told = {answer.told.process_instance_id for answer in answers if answer.told is not None}
        if told:
            self._reports.drop_stale(told)
        for answer in answers:
            answer.future = self._entered(answer.told)
            self._open.append(answer)

    def _entered(self, told: Outcome | Saving | None) -> Future[Any] | None:
        if isinstance(told, Saving):
            return self._reports.enter_saving(told)
        return None if told is None else self._reports.enter(told)

    def _read(self, message: Any) -> OpenMessage | None:
        try:
            decoded = messages.read(body_text(message))
            if decoded["kind"] == "answer":
                return OpenMessage(message, answer_messages.read_answer(decoded, self._reports.limits))
            if decoded["kind"] == "save":
                return OpenMessage(message, *messages.read_saving(decoded, self._reports.limits))
            self._other(decoded)
        except Invalid as error:
            # Nobody could make more of it by seeing it again.
            logger.warning("a message is dropped: %s", error.message)
        except (StoreError, StoreUnavailable) as error:
            logger.warning("the database does not answer, so a message is put back: %s", error)
            message.requeue()
            return None
        except Exception as error:
            # Delivered again it would stop every engine again.
            logger.error("a message is dropped: %s", where(error))
        return OpenMessage(message, None)

    def _other(self, decoded: Mapping[str, Any]) -> None:
        if decoded["kind"] == "stones":
            stones = decoded.get("stones")
            self._reports.declare(stones if isinstance(stones, list) else [])
        elif decoded["kind"] == "lost":
            work = work_messages.read_work(decoded)
            if self._reports.lose(work.task_id, work.process_instance_id, work.delivery):
                logger.warning("task %d (%s of %s) was lost with its worker", work.task_id, work.event, work.stone)
        elif decoded["kind"] == "may-begin":
            question = messages.read_question(decoded)
            begin = self._reports.may_worker_begin(question.task_id, question.delivery)
            self._link.reply(question.reply_to, messages.permit_text(question, begin))
        else:
            raise Invalid(f"Nobody knows messages of the kind {str(decoded['kind'])[:50]!r}.")

    def _acknowledge(self) -> None:
        """Acknowledge, in order, what is durable by now."""
        durable: list[Any] = []
        while self._open:
            answer = self._open[0]
            if answer.future is not None and not answer.future.done():
                break
            if answer.future is not None and not self._is_over(answer, answer.future):
                break
            durable.append(self._open.popleft().message)
        if durable and self._link.is_amqp:
            durable[-1].ack(multiple=True)
        else:
            for message in durable:
                message.ack()

    def _is_over(self, answer: OpenMessage, future: Future[Any]) -> bool:
        """Whether the answer has been dealt with; one that cannot be entered yet, or not as it is, is entered again."""
        error = future.exception()
        if isinstance(error, EngineClosed):
            raise error
        if isinstance(error, StoreUnavailable):
            time.sleep(AGAIN)
        elif isinstance(answer.told, Saving):
            self._tell(answer.told, answer.reply_to, future)
            return True
        elif error is None or isinstance(error, UnknownProcessInstance):
            return True
        else:
            assert answer.told is not None
            logger.error("what a worker answered cannot be entered", exc_info=error)
            if answer.told == answer.told.as_failure():
                return True
            answer.told = answer.told.as_failure()
        answer.future = self._entered(answer.told)
        return False

    def _tell(self, saving: Saving, reply_to: str, future: Future[str | None]) -> None:
        """Let the worker go on that waits for what it saves; without an answer it would ask once more."""
        error = future.exception()
        if error is None or isinstance(error, RiverstoneError):
            refused = future.result() if error is None else error.message
            self._link.reply(reply_to, messages.saved_text(saving, refused))
        else:
            logger.error("what a start saves cannot be entered", exc_info=error)

    # -- signs

    def _sign(self, message: Any) -> None:
        try:
            decoded = messages.read(body_text(message))
            if decoded["kind"] == "progress":
                self._progress(decoded)
            elif decoded["kind"] == "log":
                self._reports.tell_lines(messages.read_lines(decoded))
            else:
                self._signs.extend(messages.read_signs(decoded))
        except Invalid as error:
            logger.warning("a sign is dropped: %s", error.message)

    def _progress(self, decoded: Mapping[str, Any]) -> None:
        try:
            numbers = [int(decoded[name]) for name in ("process_instance_id", "task_id", "attempt", "percent")]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Invalid(f"This is no progress: {error}.", code="message-invalid") from error
        self._reports.progressed(numbers[0], numbers[1], numbers[2], max(0, min(100, numbers[3])))

    def _vouch(self) -> None:
        signs, self._signs = self._signs, []
        latest = {(sign.task_id, sign.delivery): sign.running for sign in signs}
        try:
            self._reports.handovers.vouch([(*key, running) for key, running in latest.items()], self.lease)
        except StoreError as error:
            logger.warning("signs of life could not be kept: %s", error)
