"""``/health`` and ``/metrics``: for whatever starts, watches and replaces servers.

The two of health answer everybody, whatever the access rule: an orchestrator asks from other machines and has no key.
They tell one word and do no work that others could make costly.
"""

from __future__ import annotations

from http import HTTPStatus
from importlib.util import find_spec

from ...engine import Engine
from ...engine.errors import StoreUnavailable
from ..access.access import OPEN, present_client
from ..errors import Refused
from ..wire.operation import Resource, Route, operation
from ..wire.records import HealthRecord
from ..wire.schemas import Nothing

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of Prometheus's text format."""


class Live(Resource):
    """Whether the server's process answers at all."""

    @operation("Say that the server is alive", HealthRecord, scope=OPEN)
    def get(self) -> dict[str, str]:
        return {"status": "live"}


class Ready(Resource):
    """Whether the server does its work."""

    @operation("Say whether the database answers and the engine keeps up", HealthRecord, scope=OPEN)
    def get(self) -> dict[str, str]:
        why = self.engine.not_ready()
        if why is not None:
            raise StoreUnavailable(f"Not ready: {why}.", code="not-ready")
        return {"status": "ready"}


class Metrics(Resource):
    """What Prometheus counts, from the making of this application on."""

    def __init__(self, engine: Engine) -> None:
        from ...engine.metrics import Metrics

        super().__init__(engine)
        self.metrics = Metrics.of(engine)

    @operation("Show metrics for Prometheus", Nothing, media_type=TEXT)
    def get(self) -> bytes:
        client = present_client()
        if client.sees is not None:
            text = (
                f"Metrics are about everybody's processes, and {client.name} sees those of {client.sees} only:"
                " use a key that was added with --every-owner."
            )
            raise Refused(text, status=HTTPStatus.FORBIDDEN, code="owner-limited")
        return self.metrics.text()


ROUTES: tuple[Route, ...] = (
    ("/health/live", Live),
    ("/health/ready", Ready),
    # Only where what counts is installed: the extra riverstone[metrics].
    *((("/metrics", Metrics),) if find_spec("prometheus_client") is not None else ()),
)
