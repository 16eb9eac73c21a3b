"""Why a process stands at each of its places: an open task, an event that is awaited, a gateway that joins."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....models import EXTERNAL, MOST_COUNTED, WORKERS, EngineRow, Handovers, Suspensions, TaskRow
from ....models.vocabulary import HOOKS
from ...bpmn.elements.boundary import BoundaryEvent
from ...bpmn.elements.gateways import Join, ParallelGateway
from ...bpmn.elements.tasks import UserTask
from ...bpmn.running.timers.cycles import Cycle
from ...bpmn.running.waits import Wait
from ...clock import moment
from ...instance.instance import Instance
from ...instance.tasks.offers import topic_of
from ...ledger import deferral, ledger
from ...mask import Mask

if TYPE_CHECKING:
    from ...bpmn.running.node import Node
    from ...bpmn.running.token import Token
    from ...stones.quota import Quota

UNITS = ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))
SERVE = "riverstone --stones MODULE serve"
WORK = "riverstone --broker URL --stones MODULE worker"


@dataclass(kw_only=True, slots=True)
class Said:
    """What has been said so far, and what whoever asks can do; both without repetition."""

    mask: Mask | None
    now: int
    sentences: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def say(self, text: str, *given: str) -> None:
        """Add a sentence and commands that help, their secrets hidden."""
        hidden = (text, *given) if self.mask is None else map(self.mask.mask_text, (text, *given))
        text, *commands = hidden
        if text not in self.sentences:
            self.sentences.append(text)
        self.commands += [command for command in commands if command not in self.commands]


@dataclass(kw_only=True, slots=True)
class ExplanationText(Said):
    """The same of an instance that was read."""

    instance: Instance
    engines: Mapping[str, EngineRow]
    """The engines that work on the store and carry stones out, by id."""


def at(milliseconds: int, now: int) -> str:
    """A moment as people read it, and how far it is from now."""
    shown = moment(milliseconds)
    distance = span(abs(milliseconds - now))
    return f"{shown:%Y-%m-%d %H:%M:%S} ({f'in {distance}' if milliseconds > now else f'{distance} ago'})"


def span(milliseconds: int) -> str:
    """A length of time in the unit that fits."""
    seconds = milliseconds // 1000
    if seconds == 0:
        return "less than a second"
    length, unit = next((length, unit) for least, length, unit in UNITS if seconds >= least)
    count = seconds // length
    return f"{count} {unit[:-1] if count == 1 else unit}"


def sentence(text: str | None) -> str:
    """A text of others as a sentence of its own."""
    text = (text or "").strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


def begun(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def task_label(row: TaskRow) -> str:
    """A task by its id, name and element."""
    return f"task {row.id} ({named(row.name, row.node)}{f', stone {row.stone}' if row.stone else ''})"


def node_label(node: Node) -> str:
    """An element of the model by its name and id."""
    return named(node.bpmn_name, node.bpmn_id.partition(":")[0])


def named(name: str | None, element_id: str) -> str:
    """An element by its name, where it has another one than its id, and its id."""
    return f"{name!r}, {element_id}" if name and name != element_id else element_id


def tell_task(telling: ExplanationText, row: TaskRow) -> None:
    """Why an open task has not ended."""
    label, number = task_label(row), telling.instance.number
    if row.stone is None:
        text = f"It waits for a person to do {label}, since {at(row.created, telling.now)}."
        token = telling.instance.workflow.tasks.get(row.token)
        has_form = token is not None and isinstance(token.node, UserTask) and bool(token.node.form)
        # A form would refuse nothing at all as an answer, so what it asks for is shown first.
        telling.say(
            text, f"riverstone task show {row.id}" if has_form else f"riverstone complete {row.id} --outputs '{{}}'"
        )
    elif row.status == "stone-missing" and row.stone in telling.instance.facilities.stones.external:
        text = (
            f"{begun(label)} waits. {sentence(row.reason)} Start a worker for the topic {topic_of(row)!r}, or declare"
        )
        stone = telling.instance.facilities.stones.choose(row.stone, row.parameters)
        known = [hook for hook in HOOKS if hook == "start" or (stone is not None and stone.has(hook))]
        hooks = " ".join(f"--hook {hook}" for hook in known)
        telling.say(f"{text} that the stone has no {row.event}.", f"riverstone stone declare {row.stone} {hooks}")
    elif row.status == "stone-missing":
        text = f"{begun(label)} waits, because no running engine knows the stone {row.stone!r}"
        telling.say(f"{text}: serve with the module that defines it.", SERVE)
    elif row.status == "suspended":
        _tell_held(telling, row, label)
    elif row.status == "queued":
        _tell_queued(telling, row, label)
    elif deferral.is_deferred(row):
        _tell_deferred(telling, row, label)
    elif row.due is not None:
        _tell_waiting(telling, row, label)
    else:
        _tell_handed_over(telling, row, label)
    if row.deadline is not None and row.status not in ledger.HELD_BACK:
        telling.say(f"The timeout of {row.event} of task {row.id} ends at {at(row.deadline, telling.now)}.")
    if row.stone is not None and not telling.engines:
        telling.say("No engine that carries out stones works on this database: nothing goes on.", SERVE)
    if row.log:
        last = sentence(json.loads(row.log)[-1])
        telling.say(f"The last line in the log of task {row.id}: {last}", f"riverstone tasks {number}")


def _tell_held(telling: ExplanationText, row: TaskRow, label: str) -> None:
    """Nothing of its stone begins, or of its process, of which is told elsewhere."""
    found = Suspensions(telling.instance.facilities.store).of("stone", row.stone or "")
    if found is None:
        telling.say(f"{begun(label)} is not begun. {sentence(row.reason)}")
        return
    by = f" by {found.who}" if found.who else ""
    why = f": {sentence(found.reason)}" if found.reason else "."
    text = f"{begun(label)} is not begun. Its stone {found.name!r} was suspended{by} at {at(found.since, telling.now)}"
    telling.say(f"{text}{why}", f"riverstone stone unsuspend {shlex.quote(found.name)}")


def _tell_queued(telling: ExplanationText, row: TaskRow, label: str) -> None:
    facilities = telling.instance.facilities
    stone = facilities.stones.choose(row.stone, row.parameters)
    declared = None if stone is None else facilities.stones.quotas.get(stone)
    _tell_line(telling, row.id, begun(label), declared)


def tell_begin(telling: ExplanationText) -> None:
    """Why a process has not begun that waits for a slot."""
    row = telling.instance.row
    declared = telling.instance.facilities.process_quotas.get(row.key)
    _tell_line(telling, row.process_instance_id, "It has not begun: it", declared)


def _tell_line(telling: ExplanationText, number: int, what: str, declared: Quota | None) -> None:
    place = telling.instance.facilities.quotas.place(number)
    if place is None:
        telling.say(f"{what} waits for a quota, and asks for it again when its process goes on.")
        return
    use, quota = place.use, place.use.row
    text = f"{what} waits for the quota {quota.name!r}"
    if quota.value is not None:
        by = declared.by if declared is not None and declared.by is not None else "the value"
        text += f" for {by} {quota.value!r}"
    held = use.undo_held if place.slot.undo else use.held
    if quota.at_once is not None and held >= quota.at_once:
        text += f": {held} of {quota.at_once} are at work"
    elif quota.per_minute is not None:
        text += f": {quota.per_minute} of them may begin in a minute"
        text += f", the next at {at(quota.due, telling.now)}" if quota.due else ""
    if place.ahead >= MOST_COUNTED:
        text += f"; it is behind more than {place.ahead} others"
    elif place.ahead:
        text += "; it is behind 1 other" if place.ahead == 1 else f"; it is behind {place.ahead} others"
    telling.say(f"{text}.", f"riverstone quotas --name {shlex.quote(quota.name)}")


def _tell_deferred(telling: ExplanationText, row: TaskRow, label: str) -> None:
    text = f"{begun(label)} was handed to somebody outside, who has not told yet what came of it"
    if row.event == "monitor" and row.due is not None:
        text += f"; its monitor looks at {at(row.due, telling.now)}"
    elif row.due is not None:
        text += f"; it fails at {at(row.due, telling.now)} unless it is completed before"
    telling.say(f"{text}.")


def _tell_waiting(telling: ExplanationText, row: TaskRow, label: str) -> None:
    assert row.due is not None
    when = at(row.due, telling.now)
    if row.status.endswith(".failed"):
        stone = telling.instance.facilities.stones.choose(row.stone, row.parameters)
        retries = ledger.kept(row).get("retries", stone.retries if stone is not None else None)
        spare = None if retries is None else max(0, retries + 1 - ledger.tries(row))
        left = "" if spare is None else f"; {spare} of {retries} retries are left after that"
        what = "is tried again" if row.event != "rollback" else "is undone before it is tried again"
        telling.say(f"{begun(label)} {what} at {when}{left}. {sentence(row.reason)}".rstrip())
    elif row.owner is None and row.due <= telling.now:
        text = f"{begun(label)} was left by an engine that stopped or died, or acts only when it is called"
        telling.say(f"{text}; the next one that runs takes it over.", SERVE)
    elif row.due < telling.now - 5_000:
        telling.say(f"{begun(label)} has been due since {when}: its engine is behind or gone.")
    elif row.event == "monitor":
        done = f", {row.progress} % done" if row.progress else ""
        telling.say(f"{begun(label)} has begun{done}; its monitor looks again at {when}.")
    else:
        text = f"{begun(label)} waits until a hook that is in its way has come back"
        telling.say(f"{text}; it looks again at {when}.")


def _tell_handed_over(telling: ExplanationText, row: TaskRow, label: str) -> None:
    facilities = telling.instance.facilities
    done = f", {row.progress} % done" if row.progress else ""
    attempt = f", attempt {row.attempt}" if row.attempt > 1 else ""
    text = f"{row.event} of {label}{attempt}{done}"
    if row.owner == WORKERS:
        _tell_of_workers(telling, row, text)
    elif row.owner == EXTERNAL:
        _tell_of_fetches(telling, row, text)
    elif facilities.dispatcher.running(row.id):
        telling.say(f"The {text} runs here now; the task began at {at(row.created, telling.now)}.")
    elif facilities.dispatcher.holds(row.id):
        telling.say(f"The {text} waits here for a free thread.")
    elif row.owner in telling.engines:
        engine = telling.engines[row.owner or ""]
        heard = f"process {engine.pid} on {engine.host}, heard of {span(max(0, engine.silent))} ago"
        telling.say(f"The {text} is in the hands of an engine ({heard}) since {at(row.created, telling.now)} or later.")
    else:
        gone = f"The {text} was in the hands of an engine that is gone"
        telling.say(f"{gone}; the next one that runs takes it over.", SERVE)


def _tell_of_workers(telling: ExplanationText, row: TaskRow, text: str) -> None:
    """How a task fares that was handed to workers on other machines, as far as these have told."""
    found = Handovers(telling.instance.facilities.store).looked_for(row.id)
    if found is None:
        telling.say(f"The {text} was put into the queue of its workers a moment ago.")
        return
    running, vouched, since = found
    if vouched is None:
        text = f"The {text} has been in the queue of its workers for {span(since)}, and none has shown that it has it"
        telling.say(f"{text}: see that a worker with this stone runs and has a hand free.", WORK)
    elif vouched < 0:
        text = f"The {text} was in the hands of a worker that has not been heard of since"
        telling.say(f"{text}; it is offered to others in a moment.", WORK)
    else:
        telling.say(f"The {text} {'runs on' if running else 'is in the hands of'} a worker, which is alive.")


def _tell_of_fetches(telling: ExplanationText, row: TaskRow, text: str) -> None:
    """Who has fetched a task over HTTP, if anybody."""
    external = telling.instance.facilities.external
    offered = external.rows([row.id]).get(row.id)
    left = -1 if offered is None or offered.until is None else offered.until - external.now()
    if offered is None or offered.worker is None:
        text = f"The {text} waits for a worker to fetch the topic {topic_of(row)!r} over HTTP"
        telling.say(
            f"{text}, since {at(row.created, telling.now)}: see that one runs, and that its key lists the topic."
        )
        if (owner := telling.instance.row.owner_name) is not None:
            telling.say(
                f"The process is of the owner {owner!r}: the worker's key has to have the same, or every owner."
            )
    elif left >= 0:
        telling.say(f"The {text} is locked by the worker {offered.worker!r} for another {span(left)}.")
    else:
        text = f"The {text} was locked by the worker {offered.worker!r}, whose lock ran out"
        telling.say(f"{text}; whoever fetches the topic {topic_of(row)!r} next gets it.")


def tell_waits(telling: ExplanationText) -> None:
    """Which messages, signals, times and conditions are awaited."""
    workflow = telling.instance.workflow
    for token_id in sorted(workflow.waits):
        token = workflow.tasks.get(token_id)
        if token_id in workflow.paused:
            # How long it waits for somebody is told with what has failed.
            continue
        for wait in workflow.waits[token_id] if token is not None else ():
            assert token is not None
            _tell_wait(telling, token, wait)


def _again(telling: ExplanationText, token: Token, number: int, due: int) -> str:
    """When a timer that repeats comes after the time for which it waits."""
    kept = token.internal_data.get("repeats", {}).get(str(number))
    times = [] if kept is None else list(Cycle.of(kept).turns(due, 3))
    more = " and so on" if len(times) > 2 else ""
    return f", then {', '.join(at(each, telling.now) for each in times[:2])}{more}" if times else ""


def _event_label(node: Node) -> str:
    """The name in brackets: behind a comma it would read as the subject of what follows."""
    element_id = node.bpmn_id.partition(":")[0]
    return f"{element_id} ({node.bpmn_name!r})" if node.bpmn_name and node.bpmn_name != element_id else element_id


def _tell_wait(telling: ExplanationText, token: Token, wait: Wait) -> None:
    node = token.node
    where = f"The event {_event_label(node)}"
    if isinstance(node, BoundaryEvent):
        where = f"The event {_event_label(node)} on {_event_label(node.host)}"
    elif node.name.endswith(":listener"):
        where = f"The event sub-process {_event_label(node)}"
    if wait.kind in ("timer", "date") and wait.due is not None:
        late = "" if wait.due > telling.now - 5_000 else ": it is late, because no engine that runs looks after it"
        then = "" if late else _again(telling, token, wait.number, wait.due)
        telling.say(f"{where} waits until {at(wait.due, telling.now)}{then}{late}.", *((SERVE,) if late else ()))
    elif wait.kind == "message":
        about = f" with the correlation {wait.correlation!r}" if wait.correlation is not None else ""
        command = f"riverstone message {shlex.quote(wait.name or '')} --process {telling.instance.number}"
        command += f" --correlation {shlex.quote(wait.correlation)}" if wait.correlation is not None else ""
        telling.say(f"{where} waits for the message {wait.name!r}{about}.", command)
    elif wait.kind == "signal":
        telling.say(f"{where} waits for the signal {wait.name!r}.", f"riverstone signal {shlex.quote(wait.name or '')}")
    else:
        telling.say(f"{where} waits until its condition holds.")


def tell_joins(telling: ExplanationText) -> None:
    """Which gateways have some of their incoming branches and wait for others."""
    for scope in telling.instance.workflow.tasks.values():
        for name, queues in scope.joins.items():
            tokens = [token for queue in queues.values() for token in queue]
            if tokens and isinstance(tokens[0].node, Join):
                _tell_join(telling, tokens[0].node, name, queues, tokens)


def _tell_join(
    telling: ExplanationText, node: Join, name: str, filled: Collection[str | None], tokens: Sequence[Token]
) -> None:
    came = [node_label(flow.source) for flow in node.incoming if flow.id in filled]
    missing = [f"{node_label(flow.source)} (flow {flow.id})" for flow in node.incoming if flow.id not in filled]
    kind = "parallel" if isinstance(node, ParallelGateway) else "joining"
    rule = "" if isinstance(node, ParallelGateway) else ", as far as anything can still come from there"
    telling.say(
        f"The {kind} gateway {node_label(node)} has {len(came)} of {len(node.incoming)} incoming branches"
        f" (from {', '.join(came)}) and waits for that from {' and '.join(missing)}{rule}."
    )


def open_tasks(instance: Instance) -> Iterator[TaskRow]:
    """The tasks that have not ended, oldest first."""
    return iter(sorted(instance.tasks.open_rows(), key=lambda row: row.id))
