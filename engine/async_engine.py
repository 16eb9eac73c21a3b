"""The engine for programs that await: its calls as coroutines, whose waits hold no thread."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial, update_wrapper
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from .calls.owned import OwnedEngine
from .calls.repair.batches import BatchCalls
from .calls.repair.repairs import RepairCalls
from .calls.tasks.people import PeopleCalls
from .engine import Engine
from .errors import Invalid, WaitTimeout
from .observing.observer import Observer
from .stones.hooks import event_loop
from .stones.hooks.task_info import TaskInfo
from .views.processes import ProcessInstance, Situation

Given = ParamSpec("Given")
Found = TypeVar("Found")
AT_REST = ("ended", "paused")


class _Asking:
    """What is asked in threads, of something whose calls wait."""

    def __init__(self, asked: Any, threads: ThreadPoolExecutor) -> None:
        self._asked = asked
        self._threads = threads

    async def _call(self, call: Callable[[], Found]) -> Found:
        """Carry a call out in a thread, with the context variables of whoever awaits it."""
        import asyncio

        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(context.run, call))


def _awaited(
    call: Callable[Concatenate[Any, Given], Found],
) -> Callable[Concatenate[_Asking, Given], Coroutine[Any, Any, Found]]:
    """A call of the engine, carried out in a thread while it is awaited."""
    name = call.__name__

    async def awaited(self: _Asking, /, *given: Any, **options: Any) -> Found:
        found: Found = await self._call(partial(getattr(self._asked, name), *given, **options))
        return found

    update_wrapper(awaited, call)
    return awaited


class AsyncPeople(_Asking):
    """The calls of :attr:`Engine.people`, to be awaited."""

    inbox = _awaited(PeopleCalls.inbox)
    counts = _awaited(PeopleCalls.counts)
    task = _awaited(PeopleCalls.task)
    form = _awaited(PeopleCalls.form)
    picture = _awaited(PeopleCalls.picture)
    claim = _awaited(PeopleCalls.claim)
    release = _awaited(PeopleCalls.release)
    assign = _awaited(PeopleCalls.assign)
    delegate = _awaited(PeopleCalls.delegate)
    schedule = _awaited(PeopleCalls.schedule)
    complete = _awaited(PeopleCalls.complete)


class AsyncProcesses(_Asking):
    """The calls about processes and tasks, which an engine and what one owner sees of it have in common.

    Each is the call of its name of :class:`~.engine.Engine`, to be awaited on any event loop. One that changes or reads
    something takes a thread for a moment; one that waits takes none.
    """

    _asked: Engine | OwnedEngine

    def __init__(self, asked: Engine | OwnedEngine, whole: Engine, threads: ThreadPoolExecutor) -> None:
        super().__init__(asked, threads)
        self._whole = whole

    start = _awaited(RepairCalls.start)
    instances = _awaited(RepairCalls.instances)
    records = _awaited(RepairCalls.records)
    search = _awaited(RepairCalls.search)
    counts = _awaited(RepairCalls.counts)
    statistics = _awaited(RepairCalls.statistics)
    message = _awaited(RepairCalls.message)
    correlate = _awaited(RepairCalls.correlate)
    signal = _awaited(RepairCalls.signal)

    get = _awaited(RepairCalls.get)
    variables = _awaited(RepairCalls.variables)
    why = _awaited(RepairCalls.why)
    tasks = _awaited(RepairCalls.tasks)
    task_counts = _awaited(RepairCalls.task_counts)
    decisions_made = _awaited(RepairCalls.decisions_made)
    history = _awaited(RepairCalls.history)
    tokens = _awaited(RepairCalls.tokens)
    sources = _awaited(RepairCalls.sources)
    picture = _awaited(RepairCalls.picture)
    cancel = _awaited(RepairCalls.cancel)
    delete = _awaited(RepairCalls.delete)
    retry_undo = _awaited(RepairCalls.retry_undo)
    retry = _awaited(RepairCalls.retry)
    suspend = _awaited(RepairCalls.suspend)
    unsuspend = _awaited(RepairCalls.unsuspend)
    suspend_stone = _awaited(RepairCalls.suspend_stone)
    unsuspend_stone = _awaited(RepairCalls.unsuspend_stone)
    suspended_stones = _awaited(RepairCalls.suspended_stones)
    failures = _awaited(RepairCalls.failures)
    skip_element = _awaited(RepairCalls.skip_element)
    preview_element_repair = _awaited(RepairCalls.preview_element_repair)
    roll_back = _awaited(RepairCalls.roll_back)
    set_variables = _awaited(RepairCalls.set_variables)
    preview = _awaited(RepairCalls.preview)
    rewind = _awaited(RepairCalls.rewind)
    preview_rewind = _awaited(RepairCalls.preview_rewind)
    migrate = _awaited(RepairCalls.migrate)
    plan_migration = _awaited(RepairCalls.plan_migration)
    protect = _awaited(RepairCalls.protect)

    task = _awaited(RepairCalls.task)
    secret_outputs = _awaited(RepairCalls.secret_outputs)
    rerun = _awaited(RepairCalls.rerun)
    skip = _awaited(RepairCalls.skip)
    done_by_hand = _awaited(RepairCalls.done_by_hand)
    preview_repair = _awaited(RepairCalls.preview_repair)
    resume = _awaited(RepairCalls.resume)
    complete = _awaited(RepairCalls.complete)

    batch = _awaited(BatchCalls.batch)
    preview_batch = _awaited(BatchCalls.preview_batch)
    failures_by_reason = _awaited(BatchCalls.failures_by_reason)
    batches = _awaited(BatchCalls.batches)
    batch_progress = _awaited(BatchCalls.batch_progress)
    batch_items = _awaited(BatchCalls.batch_items)
    pause_batch = _awaited(BatchCalls.pause_batch)
    resume_batch = _awaited(BatchCalls.resume_batch)
    stop_batch = _awaited(BatchCalls.stop_batch)

    check = _awaited(Engine.check)
    accept_gone = _awaited(Engine.accept_gone)
    schedule_checks = _awaited(Engine.schedule_checks)
    check_schedules = _awaited(Engine.check_schedules)
    pause_checks = _awaited(Engine.pause_checks)
    resume_checks = _awaited(Engine.resume_checks)
    unschedule_checks = _awaited(Engine.unschedule_checks)
    quotas = _awaited(Engine.quotas)
    resources = _awaited(Engine.resources)
    resource_counts = _awaited(Engine.resource_counts)
    resource_drift = _awaited(Engine.resource_drift)

    suspend_key = _awaited(Engine.suspend_key)
    unsuspend_key = _awaited(Engine.unsuspend_key)
    suspended_keys = _awaited(Engine.suspended_keys)

    async def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance:
        """Return when the process has come to rest: ended, its undo included, or paused in debug mode.

        ``timeout`` is in seconds; raises WaitTimeout, UnknownProcessInstance.
        """
        if self._is_inline:
            return await self._call(partial(self._asked.wait, process_instance_id, timeout))
        found = await self._news(process_instance_id, timeout, None, lambda seen: seen.need in AT_REST)
        if found.need not in AT_REST:
            raise WaitTimeout(f"Process {process_instance_id} had not ended after {timeout:g} seconds.")
        return found.instance

    async def situation(self, process_instance_id: str, *, wait: float = 0, since: str | None = None) -> Situation:
        """How a process stands now, and whether it goes on by itself.

        With ``wait`` (seconds) it returns when the process has ended or needs somebody, at the latest after that; with
        ``since`` (the mark of a situation) when there is another mark. Raises UnknownProcessInstance.
        """
        if self._is_inline:
            return await self._call(partial(self._asked.situation, process_instance_id, wait=wait, since=since))
        return await self._news(
            process_instance_id,
            wait,
            since,
            lambda seen: seen.need is not None if since is None else seen.mark != since,
        )

    @property
    def _is_inline(self) -> bool:
        """Whether only a thread that waits keeps the engine going."""
        inline = self._whole._pump.inline is not None
        if inline and event_loop.is_here():
            text = "An inline engine goes on when this hook has ended, so it cannot wait for a process: use threads."
            raise Invalid(text, code="blocks-event-loop")
        return inline

    async def _news(
        self, number: str, seconds: float | None, since: str | None, is_news: Callable[[Situation], bool]
    ) -> Situation:
        """How the process stands as soon as that is news, or after so many seconds."""
        import asyncio

        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        until = None if seconds is None else loop.time() + seconds
        look = partial(self._asked.situation, number)
        told = partial(_wake, loop.call_soon_threadsafe, woken.set)
        watch = self._whole.watch(number, told, any_change=since is not None)
        try:
            while True:
                woken.clear()
                found = await self._call(look)
                left = None if until is None else until - loop.time()
                if is_news(found) or (left is not None and left <= 0):
                    return found
                watch.mark = found.mark
                try:
                    await asyncio.wait_for(woken.wait(), left)
                except TimeoutError:
                    continue
        finally:
            watch.stop()


class AsyncEngine(AsyncProcesses):
    """An :class:`~.engine.Engine` for FastAPI, aiohttp, Django and whatever else awaits.

    ``engine`` is an engine as it was made, best on ``"threads"``; it is closed with this one (``async with``). At most
    ``threads`` calls are carried out at once. May be shared by several event loops.
    """

    def __init__(self, engine: Engine, *, threads: int = 8) -> None:
        super().__init__(engine, engine, ThreadPoolExecutor(threads, thread_name_prefix="riverstone-async"))
        self.engine = engine
        self.people = AsyncPeople(engine.people, self._threads)
        """What people ask for who have tasks to do."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop: running hooks end first, and what is open is left for whoever comes next."""
        await self._call(self.engine.close)
        self._threads.shutdown(wait=False)

    def owned_by(self, owner: str) -> AsyncProcesses:
        """The calls about processes and tasks, as this owner sees them."""
        return AsyncProcesses(self.engine.owned_by(owner), self.engine, self._threads)

    def stone(self, code: str, **options: Any) -> Callable[[Callable[[TaskInfo], Any]], Callable[[TaskInfo], Any]]:
        """Make a function, plain or ``async``, a stone that has only ``start``, before anything runs."""
        return self.engine.stone(code, **options)

    def observe(self, observer: Observer) -> None:
        """Tell this observer what the engine does; its hooks are plain functions."""
        self.engine.observe(observer)

    declare_stone = _awaited(Engine.declare_stone)
    forget_stone = _awaited(Engine.forget_stone)
    register = _awaited(Engine.register)
    stones_declared = _awaited(Engine.stones_declared)
    run_pending = _awaited(Engine.run_pending)

    deploy = _awaited(Engine.deploy)
    deploy_model = _awaited(Engine.deploy_model)
    deployment = _awaited(Engine.deployment)
    deployments = _awaited(Engine.deployments)
    remove_deployment = _awaited(Engine.remove_deployment)
    save_model = _awaited(Engine.save_model)
    model = _awaited(Engine.model)
    models = _awaited(Engine.models)
    remove_model = _awaited(Engine.remove_model)
    next_times = _awaited(Engine.next_times)
    write_draft = _awaited(Engine.write_draft)
    draft = _awaited(Engine.draft)
    drafts = _awaited(Engine.drafts)
    save_draft = _awaited(Engine.save_draft)
    discard_draft = _awaited(Engine.discard_draft)
    protect_model = _awaited(Engine.protect_model)
    bindings = _awaited(Engine.bindings)
    lint = _awaited(Engine.lint)
    lint_model = _awaited(Engine.lint_model)
    start_form = _awaited(Engine.start_form)
    decide = _awaited(Engine.decide)
    decisions = _awaited(Engine.decisions)

    complete_deferred = _awaited(Engine.complete_deferred)
    fail_deferred = _awaited(Engine.fail_deferred)
    error_deferred = _awaited(Engine.error_deferred)
    progress_deferred = _awaited(Engine.progress_deferred)
    callback = _awaited(Engine.callback)
    task_of_token = _awaited(Engine.task_of_token)
    rotate_token_secret = _awaited(Engine.rotate_token_secret)

    owner_of = _awaited(Engine.owner_of)
    owner_of_task = _awaited(Engine.owner_of_task)
    figures = _awaited(Engine.figures)
    queues = _awaited(Engine.queues)
    purge = _awaited(Engine.purge)
    restored = _awaited(Engine.restored)
    encrypt_again = _awaited(Engine.encrypt_again)
    not_ready = _awaited(Engine.not_ready)


def _wake(call_soon: Callable[[Callable[[], object]], object], wake: Callable[[], object]) -> None:
    """Wake who waits on an event loop, unless that has been closed meanwhile."""
    try:
        call_soon(wake)
    except RuntimeError:
        return
