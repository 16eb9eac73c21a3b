"""What a worker hears from the engines is the answer to what it has asked, and to nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kombu import Consumer

from riverstone.engine import Conflict, Limits
from riverstone.engine.dispatch import messages
from riverstone.engine.dispatch.celery import make_app
from riverstone.engine.dispatch.celery.app import body_text, results_queue
from riverstone.engine.dispatch.celery.link import Link
from riverstone.engine.dispatch.celery.questions import Questions
from riverstone.engine.work import Saving

from . import brokers

SAVING = Saving(
    task_id=7, process_instance_id=1, event="start", attempt=1, delivery=0, number=1, name="volumeId", value="v-1"
)


@contextmanager
def engines(broker: str, refused: dict[int, str]) -> Iterator[None]:
    """They tell once more, before each answer, all that they have answered; ``refused`` says why, by attempt."""
    link = Link(make_app(broker))
    over = threading.Event()
    ready = threading.Event()
    answers: list[str] = []

    def answer(message: Any) -> None:
        saving, reply_to = messages.read_saving(messages.read(body_text(message)), Limits())
        answers.append(messages.saved_text(saving, refused.get(saving.attempt)))
        for each in answers:
            link.reply(reply_to, each)
        message.ack()

    def serve() -> None:
        link.declare(results_queue())
        with Consumer(link.channel(), [results_queue()], on_message=answer, auto_declare=False):
            ready.set()
            while not over.is_set():
                link.drain(0.05)
        link.drop()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("kind", brokers.KINDS)
def test_a_late_answer_to_the_save_of_an_older_attempt_is_not_taken_for_that_of_the_newer(
    kind: str, tmp_path: Path
) -> None:
    with brokers.fresh(kind, tmp_path) as broker, engines(broker, {1: "Task 7 has ended.", 3: "Task 7 is over."}):
        questions = Questions(make_app(broker))
        with pytest.raises(Conflict, match="has ended"):
            questions.save(SAVING)
        questions.save(replace(SAVING, attempt=2))
        with pytest.raises(Conflict, match="is over"):
            questions.save(replace(SAVING, attempt=3))
        questions._link.drop()
