"""What a worker hears from the engines is the answer to what it has asked, and to nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kombu import Consumer, Queue

from riverstone.engine import Conflict, Engine, Limits, Stone, TaskInfo
from riverstone.engine.dispatch import messages, work_messages
from riverstone.engine.dispatch.celery import CeleryDispatcher, make_app
from riverstone.engine.dispatch.celery.app import body_text, results_queue, task_queue
from riverstone.engine.dispatch.celery.link import Link
from riverstone.engine.dispatch.celery.questions import Questions
from riverstone.engine.work import Saving

from ..features.sketch import definitions, flow, process, service
from . import brokers
from .crew import until

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
        assert ready.wait(60)
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


def revision(engine: Engine) -> int:
    return int(engine._store.value("SELECT MAX(`revision`) FROM `process_instance`"))


def test_what_many_starts_save_at_once_shares_a_commit(tmp_path: Path) -> None:
    """It is there when an engine comes, and each of those who wait for it hears of it."""
    many = 30
    url = f"sqlite:///{tmp_path}/store.db"

    class Saver(Stone):
        code = "saver"

        def start(self, task: TaskInfo) -> None:
            """Nobody is there who would carry it out."""

    names = [f"t{number}" for number in range(many)]
    parts = [part for name in names for part in (service(name, "saver"), flow("s", name))]
    drawn = definitions(process("p", '<startEvent id="s"/>', *parts))
    with brokers.fresh("rabbitmq", tmp_path) as broker:
        link, heard = Link(make_app(broker)), list[Any]()

        def save(message: Any) -> None:
            work = work_messages.read_work(json.loads(body_text(message))[1]["work"])
            saving = replace(SAVING, task_id=work.task_id, attempt=work.attempt, delivery=work.delivery)
            saving = replace(saving, process_instance_id=work.process_instance_id)
            link.publish(results_queue(), messages.saving_text(saving, replies.name))
            message.ack()

        replies = Queue(f"{messages.PERMITS}test", durable=False, exclusive=True, auto_delete=True)
        for queue in (replies, task_queue("saver"), results_queue()):
            link.declare(queue)
        with Engine(url, stones=[Saver], dispatcher=CeleryDispatcher(make_app(broker))) as engine:
            engine.deploy(drawn)
            number = engine.start(key="p", name="many", variables={}).process_instance_id
            until(lambda: link.depth(task_queue("saver")) == many)
            before = revision(engine)
        with Consumer(link.channel(), [task_queue("saver")], on_message=save, auto_declare=False):
            until(lambda: (link.drain(0.1), link.depth(results_queue()) == many)[1])
        with (
            Consumer(link.channel(), [replies], on_message=heard.append, no_ack=True, auto_declare=False),
            Engine(url, stones=[Saver], dispatcher=CeleryDispatcher(make_app(broker))) as engine,
        ):
            until(lambda: (link.drain(0.1), len(heard) == many)[1])
            assert [messages.read(body_text(each))["refused"] for each in heard] == [None] * many
            assert [task.saved for task in engine.tasks(number)] == [{"volumeId": "v-1"}] * many
            # Each commit has raised the revision of the process.
            assert revision(engine) - before < many
        link.drop()
