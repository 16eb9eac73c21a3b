"""What an application that wants traces sets up: OpenTelemetry's SDK, which a process can make known only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


class WhileAsked(Sampler):
    """Keeps spans only while a test wants them: the tests after it are not to be traced."""

    asked = 0

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE if self.asked else Decision.DROP, attributes)

    def get_description(self) -> str:
        return "while a test asks for spans"


SAMPLER = WhileAsked()
EXPORTER = InMemorySpanExporter()


def provider() -> TracerProvider:
    """The provider of this process."""
    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known
    made = TracerProvider(sampler=SAMPLER)
    made.add_span_processor(SimpleSpanProcessor(EXPORTER))
    trace.set_tracer_provider(made)
    return made


@contextmanager
def spans() -> Iterator[InMemorySpanExporter]:
    """The spans that end meanwhile."""
    provider()
    EXPORTER.clear()
    SAMPLER.asked += 1
    try:
        yield EXPORTER
    finally:
        SAMPLER.asked -= 1


def write_spans(file: Path) -> None:
    """Add every span of this process to a file, one JSON object a line."""
    out = file.open("a", encoding="utf-8", buffering=1)
    exporter = ConsoleSpanExporter(out=out, formatter=lambda span: span.to_json(indent=None) + "\n")
    provider().add_span_processor(SimpleSpanProcessor(exporter))
    SAMPLER.asked += 1
