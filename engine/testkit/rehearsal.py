"""One engine for one test: in memory, in the test's own thread, on a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from ..authoring.bundle import examine
from ..authoring.checks.unresolved_references import outputs_wanted
from ..authoring.model_views import Deployment
from ..authoring.sources import Source, Template, read_source
from ..bpmn.running.workflow import Workflow
from ..clock import VirtualClock
from ..engine import Engine
from ..errors import Fatal, WaitTimeout
from ..limits import Limits
from ..stones.stone import Stone
from .fakes import Hook, Outputs, fake_of
from .faults import Call, Fault, Faults, Injected, Point, StagedDispatcher
from .run import Run
from .trail import Trail

NOON = 1_767_268_800_000
"""2026-01-01 12:00 UTC, where each rehearsal's clock stands at first, so that a test says the same every day."""


class Rehearsal:
    """Runs flows and stones as the real engine does, without waiting, and lets them fail where a test says so.

    ``engine`` is the engine itself, with all that it can do; ``clock`` its clock. Time passes only where a process
    waits for it, or in :meth:`advance`.
    """

    def __init__(self, stones: Sequence[type[Stone]] = (), *, limits: Limits | None = None) -> None:
        self.clock = VirtualClock(NOON)
        self.faults = Faults()
        self.trail = Trail()
        self.sources: list[tuple[str, bytes]] = []
        """The files that were deployed, with their names."""
        self.engine = _Trailed(
            "sqlite:///:memory:",
            stones=stones,
            dispatcher=StagedDispatcher(self.faults),
            clock=self.clock,
            limits=limits,
            workflow=self.trail.workflow(),
        )
        self._made_up: dict[str, set[str]] | None = None
        """The outputs of the stones that stand in for unknown ones, by code; None while unknown ones are refused."""

    # -- stones

    def register(self, *stones: type[Stone]) -> None:
        """Make stones known as they are."""
        for stone in stones:
            self._know(stone)

    def _know(self, stone: type[Stone]) -> None:
        self.engine.register(stone)
        if self._made_up is not None:
            self._made_up.pop(stone.code, None)

    def fake(self, stone: type[Stone] | str, outputs: Outputs | None = None, **hooks: Hook) -> type[Stone]:
        """Put a stone that does nothing in the place of another, or of whatever has this code.

        It keeps the other's declarations. Its ``start`` puts out ``outputs`` (a mapping, or a function of the task),
        and ``namespace.name`` for each declared output beyond. ``hooks`` are functions of the task that are called
        as ``start``, ``monitor``, ``rollback``, ``cancel``, ``delete`` or ``mock``. Raises Invalid.
        """
        faked = fake_of(stone, outputs, hooks)
        self._know(faked)
        return faked

    def fake_all(self) -> None:
        """Fake every stone that is registered, and from now on every one that a deployed model names besides.

        Those put out what the model refers to, as ``namespace.name``.
        """
        for stones in list(self.engine.stones.values()):
            for stone in stones:
                self.fake(stone)
        self._made_up = self._made_up or {}

    # -- what goes wrong

    def fail(
        self,
        node: str,
        event: str = "start",
        *,
        times: int | None = 1,
        error: BaseException | str | None = None,
        point: Point = "before",
    ) -> None:
        """Let the next ``times`` calls of a node's hook fail; None: all of them.

        ``node`` is the task's namespace, which is the element's id unless the model says otherwise; the third run of
        a multi-instance node ``slave-`` is ``slave-3``. ``error`` is what is raised, such as ``BpmnError("code")``;
        of a ``monitor`` it is ``Fatal`` unless said otherwise, since a look that fails is not yet a task that does.
        ``point`` is ``"before"`` the hook does anything; ``"after"`` it has done all, its outputs included; or
        ``"unheard"``: it has done all, but nothing that it said reached the engine.
        """
        text = error if isinstance(error, str) else f"{event} of {node} was made to fail"
        injected = Fatal(text) if event == "monitor" else Injected(text)
        raised = error if isinstance(error, BaseException) else injected
        self.faults.add(Fault(namespace=node, event=event, point=point, error=raised, left=times))

    def redeliver(self, node: str, event: str = "start", *, times: int = 1) -> None:
        """Let the next ``times`` calls of a node's hook be lost and come again with the same key, as after a crash."""
        self.faults.add(Fault(namespace=node, event=event, point="twice", error=Injected(), left=times))

    @property
    def calls(self) -> list[Call]:
        """Every call of a hook so far, oldest first."""
        return list(self.faults.calls)

    def assert_faults_used(self) -> None:
        """Every fault that was asked for has come up; the fixture asserts this at the end of a test that passed."""
        __tracebackhide__ = True
        if self.faults.unused:
            called = sorted({f"{call.event} of {call.namespace!r}" for call in self.calls})
            unused = ", ".join(map(str, self.faults.unused))
            raise AssertionError(f"Made to fail but never called: {unused}.\nCalled: {', '.join(called) or 'nothing'}.")

    # -- models and processes

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
    ) -> Deployment:
        """As :meth:`Engine.deploy`; the files count for the coverage."""
        read = [read_source(each) for each in (source, *more)]
        contents = [content for content, _ in read]
        if self._made_up is not None:
            self._make_up(contents, self._made_up)
        deployment = self.engine.deploy(
            *contents, name=name, parameter_template=parameter_template, outputs_template=outputs_template
        )
        self.sources += [(file or deployment.key, content) for content, file in read]
        return deployment

    def _make_up(self, contents: Sequence[bytes], known: dict[str, set[str]]) -> None:
        """Fake what a model names and nobody knows, with the outputs that this and earlier models refer to."""
        parsed = examine(contents, [None] * len(contents), limits=self.engine.limits, scripts=False)
        for task in parsed.stone_tasks:
            code = task.stone
            if task.code.constant and (code in known or code not in self.engine.stones):
                known.setdefault(code, set()).update(outputs_wanted(parsed, task.namespace))
                self.engine.register(fake_of(code, None, {}, declared=sorted(known[code])))

    def start(self, key: str, variables: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Start the newest deployment of a key, as far as it comes before it has to wait; options as of the engine's.

        ``debug=True`` makes it a trial run of the model, which pauses when a task fails.
        """
        named = {"name": options.pop("name", key), "variables": variables}
        if options.pop("debug", False):
            models = self.engine.models(key=key, limit=1).items
            options["model_id"] = models[0].model_id if models else key
        else:
            options["key"] = key
        instance = self.engine.start(**named, **options)
        return Run(self, instance.process_instance_id)

    def run(self, key: str, variables: Mapping[str, Any] | None = None, **options: Any) -> Run:
        """Start and go on until the process has ended, pauses, or only something from outside can move it.

        Timers come due on the way, also those that race with a message: to send that first, :meth:`start` it.
        """
        run = self.start(key, variables, **options)
        run.settle()
        return run

    def advance(self, seconds: float) -> None:
        """Let time pass, in steps from one thing that is due to the next."""
        end = self.clock.now() + round(seconds * 1000)
        self.engine.run_until(end)

    def settle(self, process_instance_id: str) -> None:
        """Let time pass until the process rests or only something from outside can move it."""
        try:
            self.engine.wait(process_instance_id)
        except WaitTimeout:
            return

    # -- life

    def close(self) -> None:
        """Stop the engine."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Trailed(Engine):
    def __init__(self, url: str, *, workflow: type[Workflow], **options: Any) -> None:
        self._workflow = workflow
        super().__init__(url, **options)

    def run_until(self, moment: int) -> None:
        """Carry out what is due until the clock shows this moment, and leave the clock there."""
        while True:
            while self.run_pending():
                pass
            due = self._loop.next_due()
            if due is None or due > moment:
                break
            self.clock.sleep_until(due)
        self.clock.sleep_until(moment)
        self.run_pending()
