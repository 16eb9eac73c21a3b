"""The table of limits: names and defaults from the code, what happens beyond them from here."""

from __future__ import annotations

from dataclasses import fields

from riverstone.engine import Limits

from .blocks import table

REFUSED = "The request is refused with 413 (`too-large`)"
NOT_DEPLOYED = "The file is refused with 413 (`too-large`)"
FAILS = "The process fails there, like after any other failure"

MEANS = {
    "body_size": "bytes of one request",
    "json_depth": "levels of nesting in JSON",
    "integer_digits": "digits of a whole number in JSON",
    "model_size": "bytes of all files of one model",
    "model_nodes": "tasks, events and gateways of one model",
    "model_depth": "XML elements nested inside each other",
    "model_elements": "XML elements of one model, its diagram included",
    "model_attributes": "attributes of one XML element",
    "multi_instance": "runs of one multi-instance activity",
    "call_depth": "calls of processes nested inside each other",
    "throw_depth": "processes that start one another within a second by messages and signals",
    "steps_per_turn": "steps of one process without waiting for anything",
    "turn_work": "units of work of one process without waiting for anything "
    "(parts of expressions, members of values, texts by 64 characters)",
    "step_work": "units of work of one step of one token, such as one decision",
    "throw_family": "messages, signals and starts within an hour that go back to one process",
    "throws_per_turn": "messages and signals that one process throws without waiting",
    "steps_per_instance": "steps of one process in all",
    "tokens": "tokens of one process at the same time",
    "timer_interval": "seconds: the shortest time between two turns of a repeated timer",
    "expression_length": "characters of one expression",
    "expression_tokens": "parts of one expression",
    "model_expressions": "characters of all expressions of one model; what is written twice counts once",
    "output_size": "bytes of all outputs of one task",
    "instance_size": "bytes that one process holds: variables, parameters, outputs, what its tokens keep",
    "history_size": "bytes of the history of one process beside its tasks",
    "page_size": "bytes of one part of a list",
    "instances_per_key": "processes of one key that run at the same time",
    "batch_processes": "processes of one batch",
    "check_schedules": "schedules of one store by which what exists is checked again and again",
    "check_interval": "seconds: the shortest time between two turns of one of them",
    "lost_locks": "times that the lock of a task fetched over HTTP may run out without an answer",
    "connections": "connections of one engine to PostgreSQL or MariaDB",
}
BEYOND = {
    "body_size": f"{REFUSED}.",
    "json_depth": "The request is refused with 400 (`malformed`). An output of a stone that is deeper fails its task.",
    "integer_digits": "The request is refused with 422. Send the number as a text.",
    "model_size": f"{NOT_DEPLOYED}. Split the model into processes that call each other.",
    "model_nodes": "The file is refused with 422 and the finding `too-many-nodes`.",
    "model_depth": f"{NOT_DEPLOYED}.",
    "model_elements": f"{NOT_DEPLOYED}.",
    "model_attributes": f"{NOT_DEPLOYED}.",
    "multi_instance": f"{FAILS}.",
    "call_depth": f"{FAILS}.",
    "throw_depth": "The next process is not started, and the throw fails.",
    "steps_per_turn": f"{FAILS}. This ends loops that never wait.",
    "turn_work": f"{FAILS}. Do large calculations in a stone.",
    "step_work": f"{FAILS}. No other process goes on during one step, so keep this small.",
    "throw_family": "The throw fails.",
    "throws_per_turn": f"{FAILS}.",
    "steps_per_instance": f"{FAILS}.",
    "tokens": f"{FAILS}.",
    "timer_interval": "A constant timer that is faster is refused at deployment. A calculated one fails at its event.",
    "expression_length": "The model is refused with the finding `expression`.",
    "expression_tokens": "The model is refused with the finding `expression`.",
    "model_expressions": "The model is refused with the finding `expression`.",
    "output_size": "`add_output` raises `Invalid`, so the task fails. Store large results elsewhere.",
    "instance_size": f"{FAILS}.",
    "history_size": "Later entries are left out, and the history says so. Nothing fails.",
    "page_size": "The part of the list ends there. Its cursor tells where to go on.",
    "instances_per_key": "A start is refused with 429 and `Retry-After`.",
    "batch_processes": "The batch is refused with 422 (`batch-too-large`). Search for fewer.",
    "check_schedules": "Another schedule is refused with 409 (`check-schedules`). Remove one.",
    "check_interval": "The schedule is refused with 422.",
    "lost_locks": "The task has failed.",
    "connections": "A thread waits up to 30 seconds for a free connection. After that its request gets 503.",
}


def limits() -> str:
    """All limits in the order of the code."""
    rows = [
        (
            f"`{field.name}`",
            f"{field.default:,}" if isinstance(field.default, int) else f"{field.default}",
            MEANS[field.name],
            BEYOND[field.name],
        )
        for field in fields(Limits)
    ]
    return table(("limit", "default", "what it counts", "beyond it"), rows)
