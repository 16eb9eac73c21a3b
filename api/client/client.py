"""A client of a riverstone server with the methods and views of the engine (extra ``riverstone[client]``)."""

from __future__ import annotations

import inspect
from types import TracebackType
from typing import Self

from ...engine import Engine
from .batches import BatchCalls
from .models import ModelCalls
from .people import PeopleClient
from .resources import ResourceCalls
from .tasks import TaskCalls
from .transport import Transport
from .undo import UndoCalls
from .webhooks import WebhookClient


def _told_as_the_engine(client: type[Client]) -> type[Client]:
    """Give the calls that are the engine's in all the engine's own docstrings."""
    for name, call in inspect.getmembers(client):
        if inspect.isfunction(call) and call.__doc__ is None and hasattr(Engine, name):
            call.__doc__ = getattr(Engine, name).__doc__
    return client


@_told_as_the_engine
class Client(ModelCalls, ResourceCalls, UndoCalls, BatchCalls, TaskCalls):
    """What :class:`~riverstone.engine.Engine` does, done by a server; errors are the engine's own.

    ``key`` is a key of the server or an OAuth2 token; it is neither shown nor logged. ``timeout`` is in seconds,
    for one request. What went wrong on the way is tried again (``retries`` times) only if a second request changes
    nothing: a look, an undo, a deployment, and a start, a message or a signal, which always have an idempotency
    key. Any method may raise Refused or ServerUnavailable (``riverstone.api.errors``). Several threads may share a
    client; it is also a context manager.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout: float = 30.0, retries: int = 3, ca_certs: str | None = None
    ) -> None:
        """``ca_certs`` is a file of certificates to trust instead of the system's; raises Invalid for a wrong URL."""
        self._transport = Transport(url, key=key, timeout=timeout, retries=retries, ca_certs=ca_certs)
        self.webhooks = WebhookClient(self._transport)
        self.people = PeopleClient(self._transport)

    def __repr__(self) -> str:
        return f"<Client of {self._transport.url}>"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
