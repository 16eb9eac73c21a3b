"""The engine: deploys models, starts and watches processes, and takes back what they did."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self
from uuid import uuid4

from ..models import (
    AlreadyUsed,
    Cipher,
    Figures,
    InstanceFilter,
    Store,
    StoreClosed,
    StoreError,
    encrypt_again,
    read_figures,
)
from . import jsontext, removal, retention, step
from .audit import Audit
from .bpmn.findings import Finding
from .bpmn.workflow import Workflow
from .clock import Clock, milliseconds
from .declaration import StoneDeclaration
from .deployments import Deployments, Source, Template, deployment_view, model_view, read_source
from .desk import Desk
from .dispatch.dispatcher import Dispatcher, Loaded
from .dispatch.inline import InlineDispatcher
from .dispatch.threads import ThreadsDispatcher
from .errors import (
    Conflict,
    EngineClosed,
    Invalid,
    Malformed,
    RiverstoneError,
    StoreUnavailable,
    UnknownProcessInstance,
    UnknownTask,
)
from .families import Families
from .instance import Facilities, Flags
from .keys import Keys
from .limits import Limits
from .messages import Messages
from .observer import Observer
from .owned import OwnedEngine
from .pages import read_part
from .picture import Picture, process_picture
from .pulse import Pulse
from .pump import Pump
from .records import Records
from .river import RESTING, River, Turn
from .scripts import Scripts
from .start_timers import StartTimers
from .starts import Drain, Starts
from .stone import Stone, stone_of_function
from .stones import Stones
from .task_info import TaskInfo
from .views import (
    Deployment,
    Explanation,
    Model,
    Page,
    ProcessInstance,
    ProcessSummary,
    Task,
    TaskBinding,
    Token,
    UndoStep,
)

logger = logging.getLogger("riverstone.engine")


class Engine:
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
        passive: bool = False,
        encryption_keys: Sequence[str] = (),
    ) -> None:
        """``passive`` only looks and asks: it takes over nothing that a dead engine left.

        ``encryption_keys`` are Fernet keys (extra ``riverstone[crypto]``): what processes work with is encrypted with
        the first before it is stored, and read with whichever fits. Raises StoreUnavailable for a wrong key.
        """
        self.url = url
        self.limits = limits or Limits()
        self.clock = clock or Clock()
        self._dispatcher: Dispatcher = _dispatcher(dispatcher, threads)
        self.stones = Stones(elsewhere=self._dispatcher.remote)
        for stone in stones:
            self.stones.add(stone)
        try:
            self._store = Store(url, Cipher(encryption_keys) if encryption_keys else None)
        except StoreError as error:
            raise StoreUnavailable(f"The database cannot be opened: {error}") from error
        self.keys = Keys(self._store, self.clock)
        self.audit = Audit(self._store, self.clock)
        self._deployments = Deployments(self._store, self.clock, self.stones, self.limits, scripts=scripts == "trusted")
        engine_id = str(uuid4())
        by_itself = not passive and not isinstance(self._dispatcher, InlineDispatcher)
        self._facilities = Facilities(
            engine_id=engine_id,
            store=self._store,
            clock=self.clock,
            stones=self.stones,
            definitions=self._deployments.definitions,
            limits=self.limits,
            families=Families(self.limits, self.clock),
            dispatcher=self._dispatcher,
            scripts=Scripts(functions or {}, self.limits) if scripts == "trusted" else None,
            workflow=self._workflow,
            timekeeper=engine_id if by_itself else None,
        )
        self._river = River(self._facilities)
        self._starts = Starts(self._facilities, self._deployments)
        self._records = Records(self._facilities)
        inline = self._dispatcher if isinstance(self._dispatcher, InlineDispatcher) else None
        self._pump = Pump(self._river, self.clock, self.audit, inline)
        self._messages = Messages(self._facilities, self._starts, self._pump.step)
        self._desk = Desk(self._facilities, self._river)
        start_timers = StartTimers(self._facilities, self._river, self._starts)
        self._pulse = self._pump.pulse = Pulse(
            self._river, self._facilities, self._messages.deliver, start_timers.fire, passive=passive
        )
        self.stones.look_again = self._desk.learn
        with _ours():
            self._desk.learn()
        self._dispatcher.open(self._desk)
        self._pulse.begin(own_thread=inline is None)

    # -- life

    def close(self) -> None:
        """Stop: running hooks end first, and what is open is left for whoever comes next."""
        if self._pump.closed:
            return
        self._pump.closed = True
        self._pulse.close()
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

            def back(turn: Turn, number: int = row.process_instance_id, task_id: int = row.id) -> None:
                step.stone_is_back(turn.instance(number), task_id)

            self._pump.step(back)
        return stone

    def stone(self, code: str, **options: Any) -> Callable[[Callable[[TaskInfo], Any]], Callable[[TaskInfo], Any]]:
        """Make a plain function a stone that has only ``start``; options are the class attributes of :class:`Stone`."""

        def decorate(function: Callable[[TaskInfo], Any]) -> Callable[[TaskInfo], Any]:
            self.register(stone_of_function(code, function, options))
            return function

        return decorate

    def stones_declared(self) -> tuple[StoneDeclaration, ...]:
        """What the known stones take, put out and can do, by code; those that workers have declared are among them."""
        with _ours():
            self._desk.learn()
        return self.stones.declared()

    # -- models and deployments

    def lint(self, source: Source, *more: Source) -> list[Finding]:
        """Everything that is wrong or doubtful about files that would be deployed together; nothing is stored.

        Raises Malformed or TooLarge for what is no XML.
        """
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.lint(sources, names)

    def bindings(self, source: Source, *more: Source) -> list[TaskBinding]:
        """Which stone, decision or person carries out each task of files, and what goes in and out, as it was read.

        It is empty for files that are refused for other reasons than their tasks. Raises as :meth:`lint` does.
        """
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.bindings(sources, names)

    def deploy(
        self,
        source: Source,
        *more: Source,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
    ) -> Deployment:
        """Check and number a BPMN file, with the files of the processes it calls; identical content is deployed once.

        ``protected`` says whether the delete of what processes of the model made is refused; None leaves it.
        Raises ModelInvalid with every finding, Malformed, TooLarge, Invalid for a wrong template.
        """
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.deploy(
                sources,
                names,
                name=name,
                parameter_template=parameter_template,
                outputs_template=outputs_template,
                protected=protected,
            )

    def save_model(
        self,
        source: Source,
        *more: Source,
        model_id: str | None = None,
        name: str | None = None,
        parameter_template: Template = None,
        outputs_template: Template = None,
        protected: bool | None = None,
    ) -> Model:
        """Create a model, or replace the one with ``model_id``; it is checked as a deployment is.

        ``protected`` says whether the delete of what its processes made is refused; None leaves it.
        """
        sources, names = _read(source, more)
        with _ours():
            return self._deployments.save_model(
                sources,
                names,
                model_id=model_id,
                name=name,
                parameter_template=parameter_template,
                outputs_template=outputs_template,
                protected=protected,
            )

    def lint_model(self, model_id: str) -> list[Finding]:
        """Everything that is wrong or doubtful about a model as it now stands; raises UnknownModel."""
        with _ours():
            return self._deployments.lint_model(model_id)

    def deploy_model(self, model_id: str) -> Deployment:
        """Number the model as it now stands; raises UnknownModel, ModelInvalid."""
        with _ours():
            return self._deployments.deploy_model(model_id)

    def protect_model(self, model_id: str, on: bool = True) -> Model:
        """Refuse the delete of what processes of a model made, or allow it again; rollbacks are not held up.

        Raises UnknownModel.
        """
        with _ours():
            return self._deployments.protect(model_id, on)

    def remove_model(self, model_id: str) -> Model:
        """Take a model with all its versions out of use: nothing is started from it any more.

        Raises UnknownModel, Conflict while it is protected, or processes need it to go on or to be undone.
        """
        with _ours():
            return removal.remove_model(self._deployments, model_id)

    def remove_deployment(self, deployment_id: str) -> Deployment:
        """Take one version out of use; its key then means the newest that is left.

        Raises UnknownDeployment, Conflict while processes need it to go on or to be undone.
        """
        with _ours():
            return removal.remove_deployment(self._deployments, deployment_id)

    def model(self, model_id: str) -> Model:
        """One model; raises UnknownModel."""
        with _ours():
            return self._deployments.model(model_id)

    def models(self, *, limit: int = 50, cursor: str | None = None, key: str | None = None) -> Page[Model]:
        """Models, newest first; raises Malformed for a cursor that is none."""
        with _ours():
            rows, further = read_part(
                lambda wanted, after: self._store.models(limit=wanted, cursor=after, key=key),
                limit,
                _cursor(cursor),
                self.limits.page_size,
            )
        return Page(items=tuple(model_view(row) for row in rows), cursor=further)

    def deployment(self, deployment_id: str) -> Deployment:
        """One deployment; raises UnknownDeployment."""
        with _ours():
            return self._deployments.deployment(deployment_id)

    def deployments(
        self, *, limit: int = 50, cursor: str | None = None, key: str | None = None, model_id: str | None = None
    ) -> Page[Deployment]:
        """Deployments, newest first; raises Malformed for a cursor that is none."""
        with _ours():
            rows, further = read_part(
                lambda wanted, after: self._store.deployments(limit=wanted, cursor=after, key=key, model_id=model_id),
                limit,
                _cursor(cursor),
                self.limits.page_size,
            )
        return Page(items=tuple(deployment_view(row) for row in rows), cursor=further)

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
        drain: Drain = "stop",
        owner: str | None = None,
    ) -> ProcessInstance:
        """Start a process: the newest deployment of a key, one deployment, or (in debug mode) a model as it now stands.

        Returns the record as it is where the process first waits, whatever the dispatcher; look again with ``get``
        or ``wait``. With an ``idempotency_key`` the same request again returns the same instance. It belongs to
        ``owner``, who sees it through :meth:`owned_by`. When a task fails, its siblings are asked to stop;
        with ``drain="all"`` those that run come to their end before the rollback begins, as in CloudFormation.

        Raises Malformed, Unknown…, Invalid, VariablesInvalid, Conflict (the key was used for another request),
        LimitExceeded (``instances_per_key``).
        """
        with _ours():
            request = self._starts.request(
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
                owner=owner,
            )
            if request.idempotency is not None:
                before = self._starts.started_before(request.idempotency)
                if before is not None:
                    return self._records.instance(before)
        try:
            started: ProcessInstance = self._pump.step(lambda turn: self._starts.begin(turn, request))
        except AlreadyUsed as error:
            # The same idempotency key was used at the same moment, and the other request came first.
            with _ours():
                first = self._starts.started_before(request.idempotency) if request.idempotency else None
            if first is None:
                raise StoreUnavailable(f"The process could not be stored: {error}") from error
            return self.get(str(first))
        return started

    def observe(self, observer: Observer) -> None:
        """Tell it of every event of a task and every change of a process, from now on."""
        self._facilities.observers.add(observer)

    def not_ready(self) -> str | None:
        """Why the engine does not do its work at the moment, in a few words; None while it does.

        Cheap, whoever asks: an engine with a thread of its own knows how long ago the database has answered that.
        """
        if self._pump.closed:
            return "the engine is closed"
        if self._pulse.thread is None or self._pulse.passive:
            try:
                with _ours():
                    self._store.read("SELECT 1")
            except RiverstoneError:
                return "the database does not answer"
            return None
        return self._pulse.behind()

    def figures(self) -> Figures:
        """What stands and waits in the whole store at this moment, counted by the store's indexes."""
        with _ours():
            return read_figures(self._store)

    def queues(self) -> dict[str, int]:
        """What waits inside this engine: ``inbox``, ``owed``, and of most dispatchers ``waiting`` and ``running``."""
        waiting = {"inbox": self._river.waiting(), "owed": self._pulse.owed()}
        if isinstance(self._dispatcher, Loaded):
            waiting["waiting"], waiting["running"] = self._dispatcher.load()
        return waiting

    # -- looking

    def get(self, process_instance_id: str) -> ProcessInstance:
        """The record of one process instance; raises UnknownProcessInstance."""
        with _ours():
            return self._records.instance(_number(process_instance_id, UnknownProcessInstance))

    def instances(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: str | None = None,
        key: str | None = None,
        name: str | None = None,
        owner: str | None = None,
    ) -> Page[ProcessInstance]:
        """Process instances, newest first; raises Malformed for a cursor that is none."""
        statuses = () if status is None else (status,)
        wanted = InstanceFilter(statuses=statuses, key=key, name=name, owner=owner)
        with _ours():
            return self._records.instances(wanted, limit=limit, before=_before(cursor))

    def search(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        text: str | None = None,
        statuses: Sequence[str] = (),
        kind: str | None = None,
        key: str | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        owner: str | None = None,
    ) -> Page[ProcessSummary]:
        """Process instances without their variables and outputs, newest first.

        ``text`` is a part of the name or key, or a whole business key or id; ``kind`` is ``start`` or that of an undo.
        Raises Malformed for a cursor that is none.
        """
        wanted = InstanceFilter(
            text=text,
            statuses=tuple(statuses),
            kind=kind,
            key=key,
            started_from=milliseconds(started_from),
            started_before=milliseconds(started_before),
            owner=owner,
        )
        with _ours():
            return self._records.summaries(wanted, limit=limit, before=_before(cursor))

    def tasks(self, process_instance_id: str) -> list[Task]:
        """The tasks of one process instance, oldest first; raises UnknownProcessInstance."""
        with _ours():
            return self._records.tasks(_number(process_instance_id, UnknownProcessInstance))

    def task(self, task_id: str) -> Task:
        """One task; raises UnknownTask."""
        with _ours():
            return self._records.task(_number(task_id, UnknownTask))

    def tokens(self, process_instance_id: str) -> list[Token]:
        """Where one process instance stands beside its open tasks; raises UnknownProcessInstance."""
        with _ours():
            return self._records.tokens(_number(process_instance_id, UnknownProcessInstance))

    def why(self, process_instance_id: str) -> Explanation:
        """Why a process stands where it stands, in sentences, and the next commands; raises UnknownProcessInstance."""
        with _ours():
            engines = self._pulse.at_work()
            return self._records.why(_number(process_instance_id, UnknownProcessInstance), engines)

    def sources(self, process_instance_id: str) -> tuple[str, ...]:
        """The BPMN files, with diagrams, that one process instance runs: that of an undo was made for it.

        Raises UnknownProcessInstance.
        """
        with _ours():
            return self._records.sources(_number(process_instance_id, UnknownProcessInstance))

    def picture(self, process_instance_id: str) -> Picture:
        """The diagram of one process instance, its nodes in the colours of what happened to them, as SVG.

        Raises UnknownProcessInstance.
        """
        xml = self.sources(process_instance_id)[0]
        return process_picture(xml, self.tasks(process_instance_id), self.tokens(process_instance_id))

    def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance:
        """Return when the process has come to rest: ended, its undo included, or paused in debug mode.

        ``timeout`` is in seconds; raises WaitTimeout, UnknownProcessInstance.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        self._pump.wait(number, lambda: self._at_rest(number), timeout)
        return self.get(process_instance_id)

    def _at_rest(self, number: int) -> bool:
        with _ours():
            phase = self._store.phase(number)
        if phase is None:
            raise UnknownProcessInstance(str(number))
        return phase in RESTING

    def owned_by(self, owner: str) -> OwnedEngine:
        """The calls about processes and tasks, as this owner sees them."""
        return OwnedEngine(self, owner)

    def owner_of(self, process_instance_id: str) -> str | None:
        """Whose process instance this is, None where it is nobody's; raises UnknownProcessInstance."""
        with _ours():
            row = self._store.instance(_number(process_instance_id, UnknownProcessInstance))
        if row is None:
            raise UnknownProcessInstance(process_instance_id)
        return row.owner_name

    def owner_of_task(self, task_id: str) -> str | None:
        """Whose process instance this task belongs to; raises UnknownTask."""
        return self.owner_of(str(self._instance_of(_number(task_id, UnknownTask))))

    # -- undo

    def cancel(self, process_instance_id: str, *, force: bool = False) -> ProcessInstance:
        """Cancel a running process and take back what it began; ``force`` gives running stones no grace.

        Asked again, the same cancel goes on. Raises UnknownProcessInstance, Conflict.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        self._pump.step(lambda turn: step.request_cancel(turn.instance(number), force=force))
        return self.get(process_instance_id)

    def delete(self, process_instance_id: str, *, force: bool = False, retain: Sequence[str] = ()) -> ProcessInstance:
        """Remove what an ended process made; ``force`` cancels a running one first.

        After a failed delete, ``retain`` names tasks whose results are given up for ever. Raises
        UnknownProcessInstance, Conflict, Invalid.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        kept = [_number(task_id, UnknownTask) for task_id in retain]
        self._pump.step(lambda turn: step.request_delete(turn.instance(number), force=force, kept=kept))
        return self.get(process_instance_id)

    def retry_undo(self, process_instance_id: str, *, retain: Sequence[str] = ()) -> ProcessInstance:
        """Let the failed rollback, cancel or delete of a process go on, giving up the tasks in ``retain``.

        Raises UnknownProcessInstance, Conflict (no undo has failed), Invalid.
        """
        number = _number(process_instance_id, UnknownProcessInstance)
        kept = [_number(task_id, UnknownTask) for task_id in retain]
        self._pump.step(lambda turn: step.retry(turn.instance(number), kept))
        return self.get(process_instance_id)

    def preview(self, process_instance_id: str, kind: Literal["rollback", "cancel", "delete"]) -> list[UndoStep]:
        """What an undo would do now, in its order; nothing is changed. Raises UnknownProcessInstance, Invalid."""
        if kind not in ("rollback", "cancel", "delete"):
            raise Invalid(f"{kind!r} is no kind of undo: use rollback, cancel or delete.", code="undo-kind")
        number = _number(process_instance_id, UnknownProcessInstance)
        steps: list[UndoStep] = self._pump.step(lambda turn: step.preview(turn.instance(number), kind))
        return steps

    def protect(self, process_instance_id: str, on: bool = True) -> ProcessInstance:
        """Refuse deletion of a process, or allow it again; an automatic rollback is not held up."""
        number = _number(process_instance_id, UnknownProcessInstance)

        def action(turn: Turn) -> None:
            instance = turn.instance(number)
            flags = instance.row.flags
            instance.row.flags = flags | Flags.PROTECTED if on else flags & ~Flags.PROTECTED
            turn.changes.instance_changed(instance.row)

        self._pump.step(action)
        return self.get(process_instance_id)

    def rerun(self, task_id: str, parameters: Mapping[str, Any] | None = None) -> Task:
        """Run a failed task of a paused debug run again, its parameters changed by those given.

        Raises UnknownTask, Conflict, Invalid.
        """
        number = _number(task_id, UnknownTask)
        values = dict(parameters or {})
        jsontext.check(values, limits=self.limits, name="parameters")
        instance_number = self._instance_of(number)
        self._pump.step(lambda turn: step.rerun(turn.instance(instance_number), number, values))
        return self.task(task_id)

    def resume(self, task_id: str) -> ProcessInstance:
        """Leave the debug mode of the paused run that this task belongs to: it rolls back.

        Raises UnknownTask, Conflict.
        """
        number = _number(task_id, UnknownTask)
        instance_number = self._instance_of(number)
        self._pump.step(lambda turn: step.resume(turn.instance(instance_number), number))
        return self.get(str(instance_number))

    def _instance_of(self, task_number: int) -> int:
        with _ours():
            row = self._store.task(task_number)
        if row is None:
            raise UnknownTask(str(task_number))
        return row.process_instance_id

    def purge(self, older_than_seconds: float, *, even_undeleted: bool = False, dry_run: bool = False) -> int:
        """Forget processes that ended that long ago and of which nothing is left to undo; how many these are.

        ``even_undeleted`` forgets those too whose results exist, so that nobody can delete these by the engine any
        more; ``dry_run`` only counts. Kept are protected ones and those whose undo has failed. Raises Invalid.
        """
        with _ours():
            return retention.purge(
                self._store, self.clock, older_than_seconds, even_undeleted=even_undeleted, dry_run=dry_run
            )

    # -- from outside

    def complete(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> Task:
        """Say that a user task is done; raises UnknownTask, Conflict, Invalid for outputs that are not JSON."""
        number = _number(task_id, UnknownTask)
        values = dict(outputs or {})
        jsontext.check(values, limits=self.limits, name="outputs")
        instance_number = self._instance_of(number)
        self._pump.step(lambda turn: step.complete(turn.instance(instance_number), number, values))
        return self.task(task_id)

    def message(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        business_key: str | None = None,
        process_instance_id: str | None = None,
        correlation: str | None = None,
        owner: str | None = None,
    ) -> ProcessInstance:
        """Give a message to the one process that has waited longest for it, or start one that it triggers.

        ``business_key``, ``process_instance_id``, ``correlation`` and ``owner`` narrow down who may get it.
        Raises Conflict (code ``message-not-expected``) if nobody can take it.
        """
        values = dict(payload or {})
        jsontext.check(values, limits=self.limits, name="payload")
        wanted = None if process_instance_id is None else _number(process_instance_id, UnknownProcessInstance)
        with _ours():
            taken = self._messages.message(
                name,
                values,
                business_key=business_key,
                process_instance_id=wanted,
                correlation=correlation,
                owner=owner,
            )
        if taken is None:
            raise Conflict(f"No process waits for the message {name!r}.", code="message-not-expected")
        return self.get(str(taken))

    def signal(self, name: str, payload: Mapping[str, Any] | None = None, *, owner: str | None = None) -> list[str]:
        """Give a signal to every process (of the ``owner``) that waits for it, and start those that it triggers.

        Returns the ids of all of them.
        """
        values = dict(payload or {})
        jsontext.check(values, limits=self.limits, name="payload")
        with _ours():
            return [str(number) for number in self._messages.signal(name, values, owner=owner)]

    def encrypt_again(self) -> int:
        """Write what is stored anew with the first encryption key, also what was in clear; how many values there were.

        Raises Invalid without a key, StoreUnavailable where no key fits.
        """
        if self._store.cipher is None:
            raise Invalid("There is no encryption key: set RIVERSTONE_ENCRYPTION_KEY.", code="encryption-key")
        with _ours():
            return encrypt_again(self._store, self._store.cipher)

    # -- running

    def run_pending(self) -> bool:
        """Carry out everything that is due now, in the caller's thread; whether there was anything.

        For an inline engine, whose timers and monitors move only when it is called.
        """
        return self._pump.run_pending()


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
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise error(text[:100])
    return int(text)


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    return _number(cursor, lambda text: Malformed(f"{text!r} is not a cursor of this list.", code="cursor"))


def _cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    created, _, identifier = text.partition("-")
    if not created.isascii() or not created.isdigit() or len(created) > 18 or not identifier or len(identifier) > 36:
        raise Malformed(f"{text[:100]!r} is not a cursor of this list.", code="cursor")
    return int(created), identifier


class _ours:
    """Turns what the store raises into the engine's own error."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, StoreClosed):
            raise EngineClosed("The engine is closed: make a new one.") from error
        if isinstance(error, StoreError) and not isinstance(error, AlreadyUsed):
            raise StoreUnavailable(f"The database does not answer: {error}") from error
