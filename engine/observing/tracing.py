"""OpenTelemetry, where the application uses it: one trace from a request through a process, its stones and its undo.

A process instance keeps the W3C ``traceparent`` of its beginning (https://www.w3.org/TR/trace-context/), so spans of
any later moment, process or machine find their place. A span never holds parameters, outputs or reasons.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..errors import EngineClosed, RiverstoneError, StoreUnavailable

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from ...models import InstanceRow
    from ..work import Outcome, Work

Result = TypeVar("Result")
SCOPE = "riverstone"
FAILED = ("failed", "bpmn-error")


def is_on() -> bool:
    """Whether anybody may want spans: whoever sets up an SDK has loaded its interface; else nothing records them."""
    return "opentelemetry.trace" in sys.modules


def present() -> str | None:
    """The traceparent of the span that this thread is inside of."""
    if not is_on():
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


@contextmanager
def span(
    name: str,
    *,
    kind: Literal["internal", "server"] = "internal",
    headers: Mapping[str, str] | None = None,
    parent: str | None = None,
    link: str | None = None,
    **attributes: Any,
) -> Iterator[Span | None]:
    """Let this thread be inside a span while something is done; None where nobody wants one.

    It belongs to the span named in the ``headers`` (``traceparent``, ``tracestate``) or to the ``parent``, else to the
    one that is present. What is raised marks it as failed, by its kind and not by its words; a server does not fail
    by refusing what its client got wrong.
    """
    if not is_on():
        yield None
        return
    from opentelemetry import trace

    carrier = headers if headers is not None else {"traceparent": parent} if parent is not None else None
    linked = trace.get_current_span(_context({"traceparent": link})).get_span_context() if link is not None else None
    with trace.get_tracer(SCOPE).start_as_current_span(
        name,
        context=None if carrier is None else _context(carrier),
        kind=trace.SpanKind.SERVER if kind == "server" else trace.SpanKind.INTERNAL,
        attributes=_named(attributes),
        links=[trace.Link(linked)] if linked is not None and linked.is_valid else [],
        record_exception=False,
        set_status_on_exception=False,
    ) as found:
        try:
            yield found
        except Exception as error:
            if kind == "server" and is_refusal(error):
                found.set_attribute("error.type", type(error).__name__)
            else:
                fail(found, type(error).__name__)
            raise


def fail(found: Span | None, kind: str) -> None:
    """Mark a span as failed, by the kind of its error."""
    if found is not None:
        from opentelemetry.trace import StatusCode

        found.set_attribute("error.type", kind)
        found.set_status(StatusCode.ERROR)


def is_refusal(error: Exception) -> bool:
    """Whether the engine, or who serves it, is well and only refuses what was asked."""
    if isinstance(error, RiverstoneError):
        return not isinstance(error, (StoreUnavailable, EngineClosed))
    status = getattr(error, "code", None)
    return isinstance(status, int) and status < 500


def carried(action: Callable[[Any], Result]) -> Callable[[Any], Result]:
    """The action, to be done in another thread as if inside the span that is present in this one."""
    if present() is None:
        return action
    from opentelemetry import context

    here = context.get_current()

    def inside(argument: Any) -> Result:
        token = context.attach(here)
        try:
            return action(argument)
        finally:
            context.detach(token)

    return inside


@contextmanager
def performing(work: Work) -> Iterator[Callable[[Outcome], Outcome]]:
    """Let a hook be called in a span of the process's trace, which the stone's own spans belong to.

    What it came to is told by calling what this gives.
    """
    with span(
        f"{work.event} {work.stone}",
        parent=work.traceparent or "",
        process_instance_id=work.process_instance_id,
        task_id=work.task_id,
        stone=work.stone,
        event=work.event,
        attempt=work.attempt,
        namespace=work.namespace,
    ) as found:

        def traced(outcome: Outcome) -> Outcome:
            if found is not None:
                found.set_attribute("riverstone.result", outcome.result)
                if outcome.result in FAILED:
                    fail(found, outcome.result)
            return outcome

        yield traced


def begun(row: InstanceRow, origin: InstanceRow | None = None) -> None:
    """Note the beginning of an instance, and keep with it where its later spans belong.

    One that undoes an ``origin`` belongs to the request that asked for it, else to the origin, and is linked to that.
    """
    if not is_on():
        return
    before = None if origin is None else origin.trace
    with span(
        f"{'process' if row.kind == 'start' else row.kind} {(origin or row).key}",
        parent=before if present() is None else None,
        link=before,
        process_instance_id=row.process_instance_id,
        key=(origin or row).key,
        origin_process_instance_id=None if origin is None else origin.process_instance_id,
    ):
        row.trace = present()


def ended(row: InstanceRow) -> None:
    """Note that an instance's own work is over, by a span as long as that."""
    if row.trace is None or not is_on():
        return
    from opentelemetry import trace

    found = trace.get_tracer(SCOPE).start_span(
        f"{'process' if row.kind == 'start' else row.kind} ended",
        context=_context({"traceparent": row.trace}),
        start_time=row.started * 1_000_000,
        attributes=_named({"process_instance_id": row.process_instance_id, "status": row.status}),
    )
    if row.status.endswith("failed"):
        fail(found, row.status)
    found.end(end_time=(row.ended or row.started) * 1_000_000)


def _context(carrier: Mapping[str, str]) -> Context:
    """The context of a traceparent; one that is none begins a new trace."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract(dict(carrier), Context())


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: str(value) if name.endswith("_id") else value for name, value in attributes.items()}
    return {
        name if "." in name else f"riverstone.{name}": value
        for name, value in values.items()
        if attributes[name] is not None
    }
