"""``/statistics``: what the last runs came to, by model, stone and element."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, Statistics
from ..wire.operation import Operations, visible
from ..wire.records import StatisticsRecord
from ..wire.request_schemas.lists import StatisticsQuery

OPERATIONS = Operations()


@OPERATIONS.add(
    "/statistics",
    "Show what the last runs came to: failures, retries and durations by version, stone and element",
    StatisticsRecord,
    query=StatisticsQuery,
)
def get_statistics(engine: Engine, query: dict[str, Any]) -> Statistics:
    return visible(engine).statistics(**query)
