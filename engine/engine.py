"""The engine: deploys models, starts and watches processes, and takes back what they did."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

from ..models import AlreadyUsed, ContentRow, EventRow, InstanceRow, Store, StoreError
from . import jsontext, showing, step, undo
from .bpmn.findings import Finding
from .bpmn.node import Node
from .clock import Clock
from .definition import Definition
from .deployments import Deployments, Source, Template, deployment_view, model_view, read_source
from .dispatch.dispatcher import Dispatcher
from .dispatch.inline import InlineDispatcher
from .dispatch.threads import ThreadsDispatcher
from .errors import (
    BpmnError,
    Conflict,
    EngineClosed,
    Invalid,
    Malformed,
    RiverstoneError,
    StoreUnavailable,
    UnknownDeployment,
    UnknownProcessInstance,
    UnknownTask,
    WaitTimeout,
)
from .instance import Facilities, Flags, Instance
from .limits import Limits
from .perform import Outcome
from .pulse import Pulse
from .river import River, Turn
from .scripts import Scripts
from .stone import Stone, stone_of_function
from .stones import Stones
from .task_info import TaskInfo, Work
from .views import Deployment, Model, Page, ProcessInstance, Task, UndoStep

logger = logging.getLogger("riverstone.engine")

MOCK = "SipRS::Mock"
"""The start variable that, set to true, makes a mock run."""


class Engine:
    """One engine on one store.

    ``url`` is any of ``playhouse.db_url``. ``dispatcher`` is ``"inline"`` (stones run in the caller's thread, and a
    call returns when nothing more can be done at once), ``"threads"``, or a dispatcher object. ``scripts="trusted"``
    lets models run Python in this process, with ``functions`` as names: that is arbitrary code of whoever deploys.
    """

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
        passive: bool = False,
    ) -> None:
        """``passive`` only looks and asks: it takes over nothing that a dead engine left."""
        self.url = url
        self.limits = limits or Limits()
        self.clock = clock or Clock()
        self.stones = Stones()
        for stone in stones:
            self.stones.add(stone)
        self._closed = False
        try:
            self._store = Store(url)
        except StoreError as error:
            raise StoreUnavailable(f"The database cannot be opened: {error}") from error
        self._deployments = Deployments(self._store, self.clock, self.stones, self.limits, scripts=scripts == "trusted")
        self._dispatcher: Dispatcher = _dispatcher(dispatcher, threads)
        self._facilities = Facilities(
            engine_id=str(uuid4()),
            store=self._store,
            clock=self.clock,
            stones=self.stones,
            definitions=self._deployments.definitions,
            limits=self.limits,
            dispatcher=self._dispatcher,
            scripts=Scripts(functions or {}, self.limits) if scripts == "trusted" else None,
        )
        self._river = River(self._facilities)
        self._river.on_owed = self._deliver_owed
        self._inline = self._dispatcher if isinstance(self._dispatcher, InlineDispatcher) else None
        self._pumping = threading.RLock()
        self._dispatcher.open(self)
        self._pulse = Pulse(self._river, self._facilities, self._deliver_owed, passive=passive)
        self._pulse.begin(own_thread=self._inline is None)

    # -- life

    def close(self) -> None:
        """Stop: running hooks end first, and what is open is left for whoever comes next."""
        if self._closed:
            return
        self._closed = True
        self._dispatcher.close()
        self._pulse.end()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # -- stones

    def register(self, stone: type[Stone]) -> type[Stone]:
        """Make a stone known; tasks that waited for it go on. Returns the class, so it works as a decorator."""
        self.stones.add(stone)
        with _ours():
            waiting = self._store.missing_stone_tasks([stone.code])
        for row in waiting:
            number, task_id = row.process_instance_id, row.id
            self._step(lambda turn, n=number, t=task_id: step.stone_is_back(turn.instance(n), t))
        return stone

    def stone(self, code: str, **options: Any) -> Callable[[Callable[[TaskInfo], Any]], Callable[[TaskInfo], Any]]:
        """Make a plain function a stone that has only ``start``; options are the class attributes of :class:`Stone`."""

        def decorate(function: Callable[[TaskInfo], Any]) -> Callable[[TaskInfo], Any]:
            self.register(stone_of_function(code, function, options))
            return function

        return decorate

    # -- models and deployments

    def lint(self, source: Source, *more: Source) -> list[Finding]:
        """Everything that is wrong or doubtful about files that would be deployed together; nothing is stored.

        Raises Malformed or TooLarge for what is no XML.
        """
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.lint(sources, names)

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
    ) -> Deployment:
        """Check and number a BPMN file, with the files of the processes it calls; identical content is deployed once.

        Raises ModelInvalid with every finding, Malformed, TooLarge, Invalid for a wrong template.
        """
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.deploy(
                sources, names, name=name, parameter_template=parameter_template, outputs_template=outputs_template
            )

    def save_model(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
    ) -> Model:
        """Create a model, or replace the one with ``model_id``; it is checked as a deployment is."""
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.save_model(
                sources,
                names,
                model_id=model_id,
                name=name,
                parameter_template=parameter_template,
                outputs_template=outputs_template,
            )

    def deploy_model(self, model_id: str) -> Deployment:
        """Number the model as it now stands; raises UnknownModel, ModelInvalid."""
        with _ours():
            return self._deployments.deploy_model(model_id)

    def model(self, model_id: str) -> Model:
        """One model; raises UnknownModel."""
        with _ours():
            return self._deployments.model(model_id)

    def models(self, *, limit: int = 50, cursor: str | None = None, key: str | None = None) -> Page[Model]:
        """Models, newest first; raises Malformed for a cursor that is none."""
        with _ours():
            rows = self._store.models(limit=limit + 1, cursor=_cursor(cursor), key=key)
        return Page(items=tuple(model_view(row) for row in rows[:limit]), cursor=_next(rows, limit))

    def deployment(self, deployment_id: str) -> Deployment:
        """One deployment; raises UnknownDeployment."""
        with _ours():
            return self._deployments.deployment(deployment_id)

    def deployments(
        self, *, limit: int = 50, cursor: str | None = None, key: str | None = None, model_id: str | None = None
    ) -> Page[Deployment]:
        """Deployments, newest first; raises Malformed for a cursor that is none."""
        with _ours():
            rows = self._store.deployments(limit=limit + 1, cursor=_cursor(cursor), key=key, model_id=model_id)
        return Page(items=tuple(deployment_view(row) for row in rows[:limit]), cursor=_next(rows, limit))

    # -- starting

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
    ) -> ProcessInstance:
        """Start a process: the newest deployment of a key, one deployment, or (in debug mode) a model as it now stands.

        With an ``idempotency_key`` the same request again returns the same instance. Raises Malformed, Unknown…,
        Invalid, VariablesInvalid, Conflict (the idempotency key was used for another request).
        """
        values = dict(variables or {})
        jsontext.check(values, limits=self.limits, name="variables")
        if not isinstance(name, str) or not name.strip():
            raise Invalid("A process needs a name.", errors={"processName": ["Must be a text that is not empty."]})
        jsontext.check([name, business_key or ""], limits=self.limits, name="processName")
        with _ours():
            definition = self._deployments.to_start(key=key, deployment_id=deployment_id, model_id=model_id)
        template = definition.parameter_template
        completed = template.complete(values) if template is not None else values
        flags = Flags(0)
        flags |= Flags.DEBUG if model_id is not None else 0
        flags |= Flags.MOCK if values.get(MOCK) is True else 0
        flags |= 0 if rollback else Flags.NO_ROLLBACK
        flags |= Flags.PROTECTED if protected else 0
        request = None
        if idempotency_key is not None:
            digest = _digest(key, deployment_id, model_id, name, values, business_key, rollback, protected)
            request = (idempotency_key, digest)
            with _ours():
                again = self._started_before(*request)
            if again is not None:
                return again

        def action(turn: Turn) -> InstanceRow:
            return self._new_instance(
                turn,
                definition,
                name=name,
                values=values,
                completed=completed,
                flags=flags,
                by_key=key is not None,
                by_model=model_id is not None,
                business_key=business_key,
                request=request,
            )

        try:
            row: InstanceRow = self._step(action)
        except AlreadyUsed as error:
            again = self._started_before(*request) if request is not None else None
            if again is None:
                raise StoreUnavailable(f"The process could not be stored: {error}") from error
            return again
        return self.get(str(row.process_instance_id))

    def _new_instance(
        self,
        turn: Turn,
        definition: Definition,
        *,
        name: str,
        values: Mapping[str, Any],
        completed: Mapping[str, Any],
        flags: Flags,
        by_key: bool,
        by_model: bool,
        business_key: str | None,
        request: tuple[str, str] | None,
        entry: Node | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> InstanceRow:
        now = self.clock.now()
        number = self._store.new_id()
        row = InstanceRow(
            process_instance_id=number,
            id=str(uuid4()),
            model_id=definition.model_id,
            model_key=definition.key if by_key else None,
            deployment_id=definition.deployment_id,
            key=definition.key,
            name=name[:255],
            kind="start",
            status="debug" if by_model else "running",
            phase="running",
            flags=int(flags),
            revision=0,
            next_token=1,
            steps=0,
            started=now,
            business_key=business_key,
        )
        content = ContentRow(number, jsontext.dumps(dict(values)))
        if completed != values:
            content.variables = jsontext.dumps(dict(completed))
        turn.changes.new_instances[number] = row
        turn.changes.new_contents[number] = content
        if request is not None:
            turn.changes.new_start_requests.append((*request, number, now))
        instance = Instance(self._facilities, row, content, definition, {})
        turn.join(instance)
        if entry is None and not definition.process.entries:
            starting = [*definition.process.triggered, *(n for n in definition.process.nodes.values() if getattr(n, "instantiate", False))]
            entry = starting[0] if starting else None
        step.begin(instance, entry, payload or {})
        return row

    def _started_before(self, idempotency_key: str, digest: str) -> ProcessInstance | None:
        found = self._store.start_request(idempotency_key)
        if found is None:
            return None
        if found[0] != digest:
            raise Conflict(
                f"The idempotency key {idempotency_key!r} was used for another request: use a new one.",
                code="idempotency-conflict",
                related=str(found[1]),
            )
        return self.get(str(found[1]))

    # -- looking

    def get(self, process_instance_id: str) -> ProcessInstance:
        """The record of one process instance; raises UnknownProcessInstance."""
        number = _number(process_instance_id, UnknownProcessInstance)
        with _ours():
            row, content = self._store.instance(number), self._store.content(number)
            if row is None or content is None:
                raise UnknownProcessInstance(process_instance_id)
            outputs = showing.outputs_of(self._store.tasks(number), self.stones)
        return showing.show_instance(row, content, outputs, self._mask(row, content))

    def _mask(self, row: InstanceRow, content: ContentRow) -> Any:
        if row.origin is not None:
            origin, origin_content = self._store.instance(row.origin), self._store.content(row.origin)
            if origin is not None and origin_content is not None:
                return self._mask(origin, origin_content)
        template = self._facilities.definitions.get(row.deployment_id).parameter_template
        return showing.mask_for(template, content)

    def instances(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: str | None = None,
        key: str | None = None,
        name: str | None = None,
    ) -> Page[ProcessInstance]:
        """Process instances, newest first; raises Malformed for a cursor that is none."""
        before = None
        if cursor is not None:
            before = _number(cursor, lambda text: Malformed(f"{text!r} is not a cursor of this list.", code="cursor"))
        with _ours():
            rows = self._store.instances(limit=limit + 1, before=before, status=status, key=key, name=name)
            shown = []
            for row in rows[:limit]:
                content = self._store.content(row.process_instance_id)
                assert content is not None
                outputs = showing.outputs_of(self._store.tasks(row.process_instance_id), self.stones)
                shown.append(showing.show_instance(row, content, outputs, self._mask(row, content)))
        more = str(rows[limit - 1].process_instance_id) if len(rows) > limit else None
        return Page(items=tuple(shown), cursor=more)

    def tasks(self, process_instance_id: str) -> list[Task]:
        """The tasks of one process instance, oldest first; raises UnknownProcessInstance."""
        number = _number(process_instance_id, UnknownProcessInstance)
        with _ours():
            row, content = self._store.instance(number), self._store.content(number)
            if row is None or content is None:
                raise UnknownProcessInstance(process_instance_id)
            rows = self._store.tasks(number)
            mask = self._mask(row, content)
        running = self._dispatcher.running
        return [showing.show_task(task, self.stones, mask, running=running(task.id)) for task in rows]

    def task(self, task_id: str) -> Task:
        """One task; raises UnknownTask."""
        number = _number(task_id, UnknownTask)
        with _ours():
            row = self._store.task(number)
            if row is None:
                raise UnknownTask(task_id)
            instance, content = self._store.instance(row.process_instance_id), self._store.content(row.process_instance_id)
            assert instance is not None and content is not None
            mask = self._mask(instance, content)
        return showing.show_task(row, self.stones, mask, running=self._dispatcher.running(number))

    def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance:
        """Return when the process has come to rest: ended, its undo included, or paused in debug mode.

        ``timeout`` is in seconds; raises WaitTimeout, UnknownProcessInstance.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        deadline = None if timeout is None else self.clock.now() + round(timeout * 1000)
        while not self._at_rest(number):
            now = self.clock.now()
            if deadline is not None and now >= deadline:
                raise WaitTimeout(f"Process {process_instance_id} had not ended after {timeout:g} seconds.")
            if self._inline is not None:
                self._wait_inline(process_instance_id, deadline, timeout)
            else:
                with self._river.ended:
                    left = 0.5 if deadline is None else min(0.5, (deadline - now) / 1000)
                    if not self._at_rest(number):
                        self._river.ended.wait(left)
        return self.get(process_instance_id)

    def _at_rest(self, number: int) -> bool:
        with _ours():
            row = self._store.instance(number)
        if row is None:
            raise UnknownProcessInstance(str(number))
        return row.phase in ("ended", "paused")

    def _wait_inline(self, process_instance_id: str, deadline: int | None, timeout: float | None) -> None:
        if self.run_pending():
            return
        due = self._pulse.next_due()
        if due is None:
            text = f"Process {process_instance_id} waits for something from outside: a message, a signal or a person."
            raise WaitTimeout(text)
        if deadline is not None and due > deadline:
            self.clock.sleep_until(deadline)
            raise WaitTimeout(f"Process {process_instance_id} had not ended after {timeout:g} seconds.")
        self.clock.sleep_until(due)

    # -- undo

    def cancel(self, process_instance_id: str, *, force: bool = False) -> ProcessInstance:
        """Cancel a running process and take back what it began; ``force`` gives running stones no grace.

        Asked again, the same cancel goes on. Raises UnknownProcessInstance, Conflict.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        self._step(lambda turn: undo.request_cancel(turn.instance(number), force=force))
        return self.get(process_instance_id)

    def delete(
        self, process_instance_id: str, *, force: bool = False, retain: Sequence[str] = ()
    ) -> ProcessInstance:
        """Remove what an ended process made; ``force`` cancels a running one first.

        After a failed delete, ``retain`` names tasks whose results are given up for ever. Raises
        UnknownProcessInstance, Conflict, Invalid.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        kept = [_number(task_id, UnknownTask) for task_id in retain]
        self._step(lambda turn: undo.request_delete(turn.instance(number), force=force, retain=kept))
        return self.get(process_instance_id)

    def retry_undo(self, process_instance_id: str, *, retain: Sequence[str] = ()) -> ProcessInstance:
        """Let the failed rollback, cancel or delete of a process go on, giving up the tasks in ``retain``.

        Raises UnknownProcessInstance, Conflict (no undo has failed), Invalid.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        kept = [_number(task_id, UnknownTask) for task_id in retain]
        self._step(lambda turn: undo.retry(turn.instance(number), kept))
        return self.get(process_instance_id)

    def preview(self, process_instance_id: str, kind: Literal["rollback", "cancel", "delete"]) -> list[UndoStep]:
        """What an undo would do now, in its order; nothing is changed. Raises UnknownProcessInstance, Invalid."""
        if kind not in ("rollback", "cancel", "delete"):
            raise Invalid(f"{kind!r} is no kind of undo: use rollback, cancel or delete.", code="undo-kind")
        number = _number(process_instance_id, UnknownProcessInstance)
        steps: list[UndoStep] = self._step(lambda turn: undo.preview(turn.instance(number), kind))
        return steps

    def protect(self, process_instance_id: str, on: bool = True) -> ProcessInstance:
        """Refuse deletion of a process, or allow it again; an automatic rollback is not held up."""
        number = _number(process_instance_id, UnknownProcessInstance)

        def action(turn: Turn) -> None:
            instance = turn.instance(number)
            flags = Flags(instance.row.flags)
            instance.row.flags = int(flags | Flags.PROTECTED if on else flags & ~Flags.PROTECTED)
            turn.changes.instance_changed(instance.row)

        self._step(action)
        return self.get(process_instance_id)

    def rerun(self, task_id: str, parameters: Mapping[str, Any] | None = None) -> Task:
        """Run a failed task of a paused debug run again, its parameters changed by those given.

        Raises UnknownTask, Conflict, Invalid.
        """
        number = _number(task_id, UnknownTask)
        values = dict(parameters or {})
        jsontext.check(values, limits=self.limits, name="parameters")
        instance_number = self._instance_of(number)
        self._step(lambda turn: step.rerun(turn.instance(instance_number), number, values))
        return self.task(task_id)

    def resume(self, task_id: str) -> ProcessInstance:
        """Leave the debug mode of the paused run that this task belongs to: it rolls back. Raises UnknownTask, Conflict."""
        number = _number(task_id, UnknownTask)
        instance_number = self._instance_of(number)
        self._step(lambda turn: step.resume(turn.instance(instance_number), number))
        return self.get(str(instance_number))

    def _instance_of(self, task_number: int) -> int:
        with _ours():
            row = self._store.task(task_number)
        if row is None:
            raise UnknownTask(str(task_number))
        return row.process_instance_id

    # -- from outside

    def complete(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> Task:
        """Say that a user task is done; raises UnknownTask, Conflict, Invalid for outputs that are not JSON."""
        number = _number(task_id, UnknownTask)
        values = dict(outputs or {})
        jsontext.check(values, limits=self.limits, name="outputs")
        instance_number = self._instance_of(number)
        self._step(lambda turn: step.complete(turn.instance(instance_number), number, values))
        return self.task(task_id)

    def message(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
    ) -> ProcessInstance:
        """Give a message to the one process that has waited longest for it, or start one that it triggers.

        ``business_key``, ``process_instance_id`` and ``correlation`` narrow down who may get it. Raises Conflict
        (code ``message-not-expected``) if nobody can take it.
        """
        values = dict(payload or {})
        jsontext.check(values, limits=self.limits, name="payload")
        wanted = None if process_instance_id is None else _number(process_instance_id, UnknownProcessInstance)
        taken = self._message(name, values, business_key, wanted, correlation, owed=None)
        if taken is None:
            raise Conflict(f"No process waits for the message {name!r}.", code="message-not-expected")
        return self.get(str(taken))

    def _message(
        self,
        name: str,
        payload: Mapping[str, Any],
        business_key: str | None,
        wanted: int | None,
        correlation: str | None,
        owed: str | None,
    ) -> int | None:
        with _ours():
            waits = self._store.waits_for("message", name)
            triggers = self._store.start_triggers("message", name) if wanted is None else []
        for wait in waits:
            if wanted not in (None, wait.process_instance_id) or wait.correlation not in (None, correlation):
                continue

            def action(turn: Turn, number: int = wait.process_instance_id, token: int = wait.token) -> bool:
                instance = turn.instance(number)
                if business_key is not None and instance.row.business_key != business_key:
                    return False
                taken = step.deliver(instance, "message", name, payload, token_id=token)
                if taken and owed is not None:
                    turn.changes.gone_events.append(owed)
                return taken

            if self._step(action):
                return wait.process_instance_id
        for _, deployment_id, node in triggers[:1]:
            return self._trigger(deployment_id, node, name, payload, business_key, owed)
        return None

    def _trigger(
        self,
        deployment_id: str,
        node: str,
        name: str,
        payload: Mapping[str, Any],
        business_key: str | None,
        owed: str | None,
    ) -> int:
        definition = self._facilities.definitions.get(deployment_id)
        template = definition.parameter_template
        completed = template.complete(payload) if template is not None else payload

        def action(turn: Turn) -> int:
            if owed is not None:
                turn.changes.gone_events.append(owed)
            row = self._new_instance(
                turn,
                definition,
                name=name,
                values=payload,
                completed=completed,
                flags=Flags(0),
                by_key=True,
                by_model=False,
                business_key=business_key,
                request=None,
                entry=definition.process.nodes[node],
            )
            return row.process_instance_id

        number: int = self._step(action)
        return number

    def signal(self, name: str, payload: Mapping[str, Any] | None = None) -> list[str]:
        """Give a signal to every process that waits for it, and start those that it triggers; their ids."""
        values = dict(payload or {})
        jsontext.check(values, limits=self.limits, name="payload")
        return [str(number) for number in self._signal(name, values, owed=None)]

    def _signal(self, name: str, payload: Mapping[str, Any], owed: str | None) -> list[int]:
        with _ours():
            numbers = list(dict.fromkeys(wait.process_instance_id for wait in self._store.waits_for("signal", name)))
            triggers = self._store.start_triggers("signal", name)
        reached = [
            number
            for number in numbers
            if self._step(lambda turn, n=number: step.deliver(turn.instance(n), "signal", name, payload))
        ]
        for _, deployment_id, node in triggers:
            reached.append(self._trigger(deployment_id, node, name, payload, None, None))
        if owed is not None:
            self._step(lambda turn: turn.changes.gone_events.append(owed))
        return reached

    def _deliver_owed(self, event: EventRow) -> None:
        """Bring a thrown message or signal to whoever waits; runs after the commit that threw it."""
        self._pulse.owe(event)

    def deliver(self, event: EventRow) -> None:
        """Deliver one thrown message or signal now; a message that nobody expects is dropped."""
        payload = jsontext.loads(event.payload, limits=self.limits) if event.payload else {}
        try:
            if event.kind == "signal":
                self._signal(event.name, payload, event.id)
            elif self._message(event.name, payload, None, None, None, event.id) is None:
                logger.warning("no process waits for the thrown message %r", event.name)
                self._step(lambda turn: turn.changes.gone_events.append(event.id))
        except RiverstoneError as error:
            logger.warning("the thrown %s %r could not be delivered: %s", event.kind, event.name, error.message)

    # -- what dispatchers report

    def stone_for(self, work: Work) -> type[Stone] | None:
        """The class that carries out this work; without one, the task waits for its stone."""
        stone = self.stones.choose(work.stone, jsontext.loads(work.parameters, limits=self.limits))
        if stone is None:
            self._river.submit(lambda turn: step.stone_is_gone(turn.instance(work.process_instance_id), work.task_id))
        return stone

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Queue what came of tasks."""
        for outcome in outcomes:
            self._river.submit(
                lambda turn, o=outcome: step.apply_outcome(turn.instance(o.process_instance_id), o)
            ).add_done_callback(_log_failure)

    def report_progress(self, work: Work, percent: int, text: str | None) -> None:
        """Queue how far a running task is."""
        self._river.submit(
            lambda turn: step.progressed(turn.instance(work.process_instance_id), work.task_id, work.attempt, percent)
        ).add_done_callback(_log_failure)

    # -- running

    def _step(self, action: Callable[[Turn], Any]) -> Any:
        """Have one event stepped, wherever steps run, and return its result once that is durable."""
        if self._closed:
            raise EngineClosed("The engine is closed: make a new one.")
        if self._inline is None and threading.current_thread() is not self._pulse.thread:
            return self._river.submit(action).result()
        result = self._river.now(action)
        if self._inline is not None:
            self._pump()
        return result

    def _pump(self) -> bool:
        """Carry out what can be carried out now, in this thread."""
        assert self._inline is not None
        if not self._pumping.acquire(blocking=False):
            return False
        try:
            if self._pulse.delivering:
                return False
            moved = False
            while self._river.drain() or self._inline.run_next() or self._pulse.deliver_owed(self.deliver):
                moved = True
            return moved
        finally:
            self._pumping.release()

    def run_pending(self) -> bool:
        """Carry out everything that is due now, in the caller's thread; whether there was anything.

        For an inline engine, whose timers and monitors move only when it is called.
        """
        moved = self._pulse.beat()
        if self._inline is not None:
            moved = self._pump() or moved
        return moved


