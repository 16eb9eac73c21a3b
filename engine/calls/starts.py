"""The engine's calls that start processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from ...models import AlreadyUsed
from ..errors import RiverstoneError, StoreUnavailable
from ..operating.audit import AuditedCall, present_call
from ..river.inbox import StepResult
from ..river.waiters import Watch
from ..store_errors import engine_errors
from ..triggers.starts import CheckedStart, Drain
from ..views.processes import ProcessInstance
from .processes import ProcessCalls

MOST_AHEAD = 128
"""How much may wait to be stepped before whoever hands in a start has to wait: what waits takes memory."""


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
        begun = self.start_soon(told, **asked)
        return begun.result(), begun.watch

    def start_soon(self, told: Callable[[], None], **asked: Any) -> AwaitedStart:
        """Hand in what :meth:`start` does, checked, and do not wait until it is durable, unless very many do.

        ``told`` is called as :meth:`watch` does it for what comes after the start, and when the start has come to
        nothing. Raises what :meth:`start` raises of the request itself.
        """
        request = self._request(asked)
        begun = AwaitedStart(self, asked, told)
        if isinstance(request, CheckedStart):
            begun.hand_in(request)
        else:
            begun.known = request
        return begun

    def _start(self, **asked: Any) -> ProcessInstance:
        started: ProcessInstance | Literal[False] = False
        while not started:
            # Once more only where a newer version was deployed since the request was checked against the one before.
            request = self._request(asked)
            if isinstance(request, ProcessInstance):
                return request
            try:
                started = self._pump.step(partial(self._starts.begin_newest, request=request))
            except AlreadyUsed as error:
                return self._first_to_use(request, error)
        return self._begun(started)

    def _request(self, asked: dict[str, Any]) -> CheckedStart | ProcessInstance:
        """The request, checked; or what the same request has started before."""
        if asked.get("callback_url") is not None:
            self.webhooks.allowed.check(asked["callback_url"])
        with engine_errors():
            request = self._starts.request(**asked)
            if request.idempotency is not None:
                before = self._starts.started_before(request.idempotency)
                if before is not None:
                    return self._records.instance(before)
        return request

    def _begun(self, started: ProcessInstance) -> ProcessInstance:
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


class AwaitedStart:
    """A start that was handed in, for one who holds no thread until it is durable."""

    def __init__(self, calls: StartCalls, asked: dict[str, Any], told: Callable[[], None]) -> None:
        self.known: ProcessInstance | None = None
        """What it has started, once somebody has heard of it."""
        self.watch: Watch | None = None
        """Tells of what comes after the start; there is none of an inline engine, nor if another request started it."""
        self._calls, self._asked, self._told = calls, asked, told
        self._request: CheckedStart
        self._brought: StepResult
        self._call: AuditedCall | None = None

    def hand_in(self, request: CheckedStart) -> None:
        """Give the checked request to the river."""
        self._request = request
        self._call = present_call()
        begin = partial(self._calls._starts.begin_newest, request=request)
        self._brought = self._calls._pump.bring(begin, self._watch, self._told)
        if self._calls._river.waiting() > MOST_AHEAD:
            self.result()

    def _watch(self, started: ProcessInstance | Literal[False]) -> None:
        """Called where it is stepped."""
        if started:
            self.watch = self._calls._river.watch_started(int(started.process_instance_id), self._told)
            self._calls._give_look(self.watch)
        else:
            self._told()

    @property
    def is_there(self) -> bool:
        """Whether :meth:`result` would not wait."""
        return self.known is not None or self._brought.is_there

    def result(self) -> ProcessInstance:
        """What has begun, as :meth:`StartCalls.start` returns it, once that is durable; raises what that raises."""
        if self.known is None:
            self.known = self._heard() if self._call is None else self._audited(self._call)
        return self.known

    def _audited(self, call: AuditedCall) -> ProcessInstance:
        """The same, and the call that asked for it is written down where the step has not done that."""
        try:
            with self._calls.audit.recording(call):
                return self._heard(call)
        finally:
            call.written = True

    def _heard(self, call: AuditedCall | None = None) -> ProcessInstance:
        started: ProcessInstance | Literal[False] = False
        try:
            started = self._brought.result()
        except AlreadyUsed as error:
            return self._calls._first_to_use(self._request, error)
        finally:
            if call is not None and not started:
                call.written = False
        return self._calls._begun(started) if started else self._calls._start(**self._asked)
