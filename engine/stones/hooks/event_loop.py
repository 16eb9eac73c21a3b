"""Where coroutine hooks run: an event loop in a thread of its own, one for each engine or worker process.

asyncio is imported with the first coroutine, since it is slow to import.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ...errors import Invalid
from ...observing import logs
from ...work import Outcome
from ..registry import is_awaited

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

    from .call import HookCall

logger = logging.getLogger("riverstone.stone")

Result = TypeVar("Result")
BLOCKED = 1.0
"""Seconds without a turn after which an event loop is said to be blocked."""
INTERRUPTED = 5.0
"""Seconds that a coroutine is given to stop whose caller was interrupted from outside."""
_threads: set[int] = set()


def is_here() -> bool:
    """Whether this thread runs the coroutine hooks of some engine, so that nothing may wait in it."""
    return threading.get_ident() in _threads


def in_thread(act: Callable[[], Result]) -> Awaitable[Result]:
    """Have something done that waits, in a thread beside the loop that this one runs."""
    import asyncio

    return asyncio.get_running_loop().run_in_executor(None, act)


async def done(awaitables: Sequence[Awaitable[Any]]) -> None:
    """Wait until all of these are done, whatever they came to."""
    if awaitables:
        import asyncio

        await asyncio.gather(*awaitables, return_exceptions=True)


def refuse_here() -> None:
    """Raise Invalid in a thread that runs coroutine hooks: whatever waits there holds up all of them."""
    if is_here():
        text = "This call waits, and would hold up every coroutine of the engine: await it by way of an AsyncEngine."
        raise Invalid(text, code="blocks-event-loop")


class EventLoop:
    """One engine's, or one process's of a worker; its thread begins with the first coroutine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._tasks: set[Task[None]] = set()
        """Those that run: the loop itself would let them be collected."""
        self._closed = threading.Event()

    def perform(self, call: HookCall) -> Outcome:
        """Carry a hook out where it belongs, here or on the loop, and return what came of it."""
        if not is_awaited(call.stone, call.work.hook or call.work.event):
            return call.carry_out()
        ended: Future[Outcome] = Future()
        self.begin(call, ended.set_result)
        try:
            return ended.result()
        except BaseException:
            # Interrupted from outside: it is delivered again, and should not be running by then.
            call.request.ask()
            with suppress(Exception):
                ended.result(INTERRUPTED)
            raise

    def begin(
        self, call: HookCall, ended: Callable[[Outcome], None], *, unless: Callable[[], bool] | None = None
    ) -> None:
        """Let a coroutine hook run, and have what came of it told in the loop's thread; in this thread's context.

        ``unless`` is asked in the loop's thread just before: where it says so, the hook does not begin.
        """
        loop = self._started()

        def begin() -> None:
            work = call.work
            name = f"{work.event} of {work.stone} (task {work.task_id})"
            task = loop.create_task(self._run(call, ended, unless), name=name)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            call.request.when_asked(lambda: _told(loop, task.cancel))

        loop.call_soon_threadsafe(begin)

    def run(self, awaitable: Awaitable[Result]) -> Result:
        """Run something on the loop, and wait for it."""
        import asyncio

        async def awaited() -> Result:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaited(), self._started()).result(INTERRUPTED)

    async def _run(self, call: HookCall, ended: Callable[[Outcome], None], unless: Callable[[], bool] | None) -> None:
        if unless is None or not unless():
            ended(await call.carry_out_awaited())

    # -- its thread

    def _started(self) -> AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                import asyncio

                self._pid = os.getpid()
                self._tasks = set()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._turn, name="riverstone-coroutines", daemon=True)
                self._thread.start()
                threading.Thread(target=self._watch, name="riverstone-loop-watch", daemon=True).start()
            return self._loop

    def _turn(self) -> None:
        import asyncio

        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        _threads.add(threading.get_ident())
        try:
            while not self._closed.is_set():
                try:
                    loop.run_forever()
                except BaseException as error:
                    # What a coroutine has begun beside itself may leave the interpreter; the others go on.
                    logger.error("the event loop was left and goes on: %s", logs.where(error))
            self._end(loop)
        finally:
            _threads.discard(threading.get_ident())
            loop.close()

    def _end(self, loop: AbstractEventLoop) -> None:
        """Cancel what coroutines have left running beside them, as ``asyncio.run`` does."""
        import asyncio

        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=INTERRUPTED))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())

    def close(self) -> None:
        """Run nothing more, and return when the thread has ended; hooks that still run are cancelled."""
        self._closed.set()
        with self._lock:
            loop, thread = self._loop, self._thread
        if loop is not None and thread is not None and self._pid == os.getpid():
            _told(loop, loop.stop)
            thread.join()

    # -- what blocks it

    def _watch(self) -> None:
        loop, thread = self._loop, self._thread
        assert loop is not None
        assert thread is not None
        while not self._closed.wait(BLOCKED):
            if not self._tasks:
                continue
            turned = threading.Event()
            began = time.monotonic()
            _told(loop, turned.set)
            if turned.wait(BLOCKED):
                continue
            logger.warning("%s", self._blocked(loop, thread))
            while not turned.wait(BLOCKED) and not self._closed.is_set():
                pass
            logger.warning("the event loop goes on after %.1f s", time.monotonic() - began)

    def _blocked(self, loop: AbstractEventLoop, thread: threading.Thread) -> str:
        """Who holds the loop up, and where."""
        import asyncio

        task = asyncio.current_task(loop)
        frame = sys._current_frames().get(thread.ident or 0)
        # What it calls may be anywhere in the library; the coroutine that calls it is what has to change.
        while frame is not None and not frame.f_code.co_flags & inspect.CO_COROUTINE:
            frame = frame.f_back
        where = f" at {frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
        who = task.get_name() if task is not None else "a callback"
        return (
            f"the event loop has been blocked for {BLOCKED:g} s by {who}{where}, and no coroutine of this process "
            "goes on: await instead of waiting, or use asyncio.to_thread(...)"
        )


def _told(loop: AbstractEventLoop, callback: Callable[[], Any]) -> None:
    """Have this called in the loop's thread, if that is still there."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
