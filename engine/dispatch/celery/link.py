"""A connection to the broker for one thread, made anew whenever it breaks."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from celery import Celery
from kombu import Connection, Message, Producer, Queue

logger = logging.getLogger("riverstone.broker")

AGAIN = 0.5
"""Seconds between two tries to reach a broker that is away."""


class Link:
    """Opened when first used; after any error call :meth:`broke`, and it opens again.

    ``confirmed`` makes each publish wait until the broker has it. Whoever asks for ``heartbeats`` calls
    :meth:`heartbeat`; the others learn of a broken connection when they next use it.
    """

    def __init__(self, app: Celery, *, confirmed: bool = False, heartbeats: bool = False) -> None:
        self._app = app
        self._heartbeats = heartbeats
        self._confirmed = confirmed
        self._connection: Connection | None = None
        self._channel: Any = None
        self._declared: set[str] = set()
        self._producer: Producer | None = None
        self._told = False
        self.since = 0.0
        """When it was opened, by the monotonic clock."""

    @property
    def errors(self) -> tuple[type[BaseException], ...]:
        """What tells that the connection is broken or refused."""
        connection = self._app.connection_for_write()
        recoverable = (*connection.recoverable_connection_errors, *connection.recoverable_channel_errors)
        return (OSError, *recoverable, *connection.connection_errors, *connection.channel_errors)

    def channel(self) -> Any:
        """The open channel; raises one of ``errors``."""
        if self._channel is None:
            options = dict(self._app.conf.broker_transport_options or {})
            if self._confirmed:
                options["confirm_publish"] = True
            heartbeat = self._app.conf.broker_heartbeat if self._heartbeats else 0
            connection = self._app.connection_for_write(heartbeat=heartbeat, transport_options=options)
            # By itself it would wait two seconds for its second try.
            connection.ensure_connection(None, 1, 0, 0, 0, reraise_as_library_errors=False)
            refuse_compressed(connection)
            self._connection = connection
            self._channel = connection.channel()
            self._producer = Producer(self._channel, auto_declare=False)
            self.since = time.monotonic()
            if self._told:
                self._told = False
                logger.warning("the broker is back")
        return self._channel

    @property
    def connection(self) -> Connection:
        """The open connection; raises one of ``errors``."""
        self.channel()
        assert self._connection is not None
        return self._connection

    @property
    def is_amqp(self) -> bool:
        """Whether the broker speaks AMQP, where one message acknowledges all before it."""
        return bool(self.connection.transport.driver_type == "amqp")

    @property
    def is_open(self) -> bool:
        """Whether it was opened and nobody has dropped it since."""
        return self._channel is not None

    def declare(self, queue: Queue) -> None:
        """See to it that a queue is there: once per connection, since a broker may have come back empty."""
        if queue.name not in self._declared:
            queue(self.channel()).declare()
            self._declared.add(queue.name)

    def has(self, queue: Queue) -> bool:
        """Whether the queue was declared on the open connection."""
        return queue.name in self._declared

    def depth(self, queue: Queue) -> int:
        """How many messages wait in a queue for somebody to take them."""
        return int(queue(self.channel()).queue_declare().message_count)

    def publish(self, queue: Queue, body: str, *, durable: bool = True, **properties: Any) -> None:
        """Send a JSON text to a queue; raises one of ``errors``."""
        self.declare(queue)
        assert self._producer is not None
        self._producer.publish(
            body,
            exchange="",
            routing_key=queue.name,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2 if durable else 1,
            **properties,
        )

    def reply(self, queue_name: str, body: str) -> None:
        """Send a JSON text to a queue that its reader has declared; it is dropped where there is none any more."""
        self.channel()
        assert self._producer is not None
        kind = {"content_type": "application/json", "content_encoding": "utf-8", "delivery_mode": 1}
        self._producer.publish(body, exchange="", routing_key=queue_name, **kind)

    def drain(self, seconds: float) -> bool:
        """Have one message that comes within so many seconds dealt with; whether one came."""
        self.channel()
        assert self._connection is not None
        try:
            self._connection.drain_events(timeout=seconds)
        except TimeoutError:
            return False
        return True

    def heartbeat(self) -> None:
        """Give the broker a sign of life, and see whether it gives any; call it every few seconds."""
        if self._connection is not None and self._connection.supports_heartbeats:
            # Its signs are seen only by reading.
            while self.drain(0.001):
                pass
            self._connection.heartbeat_check()

    def broke(self, error: BaseException) -> None:
        """Forget the connection, and log that once until it is made again."""
        if not self._told:
            self._told = True
            logger.warning("the broker cannot be reached: %s", error)
        self.drop()

    def drop(self) -> None:
        """Forget the connection."""
        connection, self._connection = self._connection, None
        self._channel = self._producer = None
        self._declared.clear()
        if connection is not None:
            try:
                connection.close()
            except Exception:
                # It is broken, which is why it is dropped.
                with suppress(Exception):
                    connection.collapse()


class _Plain(Message):
    """A message whose body is what was sent: what is compressed may be a thousand times as large as it comes."""

    def __init__(self, *given: Any, headers: Mapping[str, Any] | None = None, **more: Any) -> None:
        headers = dict(headers or {})
        compression = headers.pop("compression", None)
        super().__init__(*given, headers=headers, **more)
        if compression:
            self.body = b""


def refuse_compressed(connection: Connection) -> None:
    """Let the channels of a connection give compressed messages without their bodies: nobody here sends any."""
    mine = weakref.ref(connection)

    def channel() -> Any:
        made = Connection.channel(mine())
        made.Message = type("Message", (made.Message, _Plain), {})
        return made

    connection.channel = channel
    if connection._default_channel is not None:
        connection._default_channel.Message = type("Message", (connection._default_channel.Message, _Plain), {})
