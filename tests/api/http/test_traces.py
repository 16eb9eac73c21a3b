"""One trace leads from a client's request through a process and its stones to what undoes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from riverstone.api import create_app
from riverstone.api.client import Client as ServerClient
from riverstone.engine import Engine, Stone

from ... import tracing
from ...features.sketch import line, runs, service
from ..asking import Client

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
SECRET = "hunter2-hunter2"


class Cloud(Stone):
    """Calls something else, as stones do, and may fail at it."""

    code = "cloud"

    def start(self, task: Any) -> None:
        with trace.get_tracer("of the stone").start_as_current_span("POST /volumes"):
            task.add_output("id", task.namespace)
        if task.namespace == "bad":
            raise RuntimeError(SECRET)

    def rollback(self, task: Any) -> None:
        """It is gone."""

    def delete(self, task: Any) -> None:
        """It is gone."""


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    with tracing.spans() as exporter:
        yield exporter


def ids(span: ReadableSpan) -> tuple[str, str | None]:
    """The trace that a span belongs to, and its parent in that."""
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}" if span.parent is not None else None


def own(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def named(spans: Sequence[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = [span for span in spans if span.name == name]
    return found


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_a_trace_leads_from_the_request_through_the_stones_to_the_undo(
    tmp_path: Path, spans: InMemorySpanExporter, dispatcher: Any
) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Cloud], dispatcher=dispatcher) as engine:
        client = Client(create_app(engine))
        engine.deploy(line("shop", service("good", "cloud")))
        body = {"key": "shop", "processName": "x", "variables": {"password": SECRET}}
        number = client.post("/process", json=body, headers=TRACEPARENT).json["processInstanceId"]
        engine.wait(number, 60)
    # Another engine, as after a restart: the trace goes on from what is stored, and not from the request of now.
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Cloud], dispatcher=dispatcher) as engine:
        Client(create_app(engine)).put(f"/process/{number}/delete")
        engine.wait(number, 60)

    found = spans.get_finished_spans()
    request, process = named(found, "POST /process"), named(found, "process shop")
    event, inner = named(found, "start cloud"), named(found, "POST /volumes")
    assert request.kind is SpanKind.SERVER
    assert ids(request) == (TRACE, PARENT)
    assert ids(process) == (TRACE, own(request))
    assert ids(event) == (TRACE, own(process))
    assert ids(inner) == (TRACE, own(event))
    assert event.attributes is not None
    assert event.attributes["riverstone.process_instance_id"] == number
    assert event.attributes["riverstone.stone"] == "cloud"

    asked = named(found, "PUT /process/<process_instance_id>/delete")
    undo, undone = named(found, "delete shop"), named(found, "delete cloud")
    assert ids(asked)[0] != TRACE
    assert ids(undo) == (ids(asked)[0], own(asked))
    assert [f"{link.context.span_id:016x}" for link in undo.links] == [own(process)]
    assert ids(undone) == (ids(asked)[0], own(undo))
    assert {ids(named(found, "process ended"))[0], ids(named(found, "delete ended"))[0]} == {TRACE, ids(asked)[0]}


@pytest.mark.parametrize("dispatcher", ["inline", "threads"])
def test_each_coroutine_has_its_own_span_around_what_it_awaits(
    tmp_path: Path, spans: InMemorySpanExporter, dispatcher: Any
) -> None:
    class Awaited(Stone):
        code = "awaited"

        async def start(self, task: Any) -> None:
            await asyncio.sleep(0.02)
            with trace.get_tracer("of the stone").start_as_current_span(f"POST /{task.namespace}"):
                await asyncio.sleep(0.02)

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Awaited], dispatcher=dispatcher) as engine:
        engine.deploy(line("shop", service("some-", "awaited", inside=runs("5"))))
        engine.wait(engine.start(key="shop", name="x").process_instance_id, 20)
    found = spans.get_finished_spans()
    events = {own(span): span for span in found if span.name == "start awaited"}
    for number in range(1, 6):
        parent = events.pop(ids(named(found, f"POST /some-{number}"))[1] or "")
        assert parent.attributes is not None
        assert parent.attributes["riverstone.namespace"] == f"some-{number}"
    assert not events


def test_what_fails_is_marked_and_its_rollback_belongs_to_the_same_trace(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Cloud], dispatcher="threads") as engine:
        client = Client(create_app(engine))
        engine.deploy(line("shop", service("good", "cloud"), service("bad", "cloud")))
        body = {"key": "shop", "processName": "x", "variables": {"password": SECRET}}
        number = client.post("/process", json=body, headers=TRACEPARENT).json["processInstanceId"]
        assert engine.wait(number, 60).status == "rollback.success"
        assert client.put(f"/process/{number}/cancel").status_code == 409

    found = spans.get_finished_spans()
    failed = [span for span in found if span.status.status_code is StatusCode.ERROR]
    assert [span.name for span in failed] == ["start cloud"]
    rollback = named(found, "rollback shop")
    assert ids(rollback) == (TRACE, own(named(found, "process shop")))
    assert {ids(span)[0] for span in found if span.name == "rollback cloud"} == {TRACE}
    refused = named(found, "PUT /process/<process_instance_id>/cancel")
    assert refused.attributes is not None
    assert refused.attributes["error.type"] == "Conflict"
    assert not [span for span in found if SECRET in span.to_json()]


def test_the_python_client_hands_its_trace_on(address: str, spans: InMemorySpanExporter) -> None:
    with trace.get_tracer("of a program").start_as_current_span("asking"), ServerClient(address) as server:
        server.models()

    request, asking = named(spans.get_finished_spans(), "GET /model"), named(spans.get_finished_spans(), "asking")
    assert request.kind is SpanKind.SERVER
    assert ids(request)[1] == own(asking)


def test_within_an_application_that_is_traced_itself_requests_are_no_second_servers(
    tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        client = Client(create_app(engine))
        with trace.get_tracer("of the application").start_as_current_span("GET around"):
            client.get("/process", headers=TRACEPARENT)
        client.get("/health/live")

    inside, around = spans.get_finished_spans()
    assert inside.kind is SpanKind.INTERNAL
    assert ids(inside)[1] == own(around)
