"""The table of bounds that are no settings: names and values from the code, what happens beyond them from here."""

from __future__ import annotations

from importlib import import_module
from typing import Literal, NamedTuple

from .blocks import table

Unit = Literal["", "characters", "seconds", "milliseconds", "bytes"]
REFUSED = "It is refused."


class Bound(NamedTuple):
    """One constant that a user may meet, by its module and name."""

    what: str
    place: str
    beyond: str
    unit: Unit = ""


BOUNDS = (
    Bound("name of a process, business key", "engine.triggers.starts.LONGEST_NAME", REFUSED, "characters"),
    Bound(
        "`id` of an element, which is also the key of a process",
        "engine.bpmn.checks.processes.LONGEST_ID",
        REFUSED,
        "characters",
    ),
    Bound("code of a stone", "engine.bpmn.elements.tasks.LONGEST_CODE", REFUSED, "characters"),
    Bound(
        "name of a message or signal, correlation", "engine.bpmn.elements.triggers.LONGEST_NAME", REFUSED, "characters"
    ),
    Bound("version tag", "engine.authoring.deployments.LONGEST_TAG", REFUSED, "characters"),
    Bound("`Idempotency-Key` of a request", "engine.triggers.request_keys.LONGEST_KEY", REFUSED, "characters"),
    Bound(
        "for how long the key of a message or signal is known",
        "engine.river.due.store_polls.KEYS_KNOWN",
        "The same request acts once more.",
        "milliseconds",
    ),
    Bound(
        "candidate users, and candidate groups, of one task",
        "engine.bpmn.elements.people.assignment.MOST_NAMES",
        "The task fails.",
    ),
    Bound("groups of one person", "engine.person.MOST_GROUPS", REFUSED),
    Bound(
        "parts of one Camunda Form", "engine.bpmn.reading.people.form_schema.MOST_COMPONENTS", "The model is refused."
    ),
    Bound("text in a form", "engine.bpmn.elements.people.form.LONGEST_TEXT", "The rest is cut off.", "characters"),
    Bound(
        "duration of a timer",
        "engine.bpmn.running.timers.moments.LONGEST",
        "It is refused, or fails at its event if it is calculated.",
        "milliseconds",
    ),
    Bound(
        "pause after which a hook asks to be called again",
        "engine.work.LONGEST_PAUSE",
        "It is called after this time.",
        "seconds",
    ),
    Bound("reason of a failure", "engine.work.LONGEST_REASON", "The rest is cut off.", "characters"),
    Bound("lines that one call of a hook logs", "engine.work.MOST_LOG_LINES", "The oldest are dropped."),
    Bound("one line of it", "engine.work.LONGEST_LOG_LINE", "The rest is cut off.", "characters"),
    Bound("deferral of a task", "engine.stones.deferral.LONGEST_DEFERRAL", REFUSED, "seconds"),
    Bound("time to live of a message for which nobody waits", "engine.calls.events.LONGEST_TTL", REFUSED, "seconds"),
    Bound(
        "lock of a task that workers fetch over HTTP",
        "engine.calls.tasks.external_tasks.LONGEST_LOCK",
        REFUSED,
        "milliseconds",
    ),
    Bound("tasks of one fetch", "engine.calls.tasks.external_views.MOST_AT_ONCE", "It gets this many."),
    Bound("topics of one fetch", "api.camunda.workers.MOST_TOPICS", REFUSED),
    Bound(
        "timeout of a check whose stone names none",
        "engine.river.checks.LONGEST",
        "Nobody can tell: the state stays as it was.",
        "seconds",
    ),
    Bound(
        "a secret that a model refers to", "engine.secret_sources.source.LARGEST", "The attempt fails.", "characters"
    ),
    Bound("a session of a browser", "engine.operating.sessions.LONGEST", "The person signs in again.", "milliseconds"),
    Bound(
        "values of one entry of the history",
        "engine.instance.notes.history.MOST_IN_AN_ENTRY",
        "They are left out, and the entry says so.",
        "characters",
    ),
    Bound(
        "result of a decision that is kept",
        "engine.instance.notes.decision_made.MOST",
        "What is larger is named in its place.",
        "characters",
    ),
    Bound(
        "a value that a rewind can restore",
        "engine.bpmn.running.retracing.LONGEST",
        "The rewind is refused.",
        "characters",
    ),
    Bound(
        "tasks of an undo that begin in one turn",
        "engine.undo.nodes.MOST_AT_ONCE",
        "The others begin in the next turns.",
    ),
    Bound(
        "what one stretch of a process may take before others have their turn",
        "engine.river.turn.LONGEST",
        "It goes on in a later turn.",
        "seconds",
    ),
    Bound(
        "calls of FEEL functions inside each other",
        "engine.language.feel.functions.MOST_CALLS",
        "The expression fails.",
    ),
    Bound(
        "brackets inside each other in FEEL", "engine.language.feel.reading.cursor.MOST_NESTED", "The model is refused."
    ),
    Bound("findings of one check of a model", "engine.findings.MOST", "Further ones are left out."),
    Bound("declared stones of a store", "models.declarations.MOST", REFUSED),
    Bound(
        "processes in whose names a text is sought inside of words",
        "models.search.text_search.NEWEST",
        "Older ones are found by the beginnings of words. The answer says so.",
    ),
    Bound(
        "processes at a time among which those are sought that no index tells",
        "models.search.pieces.PIECE",
        "The page ends after two such parts of the list. Its cursor tells where to go on.",
    ),
    Bound(
        "resources that one search by text looks through",
        "engine.calls.resources.MOST_SEARCHED",
        "The page ends there. Its cursor tells where to go on.",
    ),
    Bound(
        "tasks from which statistics are made",
        "engine.showing.lists.statistics.MOST_STEPS",
        "Older ones are left out, and the answer says so.",
    ),
    Bound(
        "wait of one request, such as `GET /process/{id}?wait=`",
        "api.parking.LONGEST",
        "It is answered with what there is.",
        "seconds",
    ),
    Bound(
        "requests that wait under another WSGI server (gunicorn)",
        "api.parking.WAITING_THREADS",
        "Further ones are answered at once.",
    ),
    Bound(
        "connections that `serve` holds, if the limit of open files allows",
        "api.server.CONNECTIONS",
        "Those that have been idle longest are closed.",
    ),
    Bound(
        "keys, tokens and sign-ins that are not let in and that a server writes into the audit in an hour",
        "api.access.refusals.MOST",
        "Further ones are counted in one line.",
    ),
    Bound("calls of webhooks for one owner at the same time", "engine.webhooks.sender.PER_OWNER", "Others wait."),
    Bound("calls of webhooks at the same time", "engine.webhooks.sender.MOST_CALLS", "Others wait."),
    Bound("requests that `serve` answers at the same time", "api.server.THREADS", "Others wait for their turn."),
    Bound("time for the head of a request", "api.connections.SILENT", "The connection is closed.", "seconds"),
    Bound(
        "wait for the requests under way when `serve` stops",
        "api.server.DRAIN",
        "It stops without their answers.",
        "seconds",
    ),
)


def bounds() -> str:
    """All of them in this order."""
    rows = [(bound.what, _value(bound), bound.beyond) for bound in BOUNDS]
    return table(("what", "bound", "beyond it"), rows)


def _value(bound: Bound) -> str:
    module, _, name = bound.place.rpartition(".")
    value = getattr(import_module(f"riverstone.{module}"), name)
    if bound.unit == "milliseconds":
        return _time(value / 1000)
    if bound.unit == "seconds":
        return _time(value)
    return f"{value:,} {bound.unit}".strip()


def _time(seconds: float) -> str:
    """As people say it."""
    if seconds < 1:
        return f"{seconds * 1000:g} ms"
    for unit, length in (("years", 365.25 * 86_400), ("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} seconds"
