"""``/health`` and ``/metrics``: for whatever starts, watches and replaces servers.

The two of health answer everybody, whatever the access rule: an orchestrator asks from other machines and has no key.
They tell one word and do no work that others could make costly.
"""

from __future__ import annotations

from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...engine import Engine
from ...engine.errors import StoreUnavailable
from ..access.clients import OPEN, present_client
from ..errors import Refused
from ..wire.operation import Operations
from ..wire.plain_records import HealthRecord
from ..wire.request_schemas.strict import Nothing

if TYPE_CHECKING:
    from ...engine.metrics import Metrics

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of Prometheus's text format."""


OPERATIONS = Operations()


@OPERATIONS.add("/health/live", "Say that the server is alive", HealthRecord, scope=OPEN)
def get_live(engine: Engine) -> dict[str, str]:
    return {"status": "live"}


@OPERATIONS.add("/health/ready", "Say whether the database answers and the engine keeps up", HealthRecord, scope=OPEN)
def get_ready(engine: Engine) -> dict[str, str]:
    why = engine.not_ready()
    if why is not None:
        raise StoreUnavailable(f"Not ready: {why}.", code="not-ready")
    return {"status": "ready"}


COUNTS = find_spec("prometheus_client") is not None
"""Whether what counts is installed."""


def metrics_of(engine: Engine) -> Metrics:
    """What Prometheus counts, from the making of the application on."""
    from ...engine.metrics import Metrics

    return Metrics.of(engine)


@OPERATIONS.add(
    "/metrics",
    "Show metrics for Prometheus",
    Nothing,
    media_type=TEXT,
    prepare=metrics_of if COUNTS else None,
    takes_session=False,
)
def get_metrics(engine: Engine) -> bytes:
    if not COUNTS:
        text = "This server counts nothing: install what does with pip install 'riverstone[metrics]', and restart it."
        raise Refused(text, status=HTTPStatus.NOT_FOUND, code="metrics-missing")
    client = present_client()
    if client.sees is not None:
        text = (
            f"Metrics are about everybody's processes, and {client.name} sees those of {client.sees} only:"
            " use a key that was added with --every-owner."
        )
        raise Refused(text, status=HTTPStatus.FORBIDDEN, code="owner-limited")
    return metrics_of(engine).text()
