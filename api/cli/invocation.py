"""What every command is invoked with: the store or server, the stones and the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import click

if TYPE_CHECKING:
    from ...engine import Dispatcher, Engine, Stone, StoneDeclaration
    from ..client.client import Client
    from ..settings import Settings


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What the options of ``riverstone`` itself say."""

    url: str
    modules: tuple[str, ...]
    limits: tuple[str, ...] = ()
    config: str | None = None
    broker: str | None = None
    """Where there is one, stones are carried out by workers behind it."""
    server: str | None = None
    """The address of the server that does what is asked for, in place of an engine of this process."""
    api_key: str | None = field(default=None, repr=False)

    def database(self) -> str:
        """The URL of the database; raises ClickException where a server is to be asked instead."""
        if self.server is not None:
            text = "This works on the database itself, not through a server: leave out --url (or RIVERSTONE_URL)."
            raise click.ClickException(text)
        return self.url

    def stones(self) -> list[type[Stone]]:
        """The stones of the named modules; raises Invalid."""
        from ..stone_modules import stones_named

        return stones_named(name for names in self.modules for name in names.split(","))

    def settings(self) -> Settings:
        """What is set beside; raises Invalid."""
        from ..settings import Settings

        return Settings.read(file=self.config, limits=self.limits)

    def engine(
        self,
        dispatcher: Literal["inline", "threads"] = "inline",
        *,
        passive: bool | None = None,
        consumes: bool = False,
    ) -> Engine:
        """An engine on this store; raises StoreUnavailable, or Invalid for a module without stones.

        A passive one leaves alone what a dead engine left; unless said otherwise, that is one without stones. With a
        broker, it hands tasks to workers whatever the ``dispatcher``, and ``consumes`` their answers only if asked to.
        Raises ClickException where a server is to be asked instead.
        """
        url = self.database()
        from ...engine import Engine

        stones = self.stones()
        settings = self.settings()
        return Engine(
            url,
            stones=stones,
            dispatcher=self._to_workers(consumes) or dispatcher,
            passive=not stones if passive is None else passive,
            limits=settings.limits,
            encryption_keys=settings.encryption_keys,
            secrets=settings.secrets,
            public_url=settings.public_url,
            webhooks=settings.webhooks,
            quotas=settings.quotas,
            process_quotas=settings.process_quotas,
        )

    def _to_workers(self, consumes: bool) -> Dispatcher | None:
        if not self.broker:
            return None
        from ..brokers import celery_app

        app = celery_app(self.broker)
        from ...engine.dispatch.celery import CeleryDispatcher

        return CeleryDispatcher(app, consumes=consumes)

    def asking(
        self, dispatcher: Literal["inline", "threads"] = "inline", *, passive: bool | None = None
    ) -> Engine | Client:
        """Whoever does what is asked for: the server, if one is named, else an engine; raises as :meth:`engine`."""
        if self.server is None:
            return self.engine(dispatcher, passive=passive)
        from ..client.client import Client

        return Client(self.server, key=self.api_key)

    def declarations(self) -> tuple[StoneDeclaration, ...]:
        """What the named stones declare, or those of the server; raises UsageError where there are none.

        Without a server no database is needed, so none is opened or made.
        """
        with replace(self, url="sqlite:///:memory:", broker=None).asking(passive=True) as asked:
            declared = asked.stones_declared()
        if not declared:
            raise click.UsageError("There are no stones: name a module that defines some by --stones MODULE.")
        return declared

    @contextmanager
    def changing(
        self,
        target: str | None = None,
        dispatcher: Literal["inline", "threads"] = "inline",
        *,
        passive: bool | None = None,
    ) -> Iterator[Engine | Client]:
        """The same for one changing command, which is written into the audit, by the server if that does it."""
        if self.server is not None:
            with self.asking() as client:
                yield client
            return
        with self.recording(target, dispatcher, passive=passive) as engine:
            yield engine

    @contextmanager
    def recording(
        self,
        target: str | None = None,
        dispatcher: Literal["inline", "threads"] = "inline",
        *,
        passive: bool | None = None,
    ) -> Iterator[Engine]:
        """An engine for one changing command, which is written into the audit."""
        from ...engine.operating.audit import AuditedCall
        from .screen.terminal import user_name

        call = AuditedCall(
            client=f"user:{user_name()}",
            address="command line",
            action=_command(),
            request_id=str(uuid4()),
            target=target,
        )
        with self.engine(dispatcher, passive=passive) as engine, engine.audit.recording(call):
            yield engine


def _command() -> str:
    """The present command as it is typed, such as ``key add``."""
    context: click.Context | None = click.get_current_context()
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(names)


invoked = click.make_pass_decorator(Invocation)