def _dispatcher(given: Literal["inline", "threads"] | Dispatcher, threads: int) -> Dispatcher:
    if given == "inline":
        return InlineDispatcher()
    if given == "threads":
        return ThreadsDispatcher(threads)
    if isinstance(given, str):
        raise Invalid(f"{given!r} is no dispatcher: use 'inline', 'threads' or a dispatcher object.", code="dispatcher")
    return given


def _read(source: Source, more: Sequence[Source]) -> tuple[list[bytes], list[str | None]]:
    read = [read_source(each) for each in (source, *more)]
    return [content for content, _ in read], [name for _, name in read]


def _number(text: str, error: Callable[[str], Exception]) -> int:
    """A decimal id as a number; what cannot be one belongs to nobody."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise error(str(text)[:100])
    return int(text)


def _cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    created, _, identifier = text.partition("-")
    if not created.isascii() or not created.isdigit() or len(created) > 18 or not identifier or len(identifier) > 36:
        raise Malformed(f"{text[:100]!r} is not a cursor of this list.", code="cursor")
    return int(created), identifier


def _next(rows: Sequence[Any], limit: int) -> str | None:
    return f"{rows[limit - 1].created}-{rows[limit - 1].id}" if len(rows) > limit else None


def _digest(*parts: Any) -> str:
    return hashlib.sha256(jsontext.dumps(list(parts)).encode()).hexdigest()


def _log_failure(future: Future[Any]) -> None:
    error = future.exception()
    if error is not None:
        logger.warning("what a task reported could not be entered: %s", error)


class _ours:
    """Turns what the store raises into the engine's own error."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, StoreError) and not isinstance(error, AlreadyUsed):
            raise StoreUnavailable(f"The database does not answer: {error}") from error


__all__ = ["BpmnError", "Engine", "UnknownDeployment"]
