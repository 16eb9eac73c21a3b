"""What an application that wants traces sets up: OpenTelemetry's SDK, which a process can make known only once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def provider() -> TracerProvider:
    """The provider of this process."""
    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known
    made = TracerProvider()
    trace.set_tracer_provider(made)
    return made


@contextmanager
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans that end meanwhile."""
    exporter = InMemorySpanExporter()
    processor = SimpleSpanProcessor(exporter)
    provider().add_span_processor(processor)
    yield exporter
    processor.shutdown()


def write_spans(file: Path) -> None:
    """Add every span of this process to a file, one JSON object a line."""
    out = file.open("a", encoding="utf-8", buffering=1)
    exporter = ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + "\n")
    provider().add_span_processor(SimpleSpanProcessor(exporter))
