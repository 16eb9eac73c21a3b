"""The engine: deploys models, starts and watches processes, and undoes what they did."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias
from uuid import uuid4

from ..models import Cipher, ExternalTasks, Quotas, Store, StoreError, UserTasks, Webhooks
from ..models.vocabulary import Hook
from .authoring.deployments import Deployments
from .bpmn.running.workflow import Workflow
from .callback_tokens import CallbackTokens
from .calls.decisions import DecisionCalls
from .calls.drafts import DraftCalls
from .calls.operating import OperatingCalls
from .calls.owned import OwnedEngine
from .calls.quotas import QuotaCalls
from .calls.tasks.deferred import DeferredCalls
from .calls.tasks.external_tasks import ExternalCalls
from .calls.tasks.people import PeopleCalls
from .calls.versions import VersionCalls
from .calls.webhooks import WebhookCalls
from .clock import Clock
from .dispatch.dispatcher import Dispatcher
from .dispatch.inline import InlineDispatcher
from .dispatch.threads import ThreadsDispatcher
from .errors import Invalid, StoreUnavailable
from .instance import process_slots
from .instance.facilities import Facilities
from .instance.families import Families
from .instance.scripts import Scripts
from .limits import Limits
from .operating.access_keys import Keys
from .operating.audit import AuditLog
from .operating.sessions import Sessions
from .outgoing.allowed_origins import AllowedOrigins
from .river.batches import Batches
from .river.due.pending_messages import PendingMessages
from .river.engines.dead_engines import is_alive
from .river.engines.lease import Lease
from .river.loop import RiverLoop
from .river.pump import Pump
from .river.reports import RiverReports
from .river.river import River
from .secret_sources.environment import EnvironmentSecrets
from .secret_sources.source import Secrets, SecretSource
from .showing.lists.processes import ProcessLists
from .showing.records import Records
from .showing.rehearsals import Rehearsals
from .stones.declarations.declaration import StoneDeclaration
from .stones.hooks import event_loop
from .stones.hooks.task_info import TaskInfo
from .stones.quota import Quota
from .stones.registry import Stones
from .stones.stone import Stone, stone_of_function
from .store_errors import engine_errors
from .triggers.messages import MessageDelivery
from .triggers.start_timers import StartTimers
from .triggers.starts import Starts

FORKED = "it was made before this process was forked, so make one in each process (with gunicorn not --preload)"
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()

StoneFunction: TypeAlias = Callable[[TaskInfo[Any]], Any]


class Engine(DraftCalls, DecisionCalls, QuotaCalls, DeferredCalls, OperatingCalls):
    """One engine on one store.

    ``url`` is any of ``playhouse.db_url``. ``dispatcher`` is ``"inline"`` (stones run in the caller's thread, and a
    call returns when nothing more can be done at once), ``"threads"``, or a dispatcher object. ``scripts="trusted"``
    lets models run Python in this process, with ``functions`` as names: that is arbitrary code of whoever deploys.
    """

    _workflow: type[Workflow] = Workflow

    def __init__(
        self,
        url: str = "sqlite:///riverstone.db",
        *,
        stones: Sequence[type[Stone]] = (),
        dispatcher: Literal["inline", "threads"] | Dispatcher = "inline",
        clock: Clock | None = None,
        limits: Limits | None = None,
        scripts: Literal["trusted"] | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        threads: int = 16,
        coroutines: int = 5000,
        passive: bool = False,
        public_url: str | None = None,
        webhooks: Sequence[str] = (),
        encryption_keys: Sequence[str] = (),
        secrets: Sequence[SecretSource] | None = None,
        quotas: Mapping[str, Quota] | None = None,
        process_quotas: Mapping[str, Quota] | None = None,
    ) -> None:
        """``passive`` only looks and asks: it takes over nothing that a dead engine left.

        With ``"threads"`` at most ``threads`` plain hooks run at once, and ``coroutines`` that are an ``async def``.

        ``public_url`` is where a server of this store is reached from outside, such as ``https://bpm.example.com``:
        deferred tasks are called back there.

        ``webhooks`` are the origins that may be told over HTTP what processes come to, such as
        ``https://hooks.example.com`` and ``*.example.com``, and the networks inside in which they may lie
        (``10.0.0.0/8``). Without any nobody is told; all engines of a store are given the same.

        ``encryption_keys`` are Fernet keys (extra ``riverstone[crypto]``): what processes work with is encrypted with
        the first before it is stored, and read with whichever fits. Raises StoreUnavailable for a wrong key.

        ``secrets`` are the places where the hooks of this process find the secrets that models refer to, asked in this
        order; unless said otherwise, environment variables that begin with ``RIVERSTONE_SECRET_``.

        ``quotas`` go before those that stones have themselves, by code; all engines of a store are given the same.

        ``process_quotas`` say by key how many processes are at work at once, and begin in a minute; those that find no
        room wait for their turn, with the status ``running``. Their ``by`` is a start variable.
        """
        process_slots.check(process_quotas or {})
        self.url = url
        self.limits = limits or Limits()
        self.clock = clock or Clock()
        trusted = Scripts(functions or {}, self.limits) if scripts == "trusted" else None
        self._dispatcher: Dispatcher = _dispatcher(dispatcher, threads, coroutines)
        self.stones = Stones(elsewhere=self._dispatcher.remote, look_again=self._learn, quotas=quotas)
        for stone in stones:
            self.stones.add(stone)
        allowed = AllowedOrigins(webhooks)
        sources = Secrets([EnvironmentSecrets()] if secrets is None else secrets)
        try:
            cipher = Cipher(encryption_keys) if encryption_keys else None
            self._store = Store(url, cipher, self.limits.connections, is_alive)
        except StoreError as error:
            raise StoreUnavailable(f"The database cannot be opened: {error}") from error
        self.keys = Keys(self._store, self.clock)
        self.sessions = Sessions(self._store, self.clock)
        self.audit = AuditLog(self._store, self.clock)
        self._deployments = Deployments(self._store, self.clock, self.stones, self.limits, scripts=scripts == "trusted")
        by_itself = not passive and not isinstance(self._dispatcher, InlineDispatcher)
        self._facilities = Facilities(
            engine_id=str(uuid4()),
            store=self._store,
            clock=self.clock,
            stones=self.stones,
            definitions=self._deployments.definitions,
            limits=self.limits,
            families=Families(self.limits, self.clock),
            dispatcher=self._dispatcher,
            scripts=trusted,
            tokens=CallbackTokens(self._store, public_url),
            workflow=self._workflow,
            keeps_time=by_itself,
            external=ExternalTasks(self._store),
            people=UserTasks(self._store),
            quotas=Quotas(self._store),
            process_quotas=dict(process_quotas or {}),
        )
        inline = self._dispatcher if isinstance(self._dispatcher, InlineDispatcher) else None
        lease = Lease(self._facilities)
        self._river = River(self._facilities, lease, public_url, passive=passive)
        self._starts = Starts(self._facilities, self._deployments)
        self._records = Records(self._facilities)
        self._lists = ProcessLists(self._records)
        self._rehearsals = Rehearsals(self._records)
        thrown = MessageDelivery(self._facilities, self._starts, self._river, self._river.now)
        pending = PendingMessages(self._river, thrown.deliver)
        start_timers = StartTimers(self._facilities, self._river, self._starts)
        self._batches = Batches(self._facilities, self._river, passive=passive)
        self._start_timers = start_timers
        begin_due = self._begin_due
        self._loop = RiverLoop(self._facilities, self._river, lease, pending, begin_due, self._batches, passive=passive)
        self._pump = Pump(self._river, self._loop, self.audit, inline)
        self._messages = MessageDelivery(self._facilities, self._starts, self._river, self._pump.step)
        self._reports = RiverReports(self._facilities, self._river, lease, sources)
        self.external = ExternalCalls(self._facilities, self._pump, self._reports, self._river.offers)
        """What workers over HTTP ask for."""
        self.versions = VersionCalls(self._store)
        """Versions of models as other interfaces name them."""
        self.people = PeopleCalls(self)
        """What people ask for who have tasks to do."""
        self._deployments.assume = self.external.assume
        self.webhooks = WebhookCalls(Webhooks(self._store), self.clock, allowed)
        """Who is told over HTTP what processes come to."""
        try:
            with engine_errors():
                self._reports.learn()
            self._dispatcher.open(self._reports)
        except BaseException:
            self._store.close()
            raise
        self._loop.begin(own_thread=inline is None)
        if self.webhooks.sender is not None and by_itself:
            self._river.on_notices = self.webhooks.sender.wake
            self.webhooks.sender.start()
        _engines.add(self)

    def _learn(self) -> None:
        """Look whether a worker has declared a stone that is missed here."""
        self._reports.learn()

    def _begin_due(self, now: int, steady: int) -> bool:
        """Start processes and begin checks whose time has come; whether there were any."""
        moved = self._start_timers.fire(now, steady)
        return self._begin_due_checks(min(now, steady)) or moved

    def close(self) -> None:
        """Stop: running hooks end first, and what is open is left for whoever comes next."""
        if self._pump.closed:
            return
        event_loop.refuse_here()
        self._pump.closed = "make a new one"
        self._loop.announce_end()
        self._dispatcher.close()
        self._loop.end()
        if self.webhooks.sender is not None:
            self.webhooks.sender.close()
        self._store.close()

    def _leave_to_parent(self) -> None:
        """In a forked child, which has none of the threads: say so, in place of waiting for them for ever."""
        self._pump.closed = FORKED
        self._store.leave_to_parent(FORKED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def register(self, stone: type[Stone]) -> type[Stone]:
        """Make a stone known; tasks that waited for it go on. Returns the class, so it works as a decorator."""
        self.stones.add(stone)
        with engine_errors():
            goings_on = self._reports.goings_on([stone.code, *stone.aliases])
        for go_on in goings_on:
            self._pump.step(go_on)
        return stone

    def stone(self, code: str, **options: Any) -> Callable[[StoneFunction], StoneFunction]:
        """Make a function, plain or ``async``, a stone that has only ``start``.

        Options are the class attributes of :class:`Stone`.
        """

        def decorate(function: StoneFunction) -> StoneFunction:
            self.register(stone_of_function(code, function, options))
            return function

        return decorate

    def stones_declared(self) -> tuple[StoneDeclaration, ...]:
        """What the known stones take, put out and can do, by code; those that workers have declared are among them."""
        with engine_errors():
            self._reports.learn()
        return self.stones.declared()

    def forget_stone(self, code: str) -> bool:
        """Forget what workers have declared of a stone, so that they may declare it with fewer hooks and secrets.

        Tasks that need it wait until a worker declares it again, as each does when it starts. Returns whether there
        was anything to forget.
        """
        with engine_errors():
            return self._reports.forget(code)

    def declare_stone(
        self,
        code: str,
        *,
        hooks: Sequence[Hook] = ("start",),
        parameters: Sequence[Mapping[str, Any]] = (),
        outputs: Mapping[str, str] | None = None,
        display_name: str = "",
        description: str = "",
        monitor_interval: float = 5.0,
        grace: float = 240.0,
    ) -> None:
        """Make a stone known whose tasks workers fetch over HTTP, each hook but ``start`` under ``CODE.HOOK``.

        It has these hooks and no others: an undo passes over what it does not list. ``parameters`` are as in
        ``messages.schema.json``; without any a worker gets all variables. ``monitor_interval`` and ``grace`` are in
        seconds. Raises Invalid, Conflict for the code of a stone that is carried out otherwise.
        """
        told: dict[str, Any] = {"code": code, "hooks": [*hooks], "parameters": [dict(each) for each in parameters]}
        told |= {"outputs": dict(outputs or {}), "display_name": display_name, "description": description}
        self.external.declare({**told, "monitor_interval": monitor_interval, "grace": grace})

    def owned_by(self, owner: str) -> OwnedEngine:
        """The calls about processes and tasks, as this owner sees them."""
        return OwnedEngine(self, owner)

    @property
    def is_inline(self) -> bool:
        """Whether it goes on only while it is called; see :meth:`run_pending`."""
        return self._pump.inline is not None

    def run_pending(self) -> bool:
        """Carry out everything that is due now, in the caller's thread; whether there was anything.

        For an inline engine, whose timers and monitors move only when it is called.
        """
        return self._pump.run_pending()


def _dispatcher(given: Literal["inline", "threads"] | Dispatcher, threads: int, coroutines: int) -> Dispatcher:
    if given == "inline":
        return InlineDispatcher()
    if given == "threads":
        return ThreadsDispatcher(threads, coroutines)
    if isinstance(given, str):
        raise Invalid(f"{given!r} is no dispatcher: use 'inline', 'threads' or a dispatcher object.", code="dispatcher")
    return given


def _in_child() -> None:
    for engine in list(_engines):
        engine._leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
