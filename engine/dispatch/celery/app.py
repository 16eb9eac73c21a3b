"""The Celery application and the queues, set so that no task is lost and none waits behind another's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from celery import Celery
from kombu import Queue

from ..messages import RESULTS, SIGNS

DELIVERIES: Final = 5
"""How often RabbitMQ delivers a task whose worker is gone each time; then it gives it back to the engines."""
EXPIRES: Final = 3600
"""Seconds after which a message that nobody has taken is no longer carried out; the engines send it again."""
VISIBILITY: Final = EXPIRES + 3600
"""Seconds after which Redis offers again what a dead worker had. The engines have long done so, and by then it is
expired; it must be above the longest event all the same, since Redis takes a slow worker for a dead one."""
SIGN_LIFE: Final = 30_000
"""Milliseconds for which a sign of life says anything."""


def make_app(broker: str, options: Mapping[str, Any] | None = None) -> Celery:
    """An application for this broker (``amqp://``, ``redis://``); ``options`` are Celery's own settings, put last."""
    app = Celery("riverstone", broker=broker, set_as_current=False)
    app.conf.update(
        task_protocol=2,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_heartbeat=10,
        # Running hooks go on: their answers are sent on the connection that comes next.
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    if broker.startswith(("redis", "sentinel")):
        app.conf.broker_transport_options = {
            "visibility_timeout": VISIBILITY,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
        }
    app.conf.update(options or {})
    return app


def task_queue(name: str) -> Queue:
    """The queue of one event of one stone; what RabbitMQ gives up there comes back to the engines."""
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERIES,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": RESULTS,
    }
    return Queue(name, routing_key=name, durable=True, queue_arguments=arguments)


def results_queue() -> Queue:
    """Where all workers answer."""
    return Queue(RESULTS, routing_key=RESULTS, durable=True, queue_arguments={"x-queue-type": "quorum"})


def signs_queue() -> Queue:
    """Where all workers give signs of life."""
    arguments = {"x-message-ttl": SIGN_LIFE, "x-max-length": 100_000}
    return Queue(SIGNS, routing_key=SIGNS, durable=True, queue_arguments=arguments)


def body_text(message: Any) -> str | bytes:
    """The text of a message as it was sent, whoever has decoded it already."""
    body = message.body
    return body if isinstance(body, str | bytes) else json.dumps(body)
