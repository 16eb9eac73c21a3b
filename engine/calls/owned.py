"""An engine as one owner sees it: process instances of others are as if they were not there."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..errors import UnknownProcessInstance, UnknownTask
from ..views.pages import Page
from .models import ModelCalls
from .quotas import QuotaCalls
from .repair.batches import BatchCalls
from .repair.repairs import RepairCalls

Given = ParamSpec("Given")
Found = TypeVar("Found")
NOTHING: Page[Any] = Page(items=(), cursor=None)


def _owned(
    call: Callable[Concatenate[Any, Given], Found], nothing: Found | None = None
) -> Callable[Concatenate[OwnedEngine, Given], Found]:
    """A call of the engine that takes an owner, whom nobody gives here, or is about the process or task named first.

    With ``nothing``, which is what is there of others, one may be given all the same, as clients do who filter by it.
    """
    signature = inspect.signature(call)
    parameters = [each for each in signature.parameters.values() if each.name != "owner"]
    takes_owner = len(parameters) < len(signature.parameters)
    first = parameters[1].name if len(parameters) > 1 else ""
    ask: Callable[..., Found] = call

    def owned(self: OwnedEngine, /, *given: Any, **options: Any) -> Found:
        if takes_owner:
            if nothing is not None and options.pop("owner", None) not in (None, self.owner):
                return nothing
            if (process_instance_id := options.get("process_instance_id")) is not None:
                self._refuse_strange(process_instance_id=process_instance_id)
            return ask(self.engine, *given, **options, owner=self.owner)
        self._refuse_strange(**{first: given[0] if given else options.get(first)})
        return ask(self.engine, *given, **options)

    update_wrapper(owned, call)
    vars(owned)["__signature__"] = signature.replace(parameters=parameters)
    return owned


class OwnedEngine:
    """The calls of :class:`~.engine.Engine` about processes and tasks, for one ``owner``.

    What is started belongs to the owner, and idempotency keys of other owners are other keys; every other call raises
    Unknown… for what does not.
    """

    def __init__(self, engine: QuotaCalls, owner: str) -> None:
        self.engine = engine
        self.owner = owner

    start = _owned(RepairCalls.start)
    instances = _owned(RepairCalls.instances)
    records = _owned(RepairCalls.records)
    search = _owned(RepairCalls.search)
    counts = _owned(RepairCalls.counts)
    statistics = _owned(RepairCalls.statistics)
    message = _owned(RepairCalls.message)
    correlate = _owned(RepairCalls.correlate)
    signal = _owned(RepairCalls.signal)

    get = _owned(RepairCalls.get)
    wait = _owned(RepairCalls.wait)
    variables = _owned(RepairCalls.variables)
    situation = _owned(RepairCalls.situation)
    watch = _owned(RepairCalls.watch)
    why = _owned(RepairCalls.why)
    tasks = _owned(RepairCalls.tasks)
    task_counts = _owned(RepairCalls.task_counts)
    decisions_made = _owned(RepairCalls.decisions_made)
    history = _owned(RepairCalls.history)
    tokens = _owned(RepairCalls.tokens)
    sources = _owned(RepairCalls.sources)
    picture = _owned(RepairCalls.picture)
    cancel = _owned(RepairCalls.cancel)
    delete = _owned(RepairCalls.delete)
    retry_undo = _owned(RepairCalls.retry_undo)
    retry = _owned(RepairCalls.retry)
    suspend = _owned(RepairCalls.suspend)
    unsuspend = _owned(RepairCalls.unsuspend)
    failures = _owned(RepairCalls.failures)
    skip_element = _owned(RepairCalls.skip_element)
    preview_element_repair = _owned(RepairCalls.preview_element_repair)
    rewind = _owned(RepairCalls.rewind)
    preview_rewind = _owned(RepairCalls.preview_rewind)
    migrate = _owned(RepairCalls.migrate)
    plan_migration = _owned(RepairCalls.plan_migration)
    roll_back = _owned(RepairCalls.roll_back)
    set_variables = _owned(RepairCalls.set_variables)
    preview = _owned(RepairCalls.preview)
    protect = _owned(RepairCalls.protect)

    task = _owned(RepairCalls.task)
    secret_outputs = _owned(RepairCalls.secret_outputs)
    rerun = _owned(RepairCalls.rerun)
    skip = _owned(RepairCalls.skip)
    done_by_hand = _owned(RepairCalls.done_by_hand)
    preview_repair = _owned(RepairCalls.preview_repair)
    resume = _owned(RepairCalls.resume)
    complete = _owned(RepairCalls.complete)

    remove_model = _owned(ModelCalls.remove_model)
    remove_deployment = _owned(ModelCalls.remove_deployment)

    check = _owned(QuotaCalls.check)
    accept_gone = _owned(QuotaCalls.accept_gone)
    quotas = _owned(QuotaCalls.quotas)
    resources = _owned(QuotaCalls.resources, NOTHING)
    resource_counts = _owned(QuotaCalls.resource_counts, ())
    resource_drift = _owned(QuotaCalls.resource_drift, NOTHING)
    schedule_checks = _owned(QuotaCalls.schedule_checks)
    check_schedules = _owned(QuotaCalls.check_schedules)
    pause_checks = _owned(QuotaCalls.pause_checks)
    resume_checks = _owned(QuotaCalls.resume_checks)
    unschedule_checks = _owned(QuotaCalls.unschedule_checks)

    batch = _owned(BatchCalls.batch)
    preview_batch = _owned(BatchCalls.preview_batch)
    failures_by_reason = _owned(BatchCalls.failures_by_reason)
    batches = _owned(BatchCalls.batches)
    batch_progress = _owned(BatchCalls.batch_progress)
    batch_items = _owned(BatchCalls.batch_items)
    pause_batch = _owned(BatchCalls.pause_batch)
    resume_batch = _owned(BatchCalls.resume_batch)
    stop_batch = _owned(BatchCalls.stop_batch)

    def _refuse_strange(self, *, process_instance_id: str | None = None, task_id: str | None = None) -> None:
        if process_instance_id is not None and self.engine.owner_of(process_instance_id) != self.owner:
            raise UnknownProcessInstance(process_instance_id)
        if task_id is not None and self.engine.owner_of_task(task_id) != self.owner:
            raise UnknownTask(task_id)
