"""A thing in a cloud, declared in a few lines: how it is found, made and removed. The hooks come from that."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from ...models.vocabulary import UNDO_KINDS, UNDO_MONITORS
from ..errors import BpmnError, Invalid, Later, NotFound
from .error_words import ErrorKinds, is_one_of
from .stone import Stone

if TYPE_CHECKING:
    from .hooks.task_info import TaskInfo

SECOND_LOOKS = 3
"""How often several things under one key are looked at again before those of nobody are removed."""


class CloudResource(Stone):
    """Subclass it, and say how to ``find``, ``create`` and ``remove`` the thing; all hooks follow from these.

    The thing bears ``task.start_key``, as a tag or in its name. A start looks for it before it makes one, so it is made
    once whatever is lost, delivered again or answered with an error after it was made; an undo removes all that bear
    the key. Errors are sorted by the words of the class. The cloud's client must not try again by itself.
    """

    id_output: ClassVar[str] = "id"
    """The output that holds the id."""
    throttled: ClassVar[ErrorKinds] = ("429", "503")
    """Errors that ask for patience: the hook is called again after ``pause``, and no attempt is used up."""
    busy: ClassVar[ErrorKinds] = ()
    """The same where the thing cannot be changed or removed yet, such as while another hangs on it."""
    absent: ClassVar[ErrorKinds] = ("404",)
    """Errors that say that the thing is not there."""
    bpmn_errors: ClassVar[Mapping[str, str]] = {}
    """BPMN errors by the words of the errors of which a model is to hear, such as that nothing is left in a zone."""
    pause: ClassVar[float] = 5.0
    """Seconds until what was throttled or busy is tried again."""

    retries = 5
    retry_for = 900.0
    monitor_retries = 10
    settle = 30.0

    # -- what a stone says

    def find(self, task: TaskInfo) -> Iterable[str]:
        """The ids of all things that bear ``task.start_key``: the names of those that the cloud knows by name.

        What is on its way out is left out. One that is not there may also raise an ``absent`` error.
        """
        raise NotImplementedError

    def create(self, task: TaskInfo) -> str:
        """Make one that bears ``task.start_key``, and return its id."""
        raise NotImplementedError

    def configure(self, task: TaskInfo, found: str) -> None:
        """What else has to be done to it, and outputs beside the id. It is called again after whatever fails."""

    def remove(self, task: TaskInfo, found: str) -> None:
        """Remove it, or have that begun."""
        raise NotImplementedError

    def ready(self, task: TaskInfo, found: str) -> bool:
        """Whether it is as it should be; raise ``Fatal`` where it never will."""
        return True

    def gone(self, task: TaskInfo, found: str) -> bool:
        """Whether it is removed, where that takes its time; an ``absent`` error says so too."""
        return True

    def differs(self, task: TaskInfo, found: str) -> str | None:
        """In words what is not as it was made, or None."""
        return None

    # -- the hooks that follow

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {name for name in vars(CloudResource) if name.startswith("_") and not name.startswith("__")}
        if taken := sorted(own & vars(cls).keys()):
            text = (
                f"{cls.__name__} has a member {taken[0]!r}, which CloudResource uses itself: give yours another name."
            )
            raise Invalid(text, code="stone-invalid")
        # A monitor that has nothing to look at would cost every task another step.
        gone = ("gone", cls._look_whether_gone)
        looks = {"monitor": ("ready", cls._look)} | {UNDO_MONITORS[kind]: gone for kind in UNDO_KINDS}
        for hook, (said, look) in looks.items():
            if getattr(cls, said) is not getattr(CloudResource, said) and not cls.has(hook):
                setattr(cls, hook, look)

    def start(self, task: TaskInfo) -> None:
        """Take what bears the key, or make it."""
        with self._sorted():
            found = self._the_one(task)
            self.configure(task, found)
        task.add_output(self.id_output, found)

    def rollback(self, task: TaskInfo) -> None:
        """Remove all that bear the key."""
        things = self._all(task)
        gone = sum(not self._removed(task, each) for each in things)
        if gone == len(things):
            raise NotFound(f"{', '.join(things)} is gone" if things else f"nothing bears {task.start_key}")

    cancel = delete = rollback

    def check(self, task: TaskInfo) -> str | None:
        """Look for what bears the key."""
        things = self._found(task)
        if not things:
            raise NotFound(f"nothing bears {task.start_key}")
        if len(things) > 1:
            return f"{', '.join(things)} bear the same key"
        with self._sorted():
            return self.differs(task, things[0])

    def mock(self, task: TaskInfo) -> None:
        """Put out made-up values."""
        for name in self.outputs:
            task.add_output(name, f"mock-{task.namespace}-{name}")

    def _look(self, task: TaskInfo) -> bool:
        began = task.state.setdefault("since", time.time())
        try:
            with self._sorted():
                return self.ready(task, task.outputs[self.id_output])
        except NotFound:
            if time.time() - began > self.settle:
                raise
            return False

    def _look_whether_gone(self, task: TaskInfo) -> bool:
        return all(self._is_gone(task, each) for each in self._all(task))

    # -- one thing under one key

    def _the_one(self, task: TaskInfo) -> str:
        things = self._found(task, again=self.settle if task.is_repeated else 0.0)
        looks = 0
        while len(things) != 1:
            if not things:
                if task.cancel_requested:
                    raise InterruptedError("It was asked to stop before it made anything.")
                made = self.create(task)
                task.log(f"{made} was made")
                if not set(self._found(task)) - {made}:
                    return made
                # Somebody makes it at the same time, perhaps an engine that was taken for dead, and may have told of
                # theirs already: so ours goes, and if theirs goes too, both try again.
                self._removed(task, made)
            elif looks >= SECOND_LOOKS:
                for each in things[1:]:
                    self._removed(task, each)
                return things[0]
            looks += 1
            task.wait_for_cancel(random.uniform(0.2, 1.0))
            things = self._found(task)
        return things[0]

    def _found(self, task: TaskInfo, again: float = 0.0) -> list[str]:
        """What bears the key; looked for ``again`` for so many seconds, where it may not show yet."""
        end = time.monotonic() + again
        while True:
            try:
                with self._sorted():
                    things = sorted(self.find(task))
            except NotFound:
                things = []
            left = end - time.monotonic()
            if things or left <= 0 or task.wait_for_cancel(min(1.0, left)):
                return things

    def _all(self, task: TaskInfo) -> list[str]:
        """What bears the key, and what is known to have been made if it does not show."""
        known = task.outputs.get(self.id_output)
        return sorted({*self._found(task), *([known] if known else [])})

    def _removed(self, task: TaskInfo, found: str) -> bool:
        """Whether it was there to be removed."""
        try:
            with self._sorted():
                self.remove(task, found)
        except NotFound:
            return False
        task.log(f"{found} was removed")
        return True

    def _is_gone(self, task: TaskInfo, found: str) -> bool:
        try:
            with self._sorted():
                return self.gone(task, found)
        except NotFound:
            return True

    @contextmanager
    def _sorted(self) -> Iterator[None]:
        """Errors of the cloud as those of the engine."""
        try:
            yield
        except (NotFound, Later, BpmnError):
            raise
        except Exception as error:
            if is_one_of(error, self.absent):
                raise NotFound(str(error)) from error
            if is_one_of(error, (*self.throttled, *self.busy)):
                raise Later(self.pause, str(error)) from error
            code = next((code for word, code in self.bpmn_errors.items() if is_one_of(error, [word])), None)
            if code is not None:
                raise BpmnError(code, str(error)) from error
            raise
