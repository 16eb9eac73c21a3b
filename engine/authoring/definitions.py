"""A deployment made ready to run: parsed once, shared by all its instances."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from threading import Lock, get_ident
from typing import TYPE_CHECKING

from ...models import DeploymentRow
from ..bpmn.elements.events import StartEvent
from ..bpmn.elements.subprocesses import CallActivity
from ..bpmn.running.failure_policy import ROLLBACK, FailurePolicy, read_policy
from ..bpmn.running.node import Process
from ..errors import Conflict, ModelInvalid
from ..limits import Limits
from .sources import unpack

if TYPE_CHECKING:
    from ..bpmn.elements.people.form import Form
    from ..bpmn.reading.parser import ParsedModels
    from ..dmn.decisions import Decisions
    from .templates import OutputsTemplate, ParameterTemplate

MOST_KEPT = 500
MOST_BYTES = 8 * 1024 * 1024
"""Of XML: what it is parsed into takes about a dozen times as much memory."""


class ModelUnread(BaseException):
    """Thrown through a step that needs a model which is not in memory; no error, so nothing on the way catches it."""

    def __init__(self, deployment_id: str, read: Callable[[], object]) -> None:
        super().__init__(deployment_id)
        self.deployment_id = deployment_id
        self.read = read
        """Has it in memory; for another thread, since it may take long."""


@dataclass(frozen=True, eq=False)
class Definition:
    """What it takes to start and run instances of one deployment."""

    deployment_id: str
    model_id: str | None
    key: str
    name: str
    version: int
    process: Process
    parameter_template: ParameterTemplate | None
    outputs_template: OutputsTemplate | None
    on_failure: FailurePolicy = ROLLBACK
    """What follows a failure in an instance whose start does not say."""

    @cached_property
    def form(self) -> Form | None:
        """What whoever starts it fills in."""
        entries = (node for node in self.process.entries if isinstance(node, StartEvent))
        return next((node.form for node in entries if node.form is not None), None)


class Definitions:
    """The definitions in use, parsed when they are first needed."""

    def __init__(self, load: Callable[[str], DeploymentRow], *, limits: Limits, scripts: bool) -> None:
        self._load = load
        self._limits = limits
        self._scripts = scripts
        self._kept: OrderedDict[str, Definition] = OrderedDict()
        self._decisions: OrderedDict[str, tuple[DeploymentRow, Decisions]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._lock = Lock()
        self.are_read_aside = False
        """Whether steps leave it to another thread to read models."""
        self.stepper = 0
        """The thread that steps and cannot wait while a model is read, by its identifier; 0 where there is none."""
        self.awaited: set[str] = set()
        """Deployments that steps wait for: no other step gets one before those that have waited."""

    def get(self, deployment_id: str) -> Definition:
        """The definition of a deployment; raises UnknownDeployment, Conflict for what an undo runs, ModelUnread."""
        found = self._kept.get(deployment_id)
        if found is None or self.awaited:
            self._refuse_to_wait(found, deployment_id, self.get)
        return found or self._read(self._load(deployment_id))

    def decisions(self, deployment_id: str) -> tuple[DeploymentRow, Decisions]:
        """The decisions of a deployment; raises UnknownDeployment, ModelUnread."""
        found = self._decisions.get(deployment_id)
        if found is None or self.awaited:
            self._refuse_to_wait(found, deployment_id, self.decisions)
        if found is None:
            row = self._load(deployment_id)
            decisions = self.parsed(row).decisions
            assert decisions is not None
            with self._lock:
                found = self._decisions[deployment_id] = row, decisions
                while len(self._decisions) > 1 and (
                    len(self._decisions) > MOST_KEPT
                    or sum(len(kept.sources) for kept, _ in self._decisions.values()) > MOST_BYTES
                ):
                    self._decisions.popitem(last=False)
        return found

    def _refuse_to_wait(self, found: object, deployment_id: str, read: Callable[[str], object]) -> None:
        if self.stepper == get_ident() and (found is None or deployment_id in self.awaited):
            raise ModelUnread(deployment_id, partial(read, deployment_id))

    def process_at(self, place: str) -> Process:
        """The process at a place: a deployment and, after slashes, call activities that lead on to processes inside."""
        deployment_id, *calls = place.split("/")
        process = self.get(deployment_id).process
        for call in calls:
            node = process.find(call)
            assert isinstance(node, CallActivity)
            assert node.own_process is not None
            process = node.own_process
        return process

    def parsed(self, row: DeploymentRow) -> ParsedModels:
        """What its files hold."""
        if row.undo_order is not None:
            text = f"Deployment {row.id} is what one undo runs, and nothing else: start the deployment of a model."
            raise Conflict(text, code="undo-deployment")
        from .bundle import read_again  # late, as it says itself

        return read_again(
            unpack(row.sources), limits=self._limits, scripts=self._scripts, null_is_false=row.meaning == 0
        )

    def made_of(self, row: DeploymentRow) -> Definition:
        """The definition of a deployment that need not be stored; raises Conflict for one of decisions."""
        parsed = self.parsed(row)
        if parsed.key is not None and not parsed.processes:
            text = f"Deployment {row.id} ({row.key!r}) holds decisions and no process: evaluate one instead."
            raise Conflict(text, code="decision-deployment")
        if row.key not in parsed.processes:
            raise ModelInvalid(parsed.findings)
        process = parsed.processes[row.key]
        if row.undo_on_compensation:
            for node in (node for each in parsed.processes.values() for node in each.walk()):
                node.undo_on_compensation = node.undo_on_compensation is not False
        return Definition(
            row.id,
            row.model_id,
            row.key,
            row.name,
            row.version,
            process,
            *_templates(row, self._limits),
            read_policy(row.on_failure) if row.on_failure else process.on_failure or ROLLBACK,
        )

    def _read(self, row: DeploymentRow) -> Definition:
        definition = self.made_of(row)
        with self._lock:
            self._kept[row.id] = definition
            self._sizes[row.id] = len(row.sources)
            while len(self._kept) > 1 and (len(self._kept) > MOST_KEPT or sum(self._sizes.values()) > MOST_BYTES):
                oldest, _ = self._kept.popitem(last=False)
                del self._sizes[oldest]
        return definition


def _templates(row: DeploymentRow, limits: Limits) -> tuple[ParameterTemplate | None, OutputsTemplate | None]:
    if not (row.parameter_template or row.outputs_template):
        return None, None
    from .templates import read_templates  # late, like all that reads models

    return read_templates(row.parameter_template, row.outputs_template, limits)
