"""A trace goes on in the workers, whatever broker is between them and the engine."""

from __future__ import annotations

import json

import pytest
from opentelemetry import trace

from ..features.sketch import line, service
from ..tracing import spans as traced
from .crew import Crew


@pytest.mark.parametrize("crew", ["redis", "rabbitmq"], indirect=True)
def test_the_spans_of_workers_belong_to_the_trace_of_the_process(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    file = crew.folder / "spans"
    monkeypatch.setenv("RIVERSTONE_TEST_SPANS", str(file))
    crew.worker()
    with traced(), crew.river() as engine:
        engine.deploy(line("shop", service("a", "quick")))
        with trace.get_tracer("tests").start_as_current_span("somebody") as somebody:
            started = engine.start(key="shop", name="x").process_instance_id
        engine.wait(started, timeout=30)
        engine.delete(started)
        assert engine.wait(started, timeout=30).status == "delete.success"

    spans = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    assert {span["name"] for span in spans} >= {"start quick"}
    (start,) = [span for span in spans if span["name"] == "start quick"]
    assert start["context"]["trace_id"] == f"0x{somebody.get_span_context().trace_id:032x}"
    assert start["attributes"]["riverstone.process_instance_id"] == started
