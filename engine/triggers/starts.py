"""Starting a process instance: what is asked for, checked before, and begun in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...models import ContentRow, InstanceRow, SubscriptionRow
from .. import jsontext
from ..authoring.definitions import Definition
from ..authoring.deployments import Deployments
from ..authoring.start_forms import completed_by_template, started_with
from ..bpmn.running.failure_policy import FailurePolicy, asked_policy
from ..bpmn.running.node import Node
from ..errors import Conflict, Invalid, LimitExceeded, UnknownDeployment
from ..identifiers import new_uuid
from ..instance import process_slots
from ..instance.facilities import Facilities
from ..instance.flags import Flags
from ..instance.forward import ForwardInstance
from ..instance.masked_values import refuse_masked_start
from ..instance.notes.history import note
from ..ledger.window import Window
from ..observing import tracing
from ..river.turn import Turn
from ..showing.lists.awaited import awaited_in
from ..showing.masked_views import mask_for, show_instance
from ..steps import settling
from ..steps.repair import suspending
from ..views.processes import ProcessInstance
from .request_keys import RequestKey, refuse_length, request_key

MOCK = "SipRS::Mock"
"""The start variable that, set to true, makes a mock run."""
LONGEST_NAME = 255
HIGHEST_PRIORITY = 1_000_000
Drain = Literal["stop", "all"]
COUNT_HOLDS = 5_000
"""Milliseconds for which a count of running instances is relied on; other engines start some too."""


@dataclass(kw_only=True, slots=True)
class CheckedStart:
    """A request to start that was checked; ``variables`` as given, ``completed`` with what the parameter template adds.

    Nobody changes one; but one that says so itself takes longer to make than to check.
    """

    definition: Definition
    name: str
    variables: Mapping[str, Any]
    completed: Mapping[str, Any]
    flags: int = 0
    """Bits of :class:`~.instance.Flags`."""
    patience: int | None = None
    """How many milliseconds a pause lasts before the rollback."""
    priority: int = 0
    by_key: bool = False
    newest: bool = False
    """Whether the definition has to be the newest of its key when the process begins."""
    in_use: bool = False
    """Whether its deployment must not be removed then."""
    business_key: str | None = None
    owner: str | None = None
    """Who alone sees and touches it, beside those who see all."""
    callback_url: str | None = None
    """Who is told over HTTP what it comes to."""
    idempotency: RequestKey | None = None
    entry: Node | None = None
    """The start event that was triggered; None for a plain start."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    thrower: int | None = None
    """The process whose message or signal starts it."""


