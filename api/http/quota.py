"""``/quota``: what is used of what there is only so much of."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, Page, QuotaUse
from ..wire.operation import Operations, visible
from ..wire.records import QuotaPage
from ..wire.request_schemas.quotas import QuotaQuery

OPERATIONS = Operations()


@OPERATIONS.add(
    "/quota", "List the quotas of stones: what is used of each, and how many tasks wait", QuotaPage, query=QuotaQuery
)
def get_quotas(engine: Engine, query: dict[str, Any]) -> Page[QuotaUse]:
    return visible(engine).quotas(**query)
