"""The engine's calls that start processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from ...models import AlreadyUsed
from ..errors import RiverstoneError, StoreUnavailable
from ..river.waiters import Watch
from ..store_errors import engine_errors
from ..triggers.starts import CheckedStart, Drain
from ..views.processes import ProcessInstance
from .processes import ProcessCalls


class StartCalls(ProcessCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def start(
        self,
        *,
        name: str,
        key: str | None = None,
        deployment_id: str | None = None,
        model_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        business_key: str | None = None,
        idempotency_key: str | None = None,
        rollback: bool = True,
        protected: bool = False,
        drain: Drain = "stop",
        on_failure: str | None = None,
        owner: str | None = None,
        callback_url: str | None = None,
        priority: int = 0,
    ) -> ProcessInstance:
        """Start a process: the newest deployment of a key, one deployment, or (in debug mode) a model as it now stands.

        Returns the record as it is where the process first waits, whatever the dispatcher; look again with ``get``
        or ``wait``. With an ``idempotency_key`` the same request again returns the same instance. It belongs to
        ``owner``, who sees it through :meth:`owned_by`. When a task fails, its siblings are asked to stop;
        with ``drain="all"`` those that run come to their end before the rollback begins, as in CloudFormation.
        ``on_failure`` is ``rollback``, ``pause`` (only what has failed stands still, until somebody decides: see
        :meth:`rerun`), ``pause PT2H`` (and is rolled back if nobody has by then) or ``keep``, which ``rollback=False``
        means too. An element's own policy goes before it; without it the model's counts.

        ``callback_url`` is told what it comes to, see :attr:`~riverstone.engine.Engine.webhooks`. Of the same owner's
        tasks that wait for a quota, those of the process with the highest ``priority`` come first; an element's own
        counts in place of it.

        Raises Malformed, Unknown…, Invalid, VariablesInvalid, Conflict (the key was used for another request),
        LimitExceeded (``instances_per_key``).
        """
        return self._start(
            None,
            name=name,
            key=key,
            deployment_id=deployment_id,
            model_id=model_id,
            variables=variables,
            business_key=business_key,
            idempotency_key=idempotency_key,
            rollback=rollback,
            protected=protected,
            drain=drain,
            on_failure=on_failure,
            owner=owner,
            callback_url=callback_url,
            priority=priority,
        )

    def start_watched(self, told: Callable[[], None], **asked: Any) -> tuple[ProcessInstance, Watch | None]:
        """Start what is ``asked`` as :meth:`start` does, and have ``told`` called as :meth:`watch` does.

        Where there is a watch, it tells of whatever comes after the start, so there is nothing to look for before it
        does. There is none of an inline engine, or where the same request has started the process before.
        """
        watches: list[Watch] = []

        def watch(started: ProcessInstance | Literal[False]) -> None:
            if started:
                watches.append(self._river.watch_started(int(started.process_instance_id), told))

        started = self._start(watch, **asked)
        for each in watches:
            self._give_look(each)
        return started, watches[0] if watches else None

    def _start(self, then: Callable[[ProcessInstance | Literal[False]], None] | None, **asked: Any) -> ProcessInstance:
        started: ProcessInstance | Literal[False] = False
        if asked.get("callback_url") is not None:
            self.webhooks.allowed.check(asked["callback_url"])
        while not started:
            # Once more only where a newer version was deployed since the request was checked against the one before.
            with engine_errors():
                request = self._starts.request(**asked)
                if request.idempotency is not None:
                    before = self._starts.started_before(request.idempotency)
                    if before is not None:
                        return self._records.instance(before)
            try:
                started = self._pump.step(partial(self._starts.begin_newest, request=request), then)
            except AlreadyUsed as error:
                return self._first_to_use(request, error)
        if started.awaits == "quota":
            # The commit has given the slots: whether there was one for it, the turn could not know. It is started even
            # where the store cannot be asked now.
            with suppress(RiverstoneError), engine_errors():
                return self._records.instance(int(started.process_instance_id))
        return started

    def _first_to_use(self, request: CheckedStart, error: AlreadyUsed) -> ProcessInstance:
        """The same idempotency key was used at the same moment, and the other request came first: what that started."""
        with engine_errors():
            first = self._starts.started_before(request.idempotency) if request.idempotency else None
            if first is not None:
                return self._records.instance(first)
        raise StoreUnavailable(f"The process could not be stored: {error}") from error