class Starts:
    """Checks requests to start, and begins them."""

    def __init__(self, facilities: Facilities, deployments: Deployments) -> None:
        self.facilities = facilities
        self.deployments = deployments
        self._room: dict[str, tuple[int, int]] = {}

    def request(
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
    ) -> CheckedStart:
        """Check everything that can be wrong, the form and the parameter template too.

        Raises Malformed, Invalid, VariablesInvalid, LimitExceeded, Unknown….
        """
        jsontext.check_texts(owner=owner)
        limits = self.facilities.limits
        values = jsontext.values_of(variables, limits=limits, name="variables")
        if not name.strip() or len(name) > LONGEST_NAME:
            text = f"Must be a text of 1 to {LONGEST_NAME} characters."
            raise Invalid("The process name is empty or too long.", errors={"processName": [text]})
        if business_key is not None:
            refuse_length("businessKey", business_key)
        for what, given in (("processName", name), ("businessKey", business_key)):
            jsontext.check(given, limits=limits, name=what)
        about = [key, deployment_id, model_id, name, values, business_key, rollback, protected]
        # What is not asked for leaves the digests of earlier versions as they were.
        about += [drain] if drain != "stop" else []
        about += [{"onFailure": on_failure}] if on_failure is not None else []
        about += [{"callbackUrl": callback_url}] if callback_url is not None else []
        about += [{"priority": priority}] if priority else []
        idempotency = request_key(self.facilities, idempotency_key, owner, about)
        if drain not in ("stop", "all"):
            text = f"{drain!r} is no way to drain: use stop or all."
            raise Invalid(text, errors={"drain": ["Must be stop or all."]})
        if type(priority) is not int or abs(priority) > HIGHEST_PRIORITY:
            text = f"Must be a whole number from -{HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}."
            raise Invalid("The priority is no whole number, or too large.", errors={"priority": [text]})
        definition = self.deployments.to_start(key=key, deployment_id=deployment_id, model_id=model_id)
        self._refuse_too_many(definition.key)
        refuse_masked_start(definition, values, self.facilities.stones)
        flags = 0
        flags |= Flags.DEBUG if model_id is not None else 0
        flags |= Flags.MOCK if values.get(MOCK) is True else 0
        policy = _policy(definition, on_failure, rollback)
        flags |= _flag(policy)
        flags |= Flags.PROTECTED if protected else 0
        flags |= Flags.DRAIN_ALL if drain == "all" else 0
        return CheckedStart(
            definition=definition,
            name=name,
            variables=values,
            completed=started_with(definition, values, self.facilities.clock.now(), limits),
            flags=flags,
            patience=policy.patience,
            priority=priority,
            by_key=key is not None,
            newest=key is not None,
            in_use=deployment_id is not None,
            business_key=business_key,
            owner=owner,
            callback_url=callback_url,
            idempotency=idempotency,
        )

    def triggered(
        self,
        deployment_id: str,
        node: str,
        name: str,
        payload: Mapping[str, Any],
        business_key: str | None,
        owner: str | None,
        depth: int,
        thrower: int | None = None,
    ) -> CheckedStart:
        """The start of a process by a message or a signal; its payload is the start variables.

        ``depth`` is how many processes in a row have started one another so. Raises LimitExceeded.
        """
        limit = self.facilities.limits.throw_depth
        if depth > limit:
            raise LimitExceeded("throw_depth", f"Processes start one another deeper than throw_depth ({limit}) allows.")
        definition = self.facilities.definitions.get(deployment_id)
        self._refuse_too_many(definition.key)
        policy = definition.on_failure
        completed = completed_by_template(definition, payload)
        return CheckedStart(
            definition=definition,
            name=name[:LONGEST_NAME],
            variables=payload,
            completed=completed,
            flags=depth * Flags.THROWN | _flag(policy),
            patience=policy.patience,
            by_key=True,
            business_key=business_key,
            owner=owner,
            entry=definition.process.nodes[node],
            payload={name: completed[name] for name in payload},
            thrower=thrower,
        )

    def _refuse_too_many(self, key: str) -> None:
        """Raise LimitExceeded if as many instances of this key run as may.

        Counting costs with their number, so after a count half of the room that it found is given away uncounted.
        """
        now = self.facilities.clock.now()
        room, counted = self._room.get(key, (0, 0))
        if room > 0 and 0 <= now - counted < COUNT_HOLDS:
            self._room[key] = (room - 1, counted)
            return
        limit = self.facilities.limits.instances_per_key
        running = self.facilities.store.active_count(key)
        if running >= limit:
            text = f"{running} processes of the key {key!r} run, and instances_per_key allows {limit}: try again later."
            raise LimitExceeded("instances_per_key", text)
        self._room[key] = ((limit - running - 1) // 2, now)

    def started_before(self, idempotency: RequestKey) -> int | None:
        """The instance that this idempotency key has started; raises Conflict if it was for something else."""
        found = self.facilities.store.start_request(idempotency[0])
        if found is None:
            return None
        if found[0] not in idempotency[1]:
            raise Conflict(
                f"The idempotency key was used for another request, which started process {found[1]}: use a new one.",
                code="idempotency-conflict",
                related=str(found[1]),
            )
        return found[1]

    def begin_newest(self, turn: Turn, request: CheckedStart) -> ProcessInstance | Literal[False]:
        """The same, or nothing and False if there is a newer deployment of the key than what was checked.

        The commit makes sure of that, and that the one that was meant is in use. Where it has refused a turn that
        begins many, each is asked about here. Raises UnknownDeployment.
        """
        definition = request.definition
        deployment_id = definition.deployment_id
        if turn.alone:
            if request.newest and self.deployments.ask_for_newest(definition.key) != deployment_id:
                return False
            if not request.newest and not self.deployments.store.catalogue.is_in_use(deployment_id):
                if request.in_use:
                    raise UnknownDeployment(deployment_id)
                # A model as it stood, whose trial was purged: it is kept again.
                return False
        if request.newest:
            turn.changes.begun[deployment_id] = True
        return self.begin(turn, request)

    def begin(self, turn: Turn, request: CheckedStart) -> ProcessInstance:
        """Make the instance and run it to where it first waits; its record as this transaction leaves it."""
        definition = request.definition
        turn.changes.begun.setdefault(definition.deployment_id, False)
        now = self.facilities.clock.now()
        number = self.facilities.store.ids.next()
        if request.thrower is not None:
            # Before it throws something itself.
            self.facilities.families.join(number, request.thrower)
        row = InstanceRow(
            process_instance_id=number,
            id=new_uuid(),
            model_id=definition.model_id,
            model_key=definition.key if request.by_key else None,
            deployment_id=definition.deployment_id,
            key=definition.key,
            name=request.name,
            kind="start",
            status="debug" if request.flags & Flags.DEBUG else "running",
            phase="running",
            flags=request.flags,
            revision=0,
            next_token=1,
            steps=0,
            started=now,
            business_key=request.business_key,
            owner_name=request.owner,
            patience=request.patience,
            priority=request.priority,
        )
        content = ContentRow(number, jsontext.dumps(dict(request.variables)))
        variables = request.completed
        if request.entry is not None and request.entry.only_mapped:
            variables = {name: value for name, value in variables.items() if name not in request.payload}
        if turn.changes.who is not None and (names := definition.process.initiators):
            # Before what was asked for: nobody starts it in the name of another.
            variables = {**variables, **dict.fromkeys(names, turn.changes.who)}
        if variables != request.variables:
            content.variables = jsontext.dumps(dict(variables))
        turn.changes.new_instances[number] = row
        turn.changes.new_contents[number] = content
        if (url := request.callback_url) is not None:
            turn.changes.rare.new_subscriptions.append(
                SubscriptionRow(
                    id=new_uuid(), url=url, created=now, process_instance_id=number, owner_name=request.owner
                )
            )
        if request.idempotency is not None:
            key, (digest, *_) = request.idempotency
            turn.changes.rare.new_start_requests.append((key, digest, number, now))
        tasks = Window(self.facilities.store, number)
        instance = ForwardInstance(self.facilities, row, content, definition, tasks)
        instance.watch_way()
        turn.join(instance)
        suspending.begin_suspended(instance)
        process_slots.queue(instance)
        tracing.begun(row)
        if turn.changes.who is not None:
            note(instance, "started")
        entry = request.entry
        if entry is None and not definition.process.entries:
            # A process that only triggers start can still be started by hand: at the first of them.
            entry = next((node for node, _ in definition.process.starting), None)
        settling.begin(instance, entry, request.payload)
        # Shown now: by the time that the start is acknowledged, the process may have gone on.
        hidden = tasks.values() if row.flags & Flags.SECRETS else ()
        mask = mask_for(definition, content, hidden, self.facilities.stones)
        return show_instance(row, content, {}, mask, waits_for=awaited_in(instance))


def _policy(definition: Definition, on_failure: str | None, rollback: bool) -> FailurePolicy:
    """What follows a failure: what is asked for, else what the deployment says; raises Invalid."""
    if on_failure is None:
        return FailurePolicy("keep") if not rollback else definition.on_failure
    if not rollback:
        text = "Switching the rollback off is onFailure 'keep': give one of the two."
        raise Invalid(text, errors={"onFailure": [text], "rollback": [text]})
    return asked_policy(on_failure)


def _flag(policy: FailurePolicy) -> int:
    return {"rollback": 0, "keep": Flags.NO_ROLLBACK, "pause": Flags.PAUSES}[policy.action]
